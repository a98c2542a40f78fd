//! The target URL of a webhook together with its secrecy: open, or a password.
//!
//! Who holds the URL of a Slack, Discord or Teams webhook can post as the webhook. A secret URL is
//! shown masked wherever people or logs read: lists, audit, transcripts, status events, exports
//! without secrets, and texts of receivers that repeat the URL.

use std::borrow::Cow;

use crate::WebhookUrl;

/// The fewest characters of a segment or a query value that is hidden on its own: 12. Shorter pieces,
/// such as `services` or `2016-10-01`, are words of the platform and no secrets.
const MIN_HIDDEN_CHARS: usize = 12;

/// The text in the place of a hidden piece.
const HIDDEN: &str = "…";

/// A target URL, and whether the URL is a password. `Debug` and `Display` print the shown form.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl {
    url: WebhookUrl,
    is_secret: bool,
}

impl TargetUrl {
    /// A URL that everybody may read.
    pub const fn open(url: WebhookUrl) -> Self {
        Self {
            url,
            is_secret: false,
        }
    }

    /// A URL that is a password.
    pub const fn secret(url: WebhookUrl) -> Self {
        Self {
            url,
            is_secret: true,
        }
    }

    /// Whether the URL is a password.
    pub const fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// The URL as everybody may read it: whole, or masked.
    pub fn shown(&self) -> Cow<'_, str> {
        if self.is_secret {
            Cow::Owned(self.url.masked())
        } else {
            Cow::Borrowed(self.url.as_str())
        }
    }

    /// The whole URL, to send a request or for an admin who asked for the whole URL.
    pub const fn reveal(&self) -> &WebhookUrl {
        &self.url
    }

    /// Whether a form or a request that repeats the shown form of a secret URL means this URL: an
    /// admin edited another field. Two secret URLs may have the same shown form, so the shown form
    /// never stands for another webhook's URL.
    pub fn is_kept_by(&self, typed: &str) -> bool {
        self.is_secret && typed.trim() == self.shown()
    }

    /// Hides this URL in a text of the receiver, such as the header `Location` or a body. An open URL
    /// hides nothing.
    pub fn hide_in<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.hide_in_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Texts replaced by texts: the result is a text.
            Cow::Owned(hidden) => Cow::Owned(String::from_utf8_lossy(&hidden).into_owned()),
        }
    }

    /// Hides this URL in bytes, as [`hide_in`](Self::hide_in) does in a text.
    ///
    /// Found are the whole URL, its path with its query, and each longer segment and query value: a
    /// receiver may repeat the token under another path. A token that the text cuts short is not
    /// found.
    pub fn hide_in_bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let mut shown = Cow::Borrowed(bytes);
        if !self.is_secret {
            return shown;
        }
        for (secret, mask) in self.masks() {
            if let Some(hidden) = replaced(&shown, secret.as_bytes(), mask.as_bytes()) {
                shown = Cow::Owned(hidden);
            }
        }
        shown
    }

    /// Every text to hide, with the text in its place, from long to short: the URL before its pieces.
    fn masks(&self) -> Vec<(String, String)> {
        let masked = self.url.masked();
        let end = masked.rsplit_once('/').map_or("", |(_, end)| end);
        let whole = [
            (self.url.as_str().to_owned(), masked.clone()),
            (self.url.path_and_query().to_owned(), format!("/{end}")),
        ];
        let pieces = self.url.pieces().map(|piece| (piece, HIDDEN.to_owned()));
        let all = whole.into_iter().chain(pieces);
        let mut all: Vec<(String, String)> = all
            .filter(|(secret, _)| secret.chars().count() >= MIN_HIDDEN_CHARS)
            .collect();
        all.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
        all
    }
}

impl std::fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.shown())
    }
}

impl std::fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TargetUrl").field(&self.shown()).finish()
    }
}

