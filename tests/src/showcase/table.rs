//! Rows as JSON, and ids of a time.

use chrono::{DateTime, Utc};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;
use uuid::{Builder, Uuid};

use crate::World;

/// Writes rows, all with the columns of the first row.
pub(super) async fn insert(world: &World, table: &str, rows: &[Value]) {
    let first = rows.first().and_then(Value::as_object);
    let columns: Vec<&str> = first.expect("rows").keys().map(String::as_str).collect();
    let columns = columns.join(", ");
    let rows = Value::from(rows);
    world
        .database
        .execute(&format!(
            "INSERT INTO {table} ({columns})
             SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, $rows${rows}$rows$)"
        ))
        .await;
}

/// An id of a time.
pub(super) fn id_at(at: DateTime<Utc>, rng: &mut StdRng) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).expect("a time after 1970");
    Builder::from_unix_timestamp_millis(millis, &rng.random()).into_uuid()
}

/// Bytes in the form of Postgres.
pub(super) fn bytes(bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\\x{hex}")
}
