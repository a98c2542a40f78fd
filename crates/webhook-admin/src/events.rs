//! Events: published, listed, read, and explained for each webhook.

mod publish;
mod publish_many;

mod body;
mod explain;
mod find;
mod list;

pub use body::EventBody;
pub use explain::{ExplainEvent, ExplainedWebhookBody, ExplanationBody, explain_event};
pub use find::{EventWithBody, find_event};
pub use list::{ListEvents, list_events};
pub use publish::{AcceptedEvent, PublishEvent, PublishStatus, publish_event};
pub use publish_many::{BatchResult, BatchResults, MAX_BATCH_BYTES, PublishEvents, publish_events};
