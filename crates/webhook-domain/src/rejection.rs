//! How the domain says no: by field, with a reason that the sender can act on.

use crate::outside::OutsideText;

/// A wrong field's name.
type FieldName = OutsideText<200>;

/// What is wrong with a field: the longest reason of ours lists the 21 event types.
type FieldReason = OutsideText<1_000>;

/// One field that was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name as the sender wrote it, such as `event_types[2]`.
    pub field: String,
    /// What is wrong with it, lower case, without a full stop.
    pub reason: String,
}

impl FieldError {
    /// Refuses `field` for `reason`. Both may repeat what a stranger sent, so both are bounded.
    pub fn new(field: impl AsRef<str>, reason: impl std::fmt::Display) -> Self {
        Self {
            field: FieldName::new(field.as_ref()).into_string(),
            reason: FieldReason::of(reason).into_string(),
        }
    }
}

impl std::fmt::Display for FieldError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// A name that is none of the known ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} {given:?}; known are {known}")]
pub struct UnknownName {
    pub(crate) what: &'static str,
    pub(crate) given: String,
    pub(crate) known: String,
}

/// Declares a closed set of names: the enum, `ALL`, `as_str`, `Display` and `FromStr`.
macro_rules! names {
    (
        $(#[$meta:meta])*
        $name:ident, $what:literal {
            $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// All of them, in the order in which people list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name used in JSON, tables, logs and metrics.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::rejection::UnknownName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::rejection::UnknownName {
                        what: $what,
                        given: text.chars().take(64).collect(),
                        known: [$($text,)+].join(", "),
                    }),
                }
            }
        }
    };
}

pub(crate) use names;
