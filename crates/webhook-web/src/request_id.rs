//! `X-Request-Id`: the caller's own id or a fresh one, in the response and in every log line.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use uuid::Uuid;

/// The header, in requests and answers.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The most characters of a caller's own id.
const MAX_CHARS: usize = 128;

tokio::task_local! {
    pub(crate) static CURRENT: HeaderValue;
}

/// The id of the current task's request. `None`: the task works on no request.
pub fn current() -> Option<String> {
    CURRENT
        .try_with(|id| id.to_str().ok().map(str::to_owned))
        .ok()
        .flatten()
}

/// The caller's id if a log line can hold the id safely, else a fresh id.
pub(crate) fn take(request: &ServiceRequest) -> HeaderValue {
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
