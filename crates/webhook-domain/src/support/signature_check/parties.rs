//! Who may have signed a request, and in which scheme.

use chrono::{DateTime, Utc};

use crate::names::names;
use crate::webhooks::secret::KeyForm;
use crate::{SigningSecret, WebhookId};

names! {
    /// A way to sign a request, see [`sign`](crate::sign).
    SignatureScheme, "signature scheme" {
        /// `X-Webhook-Signature`
        Platform = "x-webhook-signature",
        /// Standard Webhooks 1.0.0
        Standard = "standard-webhooks",
    }
}

impl SignatureScheme {
    /// What its HMAC is keyed with.
    pub(crate) fn key(self) -> KeyForm {
        match self {
            Self::Platform => KeyForm::Text,
            Self::Standard => KeyForm::Bytes,
        }
    }
}

/// A secret of the webhook that a request is said to be for.
#[derive(Debug, Clone)]
pub struct OwnSecret {
    /// The secret.
    pub secret: SigningSecret,
    /// Until when it signs, or signed, if it was replaced.
    pub valid_until: Option<DateTime<Utc>>,
}

names! {
    /// Which of a webhook's valid secrets it is.
    SecretStanding, "standing" {
        /// The one that was set last.
        Current = "current",
        /// One that was replaced and is valid still.
        Previous = "previous",
    }
}

/// A webhook whose secret it is instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Its name.
    pub name: String,
}
