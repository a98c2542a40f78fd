//! API keys: bearer tokens of programs and people.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The prefix of every API key, by which people and secret scanners recognise one.
const PREFIX: &str = "whk_";

/// The first 10 characters of a key are stored in clear text, to tell keys apart in a list. Six of
/// these characters are random: 220 of the key's 256 random bits stay secret.
const READABLE: usize = 10;

/// A bearer key: `whk_` and 256 random bits in base64url.
///
/// Only the [`hash`](Self::hash) is stored. A plain SHA-256 suffices: the key is long and random,
/// so a slow hash would protect against no guess.
#[derive(Clone)]
pub struct ApiKey(Zeroizing<String>);

/// A text that is not an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct ApiKeyError;

impl ApiKey {
    /// Makes a key of 256 bits, drawn at random by the caller.
    pub fn from_random(bits: [u8; 32]) -> Self {
        Self(Zeroizing::new(format!(
            "{PREFIX}{}",
            URL_SAFE_NO_PAD.encode(bits)
        )))
    }

    /// Reads a key as its holder sends the key.
    pub fn parse(text: &str) -> Result<Self, ApiKeyError> {
        let bits = text.strip_prefix(PREFIX).ok_or(ApiKeyError)?;
        match URL_SAFE_NO_PAD.decode(bits) {
            Ok(bits) if bits.len() == 32 => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ => Err(ApiKeyError),
        }
    }

    /// The key in clear text, shown once to the person who created the key.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of the key, which is stored and looked up instead of the key.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The first 10 characters, to recognise the key in a list.
    pub fn prefix(&self) -> &str {
        &self.0[..READABLE]
    }
}

/// The name of an API key in lists: 1 to 100 characters, no control characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(String);

impl KeyName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 100;

    /// The trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for KeyName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        if name.is_empty() || name.chars().count() > Self::MAX_CHARS {
            return Err(format!("must have 1 to {} characters", Self::MAX_CHARS));
        }
        if name.contains(char::is_control) {
            return Err("must not contain control characters".to_owned());
        }
        Ok(Self(name.to_owned()))
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_being_sent_and_never_shows_in_debug() {
        let key = ApiKey::from_random([7; 32]);

        let received = ApiKey::parse(key.reveal()).expect("a key");

        assert_eq!(received.hash(), key.hash());
        assert_eq!(format!("{key:?}"), "ApiKey(redacted)");
    }

    #[test]
    fn a_key_is_named_with_something_that_can_be_read() {
        let named = |text: &str| text.parse().map(|name: KeyName| name.0);

        assert_eq!(named(" CI "), Ok("CI".to_owned()));
        for text in ["", "  ", "a\nb", &"x".repeat(KeyName::MAX_CHARS + 1)] {
            assert!(named(text).is_err(), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_keys() {
        for text in ["", "whk_", "whk_c2hvcnQ", "sk_live_42", "whk_=???"] {
            assert!(ApiKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_is_looked_up_by_its_hash_and_recognised_by_its_prefix() {
        let key = ApiKey::from_random([7; 32]);

        let expected: [u8; 32] = Sha256::digest(key.reveal().as_bytes()).into();
        assert_eq!(key.hash(), expected);
        assert_eq!(
            key.reveal(),
            "whk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
        );
        assert_eq!(key.prefix(), "whk_BwcHBw");
    }

    #[test]
    fn a_name_may_have_100_characters() {
        let longest = "é".repeat(KeyName::MAX_CHARS);

        let name: KeyName = longest.parse().expect("a name");

        assert_eq!(name.as_str(), longest);
    }
}
