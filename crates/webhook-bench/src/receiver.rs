//! A receiver for demonstrations: shows every request as it arrived, and whether its signatures
//! hold. It checks them with code of its own, as a customer's engineer would.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

mod verify;

/// More than any event has.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Shows webhook requests and whether their signatures hold
#[derive(Parser)]
#[command(name = "webhook-receiver", version)]
struct Config {
    /// Where requests are taken
    #[arg(long, env = "LISTEN", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// A file with one secret (whsec_…) a line; it is read at every request
    #[arg(long, env = "SECRETS_FILE")]
    secrets_file: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Arc::new(Config::parse());
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("waiting for requests on http://{}", listener.local_addr()?);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted?.0,
            _ = terminate.recv() => return Ok(()),
        };
        let config = config.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&config, request));
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                eprintln!("a connection broke: {error}");
            }
        });
    }
}

async fn answer(
    config: &Config,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        return Ok(respond(StatusCode::PAYLOAD_TOO_LARGE, "too large\n"));
    };
    let body = body.to_bytes();
    let secrets = std::fs::read_to_string(&config.secrets_file).unwrap_or_default();
    let verified = verify::verify(&head.headers, &body, &secrets);

    println!(
        "{}",
        show(&head.method, head.uri.path(), &head.headers, &body)
    );
    println!("--- {verified}\n");
    if verified.both_hold() {
        Ok(respond(StatusCode::OK, "ok\n"))
    } else {
        Ok(respond(
            StatusCode::UNAUTHORIZED,
            "the signature does not hold\n",
        ))
    }
}

fn show(method: &hyper::Method, path: &str, headers: &HeaderMap, body: &[u8]) -> String {
    let mut text = format!("--- {method} {path}\n");
    for (name, value) in headers {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()));
    }
    text + "\n" + &String::from_utf8_lossy(body)
}

fn respond(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}
