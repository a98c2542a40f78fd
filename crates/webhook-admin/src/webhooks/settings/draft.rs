//! Settings in the making, while a document is read.

use webhook_domain::{
    BodyFormat, CustomHeaders, DeliveryOptions, Environment, EventSelection, Metadata,
    SigningSecret, UrlSetting, WebhookDescription, WebhookName, WebhookSettings, WebhookStatus,
};

use crate::url_rules::UrlRules;

/// A document with the settings of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::webhooks) enum Document {
    /// A webhook to be created.
    Create,
    /// All settings of a webhook, to be replaced.
    Replace,
    /// Changes of some settings: a JSON merge patch (RFC 7396).
    Patch,
    /// A webhook of an exported document.
    Import,
}

/// The kind of document to read, and the rules for URLs.
#[derive(Clone, Copy)]
pub(in crate::webhooks) struct ReadContext<'a> {
    pub(in crate::webhooks) document: Document,
    pub(in crate::webhooks) url_rules: &'a UrlRules,
}

/// Settings in the making. Without a base, the fields without a default are missing at first.
#[derive(Default)]
pub(in crate::webhooks) struct SettingsDraft {
    pub(super) name: Option<WebhookName>,
    /// The stored URL, which a document keeps by repeating the shown form. `None`: no webhook is known yet.
    pub(super) stored_url: Option<UrlSetting>,
    pub(super) url: Option<UrlSetting>,
    /// The document's choice about the secrecy of the URL. `None`: left out.
    pub(super) url_is_secret: Option<bool>,
    pub(super) environment: Option<Environment>,
    pub(super) events: Option<EventSelection>,
    pub(super) body: BodyFormat,
    pub(super) description: WebhookDescription,
    pub(super) status: Option<WebhookStatus>,
    pub(super) headers: CustomHeaders,
    pub(super) metadata: Metadata,
    pub(super) delivery_options: DeliveryOptions,
    /// The signing secret, if the document has one.
    pub(in crate::webhooks) secret: Option<SigningSecret>,
}

impl SettingsDraft {
    /// A draft of a webhook in `environment`.
    pub(in crate::webhooks) fn within(environment: Environment) -> Self {
        Self {
            environment: Some(environment),
            ..Self::default()
        }
    }

    /// A draft of settings that replace the `current` ones of a webhook. Only a secret URL may be kept.
    pub(in crate::webhooks) fn replacing(current: &WebhookSettings) -> Self {
        Self {
            stored_url: Some(current.url.clone()),
            ..Self::default()
        }
    }

    /// A draft with the `current` settings of a webhook.
    pub(in crate::webhooks) fn of(current: &WebhookSettings) -> Self {
        let current = current.clone();
        Self {
            name: Some(current.name),
            stored_url: Some(current.url.clone()),
            url: Some(current.url),
            url_is_secret: None,
            environment: Some(current.environment),
            events: Some(current.events),
            body: current.body,
            description: current.description,
            status: Some(current.status),
            headers: current.headers,
            metadata: current.metadata,
            delivery_options: current.delivery_options,
            secret: None,
        }
    }

    /// The finished settings. `None`: a required field is missing or wrong.
    pub(super) fn settings(self) -> Option<WebhookSettings> {
        Some(WebhookSettings {
            name: self.name?,
            url: self.url?,
            environment: self.environment?,
            description: self.description,
            status: self.status.unwrap_or(WebhookStatus::Active),
            events: self.events?,
            body: self.body,
            headers: self.headers,
            metadata: self.metadata,
            delivery_options: self.delivery_options,
        })
    }
}
