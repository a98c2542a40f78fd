//! Versions of webhooks and settings, as entity tags: a change of an old version is refused (RFC 9110,
//! 13.1.1).

use crate::refusal::Refusal;

/// The strong entity tag of a version. The platform's own counts, such as the time of the last
/// delivery, do not change the version.
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// The versions accepted by a change.
#[derive(Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Any version: the header was left out, or is `*`.
    Any,
    /// The versions with these entity tags, as sent by the caller.
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

    /// Refuses a change unless `version` is an accepted version.
    pub fn check(&self, version: i64) -> Result<(), Refusal> {
        let met = match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&etag(version)),
        };
        if met {
            Ok(())
        } else {
            Err(Refusal::VersionMismatch { version })
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
