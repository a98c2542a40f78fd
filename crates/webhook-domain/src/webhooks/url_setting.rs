//! The target URL among the settings of a webhook: known as a whole, or sealed in the database.

use std::borrow::Cow;

use url::Url;

use super::url::SHOWN_CHARS;
use crate::TargetUrl;

/// The target URL of a webhook, as far as a reader of the settings knows the URL.
///
/// A list, a page and an audit entry need no secret URL, so a secret URL stays sealed until a
/// request is sent, or an admin asks for the URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UrlSetting {
    /// The whole URL is known: an open URL, or a secret URL that was given just now.
    Known(TargetUrl),
    /// The URL is secret and stays sealed: only the shown form is known.
    Sealed(MaskedUrl),
}

/// The shown form of a secret URL, such as `https://hooks.slack.com/…AbCd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedUrl(String);

impl UrlSetting {
    /// Whether the URL is a password.
    pub const fn is_secret(&self) -> bool {
        match self {
            Self::Known(url) => url.is_secret(),
            Self::Sealed(_) => true,
        }
    }

    /// The URL as everybody may read it: whole, or masked.
    pub fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Known(url) => url.shown(),
            Self::Sealed(masked) => Cow::Borrowed(masked.as_str()),
        }
    }

    /// The masked form, of an open URL too.
    pub fn masked(&self) -> String {
        match self {
            Self::Known(url) => url.reveal().masked(),
            Self::Sealed(masked) => masked.as_str().to_owned(),
        }
    }

    /// The whole URL. `None`: the URL is sealed.
    pub const fn known(&self) -> Option<&TargetUrl> {
        match self {
            Self::Known(url) => Some(url),
            Self::Sealed(_) => None,
        }
    }

    /// The URL to look up and connect to, for a check that sends no request: of a secret URL scheme,
    /// host and port only.
    pub fn to_check(&self) -> String {
        match self {
            Self::Known(url) if url.is_secret() => url.reveal().origin(),
            Self::Known(url) => url.reveal().as_str().to_owned(),
            Self::Sealed(masked) => masked.origin().to_owned(),
        }
    }

    /// Whether a request that repeats the shown form of a secret URL means this URL: an admin
    /// changes another field.
    pub fn is_kept_by(&self, typed: &str) -> bool {
        match self {
            Self::Known(url) => url.is_kept_by(typed),
            Self::Sealed(masked) => MaskedUrl::parse(typed).is_some_and(|typed| typed == *masked),
        }
    }

    /// Whether requests go elsewhere than to `before`. A sealed URL counts as another URL than a known
    /// one: callers replace a given URL that equals the sealed URL by the sealed URL first.
    pub fn leads_elsewhere(&self, before: &Self) -> bool {
        match (self, before) {
            (Self::Known(url), Self::Known(before)) => url.reveal() != before.reveal(),
            (Self::Sealed(_), Self::Sealed(_))
            | (Self::Known(_), Self::Sealed(_))
            | (Self::Sealed(_), Self::Known(_)) => self != before,
        }
    }
}

impl From<TargetUrl> for UrlSetting {
    fn from(url: TargetUrl) -> Self {
        Self::Known(url)
    }
}

impl MaskedUrl {
    /// The beginning of the path of a shown form.
    const MASK: &str = "/…";

    /// The same in the normal form of URLs, as an earlier version of the platform writes a shown form.
    const NORMAL_MASK: &str = "/%E2%80%A6";

    /// Reads a shown form. `None`: another text, such as a whole URL, whose path never begins with `…`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (origin, end) = text
            .split_once(Self::MASK)
            .or_else(|| text.split_once(Self::NORMAL_MASK))?;
        let origin = Url::parse(origin).ok().filter(Url::has_host)?;
        let is_origin = origin.path() == "/" && origin.query().is_none();
        let is_end = end.chars().count() <= SHOWN_CHARS;
        let origin = origin.origin().ascii_serialization();
        (is_origin && is_end).then(|| Self(format!("{origin}{}{end}", Self::MASK)))
    }

    /// The shown form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        let origin = self.0.split_once(Self::MASK);
        origin.map_or(self.0.as_str(), |(origin, _)| origin)
    }
}

