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
mod advice;
mod answer;
mod delivery;
mod diagnosis;
mod explanation;
mod health;
mod hold;
mod job;
mod limits;
mod observation;
mod ordering;
mod request;
mod response_body;
mod retry;
mod retry_after;
mod secret;
mod signature;
mod statistics;
mod status_event;

// Who may call whom.
mod address;
mod api_key;
mod audit;
mod role;
mod session;
mod url_check;

// What they are made of.
mod id;
mod names;
pub mod outside;
mod rejection;

pub use address::AddressPolicy;
pub use advice::{advice, meaning_behind_cdn};
pub use answer::{AnswerRange, LastAnswer};
pub use api_key::{ApiKey, ApiKeyError, KeyName};
pub use audit::AuditAction;
pub use custom_headers::{CustomHeaders, HeaderError, HeaderName, HeaderSecret, HeaderValue};
pub use delivery::{
    DeliveryStatus, FailureClass, Outcome, Progress, StatusFilter, Verdict, decide,
};
pub use diagnosis::{Check, Finding, Severity, WebhookFacts, diagnose};
pub use environment::Environment;
pub use event::{AssignedFields, Event, EventError, MAX_EVENT_BYTES, NotAnObject};
pub use event_selection::{EmptySelection, EventSelection};
pub use event_type::{EventPattern, EventType};
pub use explanation::{Circumstances, EventOutcome, WebhookThen};
pub use health::{Circuit, Failing, HealthChange, HealthPolicy, observe};
pub use hold::hold_after;
pub use id::{ApiKeyId, DeliveryId, EventId, JobId, WebhookId};
pub use job::{JobKind, JobRate, JobStatus};
pub use limits::{MaxConcurrency, OrderingField, RateLimit};
pub use metadata::{Metadata, MetadataError};
pub use names::{Named, UnknownName};
pub use observation::{Observation, Occasion};
pub use ordering::OrderingKey;
pub use outside::{
    CertificateText, FailureDetail, FieldErrors, HeaderText, Origin, OriginName, OutsideText,
    RejectionReason,
};
pub use platform_settings::{EgressAddress, PlatformSettings, Retention};
pub use rejection::FieldError;
pub use request::{NextAttempt, RequestHeader, request_headers};
pub use response_body::BodyEnd;
pub use retry::{RetryPolicy, RetryPolicyError};
pub use retry_after::parse_retry_after;
pub use role::{Permission, Role};
pub use secret::{SecretError, SigningSecret};
pub use session::SessionToken;
pub use settings::{AttemptTimeout, Serving, WebhookSettings};
pub use signature::{
    BodyDifference, FindingCode, Mangling, OtherWebhook, OwnSecret, ReceivedHeaders,
    ReceivedRequest, SchemeCheck, SecretStanding, SignatureCheck, SignatureFinding,
    SignatureScheme, Signatures, Unexplained, check_signatures, sign,
};
pub use statistics::{Durations, FailureKind};
pub use status_event::{ExhaustedDelivery, StatusEvent, StatusEventType};
pub use url_check::{CheckedAddress, OpenedConnection, TlsHandshake, UrlFailure, UrlReport};
pub use webhook::{
    UrlError, UrlSchemes, WebhookDescription, WebhookName, WebhookStatus, WebhookUrl,
};
