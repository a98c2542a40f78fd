//! A platform that was in use for a month, of which nothing changes any more: for pictures of the
//! portal, and for tests that look at all of it.

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

/// The same world each time, but for the ids that the API gives.
const SEED: u64 = 42;

/// Webhooks, what happened, and an API that shows it. There is no dispatcher: it would call all
/// those receivers, and end all that is pending.
pub struct Showcase {
    /// Where it is.
    pub world: World,
    /// The API.
    pub api: Service,
    /// The key of an owner.
    pub owner: String,
    /// The key of a viewer.
    pub viewer: String,
}

impl Showcase {
    /// Makes one on the servers that the environment names.
    pub async fn new() -> Self {
        Self::within(World::new().await).await
    }

    /// Makes one in an empty world.
    pub async fn within(world: World) -> Self {
        let amqp_url = world.amqp_url.clone();
        let platform = Platform::with_broker(world, &amqp_url).await;
        platform
            .world
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
        world.execute("VACUUM ANALYZE").await;
        Self {
            world,
            api,
            owner,
            viewer,
        }
    }

    /// Takes the world back.
    pub async fn end(self) {
        self.api.kill().await;
        self.world.end().await;
    }
}
