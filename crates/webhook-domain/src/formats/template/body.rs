//! A body, ready for rendering: pieces of JSON with placeholders between.

use super::data_paths::DataPaths;
use super::filter::Filter;
use super::path::Path;

/// A body as its renderer needs it. The pieces, one behind the other, are a JSON document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) pieces: Vec<Piece>,
    /// The parts of `data` that the placeholders need.
    pub(super) data: DataPaths,
    /// The bytes of all literal pieces.
    pub(super) literal_bytes: usize,
    /// Whether a placeholder has the path `link` or `summary`.
    pub(super) asks_for_notice: bool,
}

/// A piece of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A piece of serialised JSON, copied into every result.
    Literal(Box<[u8]>),
    /// A placeholder that stands for a whole value.
    Whole(Insertion),
    /// A placeholder inside a longer text: the quotes belong to the literal pieces around.
    Part(Insertion),
}

/// A placeholder in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Insertion {
    pub(super) path: Path,
    /// The slot of a path below `data`; 0 for other paths.
    pub(super) slot: usize,
    pub(super) filters: Vec<Filter>,
    /// The JSON pointer of the string that holds the placeholder, for warnings.
    pub(super) pointer: Box<str>,
}
