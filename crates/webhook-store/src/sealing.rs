//! Secrets at rest: XChaCha20-Poly1305, bound to the row that they belong to.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// The key that secrets are sealed with, 32 bytes given as base64.
#[derive(Clone)]
pub struct SealingKey {
    id: [u8; KEY_ID_BYTES],
    cipher: XChaCha20Poly1305,
}

/// Why a key is none, or a secret could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum SealError {
    #[error("the secret key must be 32 bytes in base64, such as `openssl rand -base64 32` prints")]
    NotAKey,
    #[error("a stored secret was sealed with another key")]
    OtherKey,
    #[error("a stored secret was changed, or belongs to another row")]
    Broken,
}

impl SealingKey {
    /// Takes a key as the operator gives it.
    pub fn parse(base64: &str) -> Result<Self, SealError> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(base64.trim())
                .map_err(|_| SealError::NotAKey)?,
        );
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| SealError::NotAKey)?;
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&Sha256::digest(bytes.as_slice())[..KEY_ID_BYTES]);
        Ok(Self { id, cipher })
    }

    /// Seals `secret` for the row `row_id`: key id, nonce, ciphertext.
    pub(crate) fn seal(&self, row_id: Uuid, secret: &str) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: row_id.as_bytes(),
        };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a secret is far below the cipher's limit");
        [self.id.as_slice(), &nonce, &ciphertext].concat()
    }

    /// Opens what [`seal`](Self::seal) made for the same row.
    pub(crate) fn open(&self, row_id: Uuid, sealed: &[u8]) -> Result<Zeroizing<String>, SealError> {
        let (id, rest) = sealed
            .split_first_chunk::<KEY_ID_BYTES>()
            .ok_or(SealError::Broken)?;
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Broken)?;
        if *id != self.id {
            return Err(SealError::OtherKey);
        }
        let payload = Payload {
            msg: ciphertext,
            aad: row_id.as_bytes(),
        };
        let bytes = self
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SealError::Broken)?;
        let text = String::from_utf8(bytes).map_err(|_| SealError::Broken)?;
        Ok(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SealingKey {
        SealingKey::parse(&STANDARD.encode([byte; 32])).expect("a key")
    }

    #[test]
    fn what_was_sealed_opens_for_its_row_and_key_only() {
        let row = Uuid::from_u128(1);
        let sealed = key(1).seal(row, "whsec_x");

        let mut changed = sealed.clone();
        *changed.last_mut().expect("not empty") ^= 1;

        assert_eq!(
            key(1).open(row, &sealed).map(|s| s.to_string()),
            Ok("whsec_x".into())
        );
        assert_eq!(
            key(1).open(Uuid::from_u128(2), &sealed),
            Err(SealError::Broken)
        );
        assert_eq!(key(1).open(row, &changed), Err(SealError::Broken));
        assert_eq!(key(2).open(row, &sealed), Err(SealError::OtherKey));
        assert_eq!(key(1).open(row, b"short"), Err(SealError::Broken));
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert!(SealingKey::parse(&STANDARD.encode([0; 31])).is_err());
        assert!(SealingKey::parse("no base64!").is_err());
    }
}
