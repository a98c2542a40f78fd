//! The caller of an operation, for permissions and the audit log.

use uuid::Uuid;
use webhook_domain::{ApiKeyId, Permission, Role};
use webhook_store::api_keys::ApiKeyRow;
use webhook_store::audit::Actor;

use crate::refusal::Refusal;

/// The holder of the API key in a request, or of the API key behind a session; or the command line.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `None`: the command line.
    key_id: Option<ApiKeyId>,
    name: String,
    role: Role,
    request_id: Option<String>,
}

impl Caller {
    /// The holder of `key`, for the request `request_id`.
    pub fn of(key: ApiKeyRow, request_id: Option<String>) -> Self {
        Self {
            key_id: Some(key.id),
            name: key.name,
            role: key.role,
            request_id,
        }
    }

    /// The operator at the command line, who has the database and the sealing keys at hand, and may do
    /// everything. Named as such in the audit log.
    pub fn command_line() -> Self {
        Self {
            key_id: None,
            name: "command line".to_owned(),
            role: Role::Owner,
            request_id: None,
        }
    }

    /// The API key's id. `None`: the command line, which has no key.
    pub fn key_id(&self) -> Option<ApiKeyId> {
        self.key_id
    }

    /// Whether the caller holds the API key `id`.
    pub fn holds(&self, id: &Uuid) -> bool {
        self.key_id == Some(ApiKeyId(*id))
    }

    /// The name of the API key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The role of the API key.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The author of an entry in the audit log.
    pub fn actor(&self) -> Actor {
        Actor {
            key_id: self.key_id,
            name: self.name.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// Refuses an operation above the caller's role. For operations with a stricter rule than their
    /// route's permission.
    pub fn require(&self, permission: Permission) -> Result<(), Refusal> {
        let role = self.role;
        if role.allows(permission) {
            Ok(())
        } else {
            Err(Refusal::Forbidden { role, permission })
        }
    }
}
