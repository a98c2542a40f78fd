//! A rejected message as the API shows it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webhook_store::rejected_messages::RejectedMessage;

/// A rejected message without its body.
#[derive(Serialize, ToSchema)]
#[schema(as = RejectedMessage)]
pub struct RejectedMessageBody {
    /// The message's id.
    pub id: Uuid,
    /// Why the message could not be an event.
    #[schema(example = "type: is required")]
    pub reason: String,
    /// The exchange of the message; empty: published directly to a queue.
    #[schema(example = "webhooks.events")]
    pub exchange: String,
    /// The routing key of the message.
    #[schema(example = "production.license.activated")]
    pub routing_key: String,
    /// The size of the published body.
    pub body_bytes: i64,
    /// Whether the body was larger than 256 KiB, the limit of an event: only the first 256 KiB are kept,
    /// and the message cannot be requeued.
    pub body_truncated: bool,
    /// When the message was rejected.
    pub rejected_at: DateTime<Utc>,
}

/// A rejected message with its body.
#[derive(Serialize, ToSchema)]
pub struct RejectedMessageWithBody {
    /// The message itself.
    #[serde(flatten)]
    pub message: RejectedMessageBody,
    /// The body as text; `null`: the body is not UTF-8.
    pub body: Option<String>,
    /// The body in base64.
    pub body_base64: String,
}

impl RejectedMessageWithBody {
    /// A message with the kept bytes of the body.
    pub fn of(message: RejectedMessage, body: &[u8]) -> Self {
        Self {
            body: readable(body, message.body_truncated).map(str::to_owned),
            body_base64: STANDARD.encode(body),
            message: message.into(),
        }
    }
}

impl From<RejectedMessage> for RejectedMessageBody {
    fn from(message: RejectedMessage) -> Self {
        Self {
            id: message.id,
            reason: message.reason,
            exchange: message.exchange,
            routing_key: message.routing_key,
            body_bytes: message.body_bytes,
            body_truncated: message.body_truncated,
            rejected_at: message.rejected_at,
        }
    }
}

/// A body as text; `None`: not UTF-8. A broken last character of a truncated body is left out.
pub fn readable(body: &[u8], is_truncated: bool) -> Option<&str> {
    match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        // The bytes end inside of the last character, and no byte is wrong: the truncation cut the
        // character in two.
        Err(error) if is_truncated && error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_readable_if_it_is_text_as_far_as_it_goes() {
        let cut = &"é".as_bytes()[..1];

        assert_eq!(readable("é".as_bytes(), false), Some("é"));
        assert_eq!(readable(&[b"a", cut].concat(), true), Some("a"));
        assert_eq!(readable(&[b"a", cut].concat(), false), None);
        assert_eq!(readable(b"a\xffb", true), None);
    }
}
