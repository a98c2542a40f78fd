//! The possible signers of a request, and the schemes of signatures.

use chrono::{DateTime, Utc};

use crate::names::names;
use crate::webhooks::secret::KeyForm;
use crate::{SigningSecret, WebhookId};

names! {
    /// A scheme of signatures, see [`sign`](crate::sign).
    SignatureScheme, "signature scheme" {
        /// The platform's scheme, in the header `X-Webhook-Signature`.
        Platform = "x-webhook-signature",
        /// Standard Webhooks 1.0.0, in the header `webhook-signature`.
        Standard = "standard-webhooks",
    }
}

impl SignatureScheme {
    /// The key form of the scheme's HMAC.
    pub(crate) fn key(self) -> KeyForm {
        match self {
            Self::Platform => KeyForm::Text,
            Self::Standard => KeyForm::Bytes,
        }
    }
}

/// A secret of the webhook named as the destination of the request.
#[derive(Debug, Clone)]
pub struct OwnSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// The end of the grace period. `None`: the secret was not replaced.
    pub valid_until: Option<DateTime<Utc>>,
}

names! {
    /// The standing of a valid secret.
    SecretStanding, "standing" {
        /// The latest secret.
        Current = "current",
        /// A replaced secret whose grace period has not ended.
        Previous = "previous",
    }
}

/// Another webhook whose secret made the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherWebhook {
    /// The webhook's id.
    pub id: WebhookId,
    /// The webhook's name.
    pub name: String,
}
