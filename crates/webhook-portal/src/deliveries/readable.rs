//! Bodies formatted for reading.

use crate::json::pretty;

/// The most bytes of a formatted body on a page: more slows the browser down. The raw body is shown
/// whole.
const SHOWN_BYTES: usize = 64 * 1024;

/// A body to be shown.
pub(super) struct Readable {
    pub(super) text: String,
    /// Whether the text is only the start of the body.
    pub(super) is_cut: bool,
}

impl Readable {
    /// The body unchanged if `raw`; else JSON formatted, and any text cut at [`SHOWN_BYTES`].
    pub(super) fn of(body: &str, raw: bool) -> Self {
        if raw {
            return Self {
                text: body.to_owned(),
                is_cut: false,
            };
        }
        let mut text = pretty(body).unwrap_or_else(|| body.to_owned());
        let most = SHOWN_BYTES.min(text.len());
        let mut ends = (0..=most).rev();
        let end = ends.find(|end| text.is_char_boundary(*end));
        let end = end.unwrap_or_default();
        let is_cut = end < text.len();
        text.truncate(end);
        Self { text, is_cut }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_set_in_lines_unless_it_is_asked_for_as_it_was_sent() {
        assert_eq!(Readable::of(r#"{"a":1}"#, false).text, "{\n  \"a\": 1\n}");
        assert_eq!(Readable::of(r#"{"a":1}"#, true).text, r#"{"a":1}"#);
        assert_eq!(Readable::of("no JSON", false).text, "no JSON");
    }

    #[test]
    fn a_long_body_is_cut_between_characters_and_whole_when_raw() {
        let long = "é".repeat(SHOWN_BYTES);

        let cut = Readable::of(&format!("x{long}"), false);

        assert_eq!((cut.is_cut, cut.text.len()), (true, SHOWN_BYTES - 1));
        assert_eq!(Readable::of(&long, true).text, long);
    }
}
