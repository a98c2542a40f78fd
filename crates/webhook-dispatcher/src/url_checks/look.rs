//! One look at a URL: resolve, connect, shake hands, as an attempt would, and make no request.

use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::Url;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use webhook_domain::{
    AddressPolicy, CertificateText, CheckedAddress, FailureClass, FailureDetail, OpenedConnection,
    TlsHandshake, UrlFailure, UrlReport,
};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::target::describe;

/// How long each step may take.
const STEP: Duration = Duration::from_secs(5);

/// TLS that trusts whom this machine trusts.
pub(super) fn client_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    let config = builder.with_platform_verifier()?.with_no_client_auth();
    Ok(Arc::new(config))
}

/// Finds out about a URL, up to the first failure.
pub(super) async fn look_at(
    url: &str,
    addresses: &AddressPolicy,
    tls: &Arc<ClientConfig>,
) -> UrlReport {
    let mut report = UrlReport::default();
    report.failure = go_through(url, addresses, tls, &mut report).await.err();
    report
}

async fn go_through(
    url: &str,
    addresses: &AddressPolicy,
    tls: &Arc<ClientConfig>,
    report: &mut UrlReport,
) -> Result<(), UrlFailure> {
    let url = Url::parse(url).map_err(|error| failure(FailureClass::Dns, error))?;
    let host = url.host_str().unwrap_or_default();
    // An IPv6 address stands in brackets.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = url.port_or_known_default().unwrap_or_default();

    let found = within(FailureClass::Dns, lookup_host((host, port))).await?;
    let found: Vec<SocketAddr> = found.collect();
    report.addresses = judge(&found, addresses);
    let stream = connect(&found, addresses, report).await?;
    if url.scheme() == "https" {
        report.tls = Some(shake_hands(host, stream, tls).await?);
    }
    Ok(())
}

fn judge(found: &[SocketAddr], addresses: &AddressPolicy) -> Vec<CheckedAddress> {
    let judged = found.iter().map(|found| CheckedAddress {
        address: found.ip(),
        permitted: addresses.permits(found.ip()),
    });
    judged.collect()
}

/// Connects to the first address that may be called and answers.
async fn connect(
    found: &[SocketAddr],
    addresses: &AddressPolicy,
    report: &mut UrlReport,
) -> Result<TcpStream, UrlFailure> {
    let permitted = found.iter().filter(|found| addresses.permits(found.ip()));
    let permitted: Vec<SocketAddr> = permitted.copied().collect();
    if permitted.is_empty() {
        let detail = "the name resolves to addresses that must not be called";
        return Err(failure(FailureClass::BlockedAddress, detail));
    }
    let began = Instant::now();
    let stream = within(FailureClass::Connect, TcpStream::connect(&*permitted)).await?;
    let address = stream.peer_addr();
    report.connection = Some(OpenedConnection {
        address: address.map_err(|error| failure(FailureClass::Reset, error))?,
        connect_ms: millis_since(began),
    });
    Ok(stream)
}

async fn shake_hands(
    host: &str,
    stream: TcpStream,
    tls: &Arc<ClientConfig>,
) -> Result<TlsHandshake, UrlFailure> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| failure(FailureClass::Tls, error))?;
    let began = Instant::now();
    let connecting = TlsConnector::from(tls.clone()).connect(name, stream);
    let stream = within(FailureClass::Tls, connecting).await?;
    let (not_after, issuer) = read_certificate(stream.get_ref().1).unzip();
    Ok(TlsHandshake {
        version: version(stream.get_ref().1),
        handshake_ms: millis_since(began),
        not_after: not_after.flatten(),
        issuer,
    })
}

