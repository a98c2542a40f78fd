//! A form as the document that the API takes.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use url::Url;
use webhook_domain::{EventType, Format, RatePeriod, WebhookSettings};

use super::WebhookForm;
use crate::duration_text;
use crate::retry_policy::number_as_api;
use crate::webhooks::preview::choices::Shows;

/// The document of the API. A text that is no number stays a text, which the API's reader refuses.
#[derive(Serialize)]
struct Document<'a> {
    name: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_is_secret: Option<bool>,
    environment: &'a str,
    format: &'a str,
    template: Option<&'a RawValue>,
    description: &'a str,
    status: &'a str,
    event_types: &'a [String],
    headers: Pairs<'a>,
    metadata: Pairs<'a>,
    timeout_ms: Option<Value>,
    max_concurrency: Option<Value>,
    rate_limit: Option<Value>,
    ordering: &'a str,
    ordering_key: Option<&'a str>,
    retry_policy: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

/// The document that asks for a preview.
#[derive(Serialize)]
struct PreviewDocument<'a> {
    format: &'a str,
    template: Option<&'a RawValue>,
    event_types: Option<&'a [String]>,
    environment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<&'a str>,
}

/// An object with every pair that was typed. A repeated name is written twice, so that the API's reader
/// refuses it; a map would lose one. `None` removes a pair.
struct Pairs<'a>(Vec<(&'a str, Option<&'a str>)>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

impl WebhookForm {
    /// The document that creates the webhook.
    pub(crate) fn as_new(&self) -> Vec<u8> {
        written(&Document {
            secret: self.own_secret.then_some(self.secret.as_str()),
            ..self.document()
        })
    }

    /// The patch that turns `current` into the settings of the form.
    pub(crate) fn as_patch(&self, current: &WebhookSettings) -> Vec<u8> {
        let mut document = self.document();
        let kept: Vec<&str> = document.metadata.0.iter().map(|(name, _)| *name).collect();
        let gone = current.metadata.pairs().keys();
        let gone = gone.filter(|name| !kept.contains(&name.as_str()));
        document
            .metadata
            .0
            .extend(gone.map(|name| (name.as_str(), None)));
        written(&document)
    }

    /// The document that asks for a preview. `selected`: the selected event types.
    pub(crate) fn as_preview(&self, selected: &[EventType]) -> Vec<u8> {
        let (event_type, event_id) = match self.asked.shows(selected) {
            Shows::Example(event_type) => (Some(event_type.as_str()), None),
            Shows::Event(id) => (None, Some(id)),
        };
        let patterns = self.events.patterns();
        written(&PreviewDocument {
            format: self.saved_format(),
            template: self.template_document(),
            event_types: Some(patterns).filter(|patterns| !patterns.is_empty()),
            environment: &self.environment,
            event_type,
            event_id,
        })
    }

    fn document<'a>(&'a self) -> Document<'a> {
        let given = |text: &'a String| Some(text.as_str()).filter(|text| !text.is_empty());
        let headers = self.headers.iter().filter(|row| !row.is_empty());
        let headers = headers.filter_map(|row| match (row.removed, given(&row.value)) {
            (true, _) => Some((row.name.as_str(), None)),
            (false, None) if row.stored => None,
            (false, _) => Some((row.name.as_str(), Some(row.value.as_str()))),
        });
        let metadata = self.metadata.iter().filter(|row| !row.is_empty());
        Document {
            name: &self.name,
            url: &self.url,
            url_is_secret: self.choice_of_secrecy(),
            environment: &self.environment,
            format: self.saved_format(),
            template: self.template_document(),
            description: &self.description,
            status: &self.status,
            event_types: self.events.patterns(),
            headers: Pairs(headers.collect()),
            metadata: Pairs(
                metadata
                    .map(|row| (row.name.as_str(), Some(row.value.as_str())))
                    .collect(),
            ),
            timeout_ms: given(&self.timeout).map(duration_text::as_api),
            max_concurrency: given(&self.max_concurrency).map(number_as_api),
            rate_limit: given(&self.rate_limit).map(|requests| self.rate_limit_of(requests)),
            ordering: if self.ordered { "by_key" } else { "none" },
            ordering_key: given(&self.ordering_key),
            retry_policy: self.own_policy.then(|| self.policy.as_api()),
            secret: None,
        }
    }
}

impl WebhookForm {
    /// The template of `custom`. `None`: the format is another one, or the text is not JSON, which the API's reader
    /// refuses as a missing template.
    fn template_document(&self) -> Option<&RawValue> {
        let is_custom = self.saved_format() == Format::Custom.as_str();
        serde_json::from_str(&self.template)
            .ok()
            .filter(|_| is_custom)
    }

    /// Whether the URL is secret. `None`: the format leaves no choice.
    fn choice_of_secrecy(&self) -> Option<bool> {
        let format: Format = self.saved_format().parse().unwrap_or_default();
        let must_be_secret = match Url::parse(&self.url) {
            Ok(url) => format.url_is_secret_at(&url),
            Err(_) => format.url_is_secret(),
        };
        (!must_be_secret).then_some(self.url_is_secret)
    }

    /// The rate limit in the API's notation.
    fn rate_limit_of(&self, requests: &str) -> Value {
        let requests = number_as_api(requests);
        if self.rate_period == RatePeriod::Second.as_str() || self.rate_period.is_empty() {
            return requests;
        }
        json!({ "requests": requests, "per": self.rate_period })
    }
}

fn written(document: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(document).expect("texts are JSON")
}
