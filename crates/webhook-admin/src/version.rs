//! Versions of what can be changed, as entity tags: a change that was thought out on an old version
//! is refused (RFC 9110, 13.1.1).

use crate::refusal::Refusal;

/// The strong entity tag of a version. Counts that only the platform changes, such as the time of
/// the last delivery, do not change the version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The versions that a change is meant for.
#[derive(Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version: the header was left out, or is `*`.
    Any,
    /// One of these entity tags, as the caller sent them.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Reads the header's value.
    pub fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        Self::Tags(text.split(',').map(|tag| tag.trim().to_owned()).collect())
    }

    /// Refuses a change that was meant for another version than `version`.
    pub fn check(&self, version: i64) -> Result<(), Refusal> {
        let met = match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&etag(version)),
        };
        if met {
            Ok(())
        } else {
            Err(Refusal::Changed { version })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_strong_tag_of_the_version_matches() {
        for (header, met) in [
            ("*", true),
            ("\"7\"", true),
            ("\"6\", \"7\"", true),
            ("\"6\"", false),
            ("7", false),
            ("W/\"7\"", false),
            ("", false),
        ] {
            assert_eq!(IfMatch::parse(header).check(7).is_ok(), met, "{header}");
        }
    }
}
