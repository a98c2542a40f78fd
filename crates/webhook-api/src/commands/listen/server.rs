//! The HTTP server of a session. Anybody may send: bodies, times and connections are bounded.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::{self, Data, Payload};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use anyhow::Context;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use webhook_domain::{ReceivedHeaders, ReceivedRequest};

use super::forward::Forward;
use super::secrets::{Secrets, Verdict};
use super::transcript;

/// The most bytes of a body: four times the largest event, for formats with an envelope of their own.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long a sender may take for the head, and again for the body.
const SENT_WITHIN: Duration = Duration::from_secs(5);

/// Connections at once. A dispatcher opens 16 for a webhook.
const MAX_CONNECTIONS: usize = 64;

/// How long running requests may take at the end, in seconds.
const ENDS_WITHIN_SECONDS: u64 = 2;

/// Where requests are looked at.
#[derive(Clone)]
pub(super) struct Desk {
    secrets: Secrets,
    status: u16,
    forward: Option<Forward>,
    /// Cancelled when the output is closed: nobody looks any more.
    unwatched: CancellationToken,
}

impl Desk {
    pub(super) fn new(secrets: Secrets, status: u16, forward: Option<Forward>) -> Self {
        Self {
            secrets,
            status,
            forward,
            unwatched: CancellationToken::new(),
        }
    }
}

/// Serves until `cancel`, or until the output is closed.
pub(super) async fn serve(
    listener: TcpListener,
    desk: Desk,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let unwatched = desk.unwatched.clone();
    let desk = Data::new(desk);
    let routes = move || {
        App::new()
            .app_data(desk.clone())
            .default_service(web::to(receive))
    };
    let server = HttpServer::new(routes)
        .workers(1)
        .max_connections(MAX_CONNECTIONS)
        .client_request_timeout(SENT_WITHIN)
        .shutdown_timeout(ENDS_WITHIN_SECONDS)
        .disable_signals()
        .listen(listener)
        .context("cannot serve")?
        .run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    tokio::select! {
        () = cancel.cancelled() => {}
        () = unwatched.cancelled() => {}
    }
    handle.stop(true).await;
    serving.await?.context("the server ended")
}

async fn receive(request: HttpRequest, payload: Payload, desk: Data<Desk>) -> HttpResponse {
    let head = transcript::head(&request);
    let body = match read(payload).await {
        Ok(body) => body,
        Err(fault) => {
            desk.print(&format!("{head}--- REFUSED\n    {}\n\n", fault.reason()));
            return respond(fault.status());
        }
    };
    let verdict = desk.check(&request, body.clone()).await;
    let body_text = transcript::body(&body);
    let (status, answered) = desk.answer(&request, body, &verdict).await;
    let verdict = transcript::verdict(&verdict);
    desk.print(&format!(
        "{head}{body_text}{verdict}    answered {answered}\n\n"
    ));
    respond(status)
}

fn respond(status: u16) -> HttpResponse {
    let status = actix_web::http::StatusCode::from_u16(status);
    HttpResponse::build(status.expect("the status is between 200 and 599")).finish()
}

impl Desk {
    /// Checks the signatures on a thread for blocking work: explaining a hostile body takes a while.
    async fn check(&self, request: &HttpRequest, body: Bytes) -> Verdict {
        let headers = request.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let received = ReceivedRequest {
            headers: ReceivedHeaders::new(headers),
            body,
        };
        let secrets = self.secrets.clone();
        let checked = web::block(move || secrets.check(&received)).await;
        checked.unwrap_or_else(|error| Verdict::Refused(vec![error.to_string()]))
    }

    /// The status of the response, and the reason in words. A refused request is not passed on.
    async fn answer(&self, request: &HttpRequest, body: Bytes, verdict: &Verdict) -> (u16, String) {
        if matches!(verdict, Verdict::Refused(_)) {
            return (401, "401".to_owned());
        }
        let Some(forward) = &self.forward else {
            return (self.status, self.status.to_string());
        };
        let passed_on = forward.pass_on(request.method().as_str(), request.headers(), body);
        match passed_on.await {
            // Not every status can be an answer of ours: 1xx ends no request.
            Ok(status @ 200..=599) => (status, format!("{status}, as the URL of --forward did")),
            Ok(status) => (502, format!("502: the URL of --forward answered {status}")),
            Err(error) => (502, format!("502: {error:#}")),
        }
    }

    /// Prints a whole request at once: requests that come together do not mix.
    fn print(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        if out
            .write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .is_err()
        {
            self.unwatched.cancel();
        }
    }
}

/// Why a body is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyFault {
    TooLarge,
    TooSlow,
    BrokenOff,
}

impl BodyFault {
    fn status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::TooSlow => 408,
            Self::BrokenOff => 400,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::TooLarge => "the body has more than 1 MiB",
            Self::TooSlow => "the body did not arrive within 5 s",
            Self::BrokenOff => "the body was broken off",
        }
    }
}

async fn read(mut payload: Payload) -> Result<Bytes, BodyFault> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyFault::BrokenOff)?;
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(BodyFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    timeout(SENT_WITHIN, reading)
        .await
        .unwrap_or(Err(BodyFault::TooSlow))
}
