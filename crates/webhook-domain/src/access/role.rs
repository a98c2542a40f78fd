//! The roles of API keys, and the permissions of each role.

use crate::names::names;

names! {
    /// The role of an API key. A session has the role of the key that signed in.
    Role, "role" {
        /// Reads webhooks, deliveries and events.
        Viewer = "viewer",
        /// Sends events and reads nothing.
        Publisher = "publisher",
        /// Manages webhooks, deliveries and rejected messages.
        Admin = "admin",
        /// Does everything that an admin does, and manages API keys and settings.
        Owner = "owner",
    }
}

names! {
    /// The permission needed by a request.
    Permission, "permission" {
        /// Reading webhooks, deliveries and events.
        Read = "read",
        /// Sending events.
        Publish = "publish",
        /// Changing webhooks, deliveries and rejected messages.
        Manage = "manage",
        /// Changing API keys and settings.
        Own = "own",
    }
}

impl Role {
    /// Whether a holder of this role has `permission`.
    pub const fn allows(self, permission: Permission) -> bool {
        match self {
            Self::Viewer => matches!(permission, Permission::Read),
            Self::Publisher => matches!(permission, Permission::Publish),
            Self::Admin => !matches!(permission, Permission::Own),
            Self::Owner => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_exactly_what_the_contract_says() {
        let allowed = |role: Role| -> Vec<&str> {
            let permitted = Permission::ALL.iter().filter(|p| role.allows(**p));
            permitted.map(|p| p.as_str()).collect()
        };

        assert_eq!(allowed(Role::Viewer), ["read"]);
        assert_eq!(allowed(Role::Publisher), ["publish"]);
        assert_eq!(allowed(Role::Admin), ["read", "publish", "manage"]);
        assert_eq!(allowed(Role::Owner), ["read", "publish", "manage", "own"]);
    }
}
