//! Tables `attempts` and `exchanges`: every request that was made, and what was said in it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, FailureClass, LastAnswer};

use crate::StoreError;
use crate::error::{name, unreadable};
use crate::schema::{attempts, exchanges};

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
    pub failure_detail: Option<String>,
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
    pub request_headers: Vec<(String, Option<String>)>,
    /// The answer's headers of interest.
    pub response_headers: Vec<(String, String)>,
    /// The first 16 KiB of the answer's body.
    pub response_body: Vec<u8>,
    /// Whether there was more.
    pub response_body_truncated: bool,
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
    failure_class: Option<String>,
    failure_detail: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = exchanges, check_for_backend(diesel::pg::Pg))]
struct ExchangeRow {
    request_url: String,
    request_headers: String,
    response_headers: String,
    response_body: Vec<u8>,
    response_body_truncated: bool,
}

/// Lists a delivery's attempts in order, with what was said as long as it is kept.
pub async fn list(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<(Attempt, Option<Exchange>)>, StoreError> {
    use attempts::dsl as a;
    use exchanges::dsl as e;
    let said = e::exchanges.on(e::started_at
        .eq(a::started_at)
        .and(e::delivery_id.eq(a::delivery_id))
        .and(e::number.eq(a::number)));
    let rows: Vec<(AttemptRow, Option<ExchangeRow>)> = a::attempts
        .left_join(said)
        .filter(a::delivery_id.eq(id.0))
        .order((a::number, a::started_at))
        .select((AttemptRow::as_select(), Option::<ExchangeRow>::as_select()))
        .load(connection)
        .await?;
    let read = rows.into_iter().map(|(attempt, exchange)| {
        let exchange = exchange.map(ExchangeRow::read).transpose()?;
        Ok((attempt.read(id)?, exchange))
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
            failure_class: self.failure_class.as_deref().map(name).transpose()?,
            failure_detail: self.failure_detail,
        })
    }
}

impl ExchangeRow {
    fn read(self) -> Result<Exchange, StoreError> {
        Ok(Exchange {
            request_url: self.request_url,
            request_headers: serde_json::from_str(&self.request_headers).map_err(unreadable)?,
            response_headers: serde_json::from_str(&self.response_headers).map_err(unreadable)?,
            response_body: self.response_body,
            response_body_truncated: self.response_body_truncated,
        })
    }
}
