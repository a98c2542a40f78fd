//! Takes events from RabbitMQ, decides who gets them, signs, delivers, retries and records.
//!
//! ```text
//! intake ──► courier ──► recorder
//! claims ──►    │ a lane per webhook
//! ```

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use webhook_broker::BrokerUrl;
use webhook_domain::{AddressPolicy, RetryPolicy};
use webhook_store::{Pool, SealingKey};

mod claims;
mod courier;
mod intake;
mod recorder;
mod request;
mod target;

/// What a worker is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where events come from.
    pub broker: BrokerUrl,
    /// What opens the webhooks' secrets.
    pub key: SealingKey,
    /// Which addresses may be called.
    pub addresses: AddressPolicy,
    /// How failed deliveries are tried again.
    pub policy: RetryPolicy,
    /// For how long a delivery is ours. A dead worker's deliveries wait until then.
    pub lease: Duration,
    /// How many requests may run at once per webhook.
    pub lane_concurrency: usize,
}

/// Works until `cancel`; then takes nothing new, lets running attempts end and records them.
///
/// What was leased and not begun goes on elsewhere when its lease ends.
pub async fn run(settings: Settings, pool: Pool, cancel: CancellationToken) -> reqwest::Result<()> {
    let settings = Arc::new(settings);
    let (results, recording) = recorder::channel();
    let recorder = tokio::spawn(recorder::record_all(pool.clone(), recording));

    let attempts = TaskTracker::new();
    let courier = courier::Courier::new(&settings, pool.clone(), results, &attempts, &cancel)?;
    let claims = claims::claim_for_ever(&settings, &pool, &courier, &cancel);
    let intake = intake::take_in_for_ever(&settings, &pool, &courier, &cancel);
    tokio::join!(intake, claims);

    attempts.close();
    attempts.wait().await;
    drop(courier);
    if let Err(error) = recorder.await {
        log::error!("the recorder broke: {error}");
    }
    Ok(())
}
