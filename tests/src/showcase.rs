//! A platform after a month of use, at rest: for pictures of the portal and for tests of all pages.

mod answers;
mod desk;
mod history;
mod pages;
mod rejected;
mod statistics;
mod table;
mod webhooks;

use chrono::{SubsecRound, Utc};
use rand::SeedableRng;
use rand::rngs::StdRng;
use webhook_domain::RetryPolicy;

use crate::{Platform, Service, World};

pub use pages::{PAGES, Page, Viewer};

/// The seed of all random values. Only the ids that the API gives differ from run to run.
const SEED: u64 = 42;

/// Webhooks, a history of a month, and an API. There is no dispatcher, which would call the receivers
/// and end the pending deliveries.
pub struct Showcase {
    /// The database and the vhost.
    pub world: World,
    /// The API.
    pub api: Service,
    /// The key of an owner.
    pub owner: String,
    /// The key of a viewer.
    pub viewer: String,
}

impl Showcase {
    /// Makes a showcase in a new world.
    pub async fn new() -> Self {
        Self::within(World::new().await).await
    }

    /// Makes a showcase in an empty world.
    pub async fn within(world: World) -> Self {
        let amqp_url = world.broker.url.clone();
        let platform = Platform::with_broker(world, &amqp_url).await;
        platform
            .world
            .database
            .set_retry_policy(&RetryPolicy::default())
            .await;
        let webhooks = webhooks::make(&platform).await;
        let keys = desk::make_keys(&platform).await;
        let viewer = Service::new_key(&platform.world, "viewer").await;
        let Platform {
            world,
            api,
            dispatcher,
            key: owner,
            ..
        } = platform;
        dispatcher.kill().await;

        let (now, mut rng) = (Utc::now().trunc_subsecs(3), StdRng::seed_from_u64(SEED));
        history::write(&world, &webhooks, now, &mut rng).await;
        webhooks::close(&world, &webhooks, now).await;
        statistics::write(&world).await;
        rejected::write(&world, now, &mut rng).await;
        desk::write(&world, &webhooks, &keys, now, &mut rng).await;
        world.database.execute("VACUUM ANALYZE").await;
        Self {
            world,
            api,
            owner,
            viewer,
        }
    }

    /// Kills the API and removes the world.
    pub async fn end(self) {
        self.api.kill().await;
        self.world.end().await;
    }
}
