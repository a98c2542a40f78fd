//! What webhooks are, without any I/O.
//!
//! Everything here is a value or a pure function. Nothing reads a clock, the environment or a
//! random source: time and randomness are parameters, so that every rule can be tested as a table.

// What happens, and who wants to know.
mod environment;
mod event;
mod event_selection;
mod event_type;
mod webhook;

// What an admin decides about a webhook.
mod custom_headers;
mod metadata;
mod settings;

// What an owner decides about all of it.
mod platform_settings;

// How it gets there.
mod delivery;
mod health;
mod limits;
mod ordering;
mod retry;
mod secret;
mod signature;
mod status_event;

// Who may call whom.
mod address;
mod api_key;
mod audit;
mod role;
mod session;

// What they are made of.
mod id;
mod rejection;

pub use address::AddressPolicy;
pub use api_key::{ApiKey, ApiKeyError, KeyName};
pub use audit::AuditAction;
pub use custom_headers::{CustomHeaders, HeaderError, HeaderName, HeaderSecret, HeaderValue};
pub use delivery::{DeliveryStatus, FailureClass, Outcome, Verdict, decide};
pub use environment::Environment;
pub use event::{AssignedFields, Event, EventError, MAX_EVENT_BYTES};
pub use event_selection::{EmptySelection, EventSelection};
pub use event_type::{EventPattern, EventType};
pub use health::{Circuit, Failing, HealthChange, HealthPolicy, Observation, observe};
pub use id::{ApiKeyId, DeliveryId, EventId, WebhookId};
pub use limits::{MaxConcurrency, OrderingField, RateLimit};
pub use metadata::{Metadata, MetadataError};
pub use ordering::OrderingKey;
pub use platform_settings::{EgressAddress, PlatformSettings, Retention};
pub use rejection::{FieldError, UnknownName};
pub use retry::{RetryPolicy, RetryPolicyError};
pub use role::{Permission, Role};
pub use secret::{SecretError, SigningSecret};
pub use session::SessionToken;
pub use settings::{AttemptTimeout, Serving, WebhookSettings};
pub use signature::{Signatures, sign};
pub use status_event::{ExhaustedDelivery, StatusEvent, StatusEventType};
pub use webhook::{
    UrlError, UrlSchemes, WebhookDescription, WebhookName, WebhookStatus, WebhookUrl,
};
