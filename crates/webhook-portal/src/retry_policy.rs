//! A retry policy in a form, with the schedule of its attempts.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde_json::{Map, Number, Value};
use webhook_domain::RetryPolicy;

use super::duration_text;
use super::errors::Errors;
use super::filters::as_sentence;
use super::html::{html, render};
use super::query::Query;
use super::schedule::Schedule;
use webhook_admin::Refusal;
use webhook_admin::fields::Fields;
use webhook_admin::retry_policies::{millis, parse_policy};
use webhook_web::Problem;

/// The fields of a policy, in the order of the page.
const FIELDS: [Field; 6] = [
    Field {
        name: "max_attempts",
        kind: Kind::Number,
        label: "Attempts",
        hint: "The first attempt included. 1 to 50.",
    },
    Field {
        name: "initial_interval_ms",
        kind: Kind::Span,
        label: "First delay",
        hint: "Before the first retry, for example 10s or 5m.",
    },
    Field {
        name: "multiplier",
        kind: Kind::Number,
        label: "Multiplier",
        hint: "Multiplies each delay. 1 to 100.",
    },
    Field {
        name: "max_interval_ms",
        kind: Kind::Span,
        label: "Longest delay",
        hint: "The limit of all delays. Up to 7d.",
    },
    Field {
        name: "jitter",
        kind: Kind::Number,
        label: "Jitter",
        hint: "Randomness, 0 to 1: 0.2 varies each delay by ±20 %.",
    },
    Field {
        name: "timeout_ms",
        kind: Kind::Span,
        label: "Timeout of an attempt",
        hint: "How long your endpoint may take to respond. 100ms to 30s.",
    },
];

/// A field of a policy; `name` is the name in the API.
struct Field {
    name: &'static str,
    kind: Kind,
    label: &'static str,
    hint: &'static str,
}

/// The kind of a field's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    /// A duration: `10s` in the form, milliseconds in the API.
    Span,
}

/// A policy as it was typed, valid or not.
pub(crate) struct PolicyForm {
    /// The prefix of the HTML ids, because a page may have several policies.
    pub(crate) id: String,
    pub(crate) fields: Vec<PolicyField>,
}

/// A field of a policy in a form.
pub(crate) struct PolicyField {
    /// The name of the form field, with the prefix of the policy: `retry_policy.max_attempts`.
    pub(crate) path: String,
    /// The name in the API: `max_attempts`.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) hint: &'static str,
    /// The text as it was typed.
    pub(crate) text: String,
    kind: Kind,
}

#[derive(Template)]
#[template(path = "schedule.html")]
struct ScheduleFragment {
    schedule: Result<Schedule, Vec<Fault>>,
}

/// A wrong field of a policy that is being typed.
pub(crate) struct Fault {
    /// The field's name in the API; empty for a fault of the whole policy.
    pub(crate) field: String,
    /// The field's label; empty for a fault of the whole policy.
    pub(crate) label: &'static str,
    /// The reason, as in the response of the API.
    reason: String,
}

impl Fault {
    /// The reason at the field.
    pub(crate) fn at_field(&self) -> String {
        as_sentence(&self.reason)
    }

    /// The reason with the label of the field.
    pub(crate) fn with_label(&self) -> String {
        as_sentence(format!("{} {}", self.label, self.reason).trim_start())
    }
}

/// Draws the schedule of a policy that is being typed. The query has the fields of the policy.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub(super) async fn show_schedule(query: Query) -> Result<HttpResponse, Problem> {
    let policy = PolicyForm::sent("schedule", "", |name| query.text(name).to_owned());
    let schedule = policy.schedule();
    Ok(html(StatusCode::OK).body(render(&ScheduleFragment { schedule })?))
}

impl PolicyForm {
    /// A form filled with a policy. `id`: the prefix of the HTML ids; `prefix`: the prefix of the field
    /// names, such as `retry_policy.`.
    pub(crate) fn of(id: &str, prefix: &str, policy: &RetryPolicy) -> Self {
        Self::sent(id, prefix, |path| {
            match path.strip_prefix(prefix).unwrap_or(path) {
                "max_attempts" => policy.max_attempts.to_string(),
                "initial_interval_ms" => {
                    duration_text::write_millis(millis(policy.initial_interval))
                }
                "multiplier" => policy.multiplier.to_string(),
                "max_interval_ms" => duration_text::write_millis(millis(policy.max_interval)),
                "jitter" => policy.jitter.to_string(),
                _ => duration_text::write_millis(millis(policy.timeout)),
            }
        })
    }

    /// A form as a browser sent it: `text` returns the text of a field by its name.
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

    /// The policy as a JSON object of the API. A text that is no number or duration stays a text, which
    /// the reader of the API refuses by field.
    pub(crate) fn as_api(&self) -> Map<String, Value> {
        let fields = self.fields.iter().map(|field| {
            let value = match field.kind {
                Kind::Number => number_as_api(&field.text),
                Kind::Span => duration_text::as_api(&field.text),
            };
            (field.name.to_owned(), value)
        });
        fields.collect()
    }

    /// Replaces the reasons of wrong durations: the API asks for milliseconds, the form for `10s`.
    pub(crate) fn reword(&self, errors: &mut Errors) {
        for field in self.fields.iter().filter(|field| field.is_no_span()) {
            errors.reword(&field.path, duration_text::EXPECTED);
        }
    }

    /// The schedule of the policy, or each wrong field.
    pub(crate) fn schedule(&self) -> Result<Schedule, Vec<Fault>> {
        self.parse()
            .map(|policy| Schedule::of(&policy))
            .map_err(|problem| self.faults(&problem))
    }

    /// The policy, read by the API's own reader.
    pub(crate) fn parse(&self) -> Result<RetryPolicy, Refusal> {
        let body = Value::Object(self.as_api()).to_string();
        let mut fields = Fields::of_body(body.as_bytes())?;
        let policy = parse_policy(&mut fields, &RetryPolicy::default());
        let errors = fields.finish();
        policy
            .filter(|_| errors.is_empty())
            .ok_or(Refusal::Invalid(errors))
    }

    /// The label and the HTML id of the field with a name of the API.
    pub(crate) fn place(&self, name: &str) -> Option<(String, String)> {
        let field = self.fields.iter().find(|field| field.name == name)?;
        Some((field.label.to_owned(), format!("{}-{name}", self.id)))
    }

    fn faults(&self, problem: &Refusal) -> Vec<Fault> {
        let faults = problem.fields().iter().map(|error| {
            let field = self.fields.iter().find(|field| field.name == error.field);
            let reason = match field {
                Some(field) if field.is_no_span() => duration_text::EXPECTED.to_owned(),
                Some(_) | None => error.reason.clone(),
            };
            Fault {
                field: error.field.clone(),
                label: field.map_or("", |field| field.label),
                reason,
            }
        });
        faults.collect()
    }
}

impl PolicyField {
    fn is_no_span(&self) -> bool {
        self.kind == Kind::Span && duration_text::read_millis(&self.text).is_none()
    }
}

/// The JSON number of a text. A text that is no number stays a text, which the API's reader refuses.
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

        let faults = form.schedule().err().unwrap_or_default();

        assert_eq!(faults[0].with_label(), "Attempts must be a whole number.");
        assert_eq!(faults[0].at_field(), "Must be a whole number.");
        assert_eq!(
            faults[1].with_label(),
            "First delay must be a time such as 500ms, 10s, 30m, 12h or 7d."
        );
        assert_eq!(faults.len(), 6);
    }
}
