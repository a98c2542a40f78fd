//! The output of a verb.

use std::io::{self, Write};

/// Prints a text as a whole. A closed pipe, as of `| head`, wants no more text, and is no error.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
