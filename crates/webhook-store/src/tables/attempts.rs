//! Table `attempts`: every HTTP request made for a delivery.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, FailureClass, FailureDetail, LastResponse};

use crate::StoreError;
use crate::column_types::bind;
use crate::schema::attempts;
use crate::tables::transcripts::{self, Transcript};

/// One HTTP request made for a delivery.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The number of the attempt, from 1.
    pub number: i32,
    /// The start of the attempt.
    pub started_at: DateTime<Utc>,
    /// The durations of the attempt and its phases.
    pub timing: Timing,
    /// The HTTP status of the response; `None`: no response came.
    pub response_status: Option<i32>,
    /// The kind of failure; `None`: the attempt succeeded.
    pub failure_class: Option<FailureClass>,
    /// The failure in words.
    pub failure_detail: Option<FailureDetail>,
}

/// The durations of an attempt and its phases, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = attempts, check_for_backend(Pg))]
pub struct Timing {
    /// The whole attempt.
    pub duration_ms: i32,
    /// The name look-up; `None`: a connection was there.
    pub dns_ms: Option<i32>,
    /// Connecting, TLS included; `None`: a connection was there.
    pub connect_ms: Option<i32>,
    /// From the start to the head of the response; `None`: no response came.
    pub first_byte_ms: Option<i32>,
}

impl Attempt {
    /// The HTTP status of the response; `None`: no response came.
    pub fn status(&self) -> Option<u16> {
        self.response_status
            .and_then(|status| status.try_into().ok())
    }

    /// The result of the attempt, as kept with the delivery.
    pub fn last_response(&self) -> LastResponse {
        LastResponse::of(self.status(), self.failure_class)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts, check_for_backend(Pg))]
struct Row {
    delivery_id: DeliveryId,
    number: i32,
    started_at: DateTime<Utc>,
    #[diesel(embed)]
    timing: Timing,
    response_status: Option<i32>,
    failure_class: Option<FailureClass>,
    failure_detail: Option<String>,
}

impl From<Row> for Attempt {
    fn from(row: Row) -> Self {
        Self {
            delivery_id: row.delivery_id,
            number: row.number,
            started_at: row.started_at,
            timing: row.timing,
            response_status: row.response_status,
            failure_class: row.failure_class,
            failure_detail: row.failure_detail.as_deref().map(FailureDetail::new),
        }
    }
}

/// The transcript of an attempt, as far as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredTranscript {
    /// The whole transcript.
    Kept(Transcript),
    /// The transcript was removed as old.
    Removed,
    /// The transcript was written by a later version and is unreadable.
    Unreadable,
}

/// Lists a delivery's attempts in order, with their transcripts.
pub async fn list(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<(Attempt, StoredTranscript)>, StoreError> {
    use attempts::dsl as a;
    // Each line of a row is a transcript, cut out as text. Postgres would refuse to read a row as JSON
    // after a receiver sent a zero byte. Rows of older versions are a single line.
    let said = sql::<Nullable<Text>>(
        "(SELECT CASE strpos(said, E'\n') WHEN 0 THEN said
                      ELSE split_part(said, E'\n', exchange_place + 1) END
          FROM exchanges WHERE exchanges.id = exchange_id)",
    );
    let place = sql::<SmallInt>("coalesce(exchange_place, 0::smallint)");
    let rows: Vec<(Row, i16, Option<String>)> = a::attempts
        .filter(a::delivery_id.eq(bind(id)))
        .order((a::number, a::started_at))
        .select((Row::as_select(), place, said))
        .load(connection)
        .await?;
    let attempts = rows.into_iter().map(|(row, place, said)| {
        let said = match said {
            None => StoredTranscript::Removed,
            Some(said) => transcripts::read(&said, place)
                .map_or(StoredTranscript::Unreadable, StoredTranscript::Kept),
        };
        (Attempt::from(row), said)
    });
    Ok(attempts.collect())
}
