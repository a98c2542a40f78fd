//! Texts of an event for people: without characters that act instead of showing, and cut to a limit.

use std::borrow::Cow;
use std::char::REPLACEMENT_CHARACTER;

/// Shows that a text was cut.
const ELLIPSIS: char = '…';

/// Separates characters that together would act, such as `@` and `everyone`, and takes no room on a screen.
const ZERO_WIDTH_SPACE: char = '\u{200b}';

/// Words that notify a whole channel behind an `@`, in Slack or Discord.
const CHANNEL_MENTIONS: [&str; 3] = ["everyone", "here", "channel"];

/// A single line: white space and control characters become single spaces, and invisible characters go,
/// among them all that change the direction of the writing. At most `max` characters, counted as
/// [`length`] counts.
pub(crate) fn one_line(text: &str, max: usize) -> String {
    let mut line = Fitted::new(max);
    let mut before = None;
    let mut gap = false;
    for char in text.chars() {
        if char.is_whitespace() || char.is_control() {
            gap = before.is_some();
            continue;
        }
        // A lone surrogate is read as three replacement characters, of which the first is shown.
        let repeats = char == REPLACEMENT_CHARACTER && before == Some(char) && !gap;
        if is_invisible(char) || repeats {
            continue;
        }
        if std::mem::take(&mut gap) {
            line.push(" ");
        }
        line.push(char.encode_utf8(&mut [0; 4]));
        before = Some(char);
        // Stops with the line: a text of 256 KiB costs no more than the part that fits.
        if line.is_cut {
            break;
        }
    }
    let line = line.end();
    // A service refuses a message with an empty text, and counts a blank text as empty.
    if line.chars().all(is_blank) {
        String::new()
    } else {
        line
    }
}

/// `text` with every character written by `escape`, at most `max` characters long, counted as [`length`]
/// counts. A text that is too long ends with `…`, and never inside the escape sequence of a character.
pub(crate) fn escaped(text: &str, max: usize, mut escape: impl FnMut(char, &mut String)) -> String {
    let mut line = Fitted::new(max);
    let mut piece = String::new();
    for char in text.chars() {
        piece.clear();
        escape(char, &mut piece);
        line.push(&piece);
        if line.is_cut {
            break;
        }
    }
    line.end()
}

/// The length of a text in UTF-16 units. Chat services count units or characters and do not say which;
/// the number of units is never the smaller one.
pub(crate) fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `text` with a zero-width space behind each `@` that would notify a channel.
pub(crate) fn without_mentions(text: &str) -> Cow<'_, str> {
    // Nearly every text is free of `@`: the look costs less than a copy.
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(separated(text, mentions_channel))
}

/// Whether the end of `before` and the start of `after` notify a channel.
pub(crate) fn mentions_channel(before: &str, after: &str) -> bool {
    let starts = |word: &str| {
        let start = after.as_bytes().get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    before.ends_with('@') && CHANNEL_MENTIONS.iter().any(|word| starts(word))
}

/// `text` with a zero-width space at each place where `acts` holds for the text before and the text after.
pub(crate) fn separated(text: &str, acts: impl Fn(&str, &str) -> bool) -> String {
    let mut written = String::with_capacity(text.len());
    for (place, char) in text.char_indices() {
        let (before, after) = text.split_at(place);
        if acts(before, after) {
            written.push(ZERO_WIDTH_SPACE);
        }
        written.push(char);
    }
    written
}

/// Whether a character shows nothing and can change how its neighbours show: marks, embeddings, overrides
/// and isolates of the writing direction (UAX 9), zero-width spaces and joins, byte order marks, and tags.
/// The zero-width joiner and non-joiner stay: emoji and Persian words need them.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

/// Whether a character leaves the screen empty when no other character stands beside.
fn is_blank(char: char) -> bool {
    matches!(char,
        ' ' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{200c}' | '\u{200d}'
        | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{e0100}'..='\u{e01ef}')
}

/// A text that takes pieces up to `max` UTF-16 units.
struct Fitted {
    text: String,
    max: usize,
    used: usize,
    /// The bytes and units of the text that leave room for the ellipsis.
    cut: (usize, usize),
    is_cut: bool,
}

impl Fitted {
    fn new(max: usize) -> Self {
        Self {
            text: String::new(),
            max,
            used: 0,
            cut: (0, 0),
            is_cut: false,
        }
    }

    fn push(&mut self, piece: &str) {
        let units = length(piece);
        if self.is_cut || self.used + units > self.max {
            self.is_cut = true;
            return;
        }
        self.text.push_str(piece);
        self.used += units;
        // The last end of a piece with room for the ellipsis behind: a cut here splits no piece.
        if self.used < self.max {
            self.cut = (self.text.len(), self.used);
        }
    }

    fn end(mut self) -> String {
        if self.is_cut {
            self.text.truncate(self.cut.0);
            if self.cut.1 < self.max {
                self.text.push(ELLIPSIS);
            }
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case::newlines(" a\r\n\tb\u{2028}c \0d\u{7f} ", "a b c d")]
    #[case::terminal_escapes("\u{1b}[31mred", "[31mred")]
    #[case::bidi_override("lic\u{202e}gpj.exe\u{202c}", "licgpj.exe")]
    #[case::isolates("\u{2066}a\u{2069}\u{200f}b\u{feff}", "ab")]
    #[case::family("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧")]
    #[case::arabic("مرحبا", "مرحبا")]
    #[case::lone_surrogate("a\u{fffd}\u{fffd}\u{fffd}b \u{fffd}", "a\u{fffd}b \u{fffd}")]
    #[case::only_joiners("\u{200d}\u{200c} \u{3164}", "")]
    #[case::only_invisible("\u{200b} \u{202e} \n", "")]
    fn a_line_shows_every_character_that_it_has(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(one_line(text, 100), shown);
    }

    #[rstest]
    #[case("0123456789", "0123456789")]
    #[case("0123456789a", "012345678…")]
    #[case("01234567 9", "01234567 9")]
    #[case("😀😀😀😀😀", "😀😀😀😀😀")]
    #[case("😀😀😀😀😀😀", "😀😀😀😀…")]
    fn a_line_that_is_too_long_is_cut_and_says_so(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(one_line(text, 10), shown);
    }

    #[test]
    fn a_cut_never_splits_an_escape_sequence() {
        let doubled = |char: char, out: &mut String| out.extend(['\\', char]);

        assert_eq!(escaped("abcde", 10, doubled), "\\a\\b\\c\\d\\e");
        assert_eq!(escaped("abcdef", 10, doubled), "\\a\\b\\c\\d…");
        assert_eq!(escaped("abcdef", 9, doubled), "\\a\\b\\c\\d…");
        assert_eq!(escaped("abc", 1, doubled), "…");
        assert_eq!(escaped("abc", 0, doubled), "");
    }

    #[test]
    fn a_mention_of_a_channel_is_taken_apart() {
        let text = "@everyone @HERE a@channel @her @herr joe@example.com @@here";

        let safe = without_mentions(text);

        assert_eq!(
            safe,
            "@\u{200b}everyone @\u{200b}HERE a@\u{200b}channel @her @herr joe@example.com @@\u{200b}here"
        );
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_line_within_its_limit(text in ".{0,300}", max in 0_usize..50) {
            let line = one_line(&text, max);

            prop_assert!(length(&line) <= max);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_invisible(c)));
            prop_assert_eq!(one_line(&line, max), line.clone());
        }
    }
}
