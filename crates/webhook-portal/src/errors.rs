//! The reasons why a form was refused, for the fields of its page.

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use webhook_domain::FieldError;

use super::filters::{as_sentence, label_of};
use webhook_admin::Refusal;
use webhook_web::Problem;

/// The reasons why a form was refused, by field; empty for a form that was not refused. Field names are
/// those of the API, such as `retry_policy.max_attempts`. On the page, the parts of a list or an object
/// belong to the field of the list or object.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<FieldError>);

/// A refused field in the summary above a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The label of the field on the page.
    pub(crate) label: String,
    /// The HTML id of the field, for the entry's link.
    pub(crate) id: String,
    pub(crate) reason: String,
}

impl Errors {
    /// Takes the reasons out of a refusal. A refusal that is not about fields is returned as a problem.
    pub(crate) fn of(problem: impl Into<Problem>) -> Result<Self, Problem> {
        let problem = problem.into();
        if let Problem::Refused(Refusal::Invalid(errors)) = problem {
            return Ok(Self(errors));
        }
        Err(problem)
    }

    /// The HTTP status of the page.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() {
            return StatusCode::OK;
        }
        Problem::from(Refusal::Invalid(Vec::new())).status_code()
    }

    /// Whether no field was refused.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a field of the page was refused, with the reasons of its parts; `None`: it was not.
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

    /// Replaces the reason of a field, where the form takes another notation than the API.
    pub(crate) fn reword(&mut self, field: &str, reason: &str) {
        for error in self.0.iter_mut().filter(|error| error.field == field) {
            reason.clone_into(&mut error.reason);
        }
    }

    /// The entries of the summary above the form. `place`: the label and the HTML id of a field.
    pub(crate) fn entries(&self, place: impl Fn(&str) -> (String, String)) -> Vec<Entry> {
        let entries = self.0.iter().map(|error| {
            let (label, id) = place(&error.field);
            let reason = as_sentence(&error.reason);
            Entry { label, id, reason }
        });
        entries.collect()
    }

    /// The entries of the summary above a form whose fields have the names of the API as HTML ids.
    pub(crate) fn entries_by_name(&self) -> Vec<Entry> {
        self.entries(|field| {
            let name = field.split(['[', '.']).next().unwrap_or(field);
            (label_of(name), name.to_owned())
        })
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
        let summary = errors.entries_by_name();
        let summary = summary
            .iter()
            .map(|entry| (entry.label.as_str(), entry.id.as_str()));
        assert_eq!(
            summary.collect::<Vec<_>>(),
            [
                ("Name", "name"),
                ("Headers", "headers"),
                ("Event types", "event_types")
            ]
        );
    }
}
