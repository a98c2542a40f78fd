//! Refused requests of the API and the portal: the only file with a decision on an HTTP status. RFC 9457.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, ETAG, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_admin::Refusal;
use webhook_admin::refusal::FieldProblem;
use webhook_admin::version::etag;
use webhook_domain::{FieldError, FieldErrors};
use webhook_store::StoreError;

/// `Retry-After` of a 503, in seconds.
const RETRY_AFTER_SECONDS: u8 = 5;

/// Why a request was refused: by its operation, or for its HTTP form. The message is for the caller.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Problem {
    /// The operation was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The body broke off; with the reason.
    #[error("the body could not be read: {0}")]
    BrokenBody(String),
    /// A browser sent a change with a session's cookie from a page of another origin.
    #[error("a page of another origin may not send this request")]
    OtherSite,
    /// A form's token is not the token of the browser's session.
    #[error("the form is not of this session; go back, load the page again and repeat the input")]
    BadFormToken,
    /// A page was sent a body of another media type than a form's.
    #[error("the body must be a form: `Content-Type: application/x-www-form-urlencoded`")]
    NotAForm,
    /// The path exists, the method does not.
    #[error("allowed here are {allowed}")]
    MethodNotAllowed {
        /// The methods of the path, as `Allow` lists them.
        allowed: String,
    },
    /// The body took too long to arrive.
    #[error("the body did not arrive in time")]
    SlowBody,
    /// The body has a content coding.
    #[error("the body must not be compressed")]
    Encoded,
    /// The body is not declared as JSON.
    #[error("the body must be JSON: `Content-Type: application/json`")]
    NotJsonType,
    /// The API key sent more requests than its limit.
    #[error("the API key sends too many requests; wait {retry_after} s")]
    TooManyRequests {
        /// In how many seconds the next request is taken.
        retry_after: u64,
    },
}

/// A refusal, `application/problem+json` (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `about:blank`: the status is the kind of problem.
    r#type: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// The reason of the refusal in a sentence.
    detail: String,
    /// The first 20 wrong fields, then an entry with the number of further ones; empty for problems
    /// without fields.
    errors: Vec<FieldProblem>,
    /// The current version, when `If-Match` named another version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    current_version: Option<i64>,
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal_status(refusal),
            Self::BrokenBody(_) => StatusCode::BAD_REQUEST,
            Self::OtherSite | Self::BadFormToken => StatusCode::FORBIDDEN,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::Encoded | Self::NotJsonType | Self::NotAForm => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Refused(refusal) = self {
            refusal.log();
        }
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
        if let Self::Refused(Refusal::VersionMismatch { version }) = self {
            response.insert_header((ETAG, etag(*version)));
        }
        response
            .content_type("application/problem+json")
            .json(self.body())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// The HTTP status of a refusal.
pub fn refusal_status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NotJson(_) => StatusCode::BAD_REQUEST,
        Refusal::Unauthorized => StatusCode::UNAUTHORIZED,
        Refusal::Forbidden { .. } => StatusCode::FORBIDDEN,
        Refusal::NotFound(_) => StatusCode::NOT_FOUND,
        Refusal::Conflict(_) | Refusal::Ambiguous(_) | Refusal::IdempotencyKeyReused => {
            StatusCode::CONFLICT
        }
        Refusal::VersionMismatch { .. } => StatusCode::PRECONDITION_FAILED,
        Refusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Broker(_) | Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Store(error) if error.is_unavailable() => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Store(_) | Refusal::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl Problem {
    /// The body of the response.
    pub fn body(&self) -> ProblemBody {
        let status = self.status_code();
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

    /// The wrong fields; empty for problems without fields.
    pub fn fields(&self) -> &[FieldError] {
        if let Self::Refused(refusal) = self {
            return refusal.fields();
        }
        &[]
    }

    fn current_version(&self) -> Option<i64> {
        if let Self::Refused(Refusal::VersionMismatch { version }) = self {
            return Some(*version);
        }
        None
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
        let problem = Problem::from(Refusal::Invalid(vec![FieldError::new(
            "url",
            "is required",
        )]));

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

        let response = Problem::from(Refusal::Invalid(wrong.collect())).error_response();

        let body = response.into_body().try_into_bytes().expect("it is there");
        let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        let errors = body["errors"].as_array().expect("a list");
        assert_eq!(errors.len(), 21);
        assert_eq!(errors[20]["reason"], "… and 1,080 more");
    }

    #[test]
    fn what_may_work_later_says_when() {
        let response = Problem::from(Refusal::Stopping).error_response();

        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, "retry-after"), "5");
    }
}
