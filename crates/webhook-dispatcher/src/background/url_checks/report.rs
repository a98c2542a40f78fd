//! The report on a URL: look up, connect, shake hands like an attempt, without a request.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ProtocolVersion};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;
use webhook_domain::{
    CertificateText, CheckedAddress, FailureClass, OpenedConnection, TlsHandshake, UrlFailure,
    UrlReport,
};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::client::{ConnectProgress, Connector, Failure, Handshake, Origin, Protocols};

/// How long a check may take. The API waits 16 s for the report.
const CHECK_TIMEOUT: Duration = Duration::from_secs(14);

/// How long each of several addresses may take to accept a connection.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a receiver with TLS 1.3 has to refuse the connection after the handshake, for example for
/// want of a client certificate.
const LATE_REFUSAL_TIMEOUT: Duration = Duration::from_millis(500);

/// Checks a URL, up to the first failure.
pub(super) async fn check_url(url: &str, connector: &Connector) -> UrlReport {
    let (mut report, progress) = (UrlReport::default(), ConnectProgress::start());
    let looked = timeout(
        CHECK_TIMEOUT,
        go_through(url, connector, &progress, &mut report),
    )
    .await;
    if let Err(failure) = looked.unwrap_or_else(|_| Err(progress.timed_out())) {
        report.failure = Some(UrlFailure {
            class: failure.class,
            detail: failure.detail,
        });
    }
    report
}

async fn go_through(
    url: &str,
    connector: &Connector,
    progress: &ConnectProgress,
    report: &mut UrlReport,
) -> Result<(), Failure> {
    let url = Url::parse(url).map_err(|error| Failure::new(FailureClass::Dns, error))?;
    let origin = Origin::of(&url)
        .ok_or_else(|| Failure::new(FailureClass::Dns, "the URL has no host that can be called"))?;
    let found = connector.look_up(&origin).await?;
    report.addresses = found
        .iter()
        .map(|address| judge(*address, connector))
        .collect();
    let permitted = connector.permitted(&origin, &found)?;

    let began = Instant::now();
    progress.connecting(&permitted);
    let reached = async {
        let reached = connector.reach(&permitted, progress).await;
        (reached, millis_since(began))
    };
    let ((stream, connect_ms), dead) = tokio::join!(reached, dead(&permitted));
    for address in &mut report.addresses {
        address.takes_no_connection = dead.contains(&address.address);
    }
    let stream = stream?;
    let address = stream.peer_addr();
    report.connection = Some(OpenedConnection {
        address: address.map_err(|error| Failure::new(FailureClass::Reset, error))?,
        connect_ms,
    });
    if let Some(name) = origin.server_name() {
        progress.shaking_hands();
        report.tls = Some(shake_hands(name, stream, connector, progress).await?);
    }
    Ok(())
}

fn judge(address: IpAddr, connector: &Connector) -> CheckedAddress {
    CheckedAddress {
        address,
        permitted: connector.permits(address),
        takes_no_connection: false,
    }
}

/// The addresses, of two or more, without an accepted connection. Attempts work around such addresses.
async fn dead(addresses: &[SocketAddr]) -> Vec<IpAddr> {
    if addresses.len() < 2 {
        return Vec::new();
    }
    let tried = addresses.iter().map(|address| async move {
        let connected = timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await;
        (!matches!(connected, Ok(Ok(_)))).then_some(address.ip())
    });
    join_all(tried).await.into_iter().flatten().collect()
}

async fn shake_hands(
    name: &ServerName<'static>,
    stream: TcpStream,
    connector: &Connector,
    progress: &ConnectProgress,
) -> Result<TlsHandshake, Failure> {
    let began = Instant::now();
    let shaking = connector.shake_hands(name, stream, progress, Protocols::All);
    let mut handshake = shaking.await?;
    let handshake_ms = millis_since(began);
    refused_late(&mut handshake).await?;
    let session = handshake.stream.get_ref().1;
    let (not_after, issuer) = read_certificate(session).unzip();
    Ok(TlsHandshake {
        version: version(session),
        handshake_ms,
        not_after: not_after.flatten(),
        issuer,
    })
}

