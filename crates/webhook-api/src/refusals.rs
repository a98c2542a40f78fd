//! The refusals of every operation, in the API's description.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

/// The refusals of every operation.
pub(crate) struct Refusals;

/// The statuses, each with the sentence of its cause.
pub(crate) const REFUSALS: [(StatusCode, &str); 12] = [
    (StatusCode::BAD_REQUEST, "The body is not a JSON object"),
    (StatusCode::UNAUTHORIZED, "There is no valid API key"),
    (StatusCode::FORBIDDEN, "The key's role lacks the permission"),
    (
        StatusCode::NOT_FOUND,
        "The object does not exist or was deleted",
    ),
    (
        StatusCode::CONFLICT,
        "The operation conflicts with the current state",
    ),
    (
        StatusCode::PRECONDITION_FAILED,
        "The object was changed in the meantime; `current_version` has its version",
    ),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is compressed, or its content type is not JSON",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "Fields are wrong; `errors` names each",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "The API key sends too many requests; `Retry-After` gives the wait",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "Internal error; the log of the service has the cause",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The database or the broker is unavailable; send the request again",
    ),
];

/// The name of a refusal among the components of the description.
pub(crate) fn component(status: StatusCode) -> String {
    let words = status.canonical_reason().unwrap_or_default();
    words.split(' ').collect()
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let each = REFUSALS.iter().map(|(status, _)| {
            let reference = Ref::from_response_name(component(*status));
            (status.as_str().to_owned(), RefOr::Ref(reference))
        });
        each.collect()
    }
}

/// The response of one status.
pub(crate) fn refusal(status: StatusCode, when: &str) -> Response {
    let example = serde_json::json!({
        "type": "about:blank", "title": status.canonical_reason(), "status": status.as_u16(),
        "detail": when, "errors": []
    });
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    content.example = Some(example);
    ResponseBuilder::new()
        .description(when)
        .content("application/problem+json", content)
        .build()
}
