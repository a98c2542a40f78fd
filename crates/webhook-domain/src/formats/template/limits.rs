//! The limits of a template and of its result.

/// The most bytes of a template's text: 32 KiB. A longer text is refused when the template is saved.
pub(super) const MAX_TEMPLATE_BYTES: usize = 32 * 1024;

/// The most objects and arrays inside each other in a body, as in most receivers' own limits. The parser
/// recurses once per level.
pub(super) const MAX_DEPTH: usize = 16;

/// The most placeholders of one body. The cost of a rendering is bounded by the size of the event times
/// this number.
pub(super) const MAX_PLACEHOLDERS: usize = 100;

/// The most parts of a path, such as the three of `data.items.0`. The reader recurses once per part.
pub(super) const MAX_PATH_PARTS: usize = 16;

/// The most filters of one placeholder. Each filter may read [`MAX_RESULT_BYTES`].
pub(super) const MAX_FILTERS: usize = 6;

/// The most bytes of a rendered body: 64 KiB. Longer values are cut.
pub(super) const MAX_RESULT_BYTES: usize = 64 * 1024;

/// The most characters that `truncate` can leave. A text of this many characters is shorter than
/// [`MAX_RESULT_BYTES`], so texts may be cut at that limit before they are truncated.
pub(super) const MAX_TRUNCATE_CHARS: usize = 10_000;

/// The most digits of a fraction that `epoch` can write: microseconds, which every number of 64 bits can
/// still tell apart.
pub(super) const MAX_EPOCH_DIGITS: u32 = 6;

/// The most characters of a template that an error repeats.
const MAX_REPEATED_CHARS: usize = 64;

/// The beginning of a text for an error message, with `…` in place of the rest.
pub(super) fn repeated(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(MAX_REPEATED_CHARS).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
