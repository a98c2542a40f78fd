//! The name and the description of a webhook.

/// The name of a webhook: 1 to 100 characters, no control characters, trimmed. Names need not be
/// unique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookName(String);

impl WebhookName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 100;

    /// Trims and checks a name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim();
        if name.is_empty() {
            return Err("enter a name".to_owned());
        }
        check_text(name, Self::MAX_CHARS, char::is_control)?;
        Ok(Self(name.to_owned()))
    }

    /// The trimmed name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The description of a webhook: up to 1,000 characters, trimmed. Line breaks and tabs are the only
/// control characters allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookDescription(String);

impl WebhookDescription {
    /// The most characters of a description.
    pub const MAX_CHARS: usize = 1_000;

    /// Trims and checks a description.
    pub fn parse(text: &str) -> Result<Self, String> {
        let description = text.trim();
        check_text(description, Self::MAX_CHARS, |c| {
            c.is_control() && !matches!(c, '\n' | '\r' | '\t')
        })?;
        Ok(Self(description.to_owned()))
    }

    /// The trimmed description, which may be empty.
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

    #[test]
    fn a_description_may_have_lines_and_no_other_control_characters() {
        let text = |text: &str| WebhookDescription::parse(text).map(|d| d.as_str().to_owned());

        assert_eq!(
            text(" first\r\n\tsecond\n "),
            Ok("first\r\n\tsecond".to_owned())
        );
        assert_eq!(text(""), Ok(String::new()));
        assert!(text("a\u{0}b").is_err() && text("a\u{1b}b").is_err());
    }

    #[test]
    fn a_description_has_up_to_1000_characters() {
        let longest = "é".repeat(WebhookDescription::MAX_CHARS);

        assert!(WebhookDescription::parse(&longest).is_ok());
        assert_eq!(
            WebhookDescription::parse(&format!("{longest}é")),
            Err("must have at most 1000 characters, has 1001".to_owned())
        );
    }

    #[test]
    fn a_name_is_kept_as_it_was_typed() {
        assert_eq!(
            WebhookName::parse("CRM Berlin").map(|n| n.as_str().to_owned()),
            Ok("CRM Berlin".to_owned())
        );
    }
}
