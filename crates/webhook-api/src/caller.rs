//! Who sends a request, for handlers and the audit log.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev};
use webhook_domain::{ApiKeyId, Permission, Role};
use webhook_store::api_keys::ApiKeyRow;
use webhook_store::audit::Actor;

use crate::problem::Problem;
use crate::request_id;

/// The key that a request came with; [`authorize`](crate::auth::authorize) has checked it.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) key_id: ApiKeyId,
    name: String,
    role: Role,
}

impl Caller {
    pub(crate) fn of(key: ApiKeyRow) -> Self {
        Self {
            key_id: key.id,
            name: key.name,
            role: key.role,
        }
    }

    /// The key's id, for log lines.
    pub(crate) fn key_text(&self) -> String {
        self.key_id.to_string()
    }

    /// What the key is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it may do.
    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// For the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor {
            key_id: Some(self.key_id),
            name: self.name.clone(),
            request_id: request_id::current(),
        }
    }

    /// Asks for more than the route does.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Problem> {
        let role = self.role;
        if role.allows(permission) {
            Ok(())
        } else {
            Err(Problem::Forbidden { role, permission })
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(
            request
                .extensions()
                .get()
                .cloned()
                .ok_or(Problem::Unauthorized),
        )
    }
}
