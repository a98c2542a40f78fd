//! How the API says no: the one place that decides an HTTP status. RFC 9457.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_broker::PublishError;
use webhook_domain::{FieldError, FieldErrors, Permission, Role};
use webhook_store::StoreError;

use crate::precondition::etag;

/// When to try again what we cannot do now, in seconds.
const RETRY_AFTER_SECONDS: u8 = 5;

/// Why a request was not done. Its message is for the caller.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the body is not a JSON object: {0}")]
    NotJson(String),
    #[error("the body could not be read: {0}")]
    BrokenBody(String),
    #[error("send an API key: `Authorization: Bearer whk_…`")]
    Unauthorized,
    #[error("the key's role {role} has no permission to {permission}")]
    Forbidden { role: Role, permission: Permission },
    #[error("a page of another origin may not change anything here")]
    OtherSite,
    #[error("the form is not of this session; go back, load the page again and repeat it")]
    StrangeForm,
    #[error("the body must be a form: `Content-Type: application/x-www-form-urlencoded`")]
    NotAForm,
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("allowed here are {allowed}")]
    MethodNotAllowed { allowed: String },
    #[error("the body did not arrive in time")]
    SlowBody,
    #[error("more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body must not be compressed")]
    Encoded,
    #[error("the body must be JSON: `Content-Type: application/json`")]
    NotJsonType,
    #[error("some fields are wrong")]
    Invalid(Vec<FieldError>),
    #[error("it was changed meanwhile: its version is {version} now")]
    Changed { version: i64 },
    #[error("{0}")]
    Conflict(&'static str),
    #[error("some names do not tell one webhook")]
    Ambiguous(Vec<FieldError>),
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    #[error("this key asks too fast; wait {retry_after} s")]
    TooManyRequests { retry_after: u64 },
    #[error("the broker did not take the event; nothing is lost if it is sent again")]
    Broker(#[from] PublishError),
    #[error("{}", store_detail(.0))]
    Store(Arc<StoreError>),
    #[error("the service is stopping")]
    Stopping,
    #[error("something went wrong here; it was logged")]
    Broken(String),
}

/// The database's own words are for operators, not for callers.
fn store_detail(error: &StoreError) -> &'static str {
    if matches!(error, StoreError::ReadOnly) {
        "the database takes no changes at the moment"
    } else if error.is_unavailable() {
        "the database is not available"
    } else {
        "something went wrong here; it was logged"
    }
}

/// A refusal, `application/problem+json` (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// `about:blank`: the status says what kind of problem it is.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// The first 20 fields that are wrong, then an entry that counts the others; empty when it is not
    /// about fields.
    errors: Vec<FieldProblem>,
    /// The version that is there now, when `If-Match` named another.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    current_version: Option<i64>,
}

/// A field that is wrong, and why.
#[derive(Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// Its name as it was sent, such as `event_types[2]`.
    field: String,
    /// What is wrong with it.
    reason: String,
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        Self {
            field: error.field.clone(),
            reason: error.reason.clone(),
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotJson(_) | Self::BrokenBody(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. } | Self::OtherSite | Self::StrangeForm => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoded | Self::NotJsonType | Self::NotAForm => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Changed { .. } => StatusCode::PRECONDITION_FAILED,
            Self::Conflict(_) | Self::Ambiguous(_) | Self::IdempotencyKeyReused => {
                StatusCode::CONFLICT
            }
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Broker(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(error) if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        self.log();
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, RETRY_AFTER_SECONDS.to_string()));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Self::MethodNotAllowed { allowed } = self {
            response.insert_header((ALLOW, allowed.as_str()));
        }
        if let Self::TooManyRequests { retry_after } = self {
            response.insert_header((RETRY_AFTER, retry_after.to_string()));
        }
        if let Self::Changed { version } = self {
            response.insert_header((ETAG, etag(*version)));
        }
        response
            .content_type("application/problem+json")
            .json(self.body(status))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Problem {
    fn body(&self, status: StatusCode) -> ProblemBody {
        ProblemBody {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.to_string(),
            errors: FieldErrors::cut(self.fields().to_vec())
                .iter()
                .map(FieldProblem::from)
                .collect(),
            current_version: self.current_version(),
        }
    }

    /// Each field that is wrong.
    pub(crate) fn fields(&self) -> &[FieldError] {
        if let Self::Invalid(errors) | Self::Ambiguous(errors) = self {
            return errors;
        }
        &[]
    }

    fn current_version(&self) -> Option<i64> {
        if let Self::Changed { version } = self {
            return Some(*version);
        }
        None
    }

    /// What is the caller's fault is not logged.
    pub(crate) fn log(&self) {
        if let Self::Store(error) = self {
            log::error!("a request failed: {error}");
        }
        if let Self::Broken(error) = self {
            log::error!("a request failed: {error}");
        }
        if let Self::Broker(error) = self {
            log::warn!("an event was not published: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::MessageBody;

    fn header<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
        let value = response.headers().get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    #[test]
    fn a_refused_body_names_its_fields_as_problem_json() {
        let problem = Problem::Invalid(vec![FieldError::new("url", "is required")]);

        let response = problem.error_response();

        assert_eq!(response.status(), 422);
        assert_eq!(
            header(&response, "content-type"),
            "application/problem+json"
        );
        let body = response.into_body().try_into_bytes().expect("it is there");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(
            body["errors"],
            serde_json::json!([{"field": "url", "reason": "is required"}])
        );
    }

    #[test]
    fn of_many_wrong_fields_twenty_are_told_and_the_others_counted() {
        let wrong = (0..1_100).map(|number| FieldError::new(number.to_string(), "is wrong"));

        let response = Problem::Invalid(wrong.collect()).error_response();

        let body = response.into_body().try_into_bytes().expect("it is there");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let errors = body["errors"].as_array().expect("a list");
        assert_eq!(errors.len(), 21);
        assert_eq!(errors[20]["reason"], "… and 1,080 more");
    }

    #[test]
    fn what_may_work_later_says_when() {
        let response = Problem::Broker(PublishError::TimedOut).error_response();

        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, "retry-after"), "5");
    }
}