/// The bytes with `new` in place of each `old`, which is not empty. `None`: no `old` in the bytes.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    // The first byte alone tells most places apart, several times faster than a comparison.
    let is_old = |window: &[u8]| window.first() == old.first() && window == old;
    let find = |bytes: &[u8]| bytes.windows(old.len()).position(is_old);
    let mut at = find(bytes)?;
    let (mut done, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    loop {
        done.extend_from_slice(&rest[..at]);
        done.extend_from_slice(new);
        rest = &rest[at + old.len()..];
        match find(rest) {
            Some(next) => at = next,
            None => break,
        }
    }
    done.extend_from_slice(rest);
    Some(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const DISCORD: &str =
        "https://discord.com/api/webhooks/123456789012345678/tOkEn_tOkEn-tOkEn9AbCd";
    const TEAMS: &str = "https://a.logic.azure.com/workflows/0123456789abcdef/t?api=2016-10-01&sig=a%2Bbcdefghijklmn";

    fn url(text: &str) -> WebhookUrl {
        WebhookUrl::from_stored(text).expect("a URL")
    }

    #[test]
    fn a_secret_url_is_shown_masked_and_an_open_one_whole() {
        let (secret, open) = (
            TargetUrl::secret(url(DISCORD)),
            TargetUrl::open(url(DISCORD)),
        );

        assert_eq!(secret.shown(), "https://discord.com/…AbCd");
        assert_eq!(format!("{secret}"), "https://discord.com/…AbCd");
        assert_eq!(
            format!("{secret:?}"),
            r#"TargetUrl("https://discord.com/…AbCd")"#
        );
        assert_eq!(open.shown(), DISCORD);
        assert_eq!(secret.reveal().as_str(), DISCORD);
        assert!(secret.is_secret() && !open.is_secret());
    }

    #[test]
    fn only_the_shown_form_of_the_same_secret_url_keeps_the_url() {
        let secret = TargetUrl::secret(url(DISCORD));

        assert!(secret.is_kept_by(" https://discord.com/…AbCd "));
        assert!(!secret.is_kept_by("https://discord.com/…AbCe"));
        assert!(!secret.is_kept_by(DISCORD));
        assert!(!TargetUrl::open(url(DISCORD)).is_kept_by(DISCORD));
    }

    #[rstest]
    #[case(DISCORD, "to https://discord.com/…AbCd.")]
    #[case(
        "/api/webhooks/123456789012345678/tOkEn_tOkEn-tOkEn9AbCd",
        "to /…AbCd."
    )]
    #[case(
        "https://discord.com/api/v10/webhooks/1/tOkEn_tOkEn-tOkEn9AbCd",
        "to https://discord.com/api/v10/webhooks/1/…."
    )]
    #[case(
        "https://discord.com/api/webhooks",
        "to https://discord.com/api/webhooks."
    )]
    #[case("…AbCd", "to …AbCd.")]
    fn a_text_that_repeats_a_secret_url_does_not_show_the_url(
        #[case] repeated: &str,
        #[case] shown: &str,
    ) {
        let text = format!("to {repeated}.");

        assert_eq!(TargetUrl::secret(url(DISCORD)).hide_in(&text), shown);
        assert_eq!(TargetUrl::open(url(DISCORD)).hide_in(&text), text);
    }

    #[test]
    fn a_signature_is_hidden_as_written_and_decoded() {
        let secret = TargetUrl::secret(url(TEAMS));

        let shown = secret.hide_in("a%2Bbcdefghijklmn a+bcdefghijklmn 2016-10-01");

        assert_eq!(shown, "… … 2016-10-01");
    }

    proptest! {
        #[test]
        fn no_text_around_a_secret_url_lets_the_url_through(
            before in proptest::collection::vec(any::<u8>(), 0..40),
            after in proptest::collection::vec(any::<u8>(), 0..40),
            times in 0_usize..4,
        ) {
            let secret = TargetUrl::secret(url(DISCORD));
            let bytes = [&before[..], &DISCORD.repeat(times).into_bytes(), &after].concat();

            let shown = secret.hide_in_bytes(&bytes);

            let token = b"tOkEn_tOkEn-tOkEn9AbCd";
            prop_assert!(!shown.windows(token.len()).any(|window| window == token));
            prop_assert!(shown.starts_with(&before) && shown.ends_with(&after));
        }
    }
}
