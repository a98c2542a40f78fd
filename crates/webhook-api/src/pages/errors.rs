//! What the API refused of a form, for the fields of its page.

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use webhook_domain::FieldError;

use super::filters::as_sentence;
use webhook_admin::Refusal;
use webhook_web::Problem;

/// Why a form was refused: nothing, or reasons by field. Names are the API's, such as
/// `retry_policy.max_attempts`; the parts of a list or an object belong to its field on the page.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

impl Errors {
    /// Takes the reasons out of a refusal. What is no matter of fields goes on as a problem.
    pub(crate) fn of(problem: impl Into<Problem>) -> Result<Self, Problem> {
        let problem = problem.into();
        if let Problem::Refused(Refusal::Invalid(errors)) = problem {
            return Ok(Self(errors));
        }
        Err(problem)
    }

    /// What the page answers with.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() {
            return StatusCode::OK;
        }
        Problem::from(Refusal::Invalid(Vec::new())).status_code()
    }

    /// Whether nothing was refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a field of the page was refused: what is wrong with it, or with its parts.
    pub(crate) fn reason(&self, field: &str) -> Option<String> {
        let reasons = self.0.iter().filter_map(|error| {
            let part = error.field.strip_prefix(field)?;
            if part.is_empty() {
                return Some(as_sentence(&error.reason));
            }
            let name = part.strip_prefix('.').or_else(|| part.strip_prefix('['))?;
            let name = name.trim_end_matches(']');
            Some(as_sentence(&format!("{name} {}", error.reason)))
        });
        let reasons: Vec<String> = reasons.collect();
        (!reasons.is_empty()).then(|| reasons.join(" "))
    }

    /// Says something else of a field that was refused: what the API says of milliseconds is not what
    /// a page says of a time.
    pub(crate) fn reword(&mut self, field: &str, reason: &str) {
        for error in self.0.iter_mut().filter(|error| error.field == field) {
            reason.clone_into(&mut error.reason);
        }
    }

    /// All reasons, with the names of their fields.
    pub(crate) fn all(&self) -> &[FieldError] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_stands_at_the_field_that_it_is_about() {
        let refused = Refusal::Invalid(vec![
            FieldError::new("name", "is required"),
            FieldError::new("headers.x-a", "must be a string"),
            FieldError::new("event_types[2]", "is not known"),
        ]);

        let errors = Errors::of(refused).map_err(|problem| problem.to_string());

        let errors = errors.expect("it is about fields");
        assert_eq!(errors.reason("name").as_deref(), Some("Is required."));
        assert_eq!(
            errors.reason("headers").as_deref(),
            Some("X-a must be a string.")
        );
        assert_eq!(
            errors.reason("event_types").as_deref(),
            Some("2 is not known.")
        );
        assert_eq!(errors.reason("nam"), None);
    }
}
