//! `X-Request-Id`: the caller's own or a fresh one, in the answer and in every log line.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, rt};
use uuid::Uuid;
use webhook_store::droppable;

use crate::caller::Caller;

/// The header, in requests and answers.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters that a caller's own id may have.
const MAX_CHARS: usize = 128;

tokio::task_local! {
    static CURRENT: HeaderValue;
}

/// The id of the request that is being worked on here. `None`: outside of any.
pub fn current() -> Option<String> {
    CURRENT
        .try_with(|id| id.to_str().ok().map(str::to_owned))
        .ok()
        .flatten()
}

/// Gives a request its id, works on it, and writes one line about it.
///
/// A change is worked on to its end even if its client goes away, as nobody could tell how far it
/// got. A question is dropped with its client, and its statement with it.
pub(crate) async fn follow<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let id = take(&request);
    let changes = !request.method().is_safe();
    let work = CURRENT.scope(id.clone(), async move { answer(request, next, id).await });
    if changes {
        rt::spawn(work).await.map_err(ErrorInternalServerError)?
    } else {
        droppable(work).await
    }
}

async fn answer<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
    id: HeaderValue,
) -> Result<ServiceResponse<B>, Error> {
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let began = Instant::now();
    let mut response = next.call(request).await?;
    response.headers_mut().insert(HEADER, id);
    if path.starts_with("/api/v1/") {
        let (status, millis) = (response.status().as_u16(), began.elapsed().as_millis());
        let key = response.request().extensions().get().map(Caller::key_text);
        let key = key.unwrap_or_default();
        log::info!(status, duration_ms = millis, api_key_id = key.as_str(); "{method} {path} {status}");
    }
    Ok(response)
}

/// The caller's id, if it is one that can stand in a log line.
fn take(request: &ServiceRequest) -> HeaderValue {
    let given = request
        .headers()
        .get(HEADER)
        .filter(|id| is_plain(id.as_bytes()));
    given.cloned().unwrap_or_else(|| {
        let id = Uuid::now_v7().to_string();
        HeaderValue::from_str(&id).expect("a UUID is a header's value")
    })
}

fn is_plain(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=MAX_CHARS).contains(&id.len()) && id.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};
    use actix_web::{App, web};

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
