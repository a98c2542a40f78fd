//! Log lines for people, or JSON lines for machines. Those of a request carry its id.

use std::fmt::Display;
use std::io::{self, Write};

use env_logger::fmt::Formatter;
use log::kv::{Key, Value, VisitSource};
use serde_json::{Map, Value as Json};
use webhook_api::{LogFormat, request_id};

/// Starts logging. `filter` is what `RUST_LOG` holds.
pub(crate) fn start(format: LogFormat, filter: &str) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    builder.format(match format {
        LogFormat::Text => write_text,
        LogFormat::Json => write_json,
    });
    builder.init();
}

fn write_text(out: &mut Formatter, record: &log::Record<'_>) -> io::Result<()> {
    let (time, level) = (out.timestamp_millis(), record.level());
    let (target, message) = (record.target(), record.args());
    write!(out, "[{time} {level:<5} {target}] {message}")?;
    for (name, value) in fields(record) {
        match value.as_str() {
            Some(text) => write!(out, " {name}={text}")?,
            None => write!(out, " {name}={value}")?,
        }
    }
    writeln!(out)
}

fn write_json(out: &mut Formatter, record: &log::Record<'_>) -> io::Result<()> {
    let line = json(out.timestamp_millis(), record);
    writeln!(out, "{line}")
}

fn json(time: impl Display, record: &log::Record<'_>) -> Json {
    let mut line = fields(record);
    let own = [
        ("time", time.to_string()),
        ("level", record.level().to_string()),
        ("target", record.target().to_owned()),
        ("message", record.args().to_string()),
    ];
    line.extend(own.map(|(name, text)| (name.to_owned(), Json::String(text))));
    Json::Object(line)
}

fn fields(record: &log::Record<'_>) -> Map<String, Json> {
    let mut fields = Fields(Map::new());
    // Collecting into a map cannot fail.
    let _ = record.key_values().visit(&mut fields);
    if let Some(id) = request_id::current() {
        fields.0.insert("request_id".to_owned(), Json::String(id));
    }
    fields.0
}

struct Fields(Map<String, Json>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let value = value
            .to_i64()
            .map_or_else(|| Json::String(value.to_string()), Json::from);
        self.0.insert(key.as_str().to_owned(), value);
        Ok(())
    }
}
