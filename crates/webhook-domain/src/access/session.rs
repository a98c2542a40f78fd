use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// What a browser that signed in sends with each request: 256 random bits in base64url.
///
/// Like an [`ApiKey`](crate::ApiKey) it is stored as its hash only.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// Makes a token of 256 bits that the caller drew at random.
    pub fn from_random(bits: [u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bits)))
    }

    /// Takes a token as a browser sends it. Whether there is such a session is for its hash to
    /// tell.
    pub fn given(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The token itself, for the browser's cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What forms of a page carry to prove that they were made for this browser: derived from the
    /// token, so that nothing more is stored, and no way back to it.
    pub fn form_token(&self) -> String {
        let mut hash = Sha256::new_with_prefix(b"form:");
        hash.update(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// What is stored and looked up instead of the token.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}
