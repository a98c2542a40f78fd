//! Closed sets of names that go over the wire: roles, statuses, event types, failure classes.
//!
//! `names!` declares a set as an enum and gives each value one name. JSON, SQL columns, log fields,
//! metric labels and query parameters all use this name, so the name is part of the API and of the
//! stored data: a released name never changes.
//!
//! Code for any set is generic over [`Named`].
//!
//! ```
//! use webhook_domain::{Named, Role};
//!
//! fn names<T: Named>() -> Vec<&'static str> {
//!     T::ALL.iter().map(|value| value.as_str()).collect()
//! }
//!
//! assert_eq!(names::<Role>(), ["viewer", "publisher", "admin", "owner"]);
//! assert_eq!("admin".parse(), Ok(Role::Admin));
//! assert_eq!(serde_json::to_string(&Role::Admin)?, r#""admin""#);
//! # Ok::<(), serde_json::Error>(())
//! ```

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The most characters of an unknown name that [`UnknownName`] repeats.
const MAX_REPEATED_CHARS: usize = 64;

/// A value of a closed set of names. Every set that `names!` declares implements this trait.
pub trait Named:
    Copy + Eq + Debug + Display + FromStr<Err = UnknownName> + Serialize + DeserializeOwned + 'static
{
    /// The set's name in error messages: `role` in "unknown role".
    const SET: &'static str;

    /// Every value of the set, in the order in which people list them.
    const ALL: &'static [Self];

    /// The place of the value in [`ALL`](Self::ALL), from 0.
    fn position(self) -> usize;

    /// The value's name on the wire.
    fn as_str(self) -> &'static str;
}

/// A text that is not a name of the set that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {set} {given:?}; known are {known}")]
pub struct UnknownName {
    set: &'static str,
    given: String,
    known: String,
}

impl UnknownName {
    /// Refuses `given`, which is not among the `known` names of `set`. Only the first 64 characters
    /// of `given` are kept, because a stranger may have written the text.
    pub(crate) fn new<'a>(
        set: &'static str,
        given: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            set,
            given: given.chars().take(MAX_REPEATED_CHARS).collect(),
            known: Vec::from_iter(known).join(", "),
        }
    }
}

/// Declares a closed set of names: the enum, `ALL`, `as_str`, [`Named`], `Display`, `FromStr`,
/// `Serialize` and `Deserialize`.
macro_rules! names {
    (
        $(#[$meta:meta])*
        $name:ident, $set:literal {
            $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every value, in the order in which people list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The place of the value in `ALL`, from 0.
            pub const fn position(self) -> usize {
                self as usize
            }

            /// The name used in JSON, tables, logs and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl $crate::names::Named for $name {
            const SET: &'static str = $set;
            const ALL: &'static [Self] = Self::ALL;

            fn position(self) -> usize {
                self.position()
            }

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                // `pad` and not `write_str`: log lines and tables align names.
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::names::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::names::UnknownName::new($set, text, [$($text,)+])),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // Not `&str`: a reader or a `serde_json::Value` cannot lend its text.
                let text = <std::borrow::Cow<'_, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use names;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::*;

    /// Writes and reads every name of a set in each form that names have on the wire.
    fn assert_round_trip<T: Named>() {
        for value in T::ALL {
            let json = serde_json::to_value(value).expect("a name is JSON");

            assert_eq!(T::ALL[value.position()], *value);
            assert_eq!(json, value.as_str());
            assert_eq!(value.to_string(), value.as_str());
            assert_eq!(value.as_str().parse(), Ok(*value));
            assert_eq!(serde_json::from_value(json).ok(), Some(*value));
        }
    }

    #[test]
    fn every_name_is_the_same_in_json_and_in_text_and_is_read_back() {
        assert_round_trip::<AuditAction>();
        assert_round_trip::<BodyEnd>();
        assert_round_trip::<Check>();
        assert_round_trip::<DeliveryStatus>();
        assert_round_trip::<Environment>();
        assert_round_trip::<EventOutcome>();
        assert_round_trip::<EventSeverity>();
        assert_round_trip::<EventType>();
        assert_round_trip::<FailureClass>();
        assert_round_trip::<FailureKind>();
        assert_round_trip::<FilterName>();
        assert_round_trip::<FindingCode>();
        assert_round_trip::<Format>();
        assert_round_trip::<JobKind>();
        assert_round_trip::<JobStatus>();
        assert_round_trip::<PathRoot>();
        assert_round_trip::<Permission>();
        assert_round_trip::<RatePeriod>();
        assert_round_trip::<RequestHeader>();
        assert_round_trip::<Role>();
        assert_round_trip::<SecretStanding>();
        assert_round_trip::<Severity>();
        assert_round_trip::<SignatureScheme>();
        assert_round_trip::<StatusEventType>();
        assert_round_trip::<StatusFilter>();
        assert_round_trip::<UrlFormatWarning>();
        assert_round_trip::<WebhookHealth>();
        assert_round_trip::<WebhookStatus>();
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let refused = "auditor".parse::<Role>().expect_err("no such role");

        assert_eq!(
            refused.to_string(),
            r#"unknown role "auditor"; known are viewer, publisher, admin, owner"#
        );
        assert!(serde_json::from_str::<Role>("\"auditor\"").is_err());
    }

    #[test]
    fn a_long_unknown_name_is_cut_in_the_refusal() {
        let refused = "é".repeat(100_000).parse::<Role>().expect_err("too long");

        assert!(
            refused
                .to_string()
                .contains(&format!("{:?}", "é".repeat(64)))
        );
    }

    #[test]
    fn a_name_is_padded_like_any_text() {
        assert_eq!(format!("{:>7}|", Role::Admin), "  admin|");
    }
}
