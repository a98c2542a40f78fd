//! The charset of a response's body.

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};

use super::limit::MAX_DECODED_BYTES;

/// A body as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// At most [`MAX_DECODED_BYTES`]; bytes outside the charset became U+FFFD.
    pub(super) text: String,
    /// The declared charset in lower case. `None`: UTF-8, or the text is the same in UTF-8.
    pub(super) charset: Option<String>,
    /// Whether the text is the whole of a complete body.
    pub(super) is_whole: bool,
    has_errors: bool,
}

/// Reads bytes as text: in the charset of a byte order mark or of `Content-Type`, else as UTF-8.
/// `at_end`: the bytes end where the body ends. Otherwise a character cut by the end of the bytes is left
/// out.
pub(super) fn read(content_type: Option<&str>, bytes: &[u8], at_end: bool) -> Text {
    let utf8 = decode(
        UTF_8.new_decoder_without_bom_handling(),
        None,
        bytes,
        at_end,
    );
    let declared = content_type.and_then(charset_of);
    let declared = declared.and_then(|label| {
        let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
        Some((label, encoding)).filter(|(_, encoding)| *encoding != UTF_8)
    });
    let other = match declared {
        Some((label, encoding)) => {
            let text = decode(encoding.new_decoder(), Some(label), bytes, at_end);
            // Many a server declares its default and sends UTF-8. Text in UTF-16 may pass for UTF-8,
            // with a zero byte in each of its Latin characters.
            let is_utf8 = !utf8.has_errors && !utf8.text.contains('\0');
            (!text.has_errors || !is_utf8).then_some(text)
        }
        None => read_marked(bytes, at_end),
    };
    let other = other.filter(|other| other.charset.is_some() && other.text != utf8.text);
    other.unwrap_or(utf8)
}

/// Reads what begins with the byte order mark of UTF-16 and is UTF-16.
fn read_marked(bytes: &[u8], at_end: bool) -> Option<Text> {
    let (encoding, _) = Encoding::for_bom(bytes)?;
    let text = decode(encoding.new_decoder(), None, bytes, at_end);
    (!text.has_errors).then_some(text)
}

/// The parameter `charset` of a media type.
fn charset_of(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let mut charsets = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    charsets.next()
}

fn decode(mut decoder: Decoder, label: Option<&str>, bytes: &[u8], at_end: bool) -> Text {
    let declared = decoder.encoding();
    let needed = decoder.max_utf8_buffer_length(bytes.len());
    let room = needed.map_or(MAX_DECODED_BYTES, |needed| needed.min(MAX_DECODED_BYTES));
    let mut text = vec![0; room];
    let (result, _, written, has_errors) = decoder.decode_to_utf8(bytes, &mut text, at_end);
    text.truncate(written);
    // A byte order mark outdoes what is declared.
    let used = decoder.encoding();
    let label = label.filter(|_| used == declared);
    let charset = label.unwrap_or(used.name()).to_ascii_lowercase();
    Text {
        text: String::from_utf8(text).expect("a decoder to UTF-8 writes UTF-8"),
        charset: (used != UTF_8).then_some(charset),
        is_whole: at_end && result == CoderResult::InputEmpty,
        has_errors,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "text/plain; charset=iso-8859-1",
        b"Gr\xfc\xdfe",
        "Grüße",
        Some("iso-8859-1")
    )]
    #[case(
        "text/plain;charset=\"Windows-1252\"",
        b"5 \x80",
        "5 €",
        Some("windows-1252")
    )]
    #[case(
        "text/html; a=b; Charset = Shift_JIS",
        b"\x83G\x83\x89\x81[",
        "エラー",
        Some("shift_jis")
    )]
    #[case("a/b; charset=utf-16", b"o\0k\0", "ok", Some("utf-16"))]
    #[case("a/b; charset=utf-16", b"\xfe\xff\0o\0k", "ok", Some("utf-16be"))]
    #[case("a/b; charset=utf-16be", b"\0o\0k", "ok", Some("utf-16be"))]
    #[case("text/plain", b"\xff\xfeo\0k\0", "ok", Some("utf-16le"))]
    #[case("text/plain; charset=utf-8", "é".as_bytes(), "é", None)]
    #[case("text/plain; charset=iso-8859-1", b"ok", "ok", None)]
    #[case("text/plain; charset=us-ascii", "é \u{1f680}".as_bytes(), "Ã© ðŸš€", Some("us-ascii"))]
    #[case("text/plain; charset=shift_jis", "Grüße, あ".as_bytes(), "Grüße, あ", None)]
    #[case("text/plain; charset=of-mars", b"\xfc", "\u{fffd}", None)]
    #[case("text/plain; charset=iso-2022-kr", b"\xfc", "\u{fffd}", None)]
    #[case("text/plain; charset", b"\xfc", "\u{fffd}", None)]
    #[case("", b"\xff\xfe\0\xd8\0", "\u{fffd}\u{fffd}\0\u{fffd}\0", None)]
    fn a_body_is_read_in_its_charset(
        #[case] content_type: &str,
        #[case] bytes: &[u8],
        #[case] text: &str,
        #[case] charset: Option<&str>,
    ) {
        let read = read(Some(content_type), bytes, true);

        assert_eq!(
            (read.text.as_str(), read.charset.as_deref()),
            (text, charset)
        );
        assert!(read.is_whole);
    }

    #[rstest]
    #[case("", b"ab\xf0\x9f\x9a")]
    #[case("a/b; charset=utf-16le", b"a\0b\0\x3d\xd8\x80")]
    #[case("a/b; charset=shift_jis", b"ab\x83")]
    fn a_character_that_is_cut_is_left_away_unless_the_body_ends_there(
        #[case] content_type: &str,
        #[case] cut: &[u8],
    ) {
        assert_eq!(read(Some(content_type), cut, false).text, "ab");
        assert_eq!(read(Some(content_type), cut, true).text, "ab\u{fffd}");
    }
}
