//! What a webhook is called, and what an admin writes about it.

/// What a webhook is called: 1 to 100 characters, no control characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookName(String);

impl WebhookName {
    /// The most characters that a name may have.
    pub const MAX_CHARS: usize = 100;

    /// Trims and checks a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if name.is_empty() {
            return Err("must not be empty".to_owned());
        }
        check_text(name, Self::MAX_CHARS, char::is_control)?;
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a webhook is for: up to 1,000 characters, line breaks allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookDescription(String);

impl WebhookDescription {
    /// The most characters that a description may have.
    pub const MAX_CHARS: usize = 1_000;

    /// Trims and checks a description.
    pub fn parse(text: &str) -> Result<Self, String> {
        let description = text.trim();
        check_text(description, Self::MAX_CHARS, |c| {
            c.is_control() && !matches!(c, '\n' | '\r' | '\t')
        })?;
        Ok(Self(description.to_owned()))
    }

    /// The description.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_text(text: &str, max_chars: usize, forbidden: fn(char) -> bool) -> Result<(), String> {
    let chars = text.chars().count();
    if chars > max_chars {
        return Err(format!(
            "must have at most {max_chars} characters, has {chars}"
        ));
    }
    if text.contains(forbidden) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(
            WebhookName::parse("  CRM ").map(|n| n.0),
            Ok("CRM".to_owned())
        );
        assert!(WebhookName::parse(" \t ").is_err());
        assert!(WebhookName::parse("a\u{0}b").is_err());
        assert!(WebhookName::parse(&"é".repeat(100)).is_ok());
        assert!(WebhookName::parse(&"é".repeat(101)).is_err());
    }
}
