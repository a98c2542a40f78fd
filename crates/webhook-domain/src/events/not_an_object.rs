//! Why a body is not a JSON object. Common mistakes are recognised and named.

use std::fmt::{Display, Formatter};

use crate::outside::OutsideText;

/// The form that a body has instead of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotAnObject {
    /// The body is empty or consists of white space.
    Empty,
    /// UTF-8 that begins with a byte order mark, which JSON does not allow (RFC 8259, section 8.1).
    ByteOrderMark,
    /// UTF-16 or UTF-32.
    WideCharacters,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Compressed with the named method.
    Compressed(&'static str),
    /// JSON, but an array, a string, a number, a boolean or `null`, as named.
    Other(&'static str),
    /// A JSON value with more bytes after its end.
    MoreThanOne,
    /// Not JSON: the parser's error message, with line and column.
    NotJson(OutsideText<200>),
}

impl NotAnObject {
    /// Finds out why the JSON parser refused `body` with `error`.
    pub(super) fn explain(body: &[u8], error: &serde_json::Error) -> Self {
        let start = body.trim_ascii_start();
        match (body, start) {
            (_, []) => Self::Empty,
            // Magic numbers: RFC 1952 (gzip), RFC 8878 (zstd), and the four usual headers of RFC
            // 1950 (zlib, which HTTP calls deflate).
            ([0x1f, 0x8b, ..], _) => Self::Compressed("gzip"),
            ([0x28, 0xb5, 0x2f, 0xfd, ..], _) => Self::Compressed("zstd"),
            ([0x78, 0x01 | 0x5e | 0x9c | 0xda, ..], _) => Self::Compressed("deflate"),
            // Without a mark, one of the first two bytes of an ASCII character is zero.
            ([0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..], _) => {
                Self::WideCharacters
            }
            ([0xef, 0xbb, 0xbf, ..], _) => Self::ByteOrderMark,
            _ if std::str::from_utf8(body).is_err() => Self::NotUtf8,
            (_, [b'{', ..]) if is_followed(body) => Self::MoreThanOne,
            // An object that the envelope refuses, such as a name with half a surrogate pair, is left
            // to the parser's own error.
            (_, [first, ..]) if *first != b'{' && is_one_value(body) => Self::Other(kind(*first)),
            // The error of a value of a wrong type repeats the value, however long the value is.
            _ => Self::NotJson(OutsideText::of(error)),
        }
    }
}

/// Whether `body` begins with a complete JSON value that more bytes follow.
fn is_followed(body: &[u8]) -> bool {
    let mut values =
        serde_json::Deserializer::from_slice(body).into_iter::<serde::de::IgnoredAny>();
    matches!(values.next(), Some(Ok(_))) && values.next().is_some()
}

fn is_one_value(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn kind(first: u8) -> &'static str {
    match first {
        b'[' => "an array",
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    }
}

impl Display for NotAnObject {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("the body is empty"),
            Self::ByteOrderMark => {
                f.write_str("the body starts with a byte order mark (EF BB BF); send UTF-8 without")
            }
            Self::WideCharacters => f.write_str("the body is UTF-16 or UTF-32; send UTF-8"),
            Self::NotUtf8 => f.write_str("the body is not UTF-8"),
            Self::Compressed(how) => {
                write!(
                    f,
                    "the body is compressed with {how}; send the body uncompressed"
                )
            }
            Self::Other(kind @ "an array") => {
                write!(
                    f,
                    "the body is {kind}; send each event in a message of its own"
                )
            }
            Self::Other(kind) => write!(f, "the body is {kind}"),
            Self::MoreThanOne => {
                f.write_str("more data follows the object; send each event in a message of its own")
            }
            Self::NotJson(error) => write!(f, "{error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Event, EventError};
    use rstest::rstest;

    #[rstest]
    #[case::empty(b" \n", "the body is empty")]
    #[case::byte_order_mark(b"\xef\xbb\xbf{}", "byte order mark")]
    #[case::utf_16_with_a_mark(b"\xff\xfe{\0}\0", "UTF-16")]
    #[case::utf_16(b"{\0}\0", "UTF-16")]
    #[case::utf_16_big(b"\0{\0}", "UTF-16")]
    #[case::latin_1(b"{\"a\":\"\xe9\"}", "not UTF-8")]
    #[case::gzip(b"\x1f\x8b\x08\0\0\0\0\0", "compressed with gzip")]
    #[case::zstd(b"\x28\xb5\x2f\xfd\0", "compressed with zstd")]
    #[case::zlib(b"\x78\x9c\xab\xae", "compressed with deflate")]
    #[case::array(b"[{}]", "is an array")]
    #[case::string(b"\"text\"", "is a string")]
    #[case::number(b"-1", "is a number")]
    #[case::null(b"null", "is null")]
    #[case::true_(b"true", "is a boolean")]
    #[case::false_(b"false", "is a boolean")]
    #[case::two_documents(b"{} {}", "more data follows the object")]
    #[case::rubbish_behind(b"{}x", "more data follows the object")]
    #[case::half_a_surrogate_pair(b"{\"\\ud800\":1}", "hex escape")]
    #[case::cut(b"{\"id\":", "EOF while parsing")]
    #[case::text(b"license.activated", "expected value")]
    fn the_mistake_is_told_by_name(#[case] body: &'static [u8], #[case] told: &str) {
        let refused = Event::parse(body.into()).expect_err("it is no event");

        assert!(matches!(refused, EventError::NotAnObject(_)));
        assert!(refused.to_string().contains(told), "{refused}");
    }

    #[test]
    fn a_reason_never_repeats_a_long_body() {
        let text = format!("\"{}", "x".repeat(200_000));
        let string = format!("{text}\"");

        for body in [text, string] {
            let refused = Event::parse(body.into()).expect_err("it is no event");

            assert!(refused.to_string().len() < 1_000);
        }
    }
}
