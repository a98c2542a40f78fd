//! The secret shared by a webhook and the platform.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";

/// The fewest random bytes in a secret (Standard Webhooks 1.0.0, "Signature scheme").
const MIN_BYTES: usize = 24;

/// The most random bytes in a secret (same source).
const MAX_BYTES: usize = 64;

/// The secret that signs the requests of a webhook: `whsec_` and 24 to 64 bytes in base64.
///
/// The two signature schemes derive their HMAC keys differently, see [`sign`](crate::sign). A
/// `SigningSecret` holds both keyed HMAC states, so that signing a request hashes nothing but the
/// request.
#[derive(Clone)]
pub struct SigningSecret {
    text: Zeroizing<String>,
    keyed_with_text: Hmac<Sha256>,
    keyed_with_bytes: Hmac<Sha256>,
}

/// The part of a secret used as the key of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// The whole text, `whsec_` included.
    Text,
    /// The bytes encoded in base64 after `whsec_`.
    Bytes,
}

/// Why a text is not a signing secret. The message never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum SecretError {
    #[error("must start with whsec_")]
    NoPrefix,
    #[error(
        "after whsec_, put {MIN_BYTES} to {MAX_BYTES} bytes in base64, for example from `openssl rand -base64 32`"
    )]
    NotBase64,
    #[error("after whsec_, put {MIN_BYTES} to {MAX_BYTES} bytes in base64: the text has {bytes}")]
    WrongLength { bytes: usize },
}

impl SigningSecret {
    /// Makes a secret of 32 bytes, drawn at random by the caller.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        let text = Zeroizing::new(format!("{PREFIX}{}", STANDARD.encode(bytes)));
        Self::keyed(text, &bytes)
    }

    /// Reads a secret, chosen by an admin or stored.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError::NoPrefix)?;
        let bytes = STANDARD
            .decode(encoded)
            .map(Zeroizing::new)
            .map_err(|_| SecretError::NotBase64)?;
        if !(MIN_BYTES..=MAX_BYTES).contains(&bytes.len()) {
            return Err(SecretError::WrongLength { bytes: bytes.len() });
        }
        Ok(Self::keyed(Zeroizing::new(text.to_owned()), &bytes))
    }

    fn keyed(text: Zeroizing<String>, bytes: &[u8]) -> Self {
        let keyed = |key: &[u8]| Hmac::new_from_slice(key).expect("HMAC takes keys of any length");
        Self {
            keyed_with_text: keyed(text.as_bytes()),
            keyed_with_bytes: keyed(bytes),
            text,
        }
    }

    /// The secret in clear text, to be shown to an admin or sealed.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Starts from the keyed state of `key` and hashes two parts, one after the other
    /// (HMAC-SHA256).
    pub(crate) fn hmac(&self, key: KeyForm, parts: [&[u8]; 2]) -> Hmac<Sha256> {
        let keyed = match key {
            KeyForm::Text => &self.keyed_with_text,
            KeyForm::Bytes => &self.keyed_with_bytes,
        };
        let mut hmac = keyed.clone();
        for part in parts {
            hmac.update(part);
        }
        hmac
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_is_one_that_would_be_taken() {
        let secret = SigningSecret::from_random([9; 32]);

        assert!(SigningSecret::parse(secret.reveal()).is_ok());
        assert_eq!(format!("{secret:?}"), "SigningSecret(redacted)");
    }

    #[test]
    fn a_secret_has_24_to_64_bytes() {
        let of = |bytes: usize| {
            SigningSecret::parse(&format!("whsec_{}", STANDARD.encode(vec![1; bytes]))).map(|_| ())
        };

        assert_eq!(of(23), Err(SecretError::WrongLength { bytes: 23 }));
        assert_eq!(of(24), Ok(()));
        assert_eq!(of(64), Ok(()));
        assert_eq!(of(65), Err(SecretError::WrongLength { bytes: 65 }));
    }

    #[test]
    fn other_texts_are_no_secrets() {
        let parse = |text| SigningSecret::parse(text).map(|_| ());

        assert_eq!(parse("hunter2"), Err(SecretError::NoPrefix));
        assert_eq!(parse("whsec_not base64"), Err(SecretError::NotBase64));
        assert_eq!(
            parse("whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD"),
            Err(SecretError::NotBase64),
            "base64url is not the standard alphabet"
        );
    }
}
