//! Both signature schemes, checked as a receiver does it.

use hmac::{Hmac, KeyInit, Mac};
use hyper::header::HeaderMap;
use sha2::Sha256;

/// Whether each scheme's signature holds with one of the secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    platform: bool,
    standard: bool,
}

impl Verified {
    pub(crate) fn both_hold(self) -> bool {
        self.platform && self.standard
    }
}

impl std::fmt::Display for Verified {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |holds| if holds { "verified" } else { "WRONG" };
        let (platform, standard) = (word(self.platform), word(self.standard));
        write!(
            f,
            "X-Webhook-Signature {platform}, webhook-signature {standard}"
        )
    }
}

/// Checks a request with `secrets`, one a line.
pub(crate) fn verify(headers: &HeaderMap, body: &[u8], secrets: &str) -> Verified {
    let secrets = || secrets.lines().map(str::trim).filter(|s| !s.is_empty());
    Verified {
        platform: secrets().any(|secret| platform_holds(headers, body, secret)),
        standard: secrets().any(|secret| standard_holds(headers, body, secret)),
    }
}

/// `t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>` keyed with the secret's text.
fn platform_holds(headers: &HeaderMap, body: &[u8], secret: &str) -> bool {
    let value = headers.get("x-webhook-signature");
    let Some((time, signatures)) = value
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("t="))
        .and_then(|v| v.split_once(','))
    else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let given = signatures.split(',').filter_map(|s| s.strip_prefix("v1="));
    given
        .filter_map(|given| hex::decode(given).ok())
        .any(|given| mac.clone().verify_slice(&given).is_ok())
}

/// The Standard Webhooks scheme, checked by that project's own verifier.
fn standard_holds(headers: &HeaderMap, body: &[u8], secret: &str) -> bool {
    standardwebhooks::Webhook::new(secret)
        .is_ok_and(|verifier| verifier.verify(body, headers).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    /// The value was made with `openssl dgst -sha256 -hmac <secret>`.
    #[test]
    fn the_platform_signature_holds_for_its_body_and_secret_only() {
        let mut headers = HeaderMap::new();
        let value =
            "t=1649367553,v1=b5aec0e8d6fbbc4cacf9f5b28d2a0a795b19817377e96894d88238d05d78f869";
        headers.insert("x-webhook-signature", value.parse().expect("a value"));

        assert!(verify(&headers, b"{}", SECRET).platform);
        assert!(verify(&headers, b"{}", &format!("whsec_other\n{SECRET}\n")).platform);
        assert!(!verify(&headers, b"{ }", SECRET).platform);
        assert!(!verify(&headers, b"{}", "whsec_other").platform);
    }
}
