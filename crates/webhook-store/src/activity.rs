//! Tables `webhook_activity` and `webhook_hours`: what the recorder counts.
//!
//! Both are written in the statement that records attempts. Should its answer be lost it is
//! repeated, and then these attempts count twice: a chart may be off by a few after a crash.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;
use webhook_domain::{DeliveryId, DeliveryStatus, FailureClass, WebhookId};

use crate::StoreError;
use crate::error::name;
use crate::schema::{webhook_activity, webhook_hours};

/// The latest attempt for a webhook.
#[derive(Debug, Clone)]
pub struct LastAttempt {
    /// For which delivery.
    pub delivery_id: DeliveryId,
    /// What the delivery was after it.
    pub delivery_status: DeliveryStatus,
    /// When it began.
    pub attempted_at: DateTime<Utc>,
    /// The answer's status, if there was an answer.
    pub response_status: Option<i32>,
    /// Why it failed, if it did.
    pub failure_class: Option<FailureClass>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = webhook_activity, check_for_backend(diesel::pg::Pg))]
pub(crate) struct ActivityRow {
    delivery_id: Uuid,
    delivery_status: String,
    attempted_at: DateTime<Utc>,
    response_status: Option<i32>,
    failure_class: Option<String>,
}

impl ActivityRow {
    pub(crate) fn read(self) -> Result<LastAttempt, StoreError> {
        Ok(LastAttempt {
            delivery_id: DeliveryId(self.delivery_id),
            delivery_status: name(&self.delivery_status)?,
            attempted_at: self.attempted_at,
            response_status: self.response_status,
            failure_class: self.failure_class.as_deref().map(name).transpose()?,
        })
    }
}

/// What was done for a webhook in some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were made.
    pub attempts: i64,
    /// Those of them that failed.
    pub failed_attempts: i64,
    /// Deliveries that were accepted.
    pub succeeded: i64,
    /// Deliveries that were given up.
    pub failed: i64,
}

/// Counts for webhooks since the hour that `since` is in. Those without any are left out.
pub async fn count_since(
    connection: &mut AsyncPgConnection,
    webhook_ids: &[WebhookId],
    since: DateTime<Utc>,
) -> Result<HashMap<WebhookId, Counts>, StoreError> {
    use webhook_hours::dsl;
    type Sums = (Uuid, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let ids = webhook_ids.iter().map(|id| id.0);
    let rows: Vec<Sums> = dsl::webhook_hours
        .filter(dsl::webhook_id.eq_any(ids.collect::<Vec<_>>()))
        .filter(dsl::hour.ge(hour_of(since)))
        .group_by(dsl::webhook_id)
        .select((
            dsl::webhook_id,
            sum(dsl::attempts),
            sum(dsl::failed_attempts),
            sum(dsl::succeeded),
            sum(dsl::failed),
        ))
        .load(connection)
        .await?;
    let counted = rows
        .into_iter()
        .map(|(id, attempts, failed_attempts, succeeded, failed)| {
            let counts = Counts {
                attempts: attempts.unwrap_or_default(),
                failed_attempts: failed_attempts.unwrap_or_default(),
                succeeded: succeeded.unwrap_or_default(),
                failed: failed.unwrap_or_default(),
            };
            (WebhookId(id), counts)
        });
    Ok(counted.collect())
}

fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    let into_hour = time.timestamp().rem_euclid(3_600);
    time.trunc_subsecs(0) - TimeDelta::seconds(into_hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_begins_at_its_very_beginning() {
        let at = |millis| DateTime::from_timestamp_millis(millis).expect("a time");

        assert_eq!(hour_of(at(7_200_000)), at(7_200_000));
        assert_eq!(hour_of(at(10_799_999)), at(7_200_000));
    }
}