impl From<&TargetUrl> for MaskedUrl {
    fn from(url: &TargetUrl) -> Self {
        Self(url.reveal().masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WebhookUrl;
    use proptest::prelude::*;
    use rstest::rstest;

    const SLACK: &str = "https://hooks.slack.com/services/T0/B0/w2XyZ9AbCd";

    fn url(text: &str) -> WebhookUrl {
        WebhookUrl::from_stored(text).expect("a URL")
    }

    fn sealed(text: &str) -> UrlSetting {
        UrlSetting::Sealed(MaskedUrl::from(&TargetUrl::secret(url(text))))
    }

    #[test]
    fn a_sealed_url_shows_host_and_last_four_and_is_checked_by_its_host() {
        let setting = sealed(SLACK);

        assert_eq!(setting.shown(), "https://hooks.slack.com/…AbCd");
        assert_eq!(setting.to_check(), "https://hooks.slack.com");
        assert!(setting.is_secret() && setting.known().is_none());
    }

    #[test]
    fn a_check_of_a_known_url_learns_no_secret() {
        let (open, secret) = (TargetUrl::open(url(SLACK)), TargetUrl::secret(url(SLACK)));

        assert_eq!(UrlSetting::from(open).to_check(), SLACK);
        assert_eq!(
            UrlSetting::from(secret).to_check(),
            "https://hooks.slack.com"
        );
    }

    #[rstest]
    #[case("https://hooks.slack.com/…AbCd", true)]
    #[case(" https://hooks.slack.com/%E2%80%A6AbCd ", true)]
    #[case("https://hooks.slack.com:443/…AbCd", true)]
    #[case("https://hooks.slack.com/…AbCe", false)]
    #[case("https://evil.example/…AbCd", false)]
    #[case("https://hooks.slack.com/", false)]
    #[case(SLACK, false)]
    fn only_the_shown_form_keeps_a_sealed_url(#[case] typed: &str, #[case] is_kept: bool) {
        assert_eq!(sealed(SLACK).is_kept_by(typed), is_kept);
    }

    #[rstest]
    #[case("https://hooks.slack.com/a/…AbCd")]
    #[case("https://hooks.slack.com/…more than four")]
    #[case("/…AbCd")]
    #[case("…")]
    fn another_text_with_an_ellipsis_is_no_shown_form(#[case] text: &str) {
        assert_eq!(MaskedUrl::parse(text), None);
    }

    #[test]
    fn a_known_url_leads_elsewhere_if_the_whole_url_differs() {
        let open = |text| UrlSetting::from(TargetUrl::open(url(text)));
        let secret = UrlSetting::from(TargetUrl::secret(url(SLACK)));

        assert!(!secret.leads_elsewhere(&open(SLACK)));
        assert!(open("https://hooks.slack.com/services/T0/B0/x").leads_elsewhere(&open(SLACK)));
        assert!(
            secret.leads_elsewhere(&sealed(SLACK))
                && !sealed(SLACK).leads_elsewhere(&sealed(SLACK))
        );
    }

    proptest! {
        #[test]
        fn every_shown_form_is_read_again(
            path in "[a-zA-Z0-9/.%]{0,40}", query in "[a-zA-Z0-9=&%/.?]{0,40}",
        ) {
            let secret = TargetUrl::secret(url(&format!("https://a.example:8443/{path}?{query}")));
            let masked = MaskedUrl::from(&secret);

            prop_assert_eq!(MaskedUrl::parse(&secret.shown()), Some(masked.clone()));
            prop_assert_eq!(masked.origin(), "https://a.example:8443");
        }
    }
}
