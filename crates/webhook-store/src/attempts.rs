//! Tables `attempts` and `exchanges`: every request that was made, and what was said in it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, SmallInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{BodyEnd, DeliveryId, FailureClass, FailureDetail, HeaderText, LastAnswer};

use crate::StoreError;
use crate::column_types::bind;
use crate::schema::attempts;

pub mod exchange;
mod record;

pub use record::{AttemptResult, NextState, record};

/// One HTTP request made for a delivery.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// For which delivery.
    pub delivery_id: DeliveryId,
    /// Its number, from 1.
    pub number: i32,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took.
    pub timing: Timing,
    /// The answer's status, if there was an answer.
    pub response_status: Option<i32>,
    /// Why it failed, if it did.
    pub failure_class: Option<FailureClass>,
    /// The failure in words.
    pub failure_detail: Option<FailureDetail>,
}

/// How long an attempt and its parts took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// All of it.
    pub duration_ms: i32,
    /// To look the name up, if it was.
    pub dns_ms: Option<i32>,
    /// To connect, TLS included, if no connection was there.
    pub connect_ms: Option<i32>,
    /// From the start to the answer's head, if it came.
    pub first_byte_ms: Option<i32>,
}

/// What was said on the wire in an attempt. The request's body is the event's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Where the request went.
    pub request_url: String,
    /// Its headers; no value: it is secret.
    pub request_headers: Vec<(Cow<'static, str>, Option<String>)>,
    /// The answer's headers, in lower case, up to 64 of them.
    pub response_headers: Vec<(Cow<'static, str>, HeaderText)>,
    /// The first 16 KiB of the answer's body.
    pub response_body: Vec<u8>,
    /// How the answer's body ended.
    pub response_body_end: BodyEnd,
    /// Why the request was sent a second time within the attempt, on a fresh connection: a sentence.
    /// `None`: the request was sent once.
    pub repeated: Option<FailureDetail>,
}

impl Attempt {
    /// The answer's status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.response_status
            .and_then(|status| status.try_into().ok())
    }

    /// What it got.
    pub fn answer(&self) -> LastAnswer {
        LastAnswer::of(self.status(), self.failure_class)
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts, check_for_backend(diesel::pg::Pg))]
struct AttemptRow {
    number: i32,
    started_at: DateTime<Utc>,
    duration_ms: i32,
    dns_ms: Option<i32>,
    connect_ms: Option<i32>,
    first_byte_ms: Option<i32>,
    response_status: Option<i32>,
    failure_class: Option<FailureClass>,
    failure_detail: Option<String>,
}

/// What is known of the exchange of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// All of it.
    Kept(Exchange),
    /// It is older than what is kept.
    Gone,
    /// Its row is there, and this version cannot make sense of it.
    Unreadable,
}

/// Lists a delivery's attempts in order, with what was said as long as it is kept.
pub async fn list(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<(Attempt, Said)>, StoreError> {
    use attempts::dsl as a;
    // A row holds one exchange a line, so one is cut out without reading the others as JSON, which
    // Postgres refuses where a receiver sent a zero byte. Older rows are one line and come whole.
    let said = sql::<Nullable<Text>>(
        "(SELECT CASE strpos(said, E'\n') WHEN 0 THEN said
                      ELSE split_part(said, E'\n', exchange_place + 1) END
          FROM exchanges WHERE exchanges.id = exchange_id)",
    );
    let place = sql::<SmallInt>("coalesce(exchange_place, 0::smallint)");
    let rows: Vec<(AttemptRow, i16, Option<String>)> = a::attempts
        .filter(a::delivery_id.eq(bind(id)))
        .order((a::number, a::started_at))
        .select((AttemptRow::as_select(), place, said))
        .load(connection)
        .await?;
    let read = rows.into_iter().map(|(attempt, place, said)| {
        let said = match said {
            None => Said::Gone,
            Some(said) => exchange::read(&said, place).map_or(Said::Unreadable, Said::Kept),
        };
        Ok((attempt.read(id)?, said))
    });
    read.collect()
}

impl AttemptRow {
    fn read(self, delivery_id: DeliveryId) -> Result<Attempt, StoreError> {
        Ok(Attempt {
            delivery_id,
            number: self.number,
            started_at: self.started_at,
            timing: Timing {
                duration_ms: self.duration_ms,
                dns_ms: self.dns_ms,
                connect_ms: self.connect_ms,
                first_byte_ms: self.first_byte_ms,
            },
            response_status: self.response_status,
            failure_class: self.failure_class,
            failure_detail: self.failure_detail.as_deref().map(FailureDetail::new),
        })
    }
}
