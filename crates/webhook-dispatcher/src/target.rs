//! What we connect to: only addresses that may be called, whatever a name resolves to.

use std::error::Error;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use webhook_domain::{AddressPolicy, FailureClass};

/// The client for all requests: no redirects, no proxy, a resolver that filters.
pub(crate) fn client(addresses: &AddressPolicy) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("webhook-dispatcher/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .dns_resolver(FilteringResolver(addresses.clone()))
        .build()
}

/// Whether a URL names an address, not a host, that must not be called: such a URL never reaches
/// the resolver.
pub(crate) fn is_blocked_literal(url: &str, addresses: &AddressPolicy) -> bool {
    let Ok(url) = Url::parse(url) else {
        return true;
    };
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    literal
        .parse()
        .is_ok_and(|address| !addresses.permits(address))
}

struct FilteringResolver(AddressPolicy);

/// A name that resolves to nothing that may be called.
#[derive(Debug)]
struct Blocked;

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name resolves to addresses that must not be called")
    }
}

impl Error for Blocked {}

/// A name that could not be resolved.
#[derive(Debug)]
struct Unresolved(std::io::Error);

impl std::fmt::Display for Unresolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the name could not be resolved: {}", self.0)
    }
}

impl Error for Unresolved {}

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(Unresolved)?;
            let permitted: Vec<SocketAddr> = found
                .filter(|address| policy.permits(address.ip()))
                .collect();
            if permitted.is_empty() {
                return Err(Blocked.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// Why a request failed before there was an answer.
pub(crate) fn failure_class(error: &reqwest::Error) -> FailureClass {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.is::<Blocked>() {
            return FailureClass::BlockedAddress;
        }
        if current.is::<Unresolved>() {
            return FailureClass::Dns;
        }
        if is_tls(current) {
            return FailureClass::Tls;
        }
        cause = current.source();
    }
    if error.is_timeout() {
        FailureClass::Timeout
    } else if error.is_connect() {
        FailureClass::Connect
    } else {
        FailureClass::Reset
    }
}

/// Looks into `io::Error`s, which may be nested and hide what they wrap from `source`.
fn is_tls(error: &(dyn Error + 'static)) -> bool {
    let wrapped = error.downcast_ref().and_then(std::io::Error::get_ref);
    error.is::<rustls::Error>() || wrapped.is_some_and(|inner| is_tls(inner))
}

/// The deepest cause: what an admin can do something about.
pub(crate) fn describe(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn loopback() -> AddressPolicy {
        AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        }
    }

    async fn class_of(url: &str, addresses: &AddressPolicy) -> FailureClass {
        let client = client(addresses).expect("a client");
        failure_class(&client.get(url).send().await.expect_err("it fails"))
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
            assert!(is_blocked_literal(url, &public), "{url}");
        }
        assert!(!is_blocked_literal("http://127.0.0.1/", &loopback()));
        assert!(!is_blocked_literal("http://example.com/", &public));
    }

    #[tokio::test]
    async fn a_name_that_resolves_to_a_blocked_address_is_not_called() {
        let class = class_of("http://localhost:9/", &AddressPolicy::default()).await;

        assert_eq!(class, FailureClass::BlockedAddress);
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_a_failure_to_connect() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        drop(listener);

        assert_eq!(class_of(&url, &loopback()).await, FailureClass::Connect);
    }

    #[tokio::test]
    async fn a_receiver_that_speaks_no_tls_is_a_tls_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("https://{}/", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        });

        assert_eq!(class_of(&url, &loopback()).await, FailureClass::Tls);
        server.join().expect("it ends");
    }
}
