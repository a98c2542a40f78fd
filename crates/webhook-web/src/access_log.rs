//! The way of every request: its id, the work, one line in the log.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::HeaderValue;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, rt};
use webhook_metrics::catalogue::{HTTP_DURATION, HTTP_REQUESTS};
use webhook_metrics::status_class;
use webhook_store::droppable;

use crate::authenticated::Authenticated;
use crate::request_id::{self, CURRENT};
use crate::request_metrics::route_of;

/// Gives a request an id, lets the handler work, and logs one line for requests of the API.
pub async fn follow<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = request_id::take(&request);
    let changes = !request.method().is_safe();
    let work = CURRENT.scope(
        id.clone(),
        async move { log_request(request, next, id).await },
    );
    // A change runs to the end even after its client is gone: a change broken off in the middle would
    // leave the client without a way to know the result. A read is dropped with the client, and the
    // read's statement ends in Postgres.
    if changes {
        rt::spawn(work).await.map_err(ErrorInternalServerError)?
    } else {
        droppable(work).await
    }
}

async fn log_request<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
    id: HeaderValue,
) -> Result<ServiceResponse<B>, Error> {
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let began = Instant::now();
    let mut response = next.call(request).await?;
    let route = route_of(&method, response.request().match_pattern().as_deref());
    HTTP_REQUESTS.add_for(&[route, status_class(response.status().as_u16())], 1);
    HTTP_DURATION.record_for(&[route], began.elapsed().as_secs_f64());
    response.headers_mut().insert(request_id::HEADER, id);
    if path.starts_with("/api/v1/") {
        let (status, millis) = (response.status().as_u16(), began.elapsed().as_millis());
        let key = response
            .request()
            .extensions()
            .get()
            .map(Authenticated::key_text);
        let key = key.unwrap_or_default();
        log::info!(status, duration_ms = millis, api_key_id = key.as_str(); "{method} {path} {status}");
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_id::{HEADER, current};
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};
    use uuid::Uuid;

    async fn echo(sent: &str) -> (String, String) {
        let inside = web::get().to(|| async { current().unwrap_or_default() });
        let app = App::new().wrap(from_fn(follow)).route("/", inside);
        let app = init_service(app).await;
        let request = TestRequest::get()
            .insert_header((HEADER, sent))
            .to_request();
        let response = call_service(&app, request).await;
        let header = response.headers().get(HEADER).expect("it is there");
        let header = header.to_str().expect("text").to_owned();
        let body = actix_web::test::read_body(response).await;
        (header, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[actix_web::test]
    async fn a_callers_id_is_known_inside_and_comes_back() {
        let id = "order-42.retry_1".to_owned();

        assert_eq!(echo(&id).await, (id.clone(), id));
    }

    #[actix_web::test]
    async fn an_id_that_could_forge_a_log_line_is_replaced() {
        for sent in ["", "a b", "a\"b", &"x".repeat(129)] {
            let (header, inside) = echo(sent).await;

            assert_eq!(header, inside);
            assert!(header.parse::<Uuid>().is_ok(), "{sent}");
        }
    }
}
