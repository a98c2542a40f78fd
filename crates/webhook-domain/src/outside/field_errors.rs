//! Wrong fields of a body, each with a reason that the sender can act on.

use std::fmt::{Display, Formatter};

use super::text::OutsideText;

/// The most wrong fields of one body that are listed. Further ones are only counted, because a
/// stranger could send a body of a thousand wrong fields.
pub const MAX_FIELD_ERRORS: usize = 20;

/// A field's name: at most 200 characters.
type FieldName = OutsideText<200>;

/// A reason of at most 1,000 characters: the longest reason of ours lists the 21 event types.
type FieldReason = OutsideText<1_000>;

/// One field that was refused, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name as the sender wrote it, such as `event_types[2]`.
    pub field: String,
    /// The reason: lower case, without a full stop.
    pub reason: String,
}

impl FieldError {
    /// Refuses `field` for `reason`. Both may repeat text that a stranger sent, so both are cut.
    pub fn new(field: impl AsRef<str>, reason: impl Display) -> Self {
        Self {
            field: FieldName::new(field.as_ref()).into_string(),
            reason: FieldReason::of(reason).into_string(),
        }
    }
}

impl Display for FieldError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

/// All wrong fields of a body: up to 20 listed, the others counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    told: Vec<FieldError>,
    more: usize,
}

impl FieldErrors {
    /// Adds `field` to the list, or to the count once 20 fields are listed.
    pub fn refuse(&mut self, field: &str, reason: impl Display) {
        if self.told.len() < MAX_FIELD_ERRORS {
            self.told.push(FieldError::new(field, reason));
        } else {
            self.more += 1;
        }
    }

    /// Whether no field was refused.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The wrong fields. If some were only counted, a last entry named `…` holds their number.
    pub fn into_vec(self) -> Vec<FieldError> {
        let mut all = self.told;
        if self.more > 0 {
            all.push(uncounted(self.more));
        }
        all
    }

    /// Cuts a list of wrong fields to the first 20 and an entry with the number of the others.
    pub fn cut(mut all: Vec<FieldError>) -> Vec<FieldError> {
        // A list that was cut before has 21 entries already: cutting it again must not change it.
        if all.len() > MAX_FIELD_ERRORS + 1 {
            let more = all.len() - MAX_FIELD_ERRORS;
            all.truncate(MAX_FIELD_ERRORS);
            all.push(uncounted(more));
        }
        all
    }
}

impl Display for FieldErrors {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.told.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; {}", more_of(more)),
        }
    }
}

fn uncounted(more: usize) -> FieldError {
    FieldError::new("…", more_of(more))
}

/// `… and 1,080 more`
fn more_of(more: usize) -> String {
    let digits = more.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("… and {grouped} more")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn of_many_wrong_fields_twenty_are_told_and_the_others_counted() {
        let mut errors = FieldErrors::default();
        for number in 0..1_100 {
            errors.refuse(&number.to_string(), "is wrong");
        }

        assert!(errors.to_string().starts_with("0: is wrong; 1: is wrong"));
        assert!(
            errors
                .to_string()
                .ends_with("19: is wrong; … and 1,080 more")
        );
        let told = errors.into_vec();
        assert_eq!(told.len(), 21);
        assert_eq!(told[20].reason, "… and 1,080 more");
        assert_eq!(FieldErrors::cut(told.clone()), told, "cut once");
    }

    #[rstest]
    #[case(20, 20, "is wrong")]
    #[case(21, 21, "is wrong")]
    #[case(22, 21, "… and 2 more")]
    #[case(120, 21, "… and 100 more")]
    fn a_list_of_more_than_21_fields_is_cut(
        #[case] given: usize,
        #[case] kept: usize,
        #[case] last: &str,
    ) {
        let all = (0..given).map(|number| FieldError::new(number.to_string(), "is wrong"));

        let cut = FieldErrors::cut(all.collect());

        assert_eq!(cut.len(), kept);
        assert_eq!(cut.last().map(|error| error.reason.as_str()), Some(last));
    }
}
