//! The refusals of every operation, in the API's description.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

/// The refusals of every operation.
pub(crate) struct Refusals;

/// The statuses, each with the sentence of its cause.
pub(crate) const REFUSALS: [(StatusCode, &str); 12] = [
    (StatusCode::BAD_REQUEST, "The body is no JSON object"),
    (StatusCode::UNAUTHORIZED, "There is no valid API key"),
    (StatusCode::FORBIDDEN, "The key's role does not allow it"),
    (
        StatusCode::NOT_FOUND,
        "There is no such thing, or it was deleted",
    ),
    (StatusCode::CONFLICT, "It cannot be done as things are"),
    (
        StatusCode::PRECONDITION_FAILED,
        "It was changed meanwhile; `current_version` tells",
    ),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is compressed, or does not call itself JSON",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "Fields are wrong; `errors` names each",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "The key asks too fast; `Retry-After` tells how long to wait",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong here; it was logged",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The database or the broker is away; send it again",
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
