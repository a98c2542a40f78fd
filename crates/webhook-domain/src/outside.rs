//! Values from outside: each has one type that bounds its length and settles its encoding.
//!
//! Publishers, receivers, certificates and servers write most of the text that is stored here. A
//! text that is made into an [`OutsideText`] where it enters fits an AMQP header, a log line, a row
//! and a page from there on:
//!
//! | value | type | bound | why this bound |
//! | --- | --- | --- | --- |
//! | reason of a rejection | [`RejectionReason`] | 2,000 characters | a person reads it; 8 KB at most in a row |
//! | exchange and routing key of a message | [`OriginName`] | 255 bytes | AMQP 0-9-1 allows no longer name |
//! | wrong fields of a body | [`FieldErrors`] | 20, then a count | nobody mends more than that at once |
//! | wrong field of a body | [`FieldError`] | 200 characters for the name, 1,000 for the reason | the longest reason of ours lists the 21 event types |
//! | failure of an attempt, in words | [`FailureDetail`] | 500 characters | certificates name up to thousands of hosts |
//! | issuer of a certificate | [`CertificateText`] | 500 characters | names in certificates have no bound |
//! | value of a response's header | [`HeaderText`] | 1,024 characters | HTTP clients accept heads of 400 KB; six headers are kept |
//! | body kept of a response | [`MAX_RESPONSE_BODY_BYTES`] | 16 KiB | an error page, not a download |
//! | text shown of a response's body | 64 KiB | a body decompresses to a thousand times its size |
//! | body of an event | [`MAX_EVENT_BYTES`](crate::MAX_EVENT_BYTES) | 256 KiB | the contract |
//! | body kept of a rejected message | [`MAX_REJECTED_BODY_BYTES`] | 256 KiB | an event has no more |
//! | message in the broker | [`MAX_MESSAGE_BYTES`] | 512 KiB | twice an event, so that a message that is too large can still be shown |
//!
//! The log bounds and escapes its lines by itself (`webhook-service`).

use std::borrow::Cow;
use std::fmt::{Display, Formatter, Write};

use serde::{Deserialize, Deserializer, Serialize};

use crate::FieldError;

/// The most bytes that are kept of a response's body: 16 KiB.
pub const MAX_RESPONSE_BODY_BYTES: usize = 16 * 1024;

/// The most bytes that are kept of a rejected message's body: 256 KiB.
pub const MAX_REJECTED_BODY_BYTES: usize = 256 * 1024;

/// The largest message that the broker should accept: 512 KiB, its `max_message_size`.
///
/// A dispatcher is handed up to 1,000 messages that it has not looked at yet, so 500 MiB at most.
pub const MAX_MESSAGE_BYTES: usize = 512 * 1024;

/// The most wrong fields of one body that are told; the others are counted.
pub const MAX_FIELD_ERRORS: usize = 20;

/// Why a message was rejected.
pub type RejectionReason = OutsideText<2_000>;

/// Why an attempt failed, in words.
pub type FailureDetail = OutsideText<500>;

/// What a certificate says of somebody.
pub type CertificateText = OutsideText<500>;

/// The value of a response's header.
pub type HeaderText = OutsideText<1_024>;

/// Text from outside, of at most `MAX_CHARS` characters and without a zero byte, which no text of
/// Postgres can hold. A longer text is cut and ends with `…`.
///
/// Other control characters stay: JSON and pages escape them where they are shown, and the log
/// escapes its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OutsideText<const MAX_CHARS: usize>(String);

impl<const MAX_CHARS: usize> OutsideText<MAX_CHARS> {
    /// The most characters.
    pub const MAX_CHARS: usize = MAX_CHARS;

    /// Takes a text.
    pub fn new(text: &str) -> Self {
        let mut taken = Bounded::new(MAX_CHARS);
        taken.push(text);
        Self(taken.end())
    }

