//! What an admin wants to remember with a webhook: pairs of text.

use std::collections::BTreeMap;

/// Up to 50 pairs: names of 1 to 40 characters, values of up to 500, without control characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata(BTreeMap<String, String>);

/// Why a pair cannot be kept.
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
    #[error("must be at most {} pairs", Metadata::MAX)]
    TooMany,
}

impl Metadata {
    /// The most pairs that a webhook may have.
    pub const MAX: usize = 50;
    /// The most characters that a name may have.
    pub const MAX_NAME_CHARS: usize = 40;
    /// The most characters that a value may have.
    pub const MAX_VALUE_CHARS: usize = 500;

    /// Sets a pair.
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

    /// Takes a pair away.
    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The pairs by name.
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
}
