//! Text from outside, bounded and storable.

use std::borrow::Cow;
use std::fmt::{Display, Formatter, Write};

use serde::{Deserialize, Deserializer, Serialize};

/// Text from outside: at most `MAX_CHARS` characters and no zero byte, because a Postgres `text`
/// cannot hold one. A longer text is cut and ends with `…`.
///
/// Other control characters stay: JSON and pages escape them where the text is shown, and the
/// logger escapes log lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OutsideText<const MAX_CHARS: usize>(String);

impl<const MAX_CHARS: usize> OutsideText<MAX_CHARS> {
    /// The most characters that a value of this type holds.
    pub const MAX_CHARS: usize = MAX_CHARS;

    /// Keeps the first `MAX_CHARS` characters of `text`.
    pub fn new(text: &str) -> Self {
        let mut taken = Bounded::new(MAX_CHARS);
        taken.push(text);
        Self(taken.end())
    }

    /// Reads bytes as UTF-8. Each invalid sequence becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        // A character has at most four bytes, so bytes beyond this prefix would be cut anyway. The
        // prefix bounds the time that decoding takes.
        let seen = &bytes[..bytes.len().min(4 * (MAX_CHARS + 1))];
        Self::new(&String::from_utf8_lossy(seen))
    }

    /// Formats `value`, and stops formatting as soon as the limit is reached.
    pub fn of(value: impl Display) -> Self {
        let mut taken = Bounded::new(MAX_CHARS);
        // The only error is `Bounded` refusing further text: the value is cut as intended.
        let _ = write!(taken, "{value}");
        Self(taken.end())
    }

    /// The bounded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bounded text as an owned `String`.
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

/// Text as Postgres can store text: each zero byte becomes U+FFFD.
pub fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        return Cow::Owned(text.replace('\0', "\u{fffd}"));
    }
    Cow::Borrowed(text)
}

/// A text that takes up to `room` more characters and drops the rest.
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
            // The mark replaces the last character, so that the text stays within the limit.
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

    proptest! {
        #[test]
        fn whatever_comes_in_is_bounded_and_storable(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = Ten::from_bytes(&bytes);

            prop_assert!(text.as_str().chars().count() <= 10);
            prop_assert!(!text.as_str().contains('\0'));
            prop_assert_eq!(Ten::new(text.as_str()), text);
        }
    }

    #[test]
    fn a_text_of_four_byte_characters_is_cut_by_characters() {
        let text = "😀".repeat(11);

        assert_eq!(Ten::from_bytes(text.as_bytes()), Ten::new(&text));
        assert_eq!(Ten::from(text.as_str()).as_str(), "😀".repeat(9) + "…");
    }
}