    /// Takes bytes as UTF-8; each sequence that is none becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // A character has four bytes at most, so what lies beyond is cut in any case.
        let seen = &bytes[..bytes.len().min(4 * (MAX_CHARS + 1))];
        Self::new(&String::from_utf8_lossy(seen))
    }

    /// Writes a value, and no more of it than is kept.
    pub fn of(value: impl Display) -> Self {
        let mut taken = Bounded::new(MAX_CHARS);
        // The only error is that no more is taken.
        let _ = write!(taken, "{value}");
        Self(taken.end())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl<const MAX_CHARS: usize> Display for OutsideText<MAX_CHARS> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX_CHARS: usize> From<&str> for OutsideText<MAX_CHARS> {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl<'de, const MAX_CHARS: usize> Deserialize<'de> for OutsideText<MAX_CHARS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Ok(Self::new(&text))
    }
}

/// The name of an exchange, or a routing key: at most 255 bytes, as AMQP 0-9-1 has it (`shortstr`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OriginName(String);

impl OriginName {
    /// The most bytes.
    pub const MAX_BYTES: usize = 255;

    /// Takes a name. What is longer is cut between two characters.
    pub fn new(text: &str) -> Self {
        let name = storable(text);
        let ends = name.char_indices().map(|(at, char)| at + char.len_utf8());
        let end = ends.take_while(|end| *end <= Self::MAX_BYTES).last();
        Self(name[..end.unwrap_or_default()].to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a message was published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Empty: straight into a queue.
    pub exchange: OriginName,
    /// The routing key that was given to that exchange.
    pub routing_key: OriginName,
}

/// Text as Postgres can store it: without a zero byte.
pub fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

/// Everything that is wrong with a body: up to 20 fields, and how many more there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    told: Vec<FieldError>,
    more: usize,
}

impl FieldErrors {
    /// Refuses `field` for `reason`.
    pub fn refuse(&mut self, field: &str, reason: impl Display) {
        if self.told.len() < MAX_FIELD_ERRORS {
            self.told.push(FieldError::new(field, reason));
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The wrong fields; the last entry counts those that are not told, if there are any.
    pub fn into_vec(self) -> Vec<FieldError> {
        let mut all = self.told;
        if self.more > 0 {
            all.push(uncounted(self.more));
        }
        all
    }

    /// Cuts a list of wrong fields to 20 and a count.
    pub fn cut(mut all: Vec<FieldError>) -> Vec<FieldError> {
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

/// A text that takes so many characters and no more.
struct Bounded {
    text: String,
    room: usize,
    is_cut: bool,
}

impl Bounded {
    fn new(max_chars: usize) -> Self {
        Self {
            text: String::new(),
            room: max_chars,
            is_cut: false,
        }
    }

    fn push(&mut self, text: &str) {
        for char in text.chars() {
            if self.room == 0 {
                self.is_cut = true;
                return;
            }
            self.room -= 1;
            self.text.push(if char == '\0' { '\u{fffd}' } else { char });
        }
    }

    fn end(mut self) -> String {
        if self.is_cut {
            self.text.pop();
            self.text.push('…');
        }
        self.text
    }
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push(text);
        if self.is_cut {
            return Err(std::fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Ten = OutsideText<10>;

    #[test]
    fn a_text_that_is_too_long_is_cut_and_says_so() {
        assert_eq!(Ten::new("0123456789").as_str(), "0123456789");
        assert_eq!(Ten::new("0123456789a").as_str(), "012345678…");
        assert_eq!(Ten::of(format_args!("{:>12}", 7)).as_str(), "         …");
    }

    #[test]
    fn a_zero_byte_and_what_is_no_utf8_are_replaced() {
        assert_eq!(Ten::new("a\0b").as_str(), "a\u{fffd}b");
        assert_eq!(Ten::from_bytes(b"a\xff\0").as_str(), "a\u{fffd}\u{fffd}");
        assert_eq!(Ten::from_bytes(&[0xff; 100]).as_str().chars().count(), 10);
    }

    #[test]
    fn a_name_of_amqp_is_cut_between_characters() {
        let name = OriginName::new(&"é".repeat(200));

        assert_eq!(name.as_str(), "é".repeat(127));
        assert_eq!(OriginName::new("a\0").as_str(), "a\u{fffd}");
    }

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

    proptest! {
        #[test]
        fn whatever_comes_in_is_bounded_and_storable(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = Ten::from_bytes(&bytes);

            prop_assert!(text.as_str().chars().count() <= 10);
            prop_assert!(!text.as_str().contains('\0'));
            prop_assert_eq!(Ten::new(text.as_str()), text);
        }
    }
}
