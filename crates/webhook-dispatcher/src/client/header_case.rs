//! The case of header names in HTTP/1, as in the documentation.
//!
//! HTTP compares names without their case, but some receivers do not. The HTTP library keeps names in
//! lower case, and sends another case only with a request read by the library before, for the sake of
//! proxies. So the library reads a request with the documented names here, once, and the note of the
//! case goes with every request.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Extensions, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use webhook_domain::RequestHeader;

/// The library's note of the documented names. Other names are sent with a capital letter at the
/// beginning of each word.
pub(super) fn documented() -> Extensions {
    static DOCUMENTED: LazyLock<Extensions> = LazyLock::new(|| {
        let read = read_own_names().now_or_never().flatten();
        read.expect("a request in memory is read at once")
    });
    DOCUMENTED.clone()
}

async fn read_own_names() -> Option<Extensions> {
    let names = RequestHeader::ALL.iter();
    let headers: String = names
        .map(|name| format!("{}: x\r\n", name.as_str()))
        .collect();
    let request = format!("POST / HTTP/1.1\r\n{headers}\r\n");
    let (mut client, server) = tokio::io::duplex(request.len());
    client.write_all(request.as_bytes()).await.ok()?;
    let read = Arc::new(Mutex::new(None));
    let take = service_fn(|request: Request<Incoming>| {
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        *read = Some(request.extensions().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new())))
    });
    let mut serving = http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(server), take);
    // A single poll reads the request. The server then waits for a second request, which does not come.
    let _ = (&mut serving).now_or_never();
    drop(serving);
    read.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_names_are_noted_once_for_all_requests() {
        assert!(!documented().is_empty());
        assert_eq!(documented().len(), 1);
    }
}
