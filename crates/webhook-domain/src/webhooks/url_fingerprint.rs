//! The fingerprint of a target URL: finds a webhook by its whole URL without storing the URL.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::WebhookUrl;

/// The purpose of the derived key. The number changes with the way in which fingerprints are made.
const PURPOSE: &[u8] = b"fingerprint of a webhook's target URL, 1";

/// The key of fingerprints, derived from a sealing key. A fingerprint without a key would confirm a
/// guessed URL to everybody with a copy of the database.
#[derive(Clone)]
pub struct UrlFingerprintKey(Hmac<Sha256>);

/// The fingerprint of a URL: HMAC-SHA256 over the URL's normal form, 32 bytes. Equal URLs have equal
/// fingerprints under the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UrlFingerprint([u8; 32]);

impl UrlFingerprintKey {
    /// Derives the key from a secret with another purpose, such as a sealing key of 32 bytes.
    pub fn of(secret: &[u8]) -> Self {
        let derived = keyed(secret).chain_update(PURPOSE).finalize();
        Self(keyed(&derived.into_bytes()))
    }

    /// The fingerprint of a URL.
    pub fn fingerprint(&self, url: &WebhookUrl) -> UrlFingerprint {
        let hmac = self.0.clone().chain_update(url.as_str());
        UrlFingerprint(hmac.finalize().into_bytes().into())
    }
}

impl UrlFingerprint {
    /// The bytes, to be stored and compared.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for UrlFingerprintKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UrlFingerprintKey(redacted)")
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const URL: &str = "https://hooks.slack.com/services/T0/B0/w2XyZ9AbCd";

    fn searched(text: &str) -> Option<UrlFingerprint> {
        let url = WebhookUrl::from_search(text)?;
        Some(UrlFingerprintKey::of(&[7; 32]).fingerprint(&url))
    }

    fn stored(key: &[u8]) -> UrlFingerprint {
        let url = WebhookUrl::from_stored(URL).expect("a URL");
        UrlFingerprintKey::of(key).fingerprint(&url)
    }

    #[rstest]
    #[case(URL)]
    #[case(" https://HOOKS.slack.com:443/services/T0/B0/w2XyZ9AbCd\n")]
    fn a_pasted_url_finds_its_webhook_in_any_way_of_writing(#[case] pasted: &str) {
        assert_eq!(searched(pasted), Some(stored(&[7; 32])));
    }

    #[rstest]
    #[case("https://hooks.slack.com/services/T0/B0/w2XyZ9AbCe")]
    #[case("https://hooks.slack.com/services/t0/b0/w2xyz9abcd")]
    fn another_url_has_another_fingerprint(#[case] pasted: &str) {
        assert_ne!(searched(pasted), Some(stored(&[7; 32])));
    }

    #[rstest]
    #[case("AbCd")]
    #[case("hooks.slack.com")]
    #[case("https://hooks.slack.com")]
    #[case("mailto:a@example.com")]
    #[case("")]
    fn words_and_hosts_are_no_whole_url(#[case] typed: &str) {
        assert_eq!(searched(typed), None);
    }

    #[test]
    fn another_key_gives_another_fingerprint_and_no_key_is_printed() {
        assert_ne!(stored(&[7; 32]), stored(&[8; 32]));
        assert_eq!(stored(&[7; 32]).as_bytes().len(), 32);
        assert_eq!(
            format!("{:?}", UrlFingerprintKey::of(&[7; 32])),
            "UrlFingerprintKey(redacted)"
        );
    }
}
