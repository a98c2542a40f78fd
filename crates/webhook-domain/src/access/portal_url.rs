//! The portal's own address, for links from outside.

use std::fmt::Display;
use std::str::FromStr;

use url::{Host, Origin, Url};

use crate::DeliveryId;

/// The scheme, host and port under which people reach the portal, without a slash at the end:
/// `https://webhooks.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalUrl(String);

/// Why a text is no address of the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the message says it")]
pub enum PortalUrlError {
    #[error(
        "must be a URL with https:// and nothing after the host, such as https://webhooks.example.com"
    )]
    Url,
    #[error("must have at most {} characters", PortalUrl::MAX_BYTES)]
    TooLong,
}

impl PortalUrl {
    /// The most bytes of an address: the longest name of a host has 253, scheme and port need some more.
    pub const MAX_BYTES: usize = 300;

    /// The address of a delivery's page.
    pub fn delivery_page(&self, id: DeliveryId) -> String {
        format!("{self}/admin/webhook-deliveries/{id}")
    }
}

impl FromStr for PortalUrl {
    type Err = PortalUrlError;

    /// Reads an `https` URL without user, path, query and fragment. Plain `http` is for hosts of the reader's
    /// own machine. A slash at the end is dropped.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.len() > Self::MAX_BYTES {
            return Err(PortalUrlError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| PortalUrlError::Url)?;
        let is_scheme = match url.scheme() {
            "https" => true,
            "http" => is_own_machine(&url),
            _ => false,
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        match url.origin() {
            // The name of a host may grow when it is written in ASCII.
            origin @ Origin::Tuple(..) if is_scheme && !has_user && !has_more => {
                let written = origin.ascii_serialization();
                let fits = written.len() <= Self::MAX_BYTES;
                fits.then_some(Self(written)).ok_or(PortalUrlError::TooLong)
            }
            Origin::Tuple(..) | Origin::Opaque(_) => Err(PortalUrlError::Url),
        }
    }
}

fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Display for PortalUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use uuid::Uuid;

    #[rstest]
    #[case("https://webhooks.example.com", "https://webhooks.example.com")]
    #[case(
        " https://Webhooks.example.com:8443/ ",
        "https://webhooks.example.com:8443"
    )]
    #[case("https://webhooks.example.com:443", "https://webhooks.example.com")]
    #[case("https://bücher.example", "https://xn--bcher-kva.example")]
    #[case("http://localhost:8080", "http://localhost:8080")]
    #[case("http://127.0.0.1:8080/", "http://127.0.0.1:8080")]
    #[case("http://[::1]:8080", "http://[::1]:8080")]
    fn an_address_is_kept_as_its_origin(#[case] text: &str, #[case] expected: &str) {
        let url: PortalUrl = text.parse().expect("an address");

        assert_eq!(url.to_string(), expected);
        // The stored text is read again.
        assert_eq!(expected.parse(), Ok(url));
    }

    #[rstest]
    #[case("")]
    #[case("webhooks.example.com")]
    #[case("http://webhooks.example.com")]
    #[case("javascript:alert(1)")]
    #[case("https://me:secret@webhooks.example.com")]
    #[case("https://me@webhooks.example.com")]
    #[case("https://webhooks.example.com/admin")]
    #[case("https://webhooks.example.com/?a=b")]
    #[case("https://webhooks.example.com/?")]
    #[case("https://webhooks.example.com/#a")]
    #[case("https://")]
    #[case("file:///etc/passwd")]
    fn anything_else_is_none(#[case] text: &str) {
        assert_eq!(text.parse::<PortalUrl>(), Err(PortalUrlError::Url));
    }

    #[test]
    fn a_long_address_is_refused() {
        let text = format!("https://{}example.com", "a.".repeat(150));

        assert_eq!(text.parse::<PortalUrl>(), Err(PortalUrlError::TooLong));
    }

    #[test]
    fn a_delivery_has_a_page() {
        let url: PortalUrl = "https://webhooks.example.com".parse().expect("an address");

        assert_eq!(
            url.delivery_page(DeliveryId(Uuid::nil())),
            "https://webhooks.example.com/admin/webhook-deliveries/00000000-0000-0000-0000-000000000000"
        );
    }
}
