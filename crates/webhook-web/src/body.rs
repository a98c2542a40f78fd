//! Request bodies, bounded in size and time; the API's bodies are JSON.

use std::time::Duration;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use actix_web::{FromRequest, HttpRequest, dev};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;

use webhook_admin::Refusal;

use crate::problem::Problem;

/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes over the limit that are read and dropped: a client may write its whole body before reading, and
/// would see a broken connection instead of the 413.
const MAX_DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// The media types of a body; a patch is a JSON merge patch (RFC 7396).
const MEDIA_TYPES: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// A request's body of at most `LIMIT` bytes.
pub struct Body<const LIMIT: usize>(pub Bytes);

impl<const LIMIT: usize> FromRequest for Body<LIMIT> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let checked = check_headers(request.headers());
        let payload = payload.take();
        Box::pin(async move {
            checked?;
            read_body(payload, LIMIT).await.map(Self)
        })
    }
}

/// Reads a body of at most `limit` bytes.
pub async fn read_body(payload: dev::Payload, limit: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(BODY_TIMEOUT, read(payload, limit)).await {
        Ok(body) => body,
        Err(_) => Err(Problem::SlowBody),
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let encoding = headers.get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::Encoded);
    }
    let media_type = headers
        .get(CONTENT_TYPE)
        .and_then(|text| text.to_str().ok());
    let essence = media_type.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    let json = |known: &&str| essence.eq_ignore_ascii_case(known);
    if MEDIA_TYPES.iter().any(json) {
        Ok(())
    } else {
        Err(Problem::NotJsonType)
    }
}

async fn read(mut payload: dev::Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    let mut received = 0;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Problem::BrokenBody(error.to_string()))?;
        received += chunk.len();
        if received <= limit {
            body.extend_from_slice(&chunk);
        } else if received - limit > MAX_DISCARDED_BYTES {
            break;
        } else {
            body = BytesMut::new();
        }
    }
    if received > limit {
        return Err(Refusal::TooLarge { limit }.into());
    }
    Ok(body.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn a_body_must_call_itself_json() {
        let check = |media_type: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            check_headers(&headers).is_ok()
        };

        for json in ["application/json", "Application/JSON; charset=utf-8"] {
            assert!(check(json), "{json}");
        }
        for other in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
        ] {
            assert!(!check(other), "{other}");
        }
        assert!(check_headers(&HeaderMap::new()).is_err());
    }
}
