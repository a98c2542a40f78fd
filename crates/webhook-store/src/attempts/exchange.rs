//! What was said in attempts, as it is kept: those that are recorded together in one row.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Exchange;
use crate::StoreError;
use crate::error::unreadable;

/// A row is about as large as this at most, in bytes: all of it is read for one attempt.
const ROW_BYTES: usize = 128 * 1024;

/// Rows of the table `exchanges`.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) ids: Vec<Uuid>,
    pub(super) said: Vec<String>,
    /// Of each exchange: in which row it is, and where.
    pub(super) places: Vec<(Uuid, i16)>,
}

/// An exchange in its row.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    url: Cow<'a, str>,
    sent: Cow<'a, [(Cow<'static, str>, Option<String>)]>,
    got: Cow<'a, [(Cow<'static, str>, String)]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    truncated: bool,
}

impl Rows {
    /// Puts exchanges into as few rows as hold them.
    pub(super) fn of<'a>(exchanges: impl Iterator<Item = &'a Exchange>) -> Self {
        let (mut rows, mut open) = (Self::default(), Vec::new());
        let (mut id, mut place) = (Uuid::now_v7(), 0);
        for exchange in exchanges {
            open.push(if place == 0 { b'[' } else { b',' });
            write(exchange, &mut open);
            rows.places.push((id, place));
            place += 1;
            if open.len() > ROW_BYTES {
                rows.close(id, &mut open);
                (id, place) = (Uuid::now_v7(), 0);
            }
        }
        if place > 0 {
            rows.close(id, &mut open);
        }
        rows
    }

    fn close(&mut self, id: Uuid, open: &mut Vec<u8>) {
        open.push(b']');
        let said = String::from_utf8(std::mem::take(open)).expect("JSON is UTF-8");
        self.ids.push(id);
        self.said.push(said);
    }
}

fn write(exchange: &Exchange, into: &mut Vec<u8>) {
    let (body, body_base64) = match std::str::from_utf8(&exchange.response_body) {
        Ok(body) => (Some(Cow::Borrowed(body)), None),
        Err(_) => (None, Some(BASE64_STANDARD.encode(&exchange.response_body))),
    };
    let kept = Kept {
        url: Cow::Borrowed(&exchange.request_url),
        sent: Cow::Borrowed(&exchange.request_headers),
        got: Cow::Borrowed(&exchange.response_headers),
        body,
        body_base64,
        truncated: exchange.response_body_truncated,
    };
    serde_json::to_writer(into, &kept).expect("texts are JSON");
}

/// Reads one exchange out of its row.
pub(super) fn read(json: &str) -> Result<Exchange, StoreError> {
    let kept: Kept<'_> = serde_json::from_str(json).map_err(unreadable)?;
    let response_body = match (kept.body, kept.body_base64) {
        (Some(body), _) => body.into_owned().into_bytes(),
        (None, Some(body)) => BASE64_STANDARD.decode(body).map_err(unreadable)?,
        (None, None) => Vec::new(),
    };
    Ok(Exchange {
        request_url: kept.url.into_owned(),
        request_headers: kept.sent.into_owned(),
        response_headers: kept.got.into_owned(),
        response_body,
        response_body_truncated: kept.truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(body: &[u8]) -> Exchange {
        Exchange {
            request_url: "https://hooks.example.com/in".into(),
            request_headers: vec![
                ("a".into(), Some("b\0\u{1f680}".into())),
                ("c".into(), None),
            ],
            response_headers: vec![("date".into(), "today".into())],
            response_body: body.to_vec(),
            response_body_truncated: true,
        }
    }

    fn parts(said: &str) -> Vec<Exchange> {
        let parts: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(said).expect("an array");
        parts
            .iter()
            .map(|part| read(part.get()).expect("it reads"))
            .collect()
    }

    #[test]
    fn what_is_written_is_read_again_whatever_bytes_it_has() {
        let said = [&b"ok"[..], b"\xff\x00", b"", "\0\u{e4}\"".as_bytes()].map(exchange);

        let rows = Rows::of(said.iter());

        assert_eq!(rows.said.len(), 1);
        assert_eq!(parts(&rows.said[0]), said);
    }

    #[test]
    fn a_row_that_is_full_is_followed_by_another() {
        let said = vec![exchange(&[b'x'; 16 * 1024]); 20];

        let rows = Rows::of(said.iter());

        let counts: Vec<usize> = rows.said.iter().map(|row| parts(row).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 20);
        assert!(counts.len() > 1 && rows.said.iter().all(|row| row.len() < 2 * ROW_BYTES));
        let last = (rows.ids[1], i16::try_from(counts[1] - 1).expect("few"));
        assert_eq!(rows.places[counts[0] + counts[1] - 1], last);
    }
}
