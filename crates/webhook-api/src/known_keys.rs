//! Who holds a key, remembered for a moment: a key is looked up once a second, not once a request.

use std::time::Duration;

use actix_web::web::Data;
use moka::future::Cache;
use webhook_domain::ApiKey;
use webhook_store::api_keys::{self, ApiKeyRow, KeyBy};

use crate::connections::Connections;
use crate::problem::Problem;

/// So much later than the replica that revokes a key do others refuse it, and all of them one that
/// expires.
const REMEMBERED: Duration = Duration::from_secs(1);

/// So many keys are remembered.
const MOST: u64 = 10_000;

/// The holders of the keys that were used just now.
pub(crate) struct KnownKeys {
    by_hash: Cache<[u8; 32], ApiKeyRow>,
    connections: Data<Connections>,
}

impl KnownKeys {
    /// Knows none yet.
    pub(crate) fn new(connections: Data<Connections>) -> Self {
        let remembered = Cache::builder().max_capacity(MOST).time_to_live(REMEMBERED);
        Self {
            by_hash: remembered.build(),
            connections,
        }
    }

    /// Finds the holder of a key that is valid. Requests that ask for the same one at once share
    /// the answer.
    pub(crate) async fn find(&self, key: &ApiKey) -> Result<ApiKeyRow, Problem> {
        let hash = key.hash();
        let look_up = async {
            let mut connection = self.connections.acquire().await?;
            let found = api_keys::find_used(&mut connection, KeyBy::Hash(&hash)).await?;
            found.ok_or(Problem::Unauthorized)
        };
        let found = self.by_hash.try_get_with(hash, look_up).await;
        found.map_err(|problem| Problem::clone(&problem))
    }

    /// Forgets all, as one of them was revoked.
    pub(crate) fn forget(&self) {
        self.by_hash.invalidate_all();
    }
}
