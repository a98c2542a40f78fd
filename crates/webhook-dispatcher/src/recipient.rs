//! A webhook that is ready to be called.

use http::{HeaderName, HeaderValue};
use webhook_domain::{AddressPolicy, HeaderSecret};
use webhook_store::destinations::Destination;

use crate::client::Target;

/// Where a webhook's requests go, with what does not change from one to the next made once.
pub(crate) struct Recipient {
    pub(crate) destination: Destination,
    /// `None`: it must not be called.
    pub(crate) target: Option<Target>,
    /// What the admin wants every request to carry.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Recipient {
    pub(crate) fn new(destination: Destination, addresses: &AddressPolicy) -> Self {
        // What the domain lets through as a header is one.
        let custom = destination.headers.iter().filter_map(|(name, value)| {
            let HeaderSecret::Given(value) = value else {
                return None;
            };
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(value.reveal()).ok()?;
            value.set_sensitive(true);
            Some((name, value))
        });
        Self {
            target: Target::new(&destination.url, addresses),
            headers: custom.collect(),
            destination,
        }
    }
}
