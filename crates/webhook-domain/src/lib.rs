#![doc = include_str!("../README.md")]

// The foundations of all areas.
mod ids;
mod names;
pub mod outside;

// The areas: each imports only from the areas above.
mod access;
mod events;

// Imports access and events.
mod formats;

// Imports formats too.
mod webhooks;

// Imports webhooks too.
mod deliveries;

// Imports every other area, and no area imports support.
mod support;

// Ids, names, and values from outside.
pub use ids::{ApiKeyId, DeliveryId, EventId, JobId, RejectedMessageId, WebhookId};
pub use names::{Named, UnknownName};
pub use outside::{
    CertificateText, FailureDetail, HeaderText, OutsideText, RejectionReason,
    field_errors::{FieldError, FieldErrors},
    published_to::{AmqpName, PublishedTo},
};

// Access: roles and keys, callable addresses, settings of the whole platform.
pub use access::{
    address_policy::AddressPolicy,
    api_key::{ApiKey, ApiKeyError, KeyName},
    audit_action::AuditAction,
    link_patterns::{LinkPatternError, LinkPatterns},
    platform_settings::{EgressAddress, PlatformSettings, Retention},
    portal_url::{PortalUrl, PortalUrlError},
    role::{Permission, Role},
    session::SessionToken,
};

// Events, and selections of events.
pub use events::{
    envelope::AssignedFields,
    environment::Environment,
    event::{Event, EventError, MAX_EVENT_BYTES},
    event_pattern::EventPattern,
    event_selection::{EmptySelection, EventSelection},
    event_severity::EventSeverity,
    event_type::EventType,
    not_an_object::NotAnObject,
    ordering_key::OrderingKey,
    trace_context::TraceContext,
};

// Formats of a request's body, and the event as a message for people.
pub use formats::{
    body_format::{BodyContext, BodyFormat, BodyFormatError},
    cloudevents::cloudevents_body,
    discord::discord_body,
    format::Format,
    host::{DISCORD_HOSTS, UrlFormatWarning, is_at_discord},
    limits::{LimitUse, limits_used},
    notice::{Fact, Link, Notice},
    slack::slack_body,
    teams::teams_body,
    template::{
        Template,
        checker::TemplateWarning,
        context::RenderContext,
        error::{TemplateError, TemplateErrors},
        filter::FilterName,
        path::PathRoot,
        version::TemplateVersion,
    },
};

// Webhooks, and all their settings.
pub use webhooks::{
    custom_headers::{CustomHeaders, HeaderError, HeaderName, HeaderSecret, HeaderValue},
    limits::{AttemptTimeout, MaxConcurrency, OrderingField},
    metadata::{Metadata, MetadataError},
    name::{WebhookDescription, WebhookName},
    rate_limit::{RateLimit, RatePeriod},
    retry_policy::RetryPolicy,
    secret::{SecretError, SigningSecret},
    settings::{DeliveryOptions, WebhookSettings, WebhookStatus},
    target_url::TargetUrl,
    url::{UrlError, UrlSchemes, WebhookUrl},
    url_fingerprint::{UrlFingerprint, UrlFingerprintKey},
    url_setting::{MaskedUrl, UrlSetting},
};

// Deliveries: requests, the outcome of attempts, and the consequences.
pub use deliveries::{
    answers::{
        Answer, JudgedAnswer, explain_answer, judge_answer,
        rate::{MAX_GLOBAL_HOLD, MAX_RATE_HOLD, RateAdvice, RateHeaders},
        row::AnswerMeaning,
    },
    body_end::BodyEnd,
    circuit::{
        Circuit, CircuitChange, CircuitPolicy, Failing, MAX_FORBIDDEN_IN_A_ROW, forbidden_reason,
        observe,
    },
    hold::{hold_after, hold_of_all_after},
    job::{JobKind, JobRate, JobStatus},
    last_response::{LastResponse, ResponseRange},
    observation::{Observation, Occasion},
    outcome::{FailureClass, Outcome},
    request::{NextAttempt, RequestHeader, request_headers},
    retry_after::parse_retry_after,
    signature::{Signatures, sign},
    statistics::{Durations, FailureKind},
    status::{DeliveryStatus, StatusFilter},
    status_event::{ExhaustedDelivery, StatusEvent, StatusEventType},
    verdict::{Progress, Verdict, decide},
    webhook_health::{HealthFacts, WebhookHealth},
};

// Support: diagnosis, explanation, advice, and the signature check.
pub use support::{
    advice::{advice, meaning_behind_cdn},
    diagnosis::{Check, Finding, Severity, WebhookFacts, diagnose},
    dispatcher_check::{ALIVE_FOR, DispatcherTrouble, SignOfLife},
    explanation::{Circumstances, EventOutcome, WebhookThen},
    signature_check::{
        check::{SchemeCheck, SignatureCheck, Unexplained, check_signatures},
        finding::{BodyDifference, FindingCode, SignatureFinding},
        mangling::Mangling,
        parties::{OtherWebhook, OwnSecret, SecretStanding, SignatureScheme},
        received::{ReceivedHeaders, ReceivedRequest},
    },
    url_report::{CheckedAddress, OpenedConnection, TlsHandshake, UrlFailure, UrlReport},
};
