//! A receiver of webhook requests: verifies the signature, prints the request, responds.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use standardwebhooks::{Webhook, WebhookError};
use tokio::net::TcpListener;

/// Longest body that is read, in bytes. An event has 256 KiB at most.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Verifies and prints webhook requests
#[derive(Parser)]
#[command(name = "webhook-receiver", version)]
struct Options {
    /// Address to listen at
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// File with one webhook secret (whsec_…) a line; it is read at every request
    #[arg(long, env = "SECRETS_FILE")]
    secrets_file: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Arc::new(Options::parse());
    let listener = TcpListener::bind(options.listen).await;
    let listener = listener.with_context(|| format!("cannot listen on {}", options.listen))?;
    println!("waiting for requests on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let options = options.clone();
        let service = service_fn(move |request| receive(options.clone(), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("a connection broke: {error}");
            }
        });
    }
}

async fn receive(
    options: Arc<Options>,
    request: Request<Incoming>,
) -> anyhow::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        return respond(StatusCode::PAYLOAD_TOO_LARGE, "too large\n");
    };
    // The signature is over these bytes. JSON that is parsed and written again has others.
    let body = body.to_bytes();
    let secrets = std::fs::read_to_string(&options.secrets_file)?;
    let verified = verify(&secrets, &head.headers, &body);
    println!("--- {} {}", head.method, head.uri);
    for (name, value) in &head.headers {
        println!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    println!("\n{}", String::from_utf8_lossy(&body));
    match verified {
        // A real receiver stores the event here, passes over a `webhook-id` that it has stored
        // before, and works on the event after its response.
        Ok(()) => {
            println!("--- verified\n");
            respond(StatusCode::OK, "ok\n")
        }
        Err(error) => {
            println!("--- REFUSED: {error}\n");
            respond(StatusCode::UNAUTHORIZED, "the signature does not hold\n")
        }
    }
}

/// Checks the signature and its age with each secret. A webhook has several while one of them is
/// being replaced.
fn verify(secrets: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
    let mut result = Err(WebhookError::InvalidSignature);
    // An empty line is no secret: anybody could sign with an empty key.
    for secret in secrets.lines().filter(|secret| !secret.is_empty()) {
        result = result.or_else(|_| Webhook::new(secret)?.verify(body, headers));
    }
    result
}

fn respond(status: StatusCode, text: &'static str) -> anyhow::Result<Response<Full<Bytes>>> {
    Ok(Response::builder().status(status).body(Full::from(text))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{SystemTime, UNIX_EPOCH};

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    /// The headers of a request signed now with `secret`.
    fn signed(secret: &str, body: &[u8]) -> HeaderMap {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = i64::try_from(now.expect("after 1970").as_secs()).expect("before 2106");
        let signature = Webhook::new(secret).and_then(|w| w.sign("evt_1", now, body));
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "evt_1".parse().expect("a value"));
        headers.insert("webhook-timestamp", now.into());
        let signature = signature.expect("a signature").parse();
        headers.insert("webhook-signature", signature.expect("a value"));
        headers
    }

    #[test]
    fn a_request_is_verified_with_any_of_the_secrets() {
        let headers = signed(SECRET, b"{}");

        assert!(verify(SECRET, &headers, b"{}").is_ok());
        assert!(verify(&format!("whsec_b3RoZXI=\n{SECRET}\n"), &headers, b"{}").is_ok());
        assert!(verify(SECRET, &headers, b"{ }").is_err());
        assert!(verify("whsec_b3RoZXI=", &headers, b"{}").is_err());
    }

    #[test]
    fn an_empty_line_is_no_secret() {
        let headers = signed("", b"{}");

        assert!(verify("", &headers, b"{}").is_err());
        assert!(verify(&format!("\n{SECRET}\n"), &headers, b"{}").is_err());
    }
}
