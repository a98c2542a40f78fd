//! The two signatures of every request.
//!
//! | header | scheme | HMAC-SHA256 key | over |
//! | --- | --- | --- | --- |
//! | `X-Webhook-Signature` | `t=<unix seconds>,v1=<hex>` | the whole secret as text | `<t>.<body>` |
//! | `webhook-signature` | Standard Webhooks 1.0.0, `v1,<base64>` | the secret's decoded bytes | `<id>.<t>.<body>` |
//!
//! Verifiers made for `stripe` accept the first signature, and those of `standardwebhooks` and
//! `svix` the second.
//!
//! [`check_signatures`](crate::check_signatures) finds out why a verifier refuses a request.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;

use crate::webhooks::secret::KeyForm;
use crate::{EventId, SigningSecret};

/// The values of the two signature headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    /// `X-Webhook-Signature`
    pub platform: String,
    /// `webhook-signature`
    pub standard: String,
}

/// Signs one attempt with every secret that is valid at that moment.
///
/// During the grace period of a rotation two secrets are valid, and the headers of both schemes
/// list both signatures: a receiver that knows either secret accepts the request.
///
/// ```
/// use webhook_domain::{EventId, SigningSecret, sign};
///
/// let secret = SigningSecret::parse("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?;
/// let id: EventId = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e".parse()?;
///
/// let signatures = sign([&secret].into_iter(), id, 1_649_367_553, b"{}");
///
/// assert_eq!(
///     signatures.platform,
///     "t=1649367553,v1=b5aec0e8d6fbbc4cacf9f5b28d2a0a795b19817377e96894d88238d05d78f869"
/// );
/// assert!(signatures.standard.starts_with("v1,"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign<'a>(
    secrets: impl Iterator<Item = &'a SigningSecret>,
    event_id: EventId,
    unix_seconds: i64,
    body: &[u8],
) -> Signatures {
    sign_message(secrets, &event_id.to_string(), unix_seconds, body)
}

fn sign_message<'a>(
    secrets: impl Iterator<Item = &'a SigningSecret>,
    message_id: &str,
    unix_seconds: i64,
    body: &[u8],
) -> Signatures {
    let platform_head = format!("{unix_seconds}.");
    let standard_head = format!("{message_id}.{unix_seconds}.");
    let mut platform = format!("t={unix_seconds}");
    let mut standard = String::new();
    for secret in secrets {
        let hmac = secret.hmac(KeyForm::Text, [platform_head.as_bytes(), body]);
        platform.push_str(",v1=");
        platform.push_str(&hex::encode(hmac.finalize().into_bytes()));

        let hmac = secret.hmac(KeyForm::Bytes, [standard_head.as_bytes(), body]);
        if !standard.is_empty() {
            // Standard Webhooks separates signatures by a space; the platform's scheme repeats
            // `v1=`.
            standard.push(' ');
        }
        standard.push_str("v1,");
        STANDARD.encode_string(hmac.finalize().into_bytes(), &mut standard);
    }
    Signatures { platform, standard }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::parse(text).expect("a secret")
    }

    #[rstest]
    #[case(
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
    )]
    #[case(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )]
    fn the_published_vectors_of_standard_webhooks_hold(
        #[case] secret_text: &str,
        #[case] id: &str,
        #[case] timestamp: i64,
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        let signatures = sign_message(
            [&secret(secret_text)].into_iter(),
            id,
            timestamp,
            body.as_bytes(),
        );

        assert_eq!(signatures.standard, expected);
    }

    /// The expected value was computed with `openssl dgst -sha256 -hmac <secret>`.
    #[test]
    fn the_platform_scheme_is_keyed_with_the_whole_text() {
        let secret = secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");

        let signatures = sign_message([&secret].into_iter(), "any", 1_649_367_553, b"{}");

        assert_eq!(
            signatures.platform,
            "t=1649367553,v1=b5aec0e8d6fbbc4cacf9f5b28d2a0a795b19817377e96894d88238d05d78f869"
        );
    }

    #[test]
    fn during_a_rotation_both_schemes_list_both_signatures() {
        let old = secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let new = secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let alone = |secret: &SigningSecret| sign_message([secret].into_iter(), "m", 1, b"{}");

        let both = sign_message([&new, &old].into_iter(), "m", 1, b"{}");

        let old_platform = alone(&old).platform.replace("t=1", "");
        assert_eq!(both.platform, alone(&new).platform + &old_platform);
        assert_eq!(
            both.standard,
            format!("{} {}", alone(&new).standard, alone(&old).standard)
        );
    }
}
