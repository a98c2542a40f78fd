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
