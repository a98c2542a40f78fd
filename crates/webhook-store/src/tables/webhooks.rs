//! Tables `webhooks`, `subscriptions` and `rate_buckets`: who gets which events, and how.
//!
//! A deleted webhook keeps its row for the sake of its history. No function of this module
//! finds a deleted webhook.

// How a webhook is read and written.
mod brief;
mod columns;
mod find;
mod joined;
mod list;
mod order;
mod row;
mod sealed_url;
mod url;
mod write;

// What the platform does by itself.
mod disabling;

pub(crate) use columns::open_headers;
pub(crate) use list::{escaped, ids_named_like};
pub(crate) use sealed_url::open_url;

pub use brief::{BriefWebhook, find_names, list_brief};
pub use disabling::{Undeliverable, disable, list_undeliverable, list_versions};
pub use find::{find, lock, lock_imports};
pub use list::{WebhookFilter, count, count_by_health, list, list_named, list_repeated_names};
pub use order::{Position, Sort, SortKey};
pub use row::Webhook;
pub use url::{find_shown_url, find_url, keep_sealed_url, seal_whole_urls};
pub use write::{delete, find_headers, insert, save};
