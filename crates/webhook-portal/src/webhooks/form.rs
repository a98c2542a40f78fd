//! The form of a webhook: the text of each field, valid or not.

use webhook_domain::{
    Environment, MaxConcurrency, OrderingField, RateLimit, RetryPolicy, WebhookSettings,
    WebhookStatus,
};

use self::event_choice::EventChoice;
use self::pairs::{HeaderRow, MetadataRow, header_rows, metadata_rows};
use crate::errors::Errors;
use crate::form::Form;
use crate::retry_policy::PolicyForm;
use crate::span;
use webhook_admin::retry_policies::millis;

mod difference;
mod document;
mod event_choice;
mod pairs;

pub(super) use difference::{Difference, differences};

/// The prefix of the names of the policy's fields.
const POLICY: &str = "retry_policy.";

/// The fields of the section "Advanced", which is folded away while they are empty.
const ADVANCED: [&str; 7] = [
    "headers",
    "metadata",
    "timeout_ms",
    "max_concurrency",
    "rate_limit",
    "ordering",
    "ordering_key",
];

/// The texts of a form for a webhook.
pub(super) struct WebhookForm {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) environment: String,
    pub(super) description: String,
    pub(super) status: String,
    pub(super) events: EventChoice,
    /// Whether the webhook has its own retry policy.
    pub(super) own_policy: bool,
    /// The webhook's own retry policy; filled with the default while there is none.
    pub(super) policy: PolicyForm,
    /// Whether the secret is typed, not generated.
    pub(super) own_secret: bool,
    pub(super) secret: String,
    pub(super) headers: Vec<HeaderRow>,
    pub(super) metadata: Vec<MetadataRow>,
    pub(super) timeout: String,
    pub(super) max_concurrency: String,
    pub(super) rate_limit: String,
    pub(super) ordered: bool,
    pub(super) ordering_key: String,
}

impl WebhookForm {
    /// The form for a new webhook.
    pub(super) fn new() -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            environment: Environment::Production.as_str().to_owned(),
            description: String::new(),
            status: WebhookStatus::Active.as_str().to_owned(),
            events: EventChoice::of(&[]),
            own_policy: false,
            policy: PolicyForm::of("retry", POLICY, &RetryPolicy::default()),
            own_secret: false,
            secret: String::new(),
            headers: header_rows([], []),
            metadata: metadata_rows([]),
            timeout: String::new(),
            max_concurrency: String::new(),
            rate_limit: String::new(),
            ordered: false,
            ordering_key: String::new(),
        }
    }

    /// The form for a stored webhook. `default`: the retry policy of its environment.
    pub(super) fn of(settings: &WebhookSettings, default: &RetryPolicy) -> Self {
        let serving = &settings.serving;
        let policy = serving.retry_policy.as_ref();
        let ordering = serving.ordering.as_ref();
        let (headers, pairs) = (settings.headers.names(), settings.metadata.pairs());
        let timeout = serving.timeout.map(|timeout| millis(timeout.get()));
        Self {
            name: settings.name.as_str().to_owned(),
            url: settings.url.as_str().to_owned(),
            environment: settings.environment.as_str().to_owned(),
            description: settings.description.as_str().to_owned(),
            status: settings.status.as_str().to_owned(),
            events: EventChoice::of(settings.events.patterns()),
            own_policy: policy.is_some(),
            policy: PolicyForm::of("retry", POLICY, policy.unwrap_or(default)),
            own_secret: false,
            secret: String::new(),
            headers: header_rows(headers.map(HeaderRow::stored), []),
            metadata: metadata_rows(pairs.iter().map(|(name, value)| MetadataRow {
                name: name.clone(),
                value: value.clone(),
            })),
            timeout: timeout.map(span::write_millis).unwrap_or_default(),
            max_concurrency: number(serving.max_concurrency.map(MaxConcurrency::get)),
            rate_limit: number(serving.rate_limit.map(RateLimit::get)),
            ordered: ordering.is_some(),
            ordering_key: ordering
                .map(OrderingField::as_str)
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// The form as a browser sent it.
    pub(super) fn sent(form: &Form) -> Self {
        let text = |name: &str| form.text(name).to_owned();
        let pairs = |names, values| {
            let pairs = form.all(names).zip(form.all(values));
            pairs.map(|(name, value): (&str, &str)| (name.to_owned(), value.to_owned()))
        };
        let removed: Vec<&str> = form.all("header_removed").collect();
        let stored = pairs("stored_header_name", "stored_header_value").map(|(name, value)| {
            let removed = removed.contains(&name.as_str());
            HeaderRow {
                value,
                removed,
                ..HeaderRow::stored(&name)
            }
        });
        let new = pairs("header_name", "header_value");
        Self {
            name: text("name"),
            url: text("url"),
            environment: text("environment"),
            description: text("description"),
            status: text("status"),
            events: EventChoice::sent(form.all("event_types")),
            own_policy: form.text("policy") == "own",
            policy: PolicyForm::sent("retry", POLICY, text),
            own_secret: form.text("secret_from") == "own",
            secret: text("secret"),
            headers: header_rows(stored, new.map(HeaderRow::new)),
            metadata: metadata_rows(
                pairs("metadata_name", "metadata_value")
                    .map(|(name, value)| MetadataRow { name, value }),
            ),
            timeout: text("timeout_ms"),
            max_concurrency: text("max_concurrency"),
            rate_limit: text("rate_limit"),
            ordered: form.text("ordering") == "by_key",
            ordering_key: text("ordering_key"),
        }
    }

    /// Replaces reasons that speak of the API's notation with reasons that speak of the page.
    pub(super) fn reword(&self, errors: &mut Errors) {
        self.policy.reword(errors);
        if self.name.is_empty() {
            errors.reword("name", "enter a name");
        }
        reword_url(&self.url, errors);
        if self.events.patterns().is_empty() {
            errors.reword("event_types", "choose at least one event type");
        }
        if span::read_millis(&self.timeout).is_none() {
            errors.reword("timeout_ms", span::EXPECTED);
        }
    }

    /// Whether a field of the section "Advanced" has a text or was refused.
    pub(super) fn is_advanced(&self, errors: &Errors) -> bool {
        let typed = [&self.timeout, &self.max_concurrency, &self.rate_limit];
        self.ordered
            || typed.iter().any(|text| !text.is_empty())
            || self.headers.iter().any(|row| !row.is_empty())
            || self.metadata.iter().any(|row| !row.is_empty())
            || ADVANCED.iter().any(|name| errors.reason(name).is_some())
    }
}

/// Replaces the reason for a URL that is not a whole URL: the API's reason speaks of parsing.
pub(super) fn reword_url(url: &str, errors: &mut Errors) {
    if url.is_empty() {
        errors.reword("url", "enter a URL");
    } else if !url.contains("://") {
        let example = "start with https://, for example https://hooks.example.com/in";
        errors.reword("url", example);
    }
}

fn number(number: Option<u16>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}
