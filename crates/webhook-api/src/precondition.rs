//! `ETag` and `If-Match`: a change that was thought out on an old version is refused (RFC 9110,
//! 13.1.1).

use std::future::{Ready, ready};

use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest, dev};

use crate::problem::Problem;

/// The tag of a version. It is strong for what can be changed; what only the platform counts,
/// such as the last delivery, changes without it.
pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Which versions a change is meant for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// Whatever is there: the header was left out, or `*`.
    Any,
    /// One of these tags, as they were sent.
    Tags(Vec<String>),
}

impl IfMatch {
    /// Refuses a change that was meant for another version.
    pub(crate) fn check(&self, version: i64) -> Result<(), Problem> {
        let met = match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(&etag(version)),
        };
        if met {
            Ok(())
        } else {
            Err(Problem::Changed { version })
        }
    }

    fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        Self::Tags(text.split(',').map(|tag| tag.trim().to_owned()).collect())
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let header = request.headers().get(IF_MATCH);
        // What is no text matches nothing.
        let parsed = header.map(|value| Self::parse(value.to_str().unwrap_or_default()));
        ready(Ok(parsed.unwrap_or(Self::Any)))
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
