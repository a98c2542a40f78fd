//! Where webhooks' requests go, kept in memory for as long as the version stands.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use webhook_domain::WebhookId;
use webhook_store::destinations::{Destination, list_destinations};
use webhook_store::{Pool, SealingKey, StoreError, acquire};

/// A cache by id and version. A delivery names the version that it was matched with, so what is
/// older is read anew and the cache cannot be stale. It holds one entry per webhook.
pub(crate) struct Destinations {
    pool: Pool,
    key: SealingKey,
    known: Mutex<HashMap<WebhookId, Arc<Destination>>>,
}

impl Destinations {
    pub(crate) fn new(pool: Pool, key: SealingKey) -> Self {
        Self {
            pool,
            key,
            known: Mutex::default(),
        }
    }

    /// Finds a webhook's destination, of `version` or later. `None`: there is none any more.
    pub(crate) async fn find(
        &self,
        id: WebhookId,
        version: i64,
    ) -> Result<Option<Arc<Destination>>, StoreError> {
        let known = self.known().get(&id).cloned();
        if let Some(known) = known.filter(|known| known.version >= version) {
            return Ok(Some(known));
        }
        let mut connection = acquire(&self.pool).await?;
        let read = list_destinations(&mut connection, &self.key, &[id]).await?;
        let read = read.into_iter().next().map(Arc::new);
        let mut known = self.known();
        match &read {
            Some(destination) => known.insert(id, destination.clone()),
            None => known.remove(&id),
        };
        Ok(read)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<WebhookId, Arc<Destination>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
