//! The set filters of a list, shown above the rows.

use crate::query::Query;

/// A set filter.
pub(crate) struct Chip {
    pub(crate) name: &'static str,
    /// The value in words; a time in RFC 3339, for the filter `text_time`.
    pub(crate) value: String,
    /// The query of the list without the filter.
    pub(crate) without: String,
}

/// The set filters of a list. `names`: each filter with the label of the page; `words`: a value in words.
pub(crate) fn chips(
    query: &Query,
    names: &[(&'static str, &'static str)],
    words: impl Fn(&str, &str) -> String,
) -> Vec<Chip> {
    let set = names
        .iter()
        .filter(|(field, _)| !query.text(field).is_empty());
    let chips = set.map(|(field, name)| Chip {
        name,
        value: words(field, query.text(field)),
        without: query.with(field, ""),
    });
    chips.collect()
}
