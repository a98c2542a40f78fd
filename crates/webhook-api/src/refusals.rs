//! The refusals of every operation, in the API's description.

use std::collections::BTreeMap;

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};
use webhook_admin::Refusal;
use webhook_domain::{FieldError, MAX_EVENT_BYTES, Permission, Role};
use webhook_web::Problem;

/// The refusals of every operation.
pub(crate) struct Refusals;

/// A problem of each status, with the cause of the status in a sentence.
pub(crate) fn refusals() -> [(Problem, &'static str); 12] {
    let refused = Problem::Refused;
    let url = FieldError::new("url", "is required");
    let not_json = "expected value at line 1 column 1".to_owned();
    let not_allowed = Refusal::Forbidden {
        role: Role::Viewer,
        permission: Permission::Manage,
    };
    let too_large = Refusal::TooLarge {
        limit: MAX_EVENT_BYTES,
    };
    [
        (
            refused(Refusal::NotJson(not_json)),
            "The body is not a JSON object",
        ),
        (refused(Refusal::Unauthorized), "There is no valid API key"),
        (refused(not_allowed), "The key's role lacks the permission"),
        (
            refused(Refusal::NotFound("webhook")),
            "The object does not exist or was deleted",
        ),
        (
            refused(Refusal::IdempotencyKeyReused),
            "The operation conflicts with the current state",
        ),
        (
            refused(Refusal::VersionMismatch { version: 2 }),
            "The object was changed in the meantime; `current_version` has its version",
        ),
        (refused(too_large), "The body is too large"),
        (
            Problem::NotJsonType,
            "The body is compressed, or its content type is not JSON",
        ),
        (
            refused(Refusal::Invalid(vec![url])),
            "Fields are wrong; `errors` names each",
        ),
        (
            Problem::TooManyRequests { retry_after: 1 },
            "The API key sends too many requests; `Retry-After` gives the wait",
        ),
        (
            refused(Refusal::Broken(String::new())),
            "Internal error; the log of the service has the cause",
        ),
        (
            refused(Refusal::Stopping),
            "The database or the broker is unavailable; send the request again",
        ),
    ]
}

/// The name of a refusal among the components of the description.
pub(crate) fn component(status: StatusCode) -> String {
    let words = status.canonical_reason().unwrap_or_default();
    words.split(' ').collect()
}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let statuses = refusals().map(|(problem, _)| problem.status_code());
        let each = statuses.into_iter().map(|status| {
            let reference = Ref::from_response_name(component(status));
            (status.as_str().to_owned(), RefOr::Ref(reference))
        });
        each.collect()
    }
}

/// The response of one status, with a real problem as example.
pub(crate) fn describe(problem: &Problem, cause: &str) -> Response {
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    content.example = serde_json::to_value(problem.body()).ok();
    let response = ResponseBuilder::new()
        .description(cause)
        .content("application/problem+json", content);
    let waits = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if !waits.contains(&problem.status_code()) {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer);
    let header = HeaderBuilder::new()
        .schema(Some(seconds))
        .description(Some("Seconds until the next request is accepted"));
    response.header("Retry-After", header.build()).build()
}
