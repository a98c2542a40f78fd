//! What we connect to: only addresses that may be called, whatever a name resolves to.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Instant;

use chrono::{DateTime, Utc};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, redirect};
use rustls::CertificateError;
use webhook_domain::{AddressPolicy, FailureClass, FailureDetail};

use crate::timing::{self, Timed};

/// The client for all requests: no redirects, no proxy, a resolver that filters.
pub(crate) fn client(addresses: &AddressPolicy) -> reqwest::Result<Client> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .retry(reqwest::retry::never())
        .dns_resolver(FilteringResolver(addresses.clone()))
        .connector_layer(Timed)
        .build()
}

/// Reads a URL. `None`: it names an address, not a host, that must not be called; such a URL never
/// reaches the resolver.
pub(crate) fn permitted(url: &str, addresses: &AddressPolicy) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let blocked = literal
        .parse()
        .is_ok_and(|address| !addresses.permits(address));
    (!blocked).then_some(url)
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
            let began = Instant::now();
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            timing::resolved(began);
            let found = found.map_err(Unresolved)?;
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
        if tls_error(current).is_some() {
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
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = error.downcast_ref().and_then(std::io::Error::get_ref);
    let inside = wrapped.and_then(|inner| tls_error(inner));
    error.downcast_ref().or(inside)
}

/// The deepest cause: what an admin can do something about.
pub(crate) fn describe(error: &(dyn Error + 'static)) -> FailureDetail {
    let mut deepest = error;
    loop {
        if let Some(rustls::Error::InvalidCertificate(error)) = tls_error(deepest) {
            return describe_certificate(error);
        }
        match deepest.source() {
            Some(source) => deepest = source,
            None => return FailureDetail::of(deepest),
        }
    }
}

/// The most names of a certificate that are repeated.
const MAX_NAMES: usize = 10;

fn describe_certificate(error: &CertificateError) -> FailureDetail {
    let day = |seconds: u64| {
        let time = i64::try_from(seconds).ok();
        let time = time.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
        time.map_or_else(String::new, |time| {
            time.format("%Y-%m-%d %H:%M UTC").to_string()
        })
    };
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the others say it well themselves"
    )]
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            let end = day(not_after.as_secs());
            FailureDetail::of(format_args!("the certificate expired on {end}; renew it"))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let start = day(not_before.as_secs());
            FailureDetail::of(format_args!("the certificate is not valid before {start}"))
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names = presented[..presented.len().min(MAX_NAMES)].join(", ");
            let expected = expected.to_str();
            let detail = format!("the certificate is not for {expected}, but for {names}");
            match presented.len().saturating_sub(MAX_NAMES) {
                0 => FailureDetail::new(&detail),
                more => FailureDetail::of(format_args!("{detail} and {more} more")),
            }
        }
        CertificateError::UnknownIssuer => FailureDetail::new(
            "the certificate is not signed by a public root, or comes without the certificates \
             in between",
        ),
        other => FailureDetail::of(format_args!("the certificate is not accepted: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use rustls::pki_types::UnixTime;

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
            assert_eq!(permitted(url, &public), None, "{url}");
        }
        assert!(permitted("http://127.0.0.1/", &loopback()).is_some());
        assert!(permitted("http://example.com/", &public).is_some());
    }

    #[test]
    fn a_certificate_that_is_not_accepted_is_told_with_what_to_do() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let told = |error| {
            let error = rustls::Error::InvalidCertificate(error);
            describe(&std::io::Error::other(error)).into_string()
        };

        let expired = CertificateError::ExpiredContext {
            time: at(1_795_600_000),
            not_after: at(1_795_523_000),
        };
        assert_eq!(
            told(expired),
            "the certificate expired on 2026-11-24 12:23 UTC; renew it"
        );
        assert!(told(CertificateError::UnknownIssuer).contains("public root"));
        assert!(told(CertificateError::Revoked).starts_with("the certificate is not accepted"));
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
