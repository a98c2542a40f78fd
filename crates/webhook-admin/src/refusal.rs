//! Why an operation is refused. The message is for the caller; an HTTP status is decided elsewhere.

use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;
use webhook_broker::PublishError;
use webhook_domain::{EventError, FieldError, MAX_EVENT_BYTES, Permission, Role};
use webhook_store::StoreError;

/// Why an operation was not done. Its message is for the caller.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// The document is no JSON object; with the parser's reason.
    #[error("the body is not a JSON object: {0}")]
    NotJson(String),
    /// The API key or the session is not valid.
    #[error("send an API key: `Authorization: Bearer whk_…`")]
    Unauthorized,
    /// The caller's role lacks a permission.
    #[error("the operation needs the role {}; the API key has the role {role}", lowest_role(*permission))]
    Forbidden {
        /// The role of the caller's API key.
        role: Role,
        /// The permission that the operation needs.
        permission: Permission,
    },
    /// No webhook, delivery or other row has this id; with the kind of row.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The body or the event is too large.
    #[error("more than {limit} bytes")]
    TooLarge {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// Fields of the document are wrong, each with its reason.
    #[error("some fields are wrong")]
    Invalid(Vec<FieldError>),
    /// `If-Match` named another version than the current one.
    #[error("the object was changed in the meantime; its current version is {version}")]
    VersionMismatch {
        /// The current version.
        version: i64,
    },
    /// The operation does not fit the current state; with a sentence for the caller.
    #[error("{0}")]
    Conflict(&'static str),
    /// Names in an import fit more than one webhook each.
    #[error("some names match several webhooks")]
    Ambiguous(Vec<FieldError>),
    /// The caller used an `Idempotency-Key` again, with another request.
    #[error("this Idempotency-Key was used for another request")]
    IdempotencyKeyReused,
    /// RabbitMQ did not confirm an event.
    #[error("the broker did not confirm the event; send the event again")]
    Broker(#[from] PublishError),
    /// Postgres failed or is away.
    #[error("{}", store_detail(.0))]
    Store(Arc<StoreError>),
    /// The process is stopping.
    #[error("the service is stopping")]
    Stopping,
    /// A fault of the product; with its details for the log.
    #[error("internal error; the log of the service has the cause")]
    Broken(String),
}

/// The lowest role with a permission.
fn lowest_role(permission: Permission) -> Role {
    match permission {
        Permission::Read => Role::Viewer,
        Permission::Publish => Role::Publisher,
        Permission::Manage => Role::Admin,
        Permission::Own => Role::Owner,
    }
}

/// The database's own words are for operators, not for callers.
fn store_detail(error: &StoreError) -> &'static str {
    if matches!(error, StoreError::ReadOnly) {
        "the database is read-only at the moment"
    } else if error.is_unavailable() {
        "the database is not available"
    } else {
        "internal error; the log of the service has the cause"
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<EventError> for Refusal {
    fn from(error: EventError) -> Self {
        match error {
            EventError::TooLarge { .. } => Self::TooLarge {
                limit: MAX_EVENT_BYTES,
            },
            EventError::NotAnObject(reason) => Self::NotJson(reason.to_string()),
            EventError::Fields(errors) => Self::Invalid(errors.into_vec()),
        }
    }
}

impl Refusal {
    /// Each field that is wrong; empty when the refusal is not about fields.
    pub fn fields(&self) -> &[FieldError] {
        if let Self::Invalid(errors) | Self::Ambiguous(errors) = self {
            return errors;
        }
        &[]
    }

    /// Writes a fault of the product or of its servers into the log. A caller's fault is not logged.
    pub fn log(&self) {
        if let Self::Store(error) = self {
            log::error!("a request failed: {error}");
        }
        if let Self::Broken(error) = self {
            log::error!("a request failed: {error}");
        }
        if let Self::Broker(error) = self {
            log::warn!("an event was not published: {error}");
        }
    }
}

/// A field that is wrong, and why.
#[derive(Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field's name as it was sent, such as `event_types[2]`.
    pub field: String,
    /// What is wrong with the field.
    pub reason: String,
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        Self {
            field: error.field.clone(),
            reason: error.reason.clone(),
        }
    }
}
