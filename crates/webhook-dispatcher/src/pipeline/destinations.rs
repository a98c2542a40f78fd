//! Destinations: the URL, secrets and headers of each webhook, cached until the webhook changes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderName, HeaderValue};
use webhook_domain::{AddressPolicy, HeaderSecret, JudgedAnswer, WebhookId, is_at_discord};
use webhook_store::destinations::{Destination, list_destinations};
use webhook_store::{Pool, SealingKeys, StoreError, acquire};

use crate::client::Target;

/// A webhook's destination, with the parts common to all requests made once.
pub(crate) struct ReadyDestination {
    /// The webhook's URL, secrets, headers and retry policy, as Postgres has them.
    pub(crate) stored: Destination,
    /// The URL, taken apart. `None`: the URL must not be called.
    pub(crate) target: Option<Target>,
    /// Whether requests count for Discord's global limit.
    pub(crate) is_at_discord: bool,
    /// The headers set by an admin for every request.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl ReadyDestination {
    pub(super) fn new(stored: Destination, addresses: &AddressPolicy) -> Self {
        let custom = stored.headers.iter().filter_map(|(name, value)| {
            let HeaderSecret::Given(value) = value else {
                return None;
            };
            // The domain has checked name and value, so neither conversion fails.
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(value.reveal()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        let url = stored.url.reveal();
        Self {
            is_at_discord: is_at_discord(url.as_url()),
            target: Target::new(url.as_str(), addresses),
            headers: custom.collect(),
            stored,
        }
    }

    /// The judgement on an answer, as far as the receiver's word counts: only Discord itself has a limit of all
    /// requests of the sender.
    pub(crate) fn bound(&self, answer: JudgedAnswer) -> JudgedAnswer {
        match self.is_at_discord {
            true => answer,
            false => answer.of_one_webhook(),
        }
    }

    /// Whether the destination is of `version` or later.
    fn is_current(&self, version: i64) -> bool {
        self.stored.version >= version
    }
}

/// A cache of destinations, one entry per webhook.
///
/// A delivery carries the version of the webhook at the time of its lease. An older entry is read anew,
/// so the cache cannot be stale.
pub(crate) struct Destinations {
    pool: Pool,
    sealing_keys: SealingKeys,
    addresses: AddressPolicy,
    cached: Mutex<HashMap<WebhookId, Arc<ReadyDestination>>>,
}

impl Destinations {
    pub(crate) fn new(pool: Pool, sealing_keys: SealingKeys, addresses: AddressPolicy) -> Self {
        Self {
            pool,
            sealing_keys,
            addresses,
            cached: Mutex::default(),
        }
    }

    /// Reads the destinations of `wanted` into the cache by a single statement. A failure is left to
    /// [`find`](Self::find).
    pub(crate) async fn learn(&self, wanted: impl Iterator<Item = (WebhookId, i64)>) {
        let unknown: HashSet<WebhookId> = {
            let cached = self.cached();
            let is_cached = |id, version| {
                cached
                    .get(&id)
                    .is_some_and(|destination| destination.is_current(version))
            };
            wanted
                .filter(|(id, version)| !is_cached(*id, *version))
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
                    .map(|ready| (ready.stored.webhook_id, Arc::new(ready)));
                self.cached().extend(readable);
            }
            Err(error) => log::warn!("cannot read {} webhooks yet: {error}", unknown.len()),
        }
    }

    /// Finds a webhook's destination, of `version` or later. `None`: the webhook is deleted.
    pub(crate) async fn find(
        &self,
        id: WebhookId,
        version: i64,
    ) -> Result<Option<Arc<ReadyDestination>>, StoreError> {
        let cached = self.cached().get(&id).cloned();
        if let Some(ready) = cached.as_ref().filter(|ready| ready.is_current(version)) {
            return Ok(Some(ready.clone()));
        }
        let read = self.read(&[id]).await?.pop().transpose()?.map(Arc::new);
        let mut cached = self.cached();
        match &read {
            Some(ready) => cached.insert(id, ready.clone()),
            None => cached.remove(&id),
        };
        Ok(read)
    }

    /// Forgets destinations older than `versions`. Deliveries waiting in lanes may carry an older
    /// version still, and are sent as the webhook is now.
    pub(crate) fn forget_older(&self, versions: &[(WebhookId, i64)]) {
        let mut cached = self.cached();
        for (id, version) in versions {
            if cached
                .get(id)
                .is_some_and(|ready| ready.stored.version < *version)
            {
                cached.remove(id);
            }
        }
    }

    async fn read(
        &self,
        ids: &[WebhookId],
    ) -> Result<Vec<Result<ReadyDestination, StoreError>>, StoreError> {
        let mut connection = acquire(&self.pool).await?;
        let read = list_destinations(&mut connection, &self.sealing_keys, ids).await?;
        let ready = |stored| ReadyDestination::new(stored, &self.addresses);
        Ok(read.into_iter().map(|read| read.map(ready)).collect())
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<WebhookId, Arc<ReadyDestination>>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
