//! The form of a webhook: the text of each field, valid or not.

use serde_json::value::RawValue;
use url::Url;
use webhook_domain::{
    Environment, Format, MaxConcurrency, OrderingField, RateLimit, RatePeriod, RetryPolicy,
    Template, WebhookSettings, WebhookStatus,
};

use self::event_choice::EventChoice;
use self::pairs::{HeaderRow, MetadataRow, header_rows, metadata_rows};
use super::preview::choices::EventAsked;
use super::url::with_scheme;
use crate::duration_text;
use crate::errors::Errors;
use crate::filters::label_of;
use crate::form::Form;
use crate::query::Query;
use crate::retry_policy::PolicyForm;
use webhook_admin::retry_policies::millis;

mod difference;
mod document;
mod event_choice;
mod new_secret;
mod pairs;
mod places;

pub(super) use difference::{Difference, differences};
pub(super) use new_secret::NewSecret;

/// The prefix of the names of the policy's fields.
const POLICY: &str = "retry_policy.";

/// The fields of the section "Advanced settings", which is folded away while they have their defaults.
const ADVANCED: [&str; 8] = [
    "retry_policy",
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
    /// The Target URL, with `https://` where no scheme was typed.
    pub(super) url: String,
    /// Whether the URL is kept as a password; the URL of a chat format is, whatever the form says.
    pub(super) url_is_secret: bool,
    /// Whether `https://` was put before the typed URL.
    pub(super) is_url_completed: bool,
    pub(super) environment: String,
    /// The format of the requests; empty: the format that the Target URL's host takes.
    pub(super) format: String,
    /// The template of the format `custom`, as typed; kept while another format is chosen.
    pub(super) template: String,
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
    /// The secret that replaces the stored one when the form is saved.
    pub(super) new_secret: Option<NewSecret>,
    pub(super) headers: Vec<HeaderRow>,
    pub(super) metadata: Vec<MetadataRow>,
    pub(super) timeout: String,
    pub(super) max_concurrency: String,
    pub(super) rate_limit: String,
    /// The period of the rate limit: `second` or `minute`.
    pub(super) rate_period: String,
    pub(super) ordered: bool,
    pub(super) ordering_key: String,
    /// The event of the preview, which is no part of the webhook.
    pub(super) asked: EventAsked,
    /// The webhook that a new one is a copy of, in words; empty for no copy.
    pub(super) copied_from: String,
}

impl WebhookForm {
    /// The form for a new webhook, with the format and the event of a page's address.
    pub(super) fn new(query: &Query) -> Self {
        Self {
            name: String::new(),
            url: String::new(),
            url_is_secret: false,
            is_url_completed: false,
            environment: Environment::Production.as_str().to_owned(),
            format: query.text("format").to_owned(),
            template: String::new(),
            description: String::new(),
            status: WebhookStatus::Active.as_str().to_owned(),
            events: EventChoice::of(&[]),
            own_policy: false,
            policy: PolicyForm::of("retry", POLICY, &RetryPolicy::default()),
            own_secret: false,
            secret: String::new(),
            new_secret: None,
            headers: header_rows([], []),
            metadata: metadata_rows([]),
            timeout: String::new(),
            max_concurrency: String::new(),
            rate_limit: String::new(),
            rate_period: RatePeriod::Second.as_str().to_owned(),
            ordered: false,
            ordering_key: String::new(),
            asked: EventAsked::linked(query),
            copied_from: String::new(),
        }
    }

    /// The form for a stored webhook. `default`: the retry policy of its environment.
    pub(super) fn of(settings: &WebhookSettings, default: &RetryPolicy) -> Self {
        let delivery_options = &settings.delivery_options;
        let policy = delivery_options.retry_policy.as_ref();
        let ordering = delivery_options.ordering.as_ref();
        let (headers, pairs) = (settings.headers.names(), settings.metadata.pairs());
        let period = delivery_options.rate_limit.map(RateLimit::per);
        let period = period.unwrap_or_default();
        let timeout = delivery_options
            .timeout
            .map(|timeout| millis(timeout.get()));
        Self {
            name: settings.name.as_str().to_owned(),
            url: settings.url.shown().into_owned(),
            url_is_secret: settings.url.is_secret(),
            is_url_completed: false,
            environment: settings.environment.as_str().to_owned(),
            format: settings.body.format().as_str().to_owned(),
            template: settings
                .body
                .template()
                .map(|template| template.source().to_owned())
                .unwrap_or_default(),
            description: settings.description.as_str().to_owned(),
            status: settings.status.as_str().to_owned(),
            events: EventChoice::of(settings.events.patterns()),
            own_policy: policy.is_some(),
            policy: PolicyForm::of("retry", POLICY, policy.unwrap_or(default)),
            own_secret: false,
            secret: String::new(),
            new_secret: None,
            headers: header_rows(headers.map(HeaderRow::stored), []),
            metadata: metadata_rows(pairs.iter().map(|(name, value)| MetadataRow {
                name: name.clone(),
                value: value.clone(),
            })),
            timeout: timeout.map(duration_text::write_millis).unwrap_or_default(),
            max_concurrency: number(delivery_options.max_concurrency.map(MaxConcurrency::get)),
            rate_limit: number(delivery_options.rate_limit.map(RateLimit::requests)),
            rate_period: period.as_str().to_owned(),
            ordered: ordering.is_some(),
            ordering_key: ordering
                .map(OrderingField::as_str)
                .unwrap_or_default()
                .to_owned(),
            asked: EventAsked::default(),
            copied_from: String::new(),
        }
    }

