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
    sent: Cow<'a, [(String, Option<String>)]>,
    got: Cow<'a, [(String, String)]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    truncated: bool,
}

impl Rows {
    /// Puts exchanges into as few rows as hold them.
    pub(super) fn of<'a>(exchanges: impl Iterator<Item = &'a Exchange>) -> Self {
        let (mut rows, mut place) = (Self::default(), 0);
        for exchange in exchanges {
            if rows.said.last().is_none_or(|said| said.len() > ROW_BYTES) {
                rows.ids.push(Uuid::now_v7());
                rows.said.push(String::with_capacity(ROW_BYTES));
                place = 0;
            }
            let (Some(id), Some(said)) = (rows.ids.last(), rows.said.last_mut()) else {
                continue;
            };
            said.push(if place == 0 { '[' } else { ',' });
            said.push_str(&write(exchange));
            rows.places.push((*id, place));
            place += 1;
        }
        rows.said.iter_mut().for_each(|said| said.push(']'));
        rows
    }
}

fn write(exchange: &Exchange) -> String {
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
    serde_json::to_string(&kept).expect("texts are JSON")
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
