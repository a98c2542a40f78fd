//! Log lines as text for people, or as JSON for machines.
//!
//! Strangers write parts of log lines: a publisher's field names, a receiver's certificate. Every text
//! is therefore escaped into a single line of bounded length ([`line`]), and a repeated warning or
//! error is written once a minute, with a count ([`repeats`]).

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{Key, Value, VisitSource};
use serde_json::{Map, Value as Json};

use line::one_line;
use repeats::{Repeats, Verdict, kind_of};

mod line;
mod repeats;

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, module, message, fields
    Text,
    /// For machines: a JSON object a line
    Json,
}

/// A field added to every line with a current value, for example the id of the request in progress.
#[derive(Clone, Copy)]
pub struct CurrentField {
    /// The name of the field.
    pub name: &'static str,
    /// The current value; `None` leaves the field out.
    pub value: fn() -> Option<String>,
}

/// Starts logging. `filter` has the syntax of `RUST_LOG`.
pub fn start(format: LogFormat, filter: &str, current: Option<CurrentField>) {
    let repeats = Mutex::new(Repeats::default());
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    builder.format(move |out, record| {
        let line = Line::of(record, current);
        // The lock is held for the verdict only: writing may block on a slow terminal or pipe.
        let verdict = {
            let mut repeats = repeats.lock().unwrap_or_else(PoisonError::into_inner);
            repeats.judge(
                record.level(),
                &line.kind(record.target()),
                line.allowance(),
                Instant::now(),
            )
        };
        match verdict {
            Verdict::Write => line.write(format, out, record, None),
            Verdict::WriteAfterHidden(hidden) => line.write(format, out, record, Some(hidden)),
            Verdict::Hide => Ok(()),
        }
    });
    builder.init();
}

/// The message and the fields of a log line, escaped.
struct Line {
    message: String,
    fields: Map<String, Json>,
}

impl Line {
    fn of(record: &Record<'_>, current: Option<CurrentField>) -> Self {
        let mut fields = Fields(Map::new());
        // Collecting into a map cannot fail.
        let _ = record.key_values().visit(&mut fields);
        if let Some((name, value)) = current.and_then(|c| Some((c.name, (c.value)()?))) {
            fields.0.insert(name.to_owned(), Json::String(value));
        }
        Self {
            message: one_line(&record.args().to_string()),
            fields: fields.0,
        }
    }

    /// The kind of the line, see [`kind_of`]. Lines about different webhooks are of different kinds.
    fn kind(&self, target: &str) -> String {
        let webhook = self.fields.get("webhook_id").and_then(Json::as_str);
        kind_of(target, &self.message, webhook.unwrap_or_default())
    }

    /// How many lines of the kind are written a minute: 20 for lines about a request or a delivery, whose
    /// failures leave no other trace, and 1 for all others.
    fn allowance(&self) -> usize {
        let fields = ["request_id", "delivery_id"];
        let of_one = fields.iter().any(|field| self.fields.contains_key(*field));
        if of_one { 20 } else { 1 }
    }

    fn write(
        self,
        format: LogFormat,
        out: &mut Formatter,
        record: &Record<'_>,
        hidden: Option<usize>,
    ) -> io::Result<()> {
        let (time, level) = (out.timestamp_millis(), record.level());
        let Self {
            mut message,
            mut fields,
        } = self;
        if let Some(hidden) = hidden {
            message.push_str(&format!(" ({hidden} similar lines were not written)"));
        }
        match format {
            LogFormat::Text => {
                write!(out, "[{time} {level:<5} {}] {message}", record.target())?;
                for (name, value) in fields {
                    match value.as_str() {
                        Some(text) => write!(out, " {name}={text}")?,
                        None => write!(out, " {name}={value}")?,
                    }
                }
                writeln!(out)
            }
            LogFormat::Json => {
                let own: [(&str, &dyn Display); 4] = [
                    ("time", &time),
                    ("level", &level),
                    ("target", &record.target()),
                    ("message", &message),
                ];
                fields.extend(own.map(|(name, value)| (name.to_owned(), value.to_string().into())));
                writeln!(out, "{}", Json::Object(fields))
            }
        }
    }
}

struct Fields(Map<String, Json>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        // An id that there is not, such as the trace of an event without a trace, is left out.
        let value = match value.to_i64() {
            Some(number) => Json::from(number),
            None => Json::String(one_line(&value.to_string())),
        };
        if value != "" {
            self.0.insert(key.as_str().to_owned(), value);
        }
        Ok(())
    }
}
