//! The target of a webhook's requests, which is a URL, and the origin of the target.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use rustls::pki_types::ServerName;
use url::{Host, Url};
use webhook_domain::AddressPolicy;

/// A URL's scheme, host and port (RFC 9110 section 4.3.1). Requests to equal origins can share
/// connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(super) host: HostName,
    port: u16,
    /// The name required in the receiver's certificate. `None`: without TLS.
    tls: Option<ServerName<'static>>,
}

/// A URL's host, in lower case and without the dot at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum HostName {
    Name(Arc<str>),
    Address(IpAddr),
}

impl Origin {
    /// The origin of a URL, permitted or not. `None`: the URL cannot be called.
    pub(crate) fn of(url: &Url) -> Option<Self> {
        let host = match url.host()? {
            Host::Domain(name) => HostName::Name(name.trim_end_matches('.').into()),
            Host::Ipv4(address) => HostName::Address(address.into()),
            Host::Ipv6(address) => HostName::Address(address.into()),
        };
        let tls = match (url.scheme(), &host) {
            ("https", HostName::Name(name)) => Some(ServerName::try_from(name.to_string()).ok()?),
            ("https", HostName::Address(address)) => Some(ServerName::from(*address)),
            _ => None,
        };
        let port = url.port_or_known_default()?;
        Some(Self { host, port, tls })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The name required in the receiver's certificate. `None`: without TLS.
    pub(crate) fn server_name(&self) -> Option<&ServerName<'static>> {
        self.tls.as_ref()
    }
}

/// A webhook's URL, taken apart for requests.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(super) origin: Arc<Origin>,
    /// The value of `Host` in HTTP/1.
    pub(super) host: HeaderValue,
    /// The path and the query: the request target of HTTP/1.
    pub(super) path: Uri,
    /// The same with scheme and authority, for HTTP/2.
    pub(super) uri: Uri,
}

impl Target {
    /// Takes a stored URL apart. `None`: the URL names a forbidden address, which no look-up would
    /// refuse; or the URL cannot be called at all.
    pub(crate) fn new(url: &str, addresses: &AddressPolicy) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let origin = Origin::of(&url)?;
        let host = &origin.host;
        if matches!(host, HostName::Address(address) if !addresses.permits(*address)) {
            return None;
        }
        let authority = match (host, url.port()) {
            (HostName::Name(name), None) => name.to_string(),
            (HostName::Name(name), Some(port)) => format!("{name}:{port}"),
            (HostName::Address(IpAddr::V6(address)), None) => format!("[{address}]"),
            (HostName::Address(IpAddr::V6(address)), Some(port)) => format!("[{address}]:{port}"),
            (HostName::Address(address), None) => address.to_string(),
            (HostName::Address(address), Some(port)) => format!("{address}:{port}"),
        };
        let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
        Some(Self {
            origin: Arc::new(origin),
            host: HeaderValue::from_str(&authority).ok()?,
            path: path.parse().ok()?,
            uri: format!("{}://{authority}{path}", url.scheme())
                .parse()
                .ok()?,
        })
    }

    /// The origin of the target.
    pub(crate) fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> AddressPolicy {
        AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        }
    }

    #[test]
    fn an_address_in_the_url_is_checked_although_it_is_never_resolved() {
        let public = AddressPolicy::default();

        for url in [
            "http://127.0.0.1/",
            "http://[::1]:80/",
            "http://0x7f.1/",
            "no url",
        ] {
            assert!(Target::new(url, &public).is_none(), "{url}");
        }
        assert!(Target::new("http://127.0.0.1/", &loopback()).is_some());
        assert!(Target::new("http://example.com/", &public).is_some());
    }

    #[test]
    fn the_dot_at_the_end_of_a_name_goes_into_no_header_and_no_certificate_check() {
        let target = Target::new("https://Example.com.:8443/a?b=c#d", &loopback());

        let target = target.expect("a target");
        assert_eq!(target.host, "example.com:8443");
        assert_eq!(target.path, "/a?b=c");
        assert_eq!(target.uri, "https://example.com:8443/a?b=c");
        let name = ServerName::try_from("example.com").expect("a name");
        assert_eq!(target.origin.tls, Some(name));
        let same = Target::new("https://example.com:8443/other", &loopback());
        assert_eq!(same.expect("a target").origin, target.origin);
    }

    #[test]
    fn an_address_of_either_family_is_named_as_a_url_names_it() {
        let anywhere = AddressPolicy {
            allowed: vec!["::/0".parse().expect("a network")],
        };

        let target = Target::new("https://[2001:db8::1]/", &anywhere).expect("a target");

        assert_eq!(target.host, "[2001:db8::1]");
        assert_eq!(target.origin.port, 443);
    }
}
