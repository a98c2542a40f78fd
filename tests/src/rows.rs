//! Rows for tests of the store: deliveries as from the intake, results as for the recorder.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;
use webhook_domain::{Environment, Event, EventType, FailureClass};
use webhook_store::attempts::{self, Attempt, AttemptResult, NextState, Timing, Transcript};
use webhook_store::intake::{self, IntakeRequest, TakenIn};
use webhook_store::webhooks::Webhook;
use webhook_store::{Connection, LeasedDelivery};

use crate::{WebhookSample, event};

/// The URL of a webhook without a receiver.
pub const URL: &str = "https://hooks.example.com/in";

/// The end of a lease `seconds` from now, to the microsecond as in Postgres.
pub fn lease(seconds: i64) -> DateTime<Utc> {
    (Utc::now() + TimeDelta::seconds(seconds)).trunc_subsecs(6)
}

/// An Active webhook for every event of production.
pub async fn wanting_all(connection: &mut Connection) -> Webhook {
    WebhookSample::at(URL).store(connection).await
}

/// Takes events in as an intake does whose lanes have room for 1,000 deliveries each.
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
    taken_in.expect("the events are taken in")
}

/// Takes in `count` fresh events of production and returns the leased deliveries.
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

/// The result of an attempt: status 200 when `next` is `Succeeded`, else 500.
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
        exchange: Transcript {
            request_url: URL.to_owned(),
            response_headers: vec![("content-type".into(), "text/plain".into())],
            response_body: b"answer".to_vec(),
            ..Transcript::default()
        },
        next,
        webhook_id: delivery.webhook_id,
        environment: delivery.event.environment,
        event_type: delivery.event.event_type,
        is_test: delivery.is_test(),
        lease_until: lease(60),
        status_event: None,
    }
}

/// Records results as the recorder of a dispatcher does.
pub async fn record(connection: &mut Connection, results: &[AttemptResult]) {
    let recorded = attempts::record(connection, Uuid::nil(), results).await;
    recorded.expect("the results are recorded");
}
