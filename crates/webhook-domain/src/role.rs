use crate::names::names;

names! {
    /// What the holder of an API key may do.
    Role, "role" {
        /// Reads webhooks, deliveries and events.
        Viewer = "viewer",
        /// May only send events.
        Publisher = "publisher",
        /// Manages webhooks, deliveries and rejected events.
        Admin = "admin",
        /// An admin that also manages API keys and settings.
        Owner = "owner",
    }
}

names! {
    /// One thing that a request may need.
    Permission, "permission" {
        /// To see webhooks, deliveries and events.
        Read = "read",
        /// To send events.
        Publish = "publish",
        /// To change webhooks, deliveries and rejected events.
        Manage = "manage",
        /// To change API keys and settings.
        Own = "own",
    }
}

impl Role {
    /// Whether this role may do what `permission` names.
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
