//! The operator's rules for the URLs of webhooks.

use webhook_domain::{AddressPolicy, UrlSchemes};

/// The rules for the URL of a webhook.
#[derive(Debug, Clone)]
pub struct UrlRules {
    /// Whether plain `http` is allowed beside `https`.
    pub schemes: UrlSchemes,
    /// The allowed addresses of a URL's host.
    pub addresses: AddressPolicy,
}
