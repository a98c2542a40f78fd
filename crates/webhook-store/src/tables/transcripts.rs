//! Table `exchanges`: transcripts of attempts. Attempts recorded together share a row.
//!
//! A row is a JSON array with a line for each transcript, for Postgres to cut out as text. JSON escapes
//! line breaks, so a line break always ends a transcript.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;
use webhook_domain::{BodyEnd, FailureDetail, HeaderText, TemplateVersion};

/// The request and the response of an attempt on the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The URL of the request.
    pub request_url: String,
    /// The headers of the request; `None` stands for a secret value.
    pub request_headers: Vec<(Cow<'static, str>, Option<String>)>,
    /// The body of the request; `None`: the body was the event's own.
    pub request_body: Option<String>,
    /// The version of the template that wrote the body; `None`: no template did.
    pub template_version: Option<TemplateVersion>,
    /// The headers of the response, in lower case, up to 64 of them.
    pub response_headers: Vec<(Cow<'static, str>, HeaderText)>,
    /// The first 16 KiB of the response's body.
    pub response_body: Vec<u8>,
    /// How the response's body ended.
    pub response_body_end: BodyEnd,
    /// Why the request was sent a second time within the attempt, on a fresh connection: a sentence.
    /// `None`: the request was sent once.
    pub repeated: Option<FailureDetail>,
}

/// About the largest size of a row, in bytes: Postgres reads a whole row for one transcript.
const MAX_ROW_BYTES: usize = 128 * 1024;

/// Rows of the table `exchanges`.
#[derive(Debug, Default)]
pub struct Rows {
    /// The ids of the rows, UUIDs v7.
    pub ids: Vec<Uuid>,
    /// The JSON of the rows.
    pub said: Vec<String>,
    /// The row and the place of each transcript.
    pub places: Vec<(Uuid, i16)>,
}

/// A transcript in its row.
#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    url: Cow<'a, str>,
    sent: Cow<'a, [(Cow<'static, str>, Option<String>)]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent_body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    template: Option<TemplateVersion>,
    got: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    /// Whether the body is not complete. Versions before `end` read and write only this field.
    truncated: bool,
    /// How the body ended, where `truncated` alone would be read as another end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeated: Option<Cow<'a, FailureDetail>>,
}

