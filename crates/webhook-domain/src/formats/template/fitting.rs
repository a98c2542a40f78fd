//! Cuts the longest values of a body until the body keeps its limit.

use std::borrow::Cow;

use super::escaping::{beginning, write_text, written_bytes};
use super::value::Value;

/// The end of a text that was cut.
const MARK: &str = "…";

/// The text in place of an object, an array or a number that is too long to stay.
const CUT: &[u8] = br#""(cut)""#;

/// The most bytes of one value: longer values are cut, shorter ones stay whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fitting {
    max_value_bytes: usize,
}

/// A value with the bytes that it takes in the body.
pub(super) struct Inserted<'v> {
    form: Form<'v>,
    bytes: usize,
}

enum Form<'v> {
    /// JSON that stands as a value and cannot be cut in the middle.
    Json(Cow<'v, str>),
    /// A text in quotes.
    Quoted(Cow<'v, str>),
    /// A text inside a longer one.
    Inside(Cow<'v, str>),
}

impl Fitting {
    /// Finds the most bytes of one value, with which all values take at most `room` bytes: short values
    /// leave their share to long values.
    pub(super) fn new(inserted: &[Inserted<'_>], room: usize) -> Self {
        let mut sizes: Vec<usize> = inserted.iter().map(|value| value.bytes).collect();
        sizes.sort_unstable();
        let (mut room, mut others) = (room, sizes.len());
        for size in sizes {
            let share = room / others;
            if size > share {
                return Self {
                    max_value_bytes: share,
                };
            }
            room -= size;
            others -= 1;
        }
        let max_value_bytes = usize::MAX;
        Self { max_value_bytes }
    }
}

impl<'v> Inserted<'v> {
    /// A value as the whole text of the template, with the type of the value.
    pub(super) fn whole(value: Value<'v>) -> Self {
        match value {
            Value::Missing | Value::Null => Self::json("null".into()),
            Value::Json(json) => Self::json(json),
            Value::Text(text) => {
                let bytes = written_bytes(&text) + 2;
                let form = Form::Quoted(text);
                Self { form, bytes }
            }
        }
    }

    /// A value inside a text.
    pub(super) fn part(value: Value<'v>) -> Self {
        let text = value.into_text().unwrap_or_default();
        let bytes = written_bytes(&text);
        let form = Form::Inside(text);
        Self { form, bytes }
    }

    fn json(json: Cow<'v, str>) -> Self {
        let bytes = json.len();
        let form = Form::Json(json);
        Self { form, bytes }
    }

    /// Appends the value, or what fits of the value.
    pub(super) fn write(&self, out: &mut Vec<u8>, fitting: Fitting) {
        let max = fitting.max_value_bytes;
        let is_cut = self.bytes > max;
        match &self.form {
            Form::Json(_) if is_cut => out.extend_from_slice(CUT),
            Form::Json(json) => out.extend_from_slice(json.as_bytes()),
            Form::Quoted(text) => {
                out.push(b'"');
                write_cut(out, text, is_cut.then(|| max.saturating_sub(2)));
                out.push(b'"');
            }
            Form::Inside(text) => write_cut(out, text, is_cut.then_some(max)),
        }
    }
}

/// Appends a text, cut and marked if the text has a limit.
fn write_cut(out: &mut Vec<u8>, text: &str, max: Option<usize>) {
    match max {
        None => write_text(out, text),
        Some(max) => {
            write_text(out, beginning(text, max.saturating_sub(MARK.len())));
            out.extend_from_slice(MARK.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::all_fit(&[1, 2, 3], 6, usize::MAX)]
    #[case::no_value(&[], 0, usize::MAX)]
    #[case::one_long(&[10, 10, 1_000], 100, 80)]
    #[case::two_long(&[10, 500, 1_000], 100, 45)]
    #[case::all_long(&[500, 500], 100, 50)]
    fn short_values_leave_their_share_to_long_ones(
        #[case] sizes: &[usize],
        #[case] room: usize,
        #[case] expected: usize,
    ) {
        let texts = sizes.iter().map(|size| Value::text("x".repeat(*size)));
        let inserted: Vec<Inserted<'_>> = texts.map(Inserted::part).collect();

        let fitting = Fitting::new(&inserted, room);

        assert_eq!(fitting.max_value_bytes, expected);
    }
}
