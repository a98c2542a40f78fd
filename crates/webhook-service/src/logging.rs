//! Log lines for people, or JSON lines for machines.
//!
//! Strangers write parts of log lines: a publisher's field names, a receiver's certificate. So a
//! line is one line, whatever it quotes, and of bounded length; and trouble that goes on is told
//! once, then by the minute with a count ([`repeats`]).

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use env_logger::fmt::Formatter;
use log::Record;
use log::kv::{Key, Value, VisitSource};
use serde_json::{Map, Value as Json};

use line::one_line;
use repeats::{Repeats, Telling, kind_of};

mod line;
mod repeats;

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people: time, level, module, message, fields
    Text,
    /// For machines: one JSON object a line
    Json,
}

/// A field that every line gets, where there is a value for it at that moment, such as the id of
/// the request that is being worked on.
#[derive(Clone, Copy)]
pub struct CurrentField {
    /// The field's name.
    pub name: &'static str,
    /// Its value now.
    pub value: fn() -> Option<String>,
}

/// Starts logging. `filter` is what `RUST_LOG` holds.
pub fn start(format: LogFormat, filter: &str, current: Option<CurrentField>) {
    let repeats = Mutex::new(Repeats::default());
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    builder.format(move |out, record| {
        let line = Line::of(record, current);
        let telling = {
            let mut repeats = repeats.lock().unwrap_or_else(PoisonError::into_inner);
            repeats.tell(
                record.level(),
                &line.kind(record.target()),
                line.allowance(),
                Instant::now(),
            )
        };
        match telling {
            Telling::Line => line.write(format, out, record, None),
            Telling::LineAfter(hidden) => line.write(format, out, record, Some(hidden)),
            Telling::Hidden => Ok(()),
        }
    });
    builder.init();
}

/// What a log line says, one line whatever it quotes.
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

    /// What tells lines of one kind from others: the text without numbers and ids, and the webhook that
    /// it is about.
    fn kind(&self, target: &str) -> String {
        let webhook = self.fields.get("webhook_id").and_then(Json::as_str);
        kind_of(target, &self.message, webhook.unwrap_or_default())
    }

    /// How many lines of a kind are written by the minute: those of a request or a delivery are the only
    /// trace of what went wrong with that one.
    fn allowance(&self) -> usize {
        let of_one = ["request_id", "delivery_id"];
        let of_one = of_one.iter().any(|field| self.fields.contains_key(*field));
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
            message.push_str(&format!(" ({hidden} more like it were not written)"));
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
        let text = || Json::String(one_line(&value.to_string()));
        let value = value.to_i64().map_or_else(text, Json::from);
        self.0.insert(key.as_str().to_owned(), value);
        Ok(())
    }
}
