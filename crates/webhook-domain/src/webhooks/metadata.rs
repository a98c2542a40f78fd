//! Metadata: pairs of text kept with a webhook, such as a ticket number.

use std::collections::BTreeMap;

/// Up to 50 pairs: names of 1 to 40 characters, values of up to 500 characters, no control
/// characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

/// Why a pair cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum MetadataError {
    #[error(
        "must have a name of 1 to {} characters, none of them control characters",
        Metadata::MAX_NAME_CHARS
    )]
    Name,
    #[error(
        "must have at most {} characters, none of them control characters",
        Metadata::MAX_VALUE_CHARS
    )]
    Value,
    #[error("remove pairs: the limit is {}", Metadata::MAX)]
    TooMany,
}

impl Metadata {
    /// The most pairs of one webhook.
    pub const MAX: usize = 50;
    /// The most characters of a name.
    pub const MAX_NAME_CHARS: usize = 40;
    /// The most characters of a value.
    pub const MAX_VALUE_CHARS: usize = 500;

    /// Sets a pair, or replaces the value of the pair.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), MetadataError> {
        if name.is_empty() || !is_text(name, Self::MAX_NAME_CHARS) {
            return Err(MetadataError::Name);
        }
        if !is_text(value, Self::MAX_VALUE_CHARS) {
            return Err(MetadataError::Value);
        }
        if self.0.len() == Self::MAX && !self.0.contains_key(name) {
            return Err(MetadataError::TooMany);
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Removes the pair with this name, if set.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The pairs, ordered by name.
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

fn is_text(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_bounded() {
        let mut metadata = Metadata::default();
        for number in 0..Metadata::MAX {
            metadata.set(&number.to_string(), "").expect("room");
        }

        assert_eq!(metadata.set("one more", ""), Err(MetadataError::TooMany));
        assert_eq!(metadata.set("0", "changed"), Ok(()));
        assert_eq!(metadata.set("", "x"), Err(MetadataError::Name));
        assert_eq!(metadata.set(&"é".repeat(41), ""), Err(MetadataError::Name));
        assert_eq!(metadata.set("0", "a\u{0}b"), Err(MetadataError::Value));
        assert_eq!(
            metadata.set("0", &"x".repeat(501)),
            Err(MetadataError::Value)
        );
    }

    #[test]
    fn pairs_are_kept_until_they_are_removed() {
        let mut metadata = Metadata::default();
        let (name, value) = ("é".repeat(40), "é".repeat(500));
        metadata.set(&name, &value).expect("room");
        metadata.set("ticket", "OPS-7").expect("room");

        metadata.remove("ticket");

        assert_eq!(metadata.pairs(), &BTreeMap::from([(name, value)]));
    }
}
