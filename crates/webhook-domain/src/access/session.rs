//! The token of a browser after signing in to the portal.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The token of a signed-in browser: 256 random bits in base64url, sent as a cookie with each
/// request.
///
/// As with an [`ApiKey`](crate::ApiKey), only the hash of the token is stored.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

impl SessionToken {
    /// Makes a token of 256 bits, drawn at random by the caller.
    pub fn from_random(bits: [u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bits)))
    }

    /// Reads the cookie of a request without any check: a token that nobody was given has a hash
    /// that no session has.
    pub fn from_cookie(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The token in clear text, for the browser's cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The token that the portal's forms carry, to prove that the portal made the form for this
    /// browser. It is a hash of the session token, so nothing more is stored, and a leaked form
    /// reveals no session.
    pub fn form_token(&self) -> String {
        let mut hash = Sha256::new_with_prefix(b"form:");
        hash.update(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(hash.finalize())
    }

    /// The SHA-256 of the token, which is stored and looked up instead of the token.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl std::fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_comes_back_as_a_cookie_is_the_same_token() {
        let token = SessionToken::from_random([7; 32]);

        let back = SessionToken::from_cookie(token.reveal());

        assert_eq!(
            token.reveal(),
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"
        );
        let expected: [u8; 32] = Sha256::digest(token.reveal().as_bytes()).into();
        assert_eq!((token.hash(), back.hash()), (expected, expected));
        assert_eq!(back.form_token(), token.form_token());
    }

    #[test]
    fn a_forms_token_is_one_way_and_differs_from_the_stored_hash() {
        let token = SessionToken::from_random([7; 32]);
        let other = SessionToken::from_random([8; 32]);

        let form_token = token.form_token();

        assert_eq!(form_token.len(), 43, "256 bits in base64url");
        assert_ne!(form_token, URL_SAFE_NO_PAD.encode(token.hash()));
        assert_ne!(form_token, other.form_token());
        assert_eq!(format!("{token:?}"), "SessionToken(redacted)");
    }
}
