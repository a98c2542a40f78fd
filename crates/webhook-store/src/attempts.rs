//! Tables `attempts` and `exchanges`: every request that was made, and what was said in it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use webhook_domain::{DeliveryId, FailureClass, LastAnswer};

use crate::StoreError;
use crate::error::name;
use crate::schema::attempts;

mod exchange;
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
    pub request_headers: Vec<(Cow<'static, str>, Option<String>)>,
    /// The answer's headers of interest.
    pub response_headers: Vec<(Cow<'static, str>, String)>,
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

/// Lists a delivery's attempts in order, with what was said as long as it is kept.
pub async fn list(
    connection: &mut AsyncPgConnection,
    id: DeliveryId,
) -> Result<Vec<(Attempt, Option<Exchange>)>, StoreError> {
    use attempts::dsl as a;
    // One exchange is cut out of its row there, so that the others are not sent.
    let said = sql::<Nullable<Text>>(
        "(SELECT (said::json -> exchange_place::integer)::text
          FROM exchanges WHERE exchanges.id = exchange_id)",
    );
    let rows: Vec<(AttemptRow, Option<String>)> = a::attempts
        .filter(a::delivery_id.eq(id.0))
        .order((a::number, a::started_at))
        .select((AttemptRow::as_select(), said))
        .load(connection)
        .await?;
    let read = rows.into_iter().map(|(attempt, said)| {
        let said = said.as_deref().map(exchange::read).transpose()?;
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
            failure_class: self.failure_class.as_deref().map(name).transpose()?,
            failure_detail: self.failure_detail,
        })
    }
}
