//! Which URLs a webhook may have, as the operator configured it.

use webhook_domain::{AddressPolicy, UrlSchemes};

/// Which URLs a webhook may have.
#[derive(Debug, Clone)]
pub struct UrlRules {
    /// Whether plain `http` is allowed beside `https`.
    pub schemes: UrlSchemes,
    /// The addresses that a URL's host may be or resolve to.
    pub addresses: AddressPolicy,
}
