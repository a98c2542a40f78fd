//! The documents with the settings of a webhook: of `POST`, `PUT` and `PATCH`, and of an import.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};
use webhook_domain::{Environment, SigningSecret, WebhookSettings};

use super::settings::{Document, ReadContext, SettingsDraft, schema_of, take_settings};
use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::retry_policies::RetryPolicyRequest;
use crate::url_rules::UrlRules;

/// The most bytes of a document with one webhook, headers and metadata included.
pub const MAX_WEBHOOK_BYTES: usize = 256 * 1024;

/// A webhook to be created.
pub struct CreateWebhook {
    /// The webhook's settings.
    pub settings: WebhookSettings,
    /// The signing secret; generated when left out.
    pub secret: Option<SigningSecret>,
}

impl CreateWebhook {
    /// Reads the document.
    pub fn parse(body: &[u8], url_rules: &UrlRules) -> Result<Self, Refusal> {
        let reading = ReadContext {
            document: Document::Create,
            url_rules,
        };
        let (settings, secret) = parse(body, SettingsDraft::default(), reading)?;
        Ok(Self { settings, secret })
    }
}

/// Settings that take the place of all settings of a webhook.
pub struct ReplaceWebhook {
    /// The new settings.
    pub settings: WebhookSettings,
}

impl ReplaceWebhook {
    /// Reads the document. Of the `current` settings only a secret URL is kept, if the document shows that URL.
    pub fn parse(
        body: &[u8],
        current: &WebhookSettings,
        url_rules: &UrlRules,
    ) -> Result<Self, Refusal> {
        let reading = ReadContext {
            document: Document::Replace,
            url_rules,
        };
        let (settings, _) = parse(body, SettingsDraft::replacing(current), reading)?;
        Ok(Self { settings })
    }
}

/// A merge patch of the settings of a webhook.
pub struct PatchWebhook {
    /// The settings after the patch.
    pub settings: WebhookSettings,
}

impl PatchWebhook {
    /// Reads the document as a patch of the `current` settings.
    pub fn parse(
        body: &[u8],
        current: &WebhookSettings,
        url_rules: &UrlRules,
    ) -> Result<Self, Refusal> {
        let reading = ReadContext {
            document: Document::Patch,
            url_rules,
        };
        let (settings, _) = parse(body, SettingsDraft::of(current), reading)?;
        Ok(Self { settings })
    }
}

/// A webhook of an import.
pub struct ImportWebhook {
    /// The webhook's settings. A header without a value keeps the stored value.
    pub settings: WebhookSettings,
    /// The signing secret. When left out, a stored webhook keeps the secret, and a new webhook gets a
    /// generated secret.
    pub secret: Option<SigningSecret>,
}

impl ImportWebhook {
    /// Takes a webhook out of an item of the document, for an import into `environment`. `None`: a field is
    /// missing or wrong, and noted in `fields`.
    pub fn take(
        fields: &mut Fields<'_>,
        environment: Environment,
        url_rules: &UrlRules,
    ) -> Option<Self> {
        let reading = ReadContext {
            document: Document::Import,
            url_rules,
        };
        let (settings, secret) =
            take_settings(fields, SettingsDraft::within(environment), reading)?;
        Some(Self { settings, secret })
    }
}

fn parse(
    body: &[u8],
    draft: SettingsDraft,
    reading: ReadContext<'_>,
) -> Result<(WebhookSettings, Option<SigningSecret>), Refusal> {
    let mut fields = Fields::of_body(body)?;
    let read = take_settings(&mut fields, draft, reading);
    fields.end_with(read)
}

/// Implements the schema of a document.
macro_rules! described {
    ($name:ident, $document:expr, $about:literal) => {
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                schema_of($document, $about)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }

            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                let name = RetryPolicyRequest::name().into_owned();
                schemas.push((name, RetryPolicyRequest::schema()));
            }
        }
    };
}

described!(CreateWebhook, Document::Create, "A webhook to be created.");
described!(
    ReplaceWebhook,
    Document::Replace,
    "All settings of a webhook. A setting that is left out gets its default, whatever its value \
     was; the secret stays."
);
described!(
    PatchWebhook,
    Document::Patch,
    "Changes of a webhook's settings. A setting that is left out stays; `null` restores its \
     default; `headers`, `metadata` and `retry_policy` are merged."
);
described!(
    ImportWebhook,
    Document::Import,
    "A webhook to be imported. Its environment does not count: the request names the environment \
     to import into."
);

#[cfg(test)]
mod tests;
