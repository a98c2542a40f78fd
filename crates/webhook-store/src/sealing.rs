//! Secrets at rest: XChaCha20-Poly1305, with the id of the row as associated data.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use webhook_domain::{UrlFingerprint, UrlFingerprintKey, WebhookUrl};
use zeroize::Zeroizing;

/// Enough to tell the few keys of an operator apart.
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// The sealing keys: the first key seals, all keys open.
///
/// To replace a key, put the new key behind the old one in every service, then in front, seal all
/// secrets anew ([`reseal`](crate::secrets::reseal)), and remove the old key.
#[derive(Clone)]
pub struct SealingKeys {
    first: SealingKey,
    others: Vec<SealingKey>,
}

/// A key of 32 bytes, with an id: the first bytes of its SHA-256.
#[derive(Clone)]
struct SealingKey {
    id: [u8; KEY_ID_BYTES],
    cipher: XChaCha20Poly1305,
    fingerprints: UrlFingerprintKey,
}

/// Why text is no key, or a secret could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum SealError {
    #[error("the secret key must be 32 bytes in base64, such as `openssl rand -base64 32` prints")]
    NotAKey,
    #[error("a stored secret was sealed with an unknown key")]
    OtherKey,
    #[error("a stored secret was changed, or belongs to another row")]
    Broken,
}

impl SealingKeys {
    /// Parses keys in base64, separated by white space or commas.
    pub fn parse(text: &str) -> Result<Self, SealError> {
        let separator = |c: char| c == ',' || c.is_whitespace();
        let keys = text.split(separator).filter(|key| !key.is_empty());
        let mut keys = keys.map(SealingKey::parse);
        let first = keys.next().ok_or(SealError::NotAKey)??;
        let others = keys.collect::<Result<_, _>>()?;
        Ok(Self { first, others })
    }

    /// Seals `secret` for the row `row_id`: key id, nonce, ciphertext.
    pub(crate) fn seal(&self, row_id: Uuid, secret: &str) -> Vec<u8> {
        self.first.seal(row_id, secret)
    }

    /// Opens a secret that was [sealed](Self::seal) for the same row.
    pub(crate) fn open(&self, row_id: Uuid, sealed: &[u8]) -> Result<Zeroizing<String>, SealError> {
        let mut keys = std::iter::once(&self.first).chain(&self.others);
        // The id in front tells the key, so a wrong key is told apart from a changed secret.
        let key = keys.find(|key| sealed.starts_with(&key.id));
        key.ok_or(SealError::OtherKey)?.open(row_id, sealed)
    }

    /// The fingerprint of a URL under the first key, for a search by the whole URL.
    pub(crate) fn fingerprint(&self, url: &WebhookUrl) -> UrlFingerprint {
        self.first.fingerprints.fingerprint(url)
    }

    /// The fingerprints of a URL under all keys: another replica may have sealed the URL with another key.
    pub fn all_fingerprints(&self, url: &WebhookUrl) -> Vec<UrlFingerprint> {
        let keys = std::iter::once(&self.first).chain(&self.others);
        keys.map(|key| key.fingerprints.fingerprint(url)).collect()
    }

    /// The id of the first key, with which every secret sealed by the first key begins.
    pub(crate) fn first_id(&self) -> &[u8] {
        &self.first.id
    }
}

impl SealingKey {
    fn parse(base64: &str) -> Result<Self, SealError> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(base64.trim())
                .map_err(|_| SealError::NotAKey)?,
        );
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| SealError::NotAKey)?;
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&Sha256::digest(bytes.as_slice())[..KEY_ID_BYTES]);
        Ok(Self {
            id,
            cipher,
            fingerprints: UrlFingerprintKey::of(&bytes),
        })
    }

    fn seal(&self, row_id: Uuid, secret: &str) -> Vec<u8> {
        // Random nonces of 24 bytes do not repeat, so no counter is kept.
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

    fn open(&self, row_id: Uuid, sealed: &[u8]) -> Result<Zeroizing<String>, SealError> {
        let (_, rest) = sealed
            .split_first_chunk::<KEY_ID_BYTES>()
            .ok_or(SealError::Broken)?;
        let (nonce, ciphertext) = rest
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealError::Broken)?;
        // With another row's id as associated data the secret does not open.
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

impl std::fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKeys(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(byte: u8) -> String {
        STANDARD.encode([byte; 32])
    }

    fn key(byte: u8) -> SealingKeys {
        SealingKeys::parse(&text(byte)).expect("a key")
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
        assert_eq!(key(1).open(row, b"short"), Err(SealError::OtherKey));
        assert_eq!(key(1).open(row, &sealed[..9]), Err(SealError::Broken));
    }

    #[test]
    fn a_new_key_before_the_old_one_opens_what_either_sealed() {
        let (row, old) = (Uuid::from_u128(1), key(1));
        let both = SealingKeys::parse(&format!("{}\n{}", text(2), text(1))).expect("keys");

        let sealed = both.seal(row, "new");

        assert!(both.open(row, &old.seal(row, "old")).is_ok());
        assert_eq!(
            key(2).open(row, &sealed).map(|s| s.to_string()),
            Ok("new".into())
        );
        assert_eq!(old.open(row, &sealed), Err(SealError::OtherKey));
    }

    #[test]
    fn a_key_has_32_bytes() {
        for wrong in ["", " ", "no base64!", &STANDARD.encode([0; 31])] {
            assert!(SealingKeys::parse(wrong).is_err(), "{wrong}");
        }
    }
}
