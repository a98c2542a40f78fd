//! Writing a batch in parts, as Postgres may refuse a single row.

use std::ops::Range;

/// The parts of a batch still to be written, in order, as ranges of rows.
#[derive(Debug)]
pub(crate) struct BatchParts(Vec<Range<usize>>);

impl BatchParts {
    /// A single part: the whole batch of `rows` rows.
    pub(crate) fn of(rows: usize) -> Self {
        let mut parts = Self(Vec::new());
        parts.put_back(0..rows);
        parts
    }

    /// Takes the next part. `None`: the batch is written.
    pub(crate) fn next(&mut self) -> Option<Range<usize>> {
        self.0.pop()
    }

    /// Puts an unwritten part back, as the next part.
    pub(crate) fn put_back(&mut self, part: Range<usize>) {
        if !part.is_empty() {
            self.0.push(part);
        }
    }

    /// Puts a part back as two halves. After some ten halvings a refused row stands alone.
    pub(crate) fn halve(&mut self, part: Range<usize>) {
        let middle = part.start + part.len() / 2;
        // The second half first: the last part put back is the next part taken.
        self.put_back(middle..part.end);
        self.put_back(part.start..middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_but_the_refused_ones_is_written_once_and_in_order(
            rows in 0..600_usize, refused in proptest::collection::hash_set(0..600_usize, 0..5)
        ) {
            let (mut parts, mut written, mut tries) = (BatchParts::of(rows), Vec::new(), 0);
            while let Some(part) = parts.next() {
                tries += 1;
                if !part.clone().any(|row| refused.contains(&row)) {
                    written.extend(part);
                } else if part.len() > 1 {
                    parts.halve(part);
                }
            }

            let sound: Vec<usize> = (0..rows).filter(|row| !refused.contains(row)).collect();
            prop_assert_eq!(written, sound);
            prop_assert!(tries <= 1 + 2 * 10 * refused.len(), "{tries}");
        }
    }
}
