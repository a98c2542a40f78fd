//! Log lines for people, or JSON lines for machines.

use std::io::Write;

use log::kv::{Key, Value, VisitSource};
use serde_json::{Map, Value as Json};
use webhook_api::LogFormat;

/// Starts logging. `filter` is what `RUST_LOG` holds.
pub(crate) fn start(format: LogFormat, filter: &str) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    match format {
        LogFormat::Text => {}
        LogFormat::Json => {
            builder.format(|out, record| writeln!(out, "{}", json(out.timestamp_millis(), record)));
        }
    }
    builder.init();
}

fn json(time: impl std::fmt::Display, record: &log::Record<'_>) -> Json {
    let mut fields = Fields(Map::new());
    // Collecting into a map cannot fail.
    let _ = record.key_values().visit(&mut fields);
    let own = [
        ("time", time.to_string()),
        ("level", record.level().to_string()),
        ("target", record.target().to_owned()),
        ("message", record.args().to_string()),
    ];
    fields
        .0
        .extend(own.map(|(name, text)| (name.to_owned(), Json::String(text))));
    Json::Object(fields.0)
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