impl Rows {
    /// Puts transcripts into as few rows as possible.
    pub fn of<'a>(transcripts: impl Iterator<Item = &'a Transcript>) -> Self {
        let (mut rows, mut open) = (Self::default(), Vec::new());
        let (mut id, mut place) = (Uuid::now_v7(), 0);
        for transcript in transcripts {
            open.extend_from_slice(if place == 0 { b"[" } else { b",\n" });
            write(transcript, &mut open);
            rows.places.push((id, place));
            place += 1;
            // Closed behind the transcript that crosses the limit.
            if open.len() > MAX_ROW_BYTES {
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

fn write(transcript: &Transcript, into: &mut Vec<u8>) {
    let (body, body_base64) = match std::str::from_utf8(&transcript.response_body) {
        // JSON can hold a zero byte, but Postgres refuses to read a part of such JSON.
        Ok(body) if !body.contains('\0') => (Some(Cow::Borrowed(body)), None),
        Ok(_) | Err(_) => (
            None,
            Some(BASE64_STANDARD.encode(&transcript.response_body)),
        ),
    };
    let got = transcript.response_headers.iter();
    let kept = Kept {
        url: Cow::Borrowed(&transcript.request_url),
        sent: Cow::Borrowed(&transcript.request_headers),
        sent_body: transcript.request_body.as_deref().map(Cow::Borrowed),
        template: transcript.template_version,
        got: got
            .map(|(name, value)| (Cow::Borrowed(name.as_ref()), Cow::Borrowed(value.as_str())))
            .collect(),
        body,
        body_base64,
        truncated: transcript.response_body_end != BodyEnd::Complete,
        end: end_to_tell(transcript.response_body_end).map(Cow::Borrowed),
        repeated: transcript.repeated.as_ref().map(Cow::Borrowed),
    };
    serde_json::to_writer(into, &kept).expect("texts are JSON");
}

/// The name of an end, unless `truncated` alone tells the end.
fn end_to_tell(end: BodyEnd) -> Option<&'static str> {
    match end {
        BodyEnd::Complete | BodyEnd::Cut => None,
        BodyEnd::BrokenOff | BodyEnd::Unfinished => Some(end.as_str()),
    }
}

/// The end of a body, by the fields of a line. An unknown name, of a later version, is ignored.
fn read_end(truncated: bool, end: Option<&str>) -> BodyEnd {
    let told = end.and_then(|name| name.parse().ok());
    told.unwrap_or(if truncated {
        BodyEnd::Cut
    } else {
        BodyEnd::Complete
    })
}

/// Reads a transcript: `said` is its line of a row, or a whole row of one line with the transcript at
/// `place`. `None`: unreadable to this version.
pub fn read(said: &str, place: i16) -> Option<Transcript> {
    let said = said.trim();
    // Versions before this layout wrote a whole row without a line break.
    let is_row = said.starts_with('[') && said.ends_with(']');
    if is_row {
        let row: Vec<&RawValue> = serde_json::from_str(said).ok()?;
        return read_one(row.get(usize::try_from(place).ok()?)?.get());
    }
    read_one(said.trim_start_matches('[').trim_end_matches([',', ']']))
}

fn read_one(json: &str) -> Option<Transcript> {
    let kept: Kept<'_> = serde_json::from_str(json).ok()?;
    let response_body = match (kept.body, kept.body_base64) {
        (Some(body), _) => body.into_owned().into_bytes(),
        (None, Some(body)) => BASE64_STANDARD.decode(body).ok()?,
        (None, None) => Vec::new(),
    };
    let got = kept.got.into_iter();
    let got = got.map(|(name, value)| (Cow::Owned(name.into_owned()), HeaderText::new(&value)));
    Some(Transcript {
        request_url: kept.url.into_owned(),
        request_headers: kept.sent.into_owned(),
        request_body: kept.sent_body.map(Cow::into_owned),
        template_version: kept.template,
        response_headers: got.collect(),
        response_body,
        response_body_end: read_end(kept.truncated, kept.end.as_deref()),
        repeated: kept.repeated.map(Cow::into_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(body: &[u8]) -> Transcript {
        Transcript {
            request_url: "https://hooks.example.com/in".into(),
            request_headers: vec![
                ("a".into(), Some("b\0\u{1f680}".into())),
                ("c".into(), None),
            ],
            request_body: Some("{\"text\":\"a\\u0000\n],\"}".into()),
            template_version: Some(TemplateVersion(7)),
            response_headers: vec![("date".into(), "to\nday".into())],
            response_body: body.to_vec(),
            response_body_end: BodyEnd::Cut,
            repeated: None,
        }
    }

    /// As Postgres cuts a row up, see [`list`](crate::tables::attempts::list).
    fn parts(said: &str) -> Vec<Transcript> {
        let lines = said.split('\n').zip(0..);
        lines
            .map(|(line, place)| read(line, place).expect("it reads"))
            .collect()
    }

    #[test]
    fn what_is_written_is_read_again_whatever_bytes_it_has() {
        let said = [
            &b"ok"[..],
            b"\xff\x00",
            b"",
            "\0\u{e4}\"".as_bytes(),
            b"a\n],\n",
        ]
        .map(exchange);

        let rows = Rows::of(said.iter());

        assert_eq!(rows.said.len(), 1);
        assert_eq!(parts(&rows.said[0]), said);
        assert!(
            !rows.said[0].contains("u0000\""),
            "Postgres reads parts of it"
        );
    }

    #[test]
    fn a_row_of_an_earlier_version_is_read_and_a_broken_one_is_none() {
        let earlier = r#"[{"url":"a","sent":[],"got":[],"body":"x\u0000y","truncated":false},{"url":"b","sent":[],"got":[["date","today"]],"truncated":true}]"#;

        assert_eq!(read(earlier, 0).expect("it reads").response_body, b"x\0y");
        assert_eq!(read(earlier, 1).expect("it reads").request_url, "b");
        // As Postgres's own json_agg wrote them in a migration.
        let line =
            r#" {"url" : "c", "sent" : [], "got" : [], "body_base64" : "", "truncated" : false}, "#;
        assert_eq!(read(line, 1).expect("it reads").request_url, "c");
        for (broken, place) in [
            (earlier, 2),
            (earlier, -1),
            ("", 0),
            ("[", 0),
            ("[]", 0),
            ("[{},", 0),
            (
                r#"{"url":"a","sent":[],"got":[],"body_base64":"?","truncated":false}"#,
                0,
            ),
        ] {
            assert_eq!(read(broken, place), None, "{broken}");
        }
    }

    #[test]
    fn each_end_of_a_body_and_a_repeat_are_read_again_and_the_version_before_reads_the_line() {
        /// What the version before this one asks a line for.
        #[derive(Deserialize)]
        struct Before {
            truncated: bool,
        }

        for end in BodyEnd::ALL {
            let said = Transcript {
                response_body_end: *end,
                repeated: Some("the receiver closed\n\0 the kept connection".into()),
                ..exchange(b"ok")
            };

            let rows = Rows::of([&said].into_iter());

            assert_eq!(parts(&rows.said[0]), [said]);
            let before: Vec<Before> = serde_json::from_str(&rows.said[0]).expect("it reads");
            assert_eq!(before[0].truncated, *end != BodyEnd::Complete);
        }
    }

    #[test]
    fn a_line_without_a_known_end_says_whether_the_body_is_complete() {
        let end = |rest: &str| {
            let line = format!(r#"{{"url":"a","sent":[],"got":[],{rest}}}"#);
            let exchange = read(&line, 0).expect("it reads");
            assert_eq!(exchange.repeated, None);
            exchange.response_body_end
        };

        assert_eq!(end(r#""truncated":false"#), BodyEnd::Complete);
        assert_eq!(end(r#""truncated":true"#), BodyEnd::Cut);
        assert_eq!(
            end(r#""truncated":true,"end":"of_a_later_version""#),
            BodyEnd::Cut
        );
    }

    #[test]
    fn a_row_that_is_full_is_followed_by_another() {
        let said = vec![exchange(&[b'x'; 16 * 1024]); 20];

        let rows = Rows::of(said.iter());

        let counts: Vec<usize> = rows.said.iter().map(|row| parts(row).len()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 20);
        assert!(counts.len() > 1 && rows.said.iter().all(|row| row.len() < 2 * MAX_ROW_BYTES));
        let last = (rows.ids[1], i16::try_from(counts[1] - 1).expect("few"));
        assert_eq!(rows.places[counts[0] + counts[1] - 1], last);
    }
}
