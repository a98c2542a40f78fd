//! A response's body as text: decompressed and decoded where the body is shown, never on the way.
//!
//! The log keeps the received bytes. A page and the API show text, so this module undoes the encodings
//! of the response's headers: first the content codings (`gzip`, `deflate`), then the charset. The
//! functions are pure and bounded; a body with wrong headers is shown as plain UTF-8.

mod charset;
mod compression;
mod limit;

use std::borrow::Cow;

use webhook_domain::{BodyEnd, HeaderText};

pub use limit::MAX_DECODED_BYTES;

/// A response's body as text.
#[derive(Debug, PartialEq, Eq)]
pub struct DecodedBody {
    /// At most [`MAX_DECODED_BYTES`]; bytes outside the charset became U+FFFD.
    pub text: String,
    /// The undone codings and the charset, in that order: `gzip, iso-8859-1`. `None`: the received bytes
    /// are shown as UTF-8.
    pub decoded_from: Option<String>,
    /// Whether the text is the whole body: received to the end and decoded to the end.
    pub is_whole: bool,
}

impl DecodedBody {
    /// Decodes a body by the headers of its response. `end`: how the body ended.
    pub fn of(body: &[u8], end: BodyEnd, headers: &[(Cow<'static, str>, HeaderText)]) -> Self {
        let header = |name: &str| {
            let mut values = headers.iter().filter(|(known, _)| known == name);
            values.next().map(|(_, value)| value.as_str())
        };
        let is_complete = end == BodyEnd::Complete;
        let codings = header("content-encoding").unwrap_or_default();
        let plain = compression::undo(codings, body, is_complete);
        let (bytes, at_end) = match &plain {
            Some(plain) => (plain.bytes.as_slice(), plain.is_whole),
            None => (body, is_complete),
        };
        let text = charset::read(header("content-type"), bytes, at_end);
        let mut undone = plain.as_ref().map_or(Vec::new(), |plain| {
            plain.undone.iter().copied().map(str::to_owned).collect()
        });
        undone.extend(text.charset);
        Self {
            text: text.text,
            decoded_from: (!undone.is_empty()).then(|| undone.join(", ")),
            is_whole: text.is_whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(plain).expect("memory takes all");
        encoder.finish().expect("memory takes all")
    }

    fn decode(body: &[u8], end: BodyEnd, coding: &'static str, kind: &str) -> DecodedBody {
        let headers = [
            ("content-encoding".into(), coding.into()),
            ("content-type".into(), kind.into()),
        ];
        DecodedBody::of(body, end, &headers)
    }

    #[test]
    fn a_body_without_headers_is_read_as_utf8() {
        let decoded = DecodedBody::of("a\0é".as_bytes(), BodyEnd::Complete, &[]);

        let expected = DecodedBody {
            text: "a\0é".to_owned(),
            decoded_from: None,
            is_whole: true,
        };
        assert_eq!(decoded, expected);
    }

    #[test]
    fn codings_are_undone_before_the_charset() {
        let body = gzip(b"Gr\xfc\xdfe");

        let decoded = decode(
            &body,
            BodyEnd::Complete,
            "gzip",
            "text/plain; charset=iso-8859-1",
        );

        assert_eq!(decoded.text, "Grüße");
        assert_eq!(decoded.decoded_from.as_deref(), Some("gzip, iso-8859-1"));
        assert!(decoded.is_whole);
    }

    #[test]
    fn a_bomb_of_a_character_that_grows_is_bounded_as_text_too() {
        let body = gzip(&[b'\x80'; 10 * MAX_DECODED_BYTES]);

        let decoded = decode(&body, BodyEnd::Complete, "gzip", "a/b; charset=cp1252");

        assert_eq!(decoded.text, "€".repeat(MAX_DECODED_BYTES / 3));
        assert!(!decoded.is_whole);
    }

    #[test]
    fn a_body_that_is_not_encoded_as_its_header_says_is_read_as_it_is() {
        let decoded = decode(b"{\"a\":1}", BodyEnd::Complete, "gzip", "application/json");

        assert_eq!(decoded.text, "{\"a\":1}");
        assert_eq!((decoded.decoded_from, decoded.is_whole), (None, true));
    }

    fn any_coding() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "",
            "gzip",
            "deflate",
            "deflate, gzip",
            "gzip, gzip",
            "br",
            "identity",
        ])
    }

    fn any_charset() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec![
            "",
            "utf-8",
            "utf-16",
            "utf-16be",
            "shift_jis",
            "gb18030",
            "iso-2022-jp",
            "big5",
            "x-user-defined",
            "hz-gb-2312",
            "cp1252",
        ])
    }

    proptest! {
        #[test]
        fn whatever_a_receiver_sends_is_decoded_within_bounds(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            times in 1..2_000_usize,
            is_packed in any::<bool>(),
            end in proptest::sample::select(BodyEnd::ALL),
            coding in any_coding(),
            charset in any_charset(),
        ) {
            let long = body.repeat(times);
            let sent = if is_packed { gzip(&long) } else { body };

            let decoded = decode(&sent, end, coding, &format!("text/plain; charset={charset}"));

            prop_assert!(decoded.text.len() <= MAX_DECODED_BYTES);
            prop_assert!(end == BodyEnd::Complete || !decoded.is_whole);
        }

        #[test]
        fn what_is_cut_anywhere_is_read_up_to_the_cut(text in "\\PC{0,200}", at in any::<usize>()) {
            let (sent, packed) = (text.as_bytes(), gzip(text.as_bytes()));

            let plain = decode(&sent[..at % (sent.len() + 1)], BodyEnd::Cut, "", "text/plain");
            // A gzip header of ten bytes makes the body known as gzip.
            let cut = 18 + at % (packed.len() - 17);
            let unpacked = decode(&packed[..cut], BodyEnd::BrokenOff, "gzip", "text/plain");

            prop_assert!(text.starts_with(&plain.text), "{}", plain.text);
            prop_assert!(at % (sent.len() + 1) - plain.text.len() < 4);
            if unpacked.decoded_from.is_some() {
                prop_assert!(text.starts_with(&unpacked.text), "{}", unpacked.text);
            }
        }
    }
}
