//! Writes texts into JSON and JSON pointers.

/// Appends a text as the inside of a JSON string.
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(escape) = Escape::of(*byte) {
            out.extend_from_slice(&bytes[copied..at]);
            escape.write(out);
            copied = at + 1;
        }
    }
    out.extend_from_slice(&bytes[copied..]);
}

/// Appends a text as a JSON string.
pub(super) fn write_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_text(out, text);
    out.push(b'"');
}

/// The bytes that [`write_text`] appends for a text.
pub(super) fn written_bytes(text: &str) -> usize {
    let escapes = text.bytes().filter_map(Escape::of);
    text.len() + escapes.map(|escape| escape.bytes() - 1).sum::<usize>()
}

/// The longest beginning of a text for which [`write_text`] appends at most `max` bytes.
pub(super) fn beginning(text: &str, max: usize) -> &str {
    let mut written = 0;
    for (at, char) in text.char_indices() {
        written += match u8::try_from(char).ok().and_then(Escape::of) {
            Some(escape) => escape.bytes(),
            None => char.len_utf8(),
        };
        if written > max {
            return &text[..at];
        }
    }
    text
}

/// Appends a name or an index to a JSON pointer (RFC 6901).
pub(super) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for char in token.chars() {
        match char {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The escape of a byte that cannot stand in a JSON string (RFC 8259, section 7).
#[derive(Clone, Copy)]
enum Escape {
    /// `\n`, by the character behind the backslash.
    Short(u8),
    /// `\u001f`, by the control character.
    Long(u8),
}

impl Escape {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            b'"' | b'\\' => Some(Self::Short(byte)),
            b'\n' => Some(Self::Short(b'n')),
            b'\r' => Some(Self::Short(b'r')),
            b'\t' => Some(Self::Short(b't')),
            0..0x20 => Some(Self::Long(byte)),
            _ => None,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Short(_) => 2,
            Self::Long(_) => 6,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        match self {
            Self::Short(behind) => out.extend_from_slice(&[b'\\', behind]),
            Self::Long(control) => {
                let (high, low) = (control >> 4, control & 15);
                let digits = [DIGITS[usize::from(high)], DIGITS[usize::from(low)]];
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&digits);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_read_back() {
        let text: String = ('\0'..'\u{800}')
            .chain(['\u{2028}', '\u{fffd}', '😀'])
            .collect();
        let mut json = Vec::new();

        write_quoted(&mut json, &text);

        assert_eq!(serde_json::from_slice(&json).ok(), Some(text.clone()));
        assert_eq!(written_bytes(&text), json.len() - 2);
    }

    #[test]
    fn a_beginning_ends_before_the_character_that_has_no_room() {
        assert_eq!(beginning("ab", 2), "ab");
        assert_eq!(beginning("aé", 2), "a");
        assert_eq!(beginning("aÿ", 3), "aÿ");
        assert_eq!(beginning("a\n", 2), "a");
        assert_eq!(beginning("\u{1}b", 6), "\u{1}");
        assert_eq!(beginning("\u{1}b", 0), "");
    }

    #[test]
    fn a_pointer_escapes_its_own_characters() {
        let mut pointer = String::new();

        push_token(&mut pointer, "a/b~c");

        assert_eq!(pointer, "/a~1b~0c");
    }
}