    /// The form for a copy of a webhook in another environment. The copy is Inactive, has a new secret, no secret
    /// URL, and the names of the headers: their values are secret.
    pub(super) fn copy_of(settings: &WebhookSettings, default: &RetryPolicy) -> Self {
        let of = settings.environment;
        let mut others = Environment::ALL.iter().filter(|other| **other != of);
        let headers = settings
            .headers
            .names()
            .map(|name| (name.to_owned(), String::new()));
        let label = label_of(of.as_str());
        let form = Self::of(settings, default);
        let url = if form.url_is_secret {
            String::new()
        } else {
            form.url.clone()
        };
        Self {
            url,
            environment: others.next().unwrap_or(&of).as_str().to_owned(),
            status: WebhookStatus::Inactive.as_str().to_owned(),
            headers: header_rows([], headers.map(HeaderRow::new)),
            copied_from: format!("{} ({label})", settings.name.as_str()),
            ..form
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
        let completed = with_scheme(form.text("url"));
        Self {
            name: text("name"),
            is_url_completed: completed.is_some(),
            url: completed.unwrap_or_else(|| text("url")),
            url_is_secret: form.has("url_is_secret"),
            environment: text("environment"),
            format: text("format"),
            // A browser sends other line breaks than were typed, which would be another template.
            template: text("template").replace("\r\n", "\n"),
            description: text("description"),
            status: sent_status(form).as_str().to_owned(),
            events: EventChoice::sent(form.all("event_types")),
            own_policy: form.text("policy") == "own",
            policy: PolicyForm::sent("retry", POLICY, text),
            own_secret: form.text("secret_from") == "own",
            secret: text("secret"),
            new_secret: NewSecret::sent(form),
            headers: header_rows(stored, new.map(HeaderRow::new)),
            metadata: metadata_rows(
                pairs("metadata_name", "metadata_value")
                    .map(|(name, value)| MetadataRow { name, value }),
            ),
            timeout: text("timeout_ms"),
            max_concurrency: text("max_concurrency"),
            rate_limit: text("rate_limit"),
            rate_period: text("rate_period"),
            ordered: form.text("ordering") == "by_key",
            ordering_key: text("ordering_key"),
            asked: EventAsked::sent(form),
            copied_from: text("copied_from"),
        }
    }

    /// Replaces reasons that speak of the API's notation with reasons that speak of the page.
    pub(super) fn reword(&self, errors: &mut Errors) {
        self.policy.reword(errors);
        if self.events.patterns().is_empty() {
            errors.reword("event_types", "choose at least one event type");
        }
        if let Some(reason) = self.template_fault() {
            errors.reword("template", &reason);
        }
        if duration_text::read_millis(&self.timeout).is_none() {
            errors.reword("timeout_ms", duration_text::EXPECTED);
        }
    }

    /// The sentence after the form is saved.
    pub(super) fn saved(&self) -> String {
        let mut saved = format!("“{}” is saved.", self.name);
        if self.is_url_completed {
            saved.push_str(" The Target URL now begins with https://.");
        }
        saved
    }

    /// The format that is saved: the chosen one, or the format that the Target URL's host takes.
    pub(super) fn saved_format(&self) -> &str {
        if !self.format.is_empty() {
            return &self.format;
        }
        let proposed = Url::parse(&self.url)
            .ok()
            .and_then(|url| Format::proposed_for(&url));
        proposed.unwrap_or_default().as_str()
    }

    /// The service that shows the bodies: the service of the format, or for a template the service of the Target URL.
    pub(super) fn service(&self, format: Format) -> Format {
        let url = Url::parse(&self.url)
            .ok()
            .filter(|_| format == Format::Custom);
        let proposed = url.and_then(|url| Format::proposed_for(&url));
        proposed.unwrap_or(format)
    }

    /// Why the typed template cannot stand in the API's document; `None`: the template is JSON, or the format is
    /// another one.
    pub(super) fn template_fault(&self) -> Option<String> {
        if self.saved_format() != Format::Custom.as_str() {
            return None;
        }
        if self.template.trim().is_empty() {
            return Some(
                "write the JSON of a body, with placeholders such as {{summary}}".to_owned(),
            );
        }
        let is_json = serde_json::from_str::<&RawValue>(&self.template).is_ok();
        let refused = Template::parse(&self.template).err().filter(|_| !is_json);
        refused.map(|errors| errors.to_string())
    }

    /// Whether the webhook has headers of its own.
    pub(super) fn has_headers(&self) -> bool {
        self.headers.iter().any(|row| !row.is_empty())
    }

    /// Whether the webhook is to be Active.
    pub(super) fn is_active(&self) -> bool {
        self.status == WebhookStatus::Active.as_str()
    }

    /// Whether a field of the section "Advanced settings" differs from its default or was refused.
    pub(super) fn is_advanced(&self, errors: &Errors) -> bool {
        let typed = [&self.timeout, &self.max_concurrency, &self.rate_limit];
        self.own_policy
            || self.ordered
            || typed.iter().any(|text| !text.is_empty())
            || self.has_headers()
            || self.metadata.iter().any(|row| !row.is_empty())
            || ADVANCED.iter().any(|name| errors.reason(name).is_some())
    }
}

/// The status of the switch. A browser sends a switch only while it is on.
fn sent_status(form: &Form) -> WebhookStatus {
    match form.text("status").parse() {
        Ok(WebhookStatus::Active) => WebhookStatus::Active,
        Ok(WebhookStatus::Inactive) | Err(_) => WebhookStatus::Inactive,
    }
}

fn number(number: Option<u16>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}
