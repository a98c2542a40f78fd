//! The links of messages: the pages of the platform for ids, and the portal's own address. One copy for all
//! webhooks, read anew each minute.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;
use webhook_domain::Format;
use webhook_store::settings::{MessageLinks, find_message_links};
use webhook_store::{Pool, StoreError, acquire, droppable};

/// How long links are cached: a change of the settings shows in messages after a minute at most.
const LINKS_TTL: Duration = Duration::from_secs(60);

/// How long a message waits for its links. Beyond, the message goes with the links of before: no delivery
/// waits for Postgres for the sake of a link.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// The links of messages, as of a minute ago at most.
pub(crate) struct LinksCache {
    pool: Pool,
    cached: Mutex<Option<Cached>>,
    /// For formats without links, and until the links can be read.
    none: Arc<MessageLinks>,
}

struct Cached {
    links: Arc<MessageLinks>,
    fresh_until: Instant,
}

impl LinksCache {
    pub(crate) fn new(pool: Pool) -> Self {
        Self {
            pool,
            cached: Mutex::default(),
            none: Arc::default(),
        }
    }

    /// The links for a message. Of the deliveries after the end of the minute one reads the links, and the
    /// others go on with the links of before.
    pub(crate) async fn find(&self, format: Format) -> Arc<MessageLinks> {
        match format {
            Format::Slack | Format::Discord | Format::Teams | Format::Custom => {}
            Format::Json | Format::CloudEvents => return self.none.clone(),
        }
        let before = match self.look(Instant::now()) {
            Look::Fresh(links) => return links,
            Look::Stale(links) => links,
        };
        match timeout(READ_TIMEOUT, droppable(self.read())).await {
            Ok(Ok(links)) => self.keep(Arc::new(links)),
            Ok(Err(error)) => {
                log::warn!("messages keep their links, as the settings cannot be read: {error}");
                // A setting that this version cannot read is not asked for at each message.
                if !error.is_unavailable() {
                    self.keep(before.clone());
                }
                before
            }
            Err(_) => {
                log::warn!("messages keep their links, as Postgres does not answer");
                before
            }
        }
    }

    fn look(&self, now: Instant) -> Look {
        let mut cached = self.cached();
        let Some(cached) = cached.as_mut() else {
            // At the start every delivery reads: a message without its link would be wrong for ever.
            return Look::Stale(self.none.clone());
        };
        if now < cached.fresh_until {
            return Look::Fresh(cached.links.clone());
        }
        // Moved before the read, so that no other delivery reads meanwhile, and a failure is retried a
        // minute later.
        cached.fresh_until = now + LINKS_TTL;
        Look::Stale(cached.links.clone())
    }

    async fn read(&self) -> Result<MessageLinks, StoreError> {
        let mut connection = acquire(&self.pool).await?;
        find_message_links(&mut connection).await
    }

    fn keep(&self, links: Arc<MessageLinks>) -> Arc<MessageLinks> {
        *self.cached() = Some(Cached {
            links: links.clone(),
            fresh_until: Instant::now() + LINKS_TTL,
        });
        links
    }

    fn cached(&self) -> MutexGuard<'_, Option<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The cached links.
enum Look {
    /// For this message.
    Fresh(Arc<MessageLinks>),
    /// To be read anew by the caller.
    Stale(Arc<MessageLinks>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use webhook_store::{PoolPurpose, connect};

    /// A cache whose Postgres refuses connections.
    async fn cache() -> LinksCache {
        let nowhere = "postgres://nobody@127.0.0.1:1/nothing";
        let pool = connect(nowhere, 1, PoolPurpose::Events).await;
        LinksCache::new(pool.expect("a pool"))
    }

    fn links() -> Arc<MessageLinks> {
        Arc::new(MessageLinks {
            portal_url: "https://webhooks.example.com".parse().ok(),
            ..MessageLinks::default()
        })
    }

    #[tokio::test]
    async fn links_that_cannot_be_read_again_stay_as_they_were() {
        let (cache, links) = (cache().await, links());
        *cache.cached() = Some(Cached {
            links: links.clone(),
            fresh_until: Instant::now(),
        });

        let found = cache.find(Format::Slack).await;

        assert_eq!(found, links);
    }

    #[tokio::test]
    async fn one_delivery_of_each_minute_reads_the_links() {
        let (cache, start) = (cache().await, Instant::now());
        cache.keep(links());
        let minute_later = start + 2 * LINKS_TTL;

        let looks = [start, minute_later, minute_later].map(|now| cache.look(now));

        assert!(
            matches!(looks, [Look::Fresh(_), Look::Stale(_), Look::Fresh(_)]),
            "each look has the links"
        );
    }

    #[tokio::test]
    async fn the_first_messages_all_read_the_links_and_an_event_reads_none() {
        let cache = cache().await;

        let looks = [Instant::now(); 2].map(|now| cache.look(now));
        let found = cache.find(Format::Json).await;

        assert!(matches!(looks, [Look::Stale(_), Look::Stale(_)]));
        assert_eq!(*found, MessageLinks::default());
        assert!(cache.cached().is_none());
    }
}
