//! A retry policy in a form, with the schedule that it makes.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::{Map, Number, Value};
use webhook_domain::RetryPolicy;

use super::errors::Errors;
use super::filters::as_sentence;
use super::html::{html, render};
use super::query::Query;
use super::schedule::Schedule;
use super::span;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::retry_policies::{millis, parse_policy};
use webhook_web::Problem;

/// What a policy is made of, named as the API does.
const FIELDS: [Field; 6] = [
    Field {
        name: "max_attempts",
        kind: Kind::Number,
        label: "Attempts",
        hint: "At most, the first one included: 1 to 50.",
    },
    Field {
        name: "initial_interval_ms",
        kind: Kind::Span,
        label: "First delay",
        hint: "Before the first retry, such as 10s or 5m.",
    },
    Field {
        name: "multiplier",
        kind: Kind::Number,
        label: "Multiplier",
        hint: "Each delay is so many times the one before: 1 to 100.",
    },
    Field {
        name: "max_interval_ms",
        kind: Kind::Span,
        label: "Longest delay",
        hint: "No delay is longer: up to 7d.",
    },
    Field {
        name: "jitter",
        kind: Kind::Number,
        label: "Jitter",
        hint: "The share of a delay by which it may stray, 0 to 1, so that retries do not come all at once.",
    },
    Field {
        name: "timeout_ms",
        kind: Kind::Span,
        label: "Timeout of an attempt",
        hint: "How long the receiver may take to answer: 100ms to 30s.",
    },
];

/// A field of every policy.
struct Field {
    name: &'static str,
    kind: Kind,
    label: &'static str,
    hint: &'static str,
}

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    /// A span of time, in words in the form and in milliseconds in the API.
    Span,
}

/// A policy as it stands in a form, right or not.
pub(crate) struct PolicyForm {
    /// What the ids of its fields begin with: a page may have several.
    pub(crate) id: String,
    pub(crate) fields: Vec<PolicyField>,
}

/// A field of a policy in a form.
pub(crate) struct PolicyField {
    /// As the API names it, the policy's own name before it: `retry_policy.max_attempts`.
    pub(crate) path: String,
    /// As the API names it: `max_attempts`.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    /// As it was typed.
    pub(crate) text: String,
    kind: Kind,
}

#[derive(Template)]
#[template(path = "schedule.html")]
struct ScheduleFragment {
    schedule: Result<Schedule, Vec<String>>,
}

/// Draws the schedule of the policy that a query has the fields of, for a page on which it is being
/// written.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(super) async fn show_schedule(query: Query) -> Result<HttpResponse, Problem> {
    let policy = PolicyForm::sent("schedule", "", |name| query.text(name).to_owned());
    let schedule = policy.schedule();
    Ok(html(StatusCode::OK).body(render(&ScheduleFragment { schedule })?))
}

impl PolicyForm {
    /// A policy as it is. `id`: what the ids of its fields begin with; `prefix`: what their names
    /// do, such as `retry_policy.`.
    pub(crate) fn of(id: &str, prefix: &str, policy: &RetryPolicy) -> Self {
        Self::sent(id, prefix, |path| {
            match path.strip_prefix(prefix).unwrap_or(path) {
                "max_attempts" => policy.max_attempts.to_string(),
                "initial_interval_ms" => span::write_millis(millis(policy.initial_interval)),
                "multiplier" => policy.multiplier.to_string(),
                "max_interval_ms" => span::write_millis(millis(policy.max_interval)),
                "jitter" => policy.jitter.to_string(),
                _ => span::write_millis(millis(policy.timeout)),
            }
        })
    }

    /// A policy as it was sent: `text` tells what a field says.
    pub(crate) fn sent(id: &str, prefix: &str, text: impl Fn(&str) -> String) -> Self {
        let fields = FIELDS.iter().map(|field| {
            let path = format!("{prefix}{}", field.name);
            PolicyField {
                text: text(&path),
                path,
                name: field.name,
                label: field.label,
                hint: field.hint,
                kind: field.kind,
            }
        });
        Self {
            id: id.to_owned(),
            fields: fields.collect(),
        }
    }

    /// As the API takes it. What is no number and no span stays what it is, and is refused there.
    pub(crate) fn as_api(&self) -> Map<String, Value> {
        let fields = self.fields.iter().map(|field| {
            let value = match field.kind {
                Kind::Number => number_as_api(&field.text),
                Kind::Span => span::as_api(&field.text),
            };
            (field.name.to_owned(), value)
        });
        fields.collect()
    }

    /// Says of the fields that are no span how one is written; the API speaks of milliseconds.
    pub(crate) fn reword(&self, errors: &mut Errors) {
        for field in self.fields.iter().filter(|field| field.is_no_span()) {
            errors.reword(&field.path, span::EXPECTED);
        }
    }

    /// The schedule that it makes, or a sentence for each reason why it makes none.
    pub(crate) fn schedule(&self) -> Result<Schedule, Vec<String>> {
        self.parse()
            .map(|policy| Schedule::of(&policy))
            .map_err(|problem| self.reasons(&problem))
    }

    /// The policy, as the API reads it.
    pub(crate) fn parse(&self) -> Result<RetryPolicy, Refusal> {
        let body = Value::Object(self.as_api()).to_string();
        let mut fields = Fields::of_body(body.as_bytes())?;
        let policy = parse_policy(&mut fields, &RetryPolicy::default());
        let errors = fields.finish();
        policy
            .filter(|_| errors.is_empty())
            .ok_or(Refusal::Invalid(errors))
    }

    fn reasons(&self, problem: &Refusal) -> Vec<String> {
        let errors = problem.fields().iter().map(|error| {
            let field = self.fields.iter().find(|field| field.name == error.field);
            let Some(field) = field else {
                return as_sentence(&error.reason);
            };
            let reason = if field.is_no_span() {
                span::EXPECTED
            } else {
                &error.reason
            };
            as_sentence(&format!("{} {reason}", field.label))
        });
        errors.collect()
    }
}

impl PolicyField {
    fn is_no_span(&self) -> bool {
        self.kind == Kind::Span && span::read_millis(&self.text).is_none()
    }
}

/// A field's number as the API takes it. What is none stays what it is, and is refused there.
pub(crate) fn number_as_api(text: &str) -> Value {
    let number = serde_json::from_str::<Number>(text);
    number.map_or_else(|_| text.into(), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_stays_the_same_through_a_form() {
        let policy = RetryPolicy::default();

        let form = PolicyForm::of("retry", "retry_policy.", &policy);

        let texts: Vec<&str> = form.fields.iter().map(|f| f.text.as_str()).collect();
        assert_eq!(texts, ["12", "10s", "4", "12h", "0.2", "15s"]);
        let body = Value::Object(form.as_api()).to_string();
        let mut fields = Fields::of_body(body.as_bytes()).unwrap_or_default();
        assert_eq!(
            parse_policy(&mut fields, &RetryPolicy::default()),
            Some(policy)
        );
        assert_eq!(fields.finish(), []);
    }

    #[test]
    fn what_is_no_policy_is_refused_in_the_words_of_the_form() {
        let form = PolicyForm::sent("retry", "", |name| match name {
            "max_attempts" => "many".to_owned(),
            "initial_interval_ms" => "soon".to_owned(),
            _ => String::new(),
        });

        let reasons = form.schedule().err().unwrap_or_default();

        assert_eq!(reasons[0], "Attempts must be a whole number.");
        assert_eq!(
            reasons[1],
            "First delay must be a time such as 500ms, 10s, 30m, 12h or 7d."
        );
        assert_eq!(reasons.len(), 6);
    }
}
