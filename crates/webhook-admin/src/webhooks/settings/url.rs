//! The target URL in a document: whole, or the shown form of the stored secret URL; and the secrecy of the URL.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use webhook_domain::{MaskedUrl, TargetUrl, UrlError, UrlSetting, WebhookUrl};

use super::draft::{Document, ReadContext, SettingsDraft};
use crate::fields::Fields;
use crate::url_rules::UrlRules;

/// Takes `url` out of a document.
pub(super) fn read_url(
    draft: &mut SettingsDraft,
    fields: &mut Fields<'_>,
    ReadContext {
        document,
        url_rules,
    }: ReadContext<'_>,
) {
    if draft.url.is_some() && !fields.has("url") {
        return;
    }
    let stored = draft.stored_url.as_ref();
    draft.url = fields.required("url", |text| match document {
        // The stored webhook is found by name later, and the plan of the import decides.
        Document::Import => match MaskedUrl::parse(text) {
            Some(masked) => Ok(UrlSetting::Sealed(masked)),
            None => parse(text, url_rules),
        },
        Document::Create | Document::Replace | Document::Patch => {
            let kept = stored.filter(|stored| stored.is_kept_by(text));
            kept.map_or_else(|| parse(text, url_rules), |kept| Ok(kept.clone()))
        }
    });
}

/// A URL as typed, open until [`settle_secrecy`] decides.
fn parse(text: &str, url_rules: &UrlRules) -> Result<UrlSetting, UrlError> {
    let url = WebhookUrl::parse(text, url_rules.schemes, &url_rules.addresses)?;
    Ok(TargetUrl::open(url).into())
}

/// Decides whether the URL of a draft is secret: as the document says; else a webhook with a secret URL keeps a secret
/// URL, and format and host decide. The URL of a chat format, or at the host of a chat service, is always secret.
pub(super) fn settle_secrecy(draft: &mut SettingsDraft, fields: &mut Fields<'_>) {
    let format = draft.body.format();
    let must_be_secret = match draft.url.as_ref().and_then(UrlSetting::known) {
        Some(url) => format.url_is_secret_at(url.reveal().as_url()),
        None => format.url_is_secret(),
    };
    if must_be_secret && draft.url_is_secret == Some(false) {
        fields.refuse(
            "url_is_secret",
            "must be true: whoever knows the URL of a chat service can post to the chat",
        );
        return;
    }
    let was_secret = draft.stored_url.as_ref().is_some_and(UrlSetting::is_secret);
    // A program that replaces all settings and knows nothing of secrecy must not make the URL readable.
    let by_default = must_be_secret || was_secret;
    let is_secret = draft.url_is_secret.unwrap_or(by_default);
    draft.url = match draft.url.take() {
        Some(UrlSetting::Known(url)) => {
            let url = url.reveal().clone();
            let settled = if is_secret {
                TargetUrl::secret
            } else {
                TargetUrl::open
            };
            Some(settled(url).into())
        }
        Some(UrlSetting::Sealed(_)) if draft.url_is_secret == Some(false) => {
            // Showing a secret takes the secret: an admin who makes the URL readable has seen the URL.
            fields.refuse(
                "url",
                "enter the whole URL, which everybody can read from then on",
            );
            None
        }
        sealed => sealed,
    };
}

/// The schema of `url_is_secret`.
pub(super) fn url_is_secret_schema() -> RefOr<Schema> {
    let about = "Whether the URL is a password: sealed in the database, and shown as host and last four characters. \
        When left out, a secret URL stays secret, and format and host decide: `true` for `slack`, `discord` and \
        `teams` and for the hosts of these services, which take no other value. To \
        keep a secret URL, send `url` exactly as a response shows the URL; `false` needs the whole URL.";
    let bool_or_null = SchemaType::Array(vec![Type::Boolean, Type::Null]);
    let schema = ObjectBuilder::new().schema_type(bool_or_null);
    RefOr::T(Schema::Object(schema.description(Some(about)).build()))
}
