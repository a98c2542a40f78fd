//! Ids as types, so that a delivery's id cannot stand where an event's is wanted.

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

            /// Takes the hyphenated form only (RFC 9562 section 4), in either case.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    _ => Err(NotAnId),
                }
            }
        }
    )+};
}

/// A text that is no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a UUID such as 0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e")]
pub struct NotAnId;

ids! {
    /// Identifies an event for ever: the same id again is the same event.
    EventId
    /// Identifies a webhook.
    WebhookId
    /// Identifies a delivery, through all of its attempts.
    DeliveryId
    /// Identifies an API key without revealing it.
    ApiKeyId
    /// Identifies a job that makes many deliveries due.
    JobId
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
