//! A response whose head is there.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use webhook_domain::WebhookId;

use super::http1::{Head, Http1};
use super::http2::Slot;
use super::pool::Pool;

/// A response with a body in pieces. Dropping the response before the end of its body closes the HTTP/1
/// connection, or resets the HTTP/2 stream.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    body: Body,
}

enum Body {
    Http1 {
        incoming: Incoming,
        /// Back to the pool at the end of the body, when the connection is free for another request.
        connection: Option<(Http1, Head)>,
        webhook_id: WebhookId,
        pool: Arc<Pool>,
    },
    Http2 {
        stream: RecvStream,
        _slot: Slot,
    },
}

/// The body broke off.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl Response {
    pub(super) fn of_http1(
        response: http::Response<Incoming>,
        http1: Http1,
        webhook_id: WebhookId,
        pool: Arc<Pool>,
    ) -> Self {
        let (head, incoming) = response.into_parts();
        let connection = Some((http1, Head::of(head.status, &head.headers)));
        Self {
            status: head.status,
            headers: head.headers,
            body: Body::Http1 {
                incoming,
                connection,
                webhook_id,
                pool,
            },
        }
    }

    pub(super) fn of_http2(response: http::Response<RecvStream>, slot: Slot) -> Self {
        let (head, stream) = response.into_parts();
        let _slot = slot;
        Self {
            status: head.status,
            headers: head.headers,
            body: Body::Http2 { stream, _slot },
        }
    }

    /// The next piece of the body; `None` at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, BrokenOff> {
        match &mut self.body {
            Body::Http1 {
                incoming,
                connection,
                webhook_id,
                pool,
            } => loop {
                let Some(frame) = incoming.frame().await else {
                    if let Some((mut http1, head)) = connection.take()
                        && http1.rest(&head)
                    {
                        pool.keep(*webhook_id, http1);
                    }
                    return Ok(None);
                };
                // Trailers are left out.
                if let Ok(data) = frame.map_err(|_| BrokenOff)?.into_data() {
                    return Ok(Some(data));
                }
            },
            Body::Http2 { stream, .. } => {
                let Some(data) = poll_fn(|context| stream.poll_data(context)).await else {
                    return Ok(None);
                };
                let data = match data {
                    Ok(data) => data,
                    // The response is whole; the receiver does not want the rest of the request
                    // (RFC 9113 section 8.1).
                    Err(error) if error.reason() == Some(h2::Reason::NO_ERROR) => return Ok(None),
                    Err(_) => return Err(BrokenOff),
                };
                // Lets the receiver send as many bytes more. An error means the end of the stream.
                let _ = stream.flow_control().release_capacity(data.len());
                Ok(Some(data))
            }
        }
    }
}
