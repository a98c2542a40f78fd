//! Whether Postgres is at fault, or the event, when an event is refused.

use bytes::Bytes;
use chrono::Utc;
use diesel_async::AsyncPgConnection;
use uuid::Uuid;
use webhook_domain::{Environment, Event, EventId, EventType};

use super::{IntakeRequest, take_in};
use crate::{StoreError, transaction};

/// Why the trial's transaction ends.
enum End {
    /// As it should.
    RolledBack,
    Refused(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Takes an event in that is as large as `event` and certainly sound, and takes that back. An error
/// tells why Postgres refuses it.
pub async fn takes_others_like(
    connection: &mut AsyncPgConnection,
    event: &Event,
) -> Result<(), StoreError> {
    let now = Utc::now();
    let twin = Event {
        id: EventId(Uuid::now_v7()),
        event_type: EventType::LicenseCreated,
        environment: Environment::Production,
        timestamp: now,
        test_for: None,
        body: Bytes::from(vec![b' '; event.body.len()]),
    };
    let request = IntakeRequest {
        lanes: &[],
        default_free: 0,
        lease_until: now,
        delivery_id_seed: Uuid::now_v7(),
    };
    let trial = transaction(connection, async |connection| {
        take_in(connection, std::slice::from_ref(&twin), &request).await?;
        Err::<(), End>(End::RolledBack)
    });
    match trial.await {
        Ok(()) | Err(End::RolledBack) => Ok(()),
        Err(End::Refused(error)) => Err(error),
    }
}
