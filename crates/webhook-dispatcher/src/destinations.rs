//! Where webhooks' requests go, kept in memory for as long as the version stands.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use webhook_domain::{AddressPolicy, WebhookId};
use webhook_store::destinations::list_destinations;
use webhook_store::{Pool, SealingKeys, StoreError, acquire};

use crate::recipient::Recipient;

/// A cache by id and version. A delivery names the version that it was matched with, so what is
/// older is read anew and the cache cannot be stale. It holds one entry per webhook.
pub(crate) struct Destinations {
    pool: Pool,
    key: SealingKeys,
    addresses: AddressPolicy,
    known: Mutex<HashMap<WebhookId, Arc<Recipient>>>,
}

impl Destinations {
    pub(crate) fn new(pool: Pool, key: SealingKeys, addresses: AddressPolicy) -> Self {
        Self {
            pool,
            key,
            addresses,
            known: Mutex::default(),
        }
    }

    /// Reads what is not known yet of these webhooks, in one go. What cannot be read now is left
    /// to [`find`](Self::find).
    pub(crate) async fn learn(&self, wanted: impl Iterator<Item = (WebhookId, i64)>) {
        let unknown: HashSet<WebhookId> = {
            let known = self.known();
            let is_known = |id, version| {
                known
                    .get(&id)
                    .is_some_and(|k| k.destination.version >= version)
            };
            wanted
                .filter(|(id, version)| !is_known(*id, *version))
                .map(|(id, _)| id)
                .collect()
        };
        if unknown.is_empty() {
            return;
        }
        let unknown: Vec<WebhookId> = unknown.into_iter().collect();
        match self.read(&unknown).await {
            Ok(read) => {
                let readable = read
                    .into_iter()
                    .flatten()
                    .map(|r| (r.destination.webhook_id, Arc::new(r)));
                self.known().extend(readable);
            }
            Err(error) => log::warn!("cannot read {} webhooks yet: {error}", unknown.len()),
        }
    }

    /// Finds a webhook's destination, of `version` or later. `None`: there is none any more.
    pub(crate) async fn find(
        &self,
        id: WebhookId,
        version: i64,
    ) -> Result<Option<Arc<Recipient>>, StoreError> {
        let known = self.known().get(&id).cloned();
        if let Some(known) = known.filter(|known| known.destination.version >= version) {
            return Ok(Some(known));
        }
        let read = self.read(&[id]).await?.pop().transpose()?.map(Arc::new);
        let mut known = self.known();
        match &read {
            Some(recipient) => known.insert(id, recipient.clone()),
            None => known.remove(&id),
        };
        Ok(read)
    }

    /// Forgets what is older than these versions, though a delivery may name an older one still.
    pub(crate) fn forget_older(&self, versions: &[(WebhookId, i64)]) {
        let mut known = self.known();
        for (id, version) in versions {
            if known
                .get(id)
                .is_some_and(|known| known.destination.version < *version)
            {
                known.remove(id);
            }
        }
    }

    async fn read(
        &self,
        ids: &[WebhookId],
    ) -> Result<Vec<Result<Recipient, StoreError>>, StoreError> {
        let mut connection = acquire(&self.pool).await?;
        let read = list_destinations(&mut connection, &self.key, ids).await?;
        let ready = |destination| Recipient::new(destination, &self.addresses);
        Ok(read.into_iter().map(|read| read.map(ready)).collect())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<WebhookId, Arc<Recipient>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