fn version(session: &ClientConnection) -> String {
    match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Until when the host's certificate is valid, and who issued it.
fn read_certificate(
    session: &ClientConnection,
) -> Option<(Option<DateTime<Utc>>, CertificateText)> {
    let certificate = session.peer_certificates()?.first()?;
    let certificate = Certificate::from_der(certificate).ok()?.tbs_certificate;
    let not_after = certificate.validity.not_after.to_unix_duration();
    let not_after = i64::try_from(not_after.as_secs()).ok()?;
    Some((
        DateTime::from_timestamp(not_after, 0),
        CertificateText::of(&certificate.issuer),
    ))
}

/// One step. `class`: what it means when it fails.
async fn within<T>(
    class: FailureClass,
    step: impl Future<Output = std::io::Result<T>>,
) -> Result<T, UrlFailure> {
    match timeout(STEP, step).await {
        Ok(done) => done.map_err(|error| failure(class, describe(&error))),
        Err(_) => {
            let detail = format!("{class} took longer than {} s", STEP.as_secs());
            Err(failure(FailureClass::Timeout, detail))
        }
    }
}

fn failure(class: FailureClass, detail: impl Display) -> UrlFailure {
    UrlFailure {
        class,
        detail: FailureDetail::of(detail),
    }
}

fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{RootCertStore, ServerConfig};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    /// Valid for `localhost` until 2126, signed by itself: `openssl req -x509 -newkey ec …`
    const CERTIFICATE: &[u8] = include_bytes!("../../testdata/localhost.crt.der");
    const KEY: &[u8] = include_bytes!("../../testdata/localhost.key.der");

    fn loopback() -> AddressPolicy {
        AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        }
    }

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        (listener, port)
    }

    async fn look(url: &str, addresses: &AddressPolicy) -> UrlReport {
        look_at(url, addresses, &client_config().expect("TLS")).await
    }

    /// Shakes one hand.
    async fn serve_tls(listener: TcpListener) {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let key = PrivatePkcs8KeyDer::from(KEY);
        let config = builder
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![CERTIFICATE.into()], key.into())
            .expect("a certificate");
        let (stream, _) = listener.accept().await.expect("a connection");
        let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    }

    fn trusting(certificate: &'static [u8]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.into()).expect("a root");
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder.expect("versions").with_root_certificates(roots);
        Arc::new(builder.with_no_client_auth())
    }

    fn class(report: &UrlReport) -> Option<FailureClass> {
        report.failure.as_ref().map(|failure| failure.class)
    }

    #[tokio::test]
    async fn a_certificate_that_is_trusted_is_told() {
        let (listener, port) = listener().await;
        let server = tokio::spawn(serve_tls(listener));

        let url = format!("https://localhost:{port}/hook");
        let report = look_at(&url, &loopback(), &trusting(CERTIFICATE)).await;

        server.await.expect("it ends");
        assert_eq!(report.failure, None);
        let address = report.connection.expect("a connection").address;
        assert_eq!(address, SocketAddr::from(([127, 0, 0, 1], port)));
        let tls = report.tls.expect("a handshake");
        assert_eq!(tls.version, "1.3");
        assert_eq!(tls.issuer, Some("O=Webhooks,CN=localhost".into()));
        let years = tls.not_after.map(|at| at.format("%Y").to_string());
        assert_eq!(years.as_deref(), Some("2126"));
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_trusted_is_a_tls_failure() {
        let (listener, port) = listener().await;
        let server = tokio::spawn(serve_tls(listener));

        let report = look(&format!("https://localhost:{port}/"), &loopback()).await;

        server.await.expect("it ends");
        assert_eq!(class(&report), Some(FailureClass::Tls));
        assert!(report.connection.is_some() && report.tls.is_none());
        let detail = report.failure.expect("a failure").detail;
        assert!(detail.as_str().contains("certificate"), "{detail}");
    }

    #[tokio::test]
    async fn addresses_that_must_not_be_called_are_told_and_not_connected_to() {
        let (listener, port) = listener().await;

        for url in ["localhost", "127.0.0.1", "[::1]"] {
            let url = format!("http://{url}:{port}/");
            let report = look(&url, &AddressPolicy::default()).await;

            assert_eq!(class(&report), Some(FailureClass::BlockedAddress), "{url}");
            assert!(report.addresses.iter().all(|address| !address.permitted));
            assert!(!report.addresses.is_empty() && report.connection.is_none());
        }
        let nobody = timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "somebody connected");
    }

    #[tokio::test]
    async fn without_tls_a_connection_is_enough() {
        let (_listener, port) = listener().await;

        let report = look(&format!("http://127.0.0.1:{port}/"), &loopback()).await;

        assert_eq!(report.failure, None);
        assert!(report.connection.is_some() && report.tls.is_none());
    }

    #[tokio::test]
    async fn a_port_that_nobody_listens_on_is_a_failure_to_connect() {
        let (listener, port) = listener().await;
        drop(listener);

        let report = look(&format!("https://127.0.0.1:{port}/"), &loopback()).await;

        assert_eq!(class(&report), Some(FailureClass::Connect));
        assert_eq!(report.addresses.len(), 1);
    }
}
