//! Lines of a file or a pipe, each of bounded length.

use std::io::{self, BufRead, BufReader, Read};

use webhook_domain::MAX_EVENT_BYTES;

/// Bytes kept of a line: an event and white space at its end. A longer line is no event.
const MAX_LINE_BYTES: usize = MAX_EVENT_BYTES + 2;

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The number of the line, from 1.
    pub(super) number: u64,
    /// The line without white space around.
    pub(super) bytes: Vec<u8>,
    /// How many bytes were left out because the line is too long for an event.
    pub(super) cut: usize,
}

/// The lines of a source.
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
    bytes_read: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn of(source: R) -> Self {
        Self {
            reader: BufReader::new(source),
            number: 0,
            bytes_read: 0,
        }
    }

    /// Bytes read so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Up to `limit` lines; none at the end. A pipe that pauses ends the batch: the events at hand are
    /// published meanwhile.
    pub(super) fn next_batch(&mut self, limit: usize) -> io::Result<Vec<Line>> {
        let mut batch = Vec::new();
        while batch.len() < limit && (batch.is_empty() || !self.reader.buffer().is_empty()) {
            let Some(line) = self.next_line()? else {
                break;
            };
            batch.extend(Some(line).filter(|line| !line.bytes.is_empty()));
        }
        Ok(batch)
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
        let read = (&mut self.reader)
            .take(limit)
            .read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        let cut = if bytes.ends_with(b"\n") {
            0
        } else {
            self.skip_line()?
        };
        self.bytes_read += u64::try_from(read + cut).unwrap_or(u64::MAX);
        Ok(Some(Line {
            number: self.number,
            bytes: bytes.trim_ascii().to_vec(),
            cut,
        }))
    }

    /// Skips the rest of a line that is too long, and returns the number of bytes.
    fn skip_line(&mut self) -> io::Result<usize> {
        let mut skipped = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let step = end.map_or(buffer.len(), |end| end + 1);
            self.reader.consume(step);
            skipped += step;
            if end.is_some() || step == 0 {
                return Ok(skipped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(batch: &[Line]) -> Vec<(u64, usize)> {
        batch
            .iter()
            .map(|line| (line.number, line.bytes.len()))
            .collect()
    }

    #[test]
    fn blank_lines_count_and_are_passed_over() {
        let mut lines = Lines::of(&b"\n a \r\n\n\nbb"[..]);

        let batch = lines.next_batch(10).expect("a batch");

        assert_eq!(numbers(&batch), [(2, 1), (5, 2)]);
        assert_eq!(lines.bytes_read(), 10);
        assert!(lines.next_batch(10).expect("the end").is_empty());
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_line_is_whole() {
        let long = "x".repeat(2 * MAX_LINE_BYTES) + "\nnext\n";
        let mut lines = Lines::of(long.as_bytes());

        let first = lines.next_batch(1).expect("a batch");
        let second = lines.next_batch(1).expect("a batch");

        assert_eq!(numbers(&first), [(1, MAX_LINE_BYTES)]);
        assert_eq!(first[0].cut, MAX_LINE_BYTES + 1);
        assert_eq!(second[0].bytes, b"next");
    }
}
