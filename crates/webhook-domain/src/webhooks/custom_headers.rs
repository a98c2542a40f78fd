//! Custom headers: headers of an admin, such as an access token, sent with every request of a
//! webhook.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Names of headers set by the platform, and of headers that belong to the connection and not to
/// the request (RFC 9110, section 7.6.1).
const RESERVED: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Prefixes of the names of the platform's own headers.
const RESERVED_STARTS: [&str; 2] = ["webhook-", "x-webhook-"];

/// Up to 20 headers by name. The values are secrets: the API never shows a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomHeaders(BTreeMap<HeaderName, HeaderSecret>);

/// A header's name: 1 to 100 characters of a token (RFC 9110, 5.6.2), in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderName(String);

/// The value of a header in a request to change a webhook: a new one, or the stored one.
#[derive(Clone, PartialEq, Eq)]
pub enum HeaderSecret {
    /// A new value.
    Given(HeaderValue),
    /// The value stored under the same name.
    Stored,
}

/// A header's value: 1 to 2,048 visible ASCII characters, with spaces only between them.
#[derive(Clone, PartialEq, Eq)]
pub struct HeaderValue(Zeroizing<String>);

/// Why a name or a value cannot be a custom header. The message never repeats a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum HeaderError {
    #[error("must have 1 to {} letters, digits or hyphens", HeaderName::MAX_CHARS)]
    Name,
    #[error("is set by the platform. Use another name")]
    Reserved,
    #[error(
        "must have 1 to {} visible ASCII characters, with spaces only inside",
        HeaderValue::MAX_CHARS
    )]
    Value,
    #[error("remove headers: the limit is {}", CustomHeaders::MAX)]
    TooMany,
    #[error("enter a value")]
    NoValue,
}

impl HeaderName {
    /// The most characters of a name.
    pub const MAX_CHARS: usize = 100;

    /// Checks a name. Names are compared and stored in lower case.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        let token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if text.is_empty() || text.len() > Self::MAX_CHARS || !text.chars().all(token) {
            return Err(HeaderError::Name);
        }
        let name = text.to_ascii_lowercase();
        let begins = |start: &&str| name.starts_with(*start);
        if RESERVED.contains(&name.as_str()) || RESERVED_STARTS.iter().any(begins) {
            return Err(HeaderError::Reserved);
        }
        Ok(Self(name))
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl HeaderValue {
    /// The most characters of a value.
    pub const MAX_CHARS: usize = 2_048;

    /// Checks a value.
    ///
    /// Line breaks are refused, so that a value cannot add a header of its own to the request.
    pub fn parse(text: &str) -> Result<Self, HeaderError> {
        let inside = |c: char| c == ' ' || c.is_ascii_graphic();
        let sound = (1..=Self::MAX_CHARS).contains(&text.len())
            && text.chars().all(inside)
            && text.trim() == text;
        if sound {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(HeaderError::Value)
        }
    }

    /// The value in clear text, to be sent or sealed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl CustomHeaders {
    /// The most headers of one webhook.
    pub const MAX: usize = 20;

    /// Sets a header, or replaces the value of a set header.
    pub fn set(&mut self, name: HeaderName, value: HeaderSecret) -> Result<(), HeaderError> {
        if self.0.len() == Self::MAX && !self.0.contains_key(&name) {
            return Err(HeaderError::TooMany);
        }
        self.0.insert(name, value);
        Ok(())
    }

    /// Removes a header, if set.
    pub fn remove(&mut self, name: &HeaderName) {
        self.0.remove(name);
    }

    /// Whether a header of this name is set.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.0.contains_key(name)
    }

    /// The names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(HeaderName::as_str)
    }

    /// Names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderSecret)> {
        self.0.iter()
    }

    /// Whether at least one value is new.
    pub fn has_given(&self) -> bool {
        let mut values = self.0.values();
        values.any(|value| matches!(value, HeaderSecret::Given(_)))
    }

    /// Turns a new value that equals the stored value into [`HeaderSecret::Stored`], so that a
    /// change that changes nothing is not recorded as one.
    pub fn leave_out_known(&mut self, stored: &Self) {
        for (name, value) in &mut self.0 {
            if stored.0.get(name) == Some(value) {
                *value = HeaderSecret::Stored;
            }
        }
    }

    /// Replaces each [`HeaderSecret::Stored`] by the value in `stored`. Fails with the first name
    /// that has no stored value.
    pub fn resolve(&mut self, stored: &Self) -> Result<(), (HeaderName, HeaderError)> {
        for (name, value) in &mut self.0 {
            if *value == HeaderSecret::Stored {
                match stored.0.get(name) {
                    Some(given @ HeaderSecret::Given(_)) => *value = given.clone(),
                    Some(HeaderSecret::Stored) | None => {
                        return Err((name.clone(), HeaderError::NoValue));
                    }
                }
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for HeaderSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Given(redacted)",
            Self::Stored => "Stored",
        })
    }
}

