//! Manglings: changes made to a body by frameworks and proxies between sender and verifier.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// A reversible mangling: the check undoes the mangling, and tries the signature on the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mangling {
    /// White space at the ends was removed or added.
    EndsTrimmed,
    /// LF was replaced by CR LF, or the reverse.
    LineEndings,
    /// A byte order mark was put in front of the body.
    ByteOrderMark,
    /// The bytes were read as Latin-1 and written as UTF-8.
    Latin1,
    /// The body was escaped for HTML.
    Html,
    /// The body was encoded in base64.
    Base64,
    /// The body was put into a JSON string.
    JsonString,
}

impl Mangling {
    pub(crate) const ALL: [Self; 7] = [
        Self::EndsTrimmed,
        Self::LineEndings,
        Self::ByteOrderMark,
        Self::Latin1,
        Self::Html,
        Self::Base64,
        Self::JsonString,
    ];

    /// The possible bodies before the mangling.
    pub(crate) fn undo(self, body: &[u8]) -> Vec<Vec<u8>> {
        let text = || std::str::from_utf8(body).ok();
        match self {
            Self::EndsTrimmed => {
                let ended = |end: &[u8]| [body, end].concat();
                let trimmed = [body.trim_ascii_end(), body.trim_ascii()];
                let mut before: Vec<_> = trimmed.map(<[u8]>::to_vec).into();
                before.extend([ended(b"\n"), ended(b"\r\n")]);
                before
            }
            Self::LineEndings => text().map_or_else(Vec::new, |text| {
                let short = text.replace("\r\n", "\n");
                vec![short.replace('\n', "\r\n").into(), short.into()]
            }),
            Self::ByteOrderMark => one(body.strip_prefix(b"\xef\xbb\xbf").map(<[u8]>::to_vec)),
            Self::Latin1 => one(text().and_then(as_latin1)),
            Self::Html => one(text().map(|text| unescaped(text).into())),
            Self::Base64 => one(STANDARD.decode(body.trim_ascii()).ok()),
            Self::JsonString => {
                let string: Option<String> = serde_json::from_slice(body).ok();
                one(string.map(String::into_bytes))
            }
        }
    }
}

fn one(before: Option<Vec<u8>>) -> Vec<Vec<u8>> {
    before.into_iter().collect()
}

fn as_latin1(text: &str) -> Option<Vec<u8>> {
    let bytes = text.chars().map(|c| u8::try_from(c).ok());
    bytes.collect()
}

/// `&amp;` comes last, because an `&` that was unescaped must not begin another escape.
fn unescaped(text: &str) -> String {
    const ESCAPES: [(&str, &str); 8] = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&apos;", "'"),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let mut text = text.to_owned();
    for (escape, character) in ESCAPES {
        text = text.replace(escape, character);
    }
    text
}

/// Whether two texts are the same JSON to a program that parses and serialises them.
pub(crate) fn is_same_json(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (serde_json::from_slice(one), serde_json::from_slice(other));
    matches!((one, other), (Ok(one), Ok(other)) if is_same_value(&one, &other))
}

fn is_same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let in_other = |(name, value)| other.get(name).is_some_and(|v| is_same_value(value, v));
            one.len() == other.len() && one.iter().all(in_other)
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same_value(one, other))
        }
        // JavaScript writes 1.0 as 1, and knows integers up to 2^53 only.
        (Value::Number(one), Value::Number(other)) => {
            one == other || one.as_f64() == other.as_f64()
        }
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const BODY: &str = "{\"a\":\"<é> & 'x'\",\n\"b\":1}\n";

    #[rstest]
    #[case(Mangling::EndsTrimmed, BODY.trim_end().into())]
    #[case(Mangling::LineEndings, BODY.replace('\n', "\r\n"))]
    #[case(Mangling::ByteOrderMark, format!("\u{feff}{BODY}"))]
    #[case(Mangling::Latin1, BODY.bytes().map(char::from).collect())]
    #[case(Mangling::Html, "{&quot;a&quot;:&quot;&lt;é&gt; &amp; &#39;x&#x27;&quot;,\n&quot;b&quot;:1}\n".into())]
    #[case(Mangling::Base64, STANDARD.encode(BODY))]
    #[case(Mangling::JsonString, Value::from(BODY).to_string())]
    fn what_was_done_to_a_body_can_be_undone(#[case] done: Mangling, #[case] mangled: String) {
        let undone = |mangling: &Mangling| mangling.undo(mangled.as_bytes()).contains(&BODY.into());

        let all = Mangling::ALL;
        let explanations: Vec<_> = all.iter().copied().filter(undone).collect();

        assert_eq!(explanations, [done]);
    }

    #[rstest]
    #[case("{\"a\":1,\"b\":[1,2]}", "{ \"b\": [1, 2.0], \"a\": 1 }", true)]
    #[case("{\"n\":9007199254740993}", "{\"n\":9007199254740992}", true)]
    #[case("\"\\u00e9\"", "\"é\"", true)]
    #[case("{\"a\":1}", "{\"a\":2}", false)]
    #[case("{\"a\":1}", "{\"a\":1,\"b\":2}", false)]
    #[case("[1,2]", "[1]", false)]
    #[case("[1,2]", "[2,1]", false)]
    #[case("{\"a\":1}", "a=1", false)]
    fn json_is_the_same_if_its_values_are(
        #[case] one: &str,
        #[case] other: &str,
        #[case] same: bool,
    ) {
        assert_eq!(is_same_json(one.as_bytes(), other.as_bytes()), same);
    }
}
