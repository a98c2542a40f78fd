//! What webhooks are, without any I/O.
//!
//! Everything here is a value or a pure function. Nothing reads a clock, the environment or a
//! random source: time and randomness are parameters, so that every rule can be tested as a table.

// What happens, and who wants to know.
mod environment;
mod event;
mod event_type;
mod webhook;

// How it gets there.
mod delivery;
mod retry;
mod secret;
mod signature;

// Who may call whom.
mod address;
mod api_key;
mod role;

// What they are made of.
mod id;
mod rejection;

pub use address::AddressPolicy;
pub use api_key::{ApiKey, ApiKeyError};
pub use delivery::{DeliveryStatus, FailureClass, Outcome, Verdict, decide};
pub use environment::Environment;
pub use event::{AssignedFields, Event, EventError, MAX_EVENT_BYTES};
pub use event_type::{EventPattern, EventType};
pub use id::{ApiKeyId, DeliveryId, EventId, WebhookId};
pub use rejection::{FieldError, UnknownName};
pub use retry::{RetryPolicy, RetryPolicyError};
pub use role::{Permission, Role};
pub use secret::{SecretError, SigningSecret};
pub use signature::{Signatures, sign};
pub use webhook::{
    UrlError, UrlSchemes, WebhookDescription, WebhookName, WebhookStatus, WebhookUrl,
};
