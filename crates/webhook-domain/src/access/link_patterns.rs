//! Links for ids in payloads: which page shows the object of an id.

use std::collections::BTreeMap;

use url::Url;

/// The place of the id in a URL.
const PLACE: &str = "{id}";

/// URLs by field of a payload: `license_id` → `https://licenses.example.com/{id}`. Up to 50 fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkPatterns(BTreeMap<String, String>);

/// Why a pattern cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum LinkPatternError {
    #[error(
        "must be named like a field of a payload: 1 to {} letters, digits, dots, hyphens or underscores",
        LinkPatterns::MAX_FIELD_CHARS
    )]
    Field,
    #[error(
        "must be a URL with https:// and {{id}} after the host, such as https://licenses.example.com/{{id}}"
    )]
    Url,
    #[error("must have at most {} characters", LinkPatterns::MAX_URL_BYTES)]
    TooLong,
    #[error("must be at most {} fields", LinkPatterns::MAX)]
    TooMany,
}

impl LinkPatterns {
    /// The most fields: payloads have some ten kinds of ids.
    pub const MAX: usize = 50;
    /// The most characters of a field's name.
    pub const MAX_FIELD_CHARS: usize = 64;
    /// The most bytes of a URL.
    pub const MAX_URL_BYTES: usize = 500;

    /// Sets the URL of a field, or replaces the URL.
    pub fn set(&mut self, field: &str, url: &str) -> Result<(), LinkPatternError> {
        if !is_field(field) {
            return Err(LinkPatternError::Field);
        }
        if url.len() > Self::MAX_URL_BYTES {
            return Err(LinkPatternError::TooLong);
        }
        if !is_pattern(url) {
            return Err(LinkPatternError::Url);
        }
        if self.0.len() == Self::MAX && !self.0.contains_key(field) {
            return Err(LinkPatternError::TooMany);
        }
        self.0.insert(field.to_owned(), url.to_owned());
        Ok(())
    }

    /// The URLs, ordered by field.
    pub fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The link of an id in a field. `None`: the field has no pattern, or the id is empty.
    pub fn link(&self, field: &str, id: &str) -> Option<String> {
        let pattern = self.0.get(field).filter(|_| !id.is_empty())?;
        Some(pattern.replace(PLACE, &encode(id)))
    }
}

fn is_field(field: &str) -> bool {
    let is_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    (1..=LinkPatterns::MAX_FIELD_CHARS).contains(&field.len()) && field.chars().all(is_char)
}

/// Whether a URL has the place of the id where the id cannot choose the host.
fn is_pattern(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let is_text = url.chars().all(|c| !c.is_control() && !c.is_whitespace());
    // A browser skips slashes before the host: after an empty host the id would be the host.
    let has_place = !host.is_empty() && !host.contains(PLACE) && url.contains(PLACE);
    let parsed = Url::parse(&url.replace(PLACE, "id"));
    let no_user = parsed.is_ok_and(|url| url.username().is_empty() && url.password().is_none());
    is_text && has_place && no_user
}

/// An id as a part of a URL: every byte but the unreserved ones (RFC 3986, 2.3) in percent-encoding.
fn encode(id: &str) -> String {
    let mut encoded = String::with_capacity(id.len());
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn set(field: &str, url: &str) -> Result<LinkPatterns, LinkPatternError> {
        let mut patterns = LinkPatterns::default();
        patterns.set(field, url).map(|()| patterns)
    }

    #[rstest]
    #[case("https://a.example/licenses/{id}", "https://a.example/licenses/lic_42")]
    #[case("https://a.example/?q={id}#{id}", "https://a.example/?q=lic_42#lic_42")]
    fn an_id_is_put_into_its_place(#[case] url: &str, #[case] expected: &str) {
        let patterns = set("license_id", url).expect("a pattern");

        assert_eq!(
            patterns.link("license_id", "lic_42").as_deref(),
            Some(expected)
        );
        assert_eq!(patterns.link("license_id", ""), None);
        assert_eq!(patterns.link("contract_id", "con_7"), None);
    }

    #[test]
    fn nothing_in_an_id_changes_the_rest_of_the_url() {
        let patterns = set("id", "https://a.example/{id}/x").expect("a pattern");

        let link = patterns.link("id", "../?a=\"<b>#é");

        assert_eq!(
            link.as_deref(),
            Some("https://a.example/..%2F%3Fa%3D%22%3Cb%3E%23%C3%A9/x")
        );
    }

    #[rstest]
    #[case("http://a.example/{id}")]
    #[case("javascript:alert({id})")]
    #[case("https://{id}.example/")]
    #[case("https://a.example@{id}/")]
    #[case("https://me:secret@a.example/{id}")]
    #[case("https://a.example/")]
    #[case("https://a.example/ {id}")]
    #[case("https:///{id}")]
    #[case("")]
    fn only_https_with_a_place_after_the_host_is_a_pattern(#[case] url: &str) {
        assert_eq!(set("license_id", url), Err(LinkPatternError::Url));
    }

    #[test]
    fn each_bound_is_told() {
        let url = "https://a.example/{id}";
        let mut full = LinkPatterns::default();
        for number in 0..LinkPatterns::MAX {
            full.set(&format!("f{number}"), url).expect("there is room");
        }

        assert_eq!(full.set("more", url), Err(LinkPatternError::TooMany));
        assert_eq!(full.set("f0", url), Ok(()));
        assert_eq!(set("", url), Err(LinkPatternError::Field));
        assert_eq!(set("a b", url), Err(LinkPatternError::Field));
        let long = format!("{url}{}", "x".repeat(LinkPatterns::MAX_URL_BYTES));
        assert_eq!(set("id", &long), Err(LinkPatternError::TooLong));
    }
}
