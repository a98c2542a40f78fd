//! A cache of API keys: an API key is looked up once a second, not once a request.

use std::time::Duration;

use actix_web::web::Data;
use moka::future::Cache;
use webhook_admin::{Connections, Refusal};
use webhook_domain::ApiKey;
use webhook_store::api_keys::{self, ApiKeyRow, KeyBy};

/// How long an API key is cached. After a revocation on another replica, or after its expiry, an API key
/// may be accepted for up to this long.
const API_KEY_TTL: Duration = Duration::from_secs(1);

/// How many API keys are cached. Beyond this number, the least recently used ones are looked up again.
const MAX_CACHED_KEYS: u64 = 10_000;

/// The holders of the API keys of the last second.
pub struct ApiKeyCache {
    by_hash: Cache<[u8; 32], ApiKeyRow>,
    connections: Data<Connections>,
}

impl ApiKeyCache {
    /// An empty cache over `connections`.
    pub fn new(connections: Data<Connections>) -> Self {
        let cache = Cache::builder()
            .max_capacity(MAX_CACHED_KEYS)
            .time_to_live(API_KEY_TTL);
        Self {
            by_hash: cache.build(),
            connections,
        }
    }

    /// Finds the holder of a valid API key. Concurrent requests with the same API key share one look-up.
    pub async fn find(&self, key: &ApiKey) -> Result<ApiKeyRow, Refusal> {
        let hash = key.hash();
        let look_up = async {
            let mut connection = self.connections.acquire().await?;
            let found = api_keys::find_used(&mut connection, KeyBy::Hash(&hash)).await?;
            found.ok_or(Refusal::Unauthorized)
        };
        let found = self.by_hash.try_get_with(hash, look_up).await;
        found.map_err(|refusal| Refusal::clone(&refusal))
    }

    /// Forgets every API key, after the revocation of an API key.
    pub fn forget(&self) {
        self.by_hash.invalidate_all();
    }
}
