//! Identifiers as types of their own: a delivery's id cannot be passed where an event's id is
//! expected.

use uuid::Uuid;

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;

            /// Reads the hyphenated form (RFC 9562, section 4) in upper or lower case, and no other
            /// form.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match Uuid::try_parse(text) {
                    // `try_parse` also reads braces, URNs and 32 bare digits. One event would then
                    // have several spellings of its id, and receivers could not drop repeats by
                    // comparing text.
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(NotAnId),
                }
            }
        }
    )+};
}

/// A text that is not a hyphenated UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID such as 0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e")]
pub struct NotAnId;

ids! {
    /// Identifies an event for ever: two messages with the same id are the same event.
    EventId
    /// Identifies a webhook.
    WebhookId
    /// Identifies a delivery through all its attempts.
    DeliveryId
    /// Identifies an API key without revealing it.
    ApiKeyId
    /// Identifies a job that makes many deliveries due.
    JobId
    /// Identifies a message that could not be an event.
    RejectedMessageId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let hyphenated = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";

        assert_eq!(
            hyphenated.parse::<EventId>().map(|id| id.to_string()),
            Ok(hyphenated.to_owned())
        );
        for other in [
            "",
            "42",
            "0192f0c17c1e7b7e8d5e3f1a2b3c4d5e",
            "{0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e}",
        ] {
            assert_eq!(other.parse::<EventId>(), Err(NotAnId), "{other}");
        }
    }
}
