//! Rows for tests of the store: what an intake writes, what a recorder would.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{Environment, Event, EventType, FailureClass};
use webhook_store::attempts::{self, Attempt, AttemptResult, Exchange, NextState, Timing};
use webhook_store::intake::{self, IntakeRequest, TakenIn};
use webhook_store::webhooks::Webhook;
use webhook_store::{Connection, LeasedDelivery};

use crate::{WebhookSample, event};

/// Nobody is called here.
pub const URL: &str = "https://hooks.example.com/in";

/// A lease that ends `seconds` from now, to the microsecond as Postgres keeps it.
pub fn lease(seconds: i64) -> DateTime<Utc> {
    (Utc::now() + TimeDelta::seconds(seconds)).trunc_subsecs(6)
}

/// An Active webhook that wants every event of production.
pub async fn wanting_all(connection: &mut Connection) -> Webhook {
    WebhookSample::at(URL).store(connection).await
}

/// Takes events in, with room for all of them.
pub async fn take_in(
    connection: &mut Connection,
    events: &[Event],
    lease_until: DateTime<Utc>,
) -> TakenIn {
    let request = IntakeRequest {
        lanes: &[],
        default_free: 1_000,
        lease_until,
        delivery_id_seed: Uuid::now_v7(),
    };
    let taken_in = intake::take_in(connection, events, &request).await;
    taken_in.expect("it is taken in")
}

/// Takes `count` fresh events of production in.
pub async fn owe(
    connection: &mut Connection,
    count: usize,
    lease_until: DateTime<Utc>,
) -> Vec<LeasedDelivery> {
    let events: Vec<_> = (0..count)
        .map(|_| event(Environment::Production, EventType::LicenseActivated))
        .collect();
    take_in(connection, &events, lease_until).await.leased
}

/// What a recorder would write for an attempt.
pub fn result(delivery: &LeasedDelivery, number: i32, next: NextState) -> AttemptResult {
    let failed = next != NextState::Succeeded;
    AttemptResult {
        attempt: Attempt {
            delivery_id: delivery.id,
            number,
            started_at: Utc::now().trunc_subsecs(6),
            timing: Timing {
                duration_ms: 12,
                ..Timing::default()
            },
            response_status: Some(if failed { 500 } else { 200 }),
            failure_class: failed.then_some(FailureClass::Status),
            failure_detail: failed.then(|| "answered 500".into()),
        },
        exchange: Exchange {
            request_url: URL.to_owned(),
            response_headers: vec![("content-type".into(), "text/plain".into())],
            response_body: b"answer".to_vec(),
            ..Exchange::default()
        },
        next,
        webhook_id: delivery.webhook_id,
        lease_until: lease(60),
        status_event: None,
    }
}

/// Records attempts as a worker does.
pub async fn record(connection: &mut Connection, results: &[AttemptResult]) {
    let recorded = attempts::record(connection, Uuid::nil(), results).await;
    recorded.expect("it is recorded");
}
