//! Destinations: the URL, secrets and headers of each webhook, cached until the webhook changes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue};
use webhook_domain::{AddressPolicy, Format, HeaderSecret, LinkPatterns, WebhookId};
use webhook_store::destinations::{Destination, list_destinations};
use webhook_store::{Pool, RawConnection, SealingKeys, StoreError, acquire, settings};

use crate::client::Target;

/// A webhook's destination, with the parts common to all requests made once.
pub(crate) struct ReadyDestination {
    /// The webhook's URL, secrets, headers and retry policy, as Postgres has them.
    pub(crate) stored: Destination,
    /// The URL, taken apart. `None`: the URL must not be called.
    pub(crate) target: Option<Target>,
    /// The headers set by an admin for every request.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The pages of the platform for the ids in a message.
    pub(crate) links: Arc<LinkPatterns>,
    read_at: Instant,
}

/// How long the links of messages are cached: a change of the settings shows after a minute at most.
const LINKS_TTL: Duration = Duration::from_secs(60);

impl ReadyDestination {
    fn new(stored: Destination, links: Arc<LinkPatterns>, addresses: &AddressPolicy) -> Self {
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
        Self {
            target: Target::new(stored.url.reveal().as_str(), addresses),
            headers: custom.collect(),
            links,
            read_at: Instant::now(),
            stored,
        }
    }

    /// Whether the destination is of `version` or later, and its links are fresh. Only messages have links.
    fn is_current(&self, version: i64) -> bool {
        let has_links = match self.stored.body.format() {
            Format::Slack | Format::Discord | Format::Teams | Format::Custom => true,
            Format::Json | Format::CloudEvents => false,
        };
        self.stored.version >= version && (!has_links || self.read_at.elapsed() < LINKS_TTL)
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
        let outdated = cached.filter(|ready| ready.stored.version >= version);
        let read = match self.read(&[id]).await {
            Ok(mut read) => read.pop().transpose()?.map(Arc::new),
            // Links of more than a minute ago are better than no delivery.
            Err(error) => return outdated.map(Some).ok_or(error),
        };
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
        let links = Arc::new(read_links(&mut connection).await?);
        let ready = |stored| ReadyDestination::new(stored, links.clone(), &self.addresses);
        Ok(read.into_iter().map(|read| read.map(ready)).collect())
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<WebhookId, Arc<ReadyDestination>>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the links of messages. Links that this version cannot read are left out: no delivery waits for them.
async fn read_links(connection: &mut RawConnection) -> Result<LinkPatterns, StoreError> {
    match settings::find_link_patterns(connection).await {
        Err(error) if !error.is_unavailable() => {
            log::warn!("messages have no links, as the setting cannot be read: {error}");
            Ok(LinkPatterns::default())
        }
        read => read,
    }
}
