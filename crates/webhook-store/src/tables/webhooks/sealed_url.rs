//! The target URL of a webhook at rest: open in the column `url`, or sealed beside its shown form.
//!
//! | `url` | `sealed_url` | the URL is |
//! | --- | --- | --- |
//! | whole | null | open; secret if the format says so: written by the version before, sealed at the next start |
//! | whole | sealed | secret: the version before wrote another URL, which counts |
//! | shown form | sealed | secret |

use diesel::prelude::*;
use webhook_domain::{Format, MaskedUrl, TargetUrl, UrlSetting, WebhookId, WebhookUrl};

use crate::error::unreadable;
use crate::schema::webhooks;
use crate::{SealingKeys, StoreError};

/// The columns of a secret URL.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = webhooks, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(super) struct UrlColumns {
    sealed_url: Option<Vec<u8>>,
    url_fingerprint: Option<Vec<u8>>,
}

impl UrlColumns {
    /// Seals a known URL that is secret; an open URL empties the columns. `None`: the URL is sealed, and
    /// its columns stay.
    pub(super) fn of(keys: &SealingKeys, id: WebhookId, url: &UrlSetting) -> Option<Self> {
        let url = url.known()?;
        let whole = Some(url.reveal()).filter(|_| url.is_secret());
        Some(Self {
            sealed_url: whole.map(|whole| keys.seal(id.0, whole.as_str())),
            url_fingerprint: whole.map(|whole| keys.fingerprint(whole).as_bytes().to_vec()),
        })
    }
}

/// Reads the column `url`, without opening the sealed URL.
pub(super) fn read_url(
    url: &str,
    format: Format,
    has_sealed_url: bool,
) -> Result<UrlSetting, StoreError> {
    if let Some(masked) = MaskedUrl::parse(url) {
        return Ok(UrlSetting::Sealed(masked));
    }
    // Rules for URLs may have become stricter since the URL was stored.
    let whole = WebhookUrl::from_stored(url).map_err(unreadable)?;
    Ok(if has_sealed_url || format.url_is_secret() {
        TargetUrl::secret(whole).into()
    } else {
        TargetUrl::open(whole).into()
    })
}

/// The whole URL of the columns `url` and `sealed_url`.
pub(crate) fn open_url(
    keys: &SealingKeys,
    id: WebhookId,
    (url, sealed): (&str, Option<&[u8]>),
    format: Format,
) -> Result<TargetUrl, StoreError> {
    match (read_url(url, format, sealed.is_some())?, sealed) {
        (UrlSetting::Known(url), _) => Ok(url),
        (UrlSetting::Sealed(_), Some(sealed)) => {
            let whole = keys.open(id.0, sealed)?;
            let whole = WebhookUrl::from_stored(&whole).map_err(unreadable)?;
            Ok(TargetUrl::secret(whole))
        }
        (UrlSetting::Sealed(_), None) => Err(unreadable("a shown form without a sealed URL")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const SLACK: &str = "https://hooks.slack.com/services/T0/B0/w2XyZ9AbCd";
    const SHOWN: &str = "https://hooks.slack.com/…AbCd";
    const ID: WebhookId = WebhookId(Uuid::nil());

    fn keys() -> SealingKeys {
        SealingKeys::parse(&format!("{}=", "A".repeat(43))).expect("a key")
    }

    fn sealed() -> Vec<u8> {
        keys().seal(ID.0, SLACK)
    }

    fn opened(url: &str, sealed: Option<&[u8]>, format: Format) -> Option<TargetUrl> {
        open_url(&keys(), ID, (url, sealed), format).ok()
    }

    #[test]
    fn a_sealed_url_counts_beside_its_shown_form_in_any_notation() {
        let secret = WebhookUrl::from_stored(SLACK).map(TargetUrl::secret).ok();

        for shown in [SHOWN, "https://hooks.slack.com/%E2%80%A6AbCd"] {
            assert_eq!(opened(shown, Some(&sealed()), Format::Slack), secret);
            assert_eq!(
                read_url(shown, Format::Slack, true)
                    .ok()
                    .map(|url| url.shown().into_owned()),
                Some(SHOWN.into())
            );
        }
        assert_eq!(opened(SHOWN, None, Format::Slack), None);
    }

    #[test]
    fn a_whole_url_of_the_version_before_counts_and_is_secret_where_the_format_or_the_admin_says_so()
     {
        let other = "https://hooks.slack.com/services/T0/B0/another";
        let secret = WebhookUrl::from_stored(other).map(TargetUrl::secret).ok();
        let open = WebhookUrl::from_stored(other).map(TargetUrl::open).ok();

        assert_eq!(opened(other, Some(&sealed()), Format::Json), secret);
        assert_eq!(opened(other, None, Format::Slack), secret);
        assert_eq!(opened(other, None, Format::Json), open);
    }

    #[test]
    fn a_url_is_sealed_with_its_fingerprint_and_an_open_one_is_not() {
        let url = WebhookUrl::from_stored(SLACK).expect("a URL");
        let secret = UrlSetting::from(TargetUrl::secret(url.clone()));
        let open = UrlSetting::from(TargetUrl::open(url));
        let columns = |url: &UrlSetting| UrlColumns::of(&keys(), ID, url);

        let sealed = columns(&secret).expect("columns");

        let opened = opened(SHOWN, sealed.sealed_url.as_deref(), Format::Slack);
        assert_eq!(opened.as_ref(), secret.known());
        assert_eq!(sealed.url_fingerprint.map(|bytes| bytes.len()), Some(32));
        assert!(columns(&open).is_some_and(|columns| columns.sealed_url.is_none()));
        assert!(columns(&read_url(SHOWN, Format::Slack, true).expect("it reads")).is_none());
    }
}