/// A receiver's refusal after the handshake: with TLS 1.3 a client finishes the handshake before the
/// receiver's verdict.
async fn refused_late(handshake: &mut Handshake) -> Result<(), Failure> {
    let mut byte = [0];
    let heard = timeout(LATE_REFUSAL_TIMEOUT, handshake.stream.read(&mut byte)).await;
    match heard {
        Ok(Err(error)) => match handshake.refusal(&error) {
            Some(failure) => Err(failure),
            None => Ok(()),
        },
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

fn version(session: &ClientConnection) -> String {
    match session.protocol_version() {
        Some(ProtocolVersion::TLSv1_3) => "1.3".to_owned(),
        Some(ProtocolVersion::TLSv1_2) => "1.2".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The end of the certificate's validity, and the issuer.
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

fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::server::danger::ClientCertVerifier;
    use rustls::server::{NoClientAuth, WebPkiClientVerifier};
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use webhook_domain::AddressPolicy;

    /// Valid for `localhost` until 2126, signed by itself: `openssl req -x509 -newkey ec …`
    const CERTIFICATE: &[u8] = include_bytes!("../../../testdata/localhost.crt.der");
    const KEY: &[u8] = include_bytes!("../../../testdata/localhost.key.der");

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
        let connector = Connector::new(addresses.clone(), &[]).expect("a connector");
        check_url(url, &connector).await
    }

    /// Accepts one TLS connection.
    async fn serve_tls(listener: TcpListener) {
        serve_clients(listener, Arc::new(NoClientAuth)).await;
    }

    /// Accepts one TLS connection of a client that the verifier accepts.
    async fn serve_clients(listener: TcpListener, verifier: Arc<dyn ClientCertVerifier>) {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let key = PrivatePkcs8KeyDer::from(KEY);
        let config = builder
            .expect("versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![CERTIFICATE.into()], key.into())
            .expect("a certificate");
        let (stream, _) = listener.accept().await.expect("a connection");
        let _ = TlsAcceptor::from(Arc::new(config)).accept(stream).await;
    }

    fn roots(certificate: &'static [u8]) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.into()).expect("a root");
        roots
    }

    fn trusting(certificate: &'static [u8]) -> Connector {
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let builder = builder
            .expect("versions")
            .with_root_certificates(roots(certificate));
        let connector = Connector::new(loopback(), &[]).expect("a connector");
        connector.with_tls(builder.with_no_client_auth())
    }

    fn class(report: &UrlReport) -> Option<FailureClass> {
        report.failure.as_ref().map(|failure| failure.class)
    }

    #[tokio::test]
    async fn a_certificate_that_is_trusted_is_told() {
        let (listener, port) = listener().await;
        let server = tokio::spawn(serve_tls(listener));

        let url = format!("https://localhost:{port}/hook");
        let report = check_url(&url, &trusting(CERTIFICATE)).await;

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

    #[tokio::test]
    async fn a_refusal_after_the_handshake_is_a_tls_failure() {
        let (listener, port) = listener().await;
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots(CERTIFICATE).into(), provider);
        let verifier = verifier.build().expect("a verifier");
        let server = tokio::spawn(serve_clients(listener, verifier));

        let url = format!("https://localhost:{port}/");
        let report = check_url(&url, &trusting(CERTIFICATE)).await;

        server.await.expect("it ends");
        assert_eq!(class(&report), Some(FailureClass::Tls));
        let detail = report.failure.expect("a failure").detail;
        assert!(detail.as_str().contains("a client certificate"), "{detail}");
    }

    #[tokio::test]
    async fn of_several_addresses_those_without_a_connection_are_dead() {
        let (_listener, port) = listener().await;
        let [open, refusing] = [[127, 0, 0, 1], [127, 0, 0, 2]];
        let [open, refusing] = [open, refusing].map(|ip| SocketAddr::from((ip, port)));

        let of_both = dead(&[open, refusing]).await;
        let of_one = dead(&[refusing]).await;

        assert_eq!(of_both, [refusing.ip()]);
        assert!(of_one.is_empty(), "no other address is there");
    }

    #[test]
    fn times_are_told_in_milliseconds() {
        let began = Instant::now() - Duration::from_secs(2);

        assert!((2_000..60_000).contains(&millis_since(began)));
    }
}