impl std::fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HeaderValue(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn name(text: &str) -> HeaderName {
        HeaderName::parse(text).expect("a name")
    }

    fn given(text: &str) -> HeaderSecret {
        HeaderSecret::Given(HeaderValue::parse(text).expect("a value"))
    }

    #[rstest]
    #[case("", HeaderError::Name)]
    #[case("a b", HeaderError::Name)]
    #[case("a:", HeaderError::Name)]
    #[case("é", HeaderError::Name)]
    #[case("Content-Type", HeaderError::Reserved)]
    #[case("HOST", HeaderError::Reserved)]
    #[case("Webhook-Id", HeaderError::Reserved)]
    #[case("X-Webhook-Signature", HeaderError::Reserved)]
    fn names_that_are_none_or_ours_are_refused(#[case] text: &str, #[case] error: HeaderError) {
        assert_eq!(HeaderName::parse(text), Err(error));
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        for text in ["", " a", "a ", "a\r\nb", "a\tb", "é", &"x".repeat(2_049)] {
            assert_eq!(HeaderValue::parse(text), Err(HeaderError::Value), "{text}");
        }
        assert!(HeaderValue::parse("Bearer a b").is_ok());
    }

    #[test]
    fn names_differ_by_more_than_case_and_values_never_show_in_debug() {
        let mut headers = CustomHeaders::default();

        headers.set(name("X-Token"), given("one")).expect("room");
        headers.set(name("x-token"), given("two")).expect("room");

        assert_eq!(headers.names().collect::<Vec<_>>(), ["x-token"]);
        assert!(!format!("{headers:?}").contains("two"));
    }

    #[test]
    fn there_is_room_for_20() {
        let mut headers = CustomHeaders::default();
        for number in 0..20 {
            let set = headers.set(name(&format!("x-{number}")), HeaderSecret::Stored);
            set.expect("room");
        }

        assert_eq!(
            headers.set(name("x-20"), HeaderSecret::Stored),
            Err(HeaderError::TooMany)
        );
        assert!(headers.set(name("x-0"), HeaderSecret::Stored).is_ok());
    }

    #[test]
    fn what_is_stored_is_filled_in_and_what_is_not_is_named() {
        let mut stored = CustomHeaders::default();
        stored.set(name("a"), given("old")).expect("room");
        let mut wanted = CustomHeaders::default();
        wanted.set(name("a"), HeaderSecret::Stored).expect("room");

        assert_eq!(wanted.resolve(&stored), Ok(()));
        assert_eq!(wanted, stored);

        wanted.leave_out_known(&stored);
        assert!(!wanted.has_given());
        wanted.set(name("b"), HeaderSecret::Stored).expect("room");
        assert_eq!(
            wanted.resolve(&stored),
            Err((name("b"), HeaderError::NoValue))
        );
    }

    #[test]
    fn a_name_has_up_to_100_characters_and_a_value_up_to_2048() {
        let longest_name = "x".repeat(HeaderName::MAX_CHARS);
        let longest_value = "x".repeat(HeaderValue::MAX_CHARS);

        assert_eq!(name(&longest_name).as_str(), longest_name);
        let too_long = HeaderName::parse(&format!("{longest_name}x"));
        assert_eq!(too_long, Err(HeaderError::Name));
        let value = HeaderValue::parse(&longest_value).expect("a value");
        assert_eq!(value.reveal(), longest_value);
    }

    #[test]
    fn a_removed_header_is_gone_and_the_others_stay() {
        let mut headers = CustomHeaders::default();
        headers.set(name("a"), given("1")).expect("room");
        headers.set(name("b"), HeaderSecret::Stored).expect("room");

        headers.remove(&name("a"));

        assert!(!headers.contains(&name("a")) && headers.contains(&name("b")));
        assert!(!headers.has_given());
        headers.set(name("c"), given("2")).expect("room");
        assert!(headers.has_given());
        let pairs: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value))
            .collect();
        assert_eq!(pairs, [("b", &HeaderSecret::Stored), ("c", &given("2"))]);
    }

    #[test]
    fn debug_says_whether_a_value_is_given_and_hides_the_value() {
        let value = HeaderValue::parse("hunter2").expect("a value");

        assert_eq!(format!("{value:?}"), "HeaderValue(redacted)");
        assert_eq!(format!("{:?}", given("hunter2")), "Given(redacted)");
        assert_eq!(format!("{:?}", HeaderSecret::Stored), "Stored");
    }
}
