//! The masked form of a target URL: enough to tell webhooks apart, too little to send a request.

use url::Position;

use super::WebhookUrl;

/// The characters of the end that are shown: 4. Enough to recognise a URL beside its copy in a chat
/// platform, and far from enough to guess a token of 24 characters or more.
pub(in crate::webhooks) const SHOWN_CHARS: usize = 4;

/// The fewest characters of path and query of which the last four are shown: 12. In a shorter path the
/// four would be a large part of the secret.
const MIN_CHARS_TO_SHOW_ANY: usize = 12;

impl WebhookUrl {
    /// The URL as everybody may read it: scheme, host, port, and the last four characters.
    ///
    /// ```
    /// use webhook_domain::WebhookUrl;
    ///
    /// let url = WebhookUrl::from_stored("https://hooks.slack.com/services/T0/B0/w2XyZ9AbCd")?;
    ///
    /// assert_eq!(url.masked(), "https://hooks.slack.com/…AbCd");
    /// # Ok::<(), webhook_domain::UrlError>(())
    /// ```
    pub fn masked(&self) -> String {
        let secret = self.path_and_query();
        let chars = secret.chars().count();
        let shown = if chars < MIN_CHARS_TO_SHOW_ANY {
            0
        } else {
            SHOWN_CHARS
        };
        let end: String = secret.chars().skip(chars - shown).collect();
        format!("{}/…{end}", self.origin())
    }

    /// Scheme, host and port, without user name and password: enough to check the connection, and no
    /// secret of any platform.
    pub fn origin(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// The path and the query: the part of the URL that is a password where the URL is secret.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.0[Position::BeforePath..Position::AfterQuery]
    }

    /// The pieces of path and query: each segment of the path, and each value of the query, both as
    /// written and decoded.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = String> {
        let value = |pair: &str| match pair.split_once('=') {
            Some((_, value)) => value.to_owned(),
            None => pair.to_owned(),
        };
        let written = self.0.query().unwrap_or_default().split('&').map(value);
        let decoded = self.0.query_pairs().map(|(_, value)| value.into_owned());
        let segments = self.0.path().split('/').map(ToOwned::to_owned);
        segments.chain(written).chain(decoded)
    }
}

impl std::fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("WebhookUrl").field(&self.masked()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AddressPolicy, UrlError, UrlSchemes};
    use proptest::prelude::*;
    use rstest::rstest;

    fn url(text: &str) -> WebhookUrl {
        WebhookUrl::from_stored(text).expect("a URL")
    }

    #[rstest]
    #[case(
        "https://hooks.slack.com/services/T0/B0/w2XyZ9AbCd",
        "https://hooks.slack.com/…AbCd"
    )]
    #[case(
        "https://a.logic.azure.com:444/w/1/t?sig=abcdefgh",
        "https://a.logic.azure.com:444/…efgh"
    )]
    #[case("https://example.com/abcdefghijk", "https://example.com/…hijk")]
    #[case("https://example.com/abcdefghij", "https://example.com/…")]
    #[case("https://example.com/?a=bcdefg", "https://example.com/…")]
    #[case("https://example.com/", "https://example.com/…")]
    #[case("https://me:secret@example.com/", "https://example.com/…")]
    fn a_masked_url_shows_host_and_last_four(#[case] whole: &str, #[case] masked: &str) {
        assert_eq!(url(whole).masked(), masked);
        assert!(masked.starts_with(&url(whole).origin()));
        assert_eq!(
            format!("{:?}", url(whole)),
            format!("WebhookUrl({masked:?})")
        );
    }

    #[test]
    fn the_pieces_of_a_url_are_written_and_decoded() {
        let pieces: Vec<String> = url("https://a.com/b/c?d=e%2Bf&g").pieces().collect();

        assert_eq!(pieces, ["", "b", "c", "e%2Bf", "g", "e+f", ""]);
    }

    proptest! {
        #[test]
        fn a_mask_shows_a_third_of_the_secret_at_most_and_is_no_url_to_save(
            path in "[a-zA-Z0-9/]{0,60}", query in "[a-zA-Z0-9=&%]{0,60}",
        ) {
            let whole = url(&format!("https://hooks.example.com/{path}?{query}"));
            let masked = whole.masked();

            let shown = masked.strip_prefix("https://hooks.example.com/…").expect("a mask");
            prop_assert!(shown.len() * 3 <= whole.path_and_query().len());
            let again = WebhookUrl::parse(&masked, UrlSchemes::HttpsOnly, &AddressPolicy::default());
            prop_assert_eq!(again, Err(UrlError::Masked));
        }
    }
}
