//! The connector: from an origin to a connection by look-up, address policy, TCP, TLS.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hickory_resolver::net::NetError;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webhook_domain::{AddressPolicy, FailureClass};
use webhook_metrics::catalogue::EGRESS_BLOCKED;

use super::addresses::{Addresses, with_port};
use super::failure::Failure;
use super::origin::{HostName, Origin};
use super::progress::ConnectProgress;
use super::resolver::NameResolver;
use super::tls::{self, Protocols};
use super::wire::{Stream, Transport};

/// How long TCP may take, all addresses together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Makes connections, only to addresses permitted by the address policy.
pub(crate) struct Connector {
    policy: AddressPolicy,
    resolver: NameResolver,
    addresses: Addresses,
    tls: Arc<ClientConfig>,
    tls_for_http1: Arc<ClientConfig>,
}

/// Why no connections can be made at all. A worker does not start then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoConnector {
    #[error("cannot read the configuration of the DNS: {0}")]
    Dns(#[from] NetError),
    #[error("cannot read the certificates that this machine trusts: {0}")]
    Tls(#[from] rustls::Error),
}

/// A finished TLS handshake: the encrypted stream, and whether the receiver asked for a client
/// certificate.
pub(crate) struct Handshake {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) certificate_wanted: Arc<AtomicBool>,
}

impl Handshake {
    /// The failure, if `error` is a receiver's refusal of TLS after the handshake. `None`: another
    /// error.
    pub(crate) fn refusal(&self, error: &std::io::Error) -> Option<Failure> {
        let wanted = self.certificate_wanted.load(Ordering::Relaxed);
        let error = tls::tls_error(error)?;
        Some(Failure::new(
            FailureClass::Tls,
            tls::describe(error, wanted),
        ))
    }
}

impl Connector {
    pub(crate) fn new(
        policy: AddressPolicy,
        name_servers: &[SocketAddr],
    ) -> Result<Self, NoConnector> {
        let tls = tls::client_config()?;
        Ok(Self {
            policy,
            resolver: NameResolver::new(name_servers)?,
            addresses: Addresses::default(),
            tls_for_http1: Arc::new(tls::without_http2(&tls)),
            tls: Arc::new(tls),
        })
    }

    /// The connector with another TLS configuration.
    #[cfg(test)]
    pub(crate) fn with_tls(self, tls: ClientConfig) -> Self {
        let tls = Arc::new(tls);
        Self { tls, ..self }
    }

    /// Makes a connection, with TLS to an `https` origin.
    pub(super) async fn connect(
        &self,
        origin: &Origin,
        progress: &ConnectProgress,
        protocols: Protocols,
    ) -> Result<Stream, Failure> {
        let found = match &origin.host {
            HostName::Name(name) => {
                progress.looking_up(name);
                let found = self.resolver.look_up(name).await?;
                progress.looked_up();
                found
            }
            HostName::Address(address) => Arc::new([*address]),
        };
        // The policy judges addresses after the look-up, as a name may resolve to any address. The
        // connection goes to the judged addresses: no second look-up can bring in an unjudged address.
        let permitted = self.permitted(origin, &found)?;
        progress.connecting(&permitted);
        let stream = self.reach(&permitted, progress).await?;
        let stream = match origin.server_name() {
            None => Stream::new(Transport::Plain(stream), Arc::default()),
            Some(name) => {
                progress.shaking_hands();
                let handshake = self.shake_hands(name, stream, progress, protocols).await?;
                let transport = Transport::Tls(Box::new(handshake.stream));
                Stream::new(transport, handshake.certificate_wanted)
            }
        };
        progress.connected();
        Ok(stream)
    }

    /// The addresses of the origin's host, permitted or not.
    pub(crate) async fn look_up(&self, origin: &Origin) -> Result<Arc<[IpAddr]>, Failure> {
        match &origin.host {
            HostName::Name(name) => self.resolver.look_up(name).await,
            HostName::Address(address) => Ok(Arc::new([*address])),
        }
    }

    /// The addresses of `found` permitted by the address policy, with the origin's port.
    pub(crate) fn permitted(
        &self,
        origin: &Origin,
        found: &[IpAddr],
    ) -> Result<Vec<SocketAddr>, Failure> {
        let mut permitted = with_port(found, origin.port());
        permitted.retain(|address| self.policy.permits(address.ip()));
        if permitted.is_empty() {
            EGRESS_BLOCKED.add(1);
            return Err(match origin.host {
                HostName::Name(_) => Failure::new(
                    FailureClass::BlockedAddress,
                    "the name resolves to addresses that must not be called",
                ),
                HostName::Address(_) => Failure::blocked_address(),
            });
        }
        Ok(permitted)
    }

    /// Whether an address may be called.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        self.policy.permits(address)
    }

    /// A TCP connection to the first of `addresses` to accept.
    pub(crate) async fn reach(
        &self,
        addresses: &[SocketAddr],
        progress: &ConnectProgress,
    ) -> Result<TcpStream, Failure> {
        let connecting = self.addresses.connect(addresses, progress);
        let connected = timeout(CONNECT_TIMEOUT, connecting).await;
        connected.unwrap_or_else(|_| Err(progress.timed_out()))
    }

    /// TLS over a TCP connection.
    pub(crate) async fn shake_hands(
        &self,
        name: &ServerName<'static>,
        stream: TcpStream,
        progress: &ConnectProgress,
        protocols: Protocols,
    ) -> Result<Handshake, Failure> {
        let wanted = Arc::default();
        let config = match protocols {
            Protocols::All => &self.tls,
            Protocols::Http1 => &self.tls_for_http1,
        };
        let shaking = TlsConnector::from(config.clone()).connect(name.clone(), stream);
        let stream = match timeout(HANDSHAKE_TIMEOUT, tls::noting(&wanted, shaking)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let wanted = wanted.load(Ordering::Relaxed);
                let detail = tls::describe_handshake(&error, wanted);
                return Err(Failure::new(FailureClass::Tls, detail));
            }
            Err(_) => return Err(progress.timed_out()),
        };
        Ok(Handshake {
            stream,
            certificate_wanted: wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::default_provider;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::{HandshakeKind, RootCertStore, ServerConfig};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    const CERTIFICATE: &[u8] = include_bytes!("../../testdata/localhost.crt.der");
    const KEY: &[u8] = include_bytes!("../../testdata/localhost.key.der");

    fn acceptor() -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth();
        let key = PrivatePkcs8KeyDer::from(KEY).into();
        let config = config.with_single_cert(vec![CERTIFICATE.into()], key);
        TlsAcceptor::from(Arc::new(config.expect("a certificate")))
    }

    /// Our own TLS, trusting the certificate of these tests.
    fn connector() -> Connector {
        let mut roots = RootCertStore::empty();
        roots.add(CERTIFICATE.into()).expect("a root");
        let provider = Arc::new(default_provider());
        let verifier =
            rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let mut tls = tls::client_config().expect("TLS");
        let verifier = verifier.build().expect("a verifier");
        tls.dangerous().set_certificate_verifier(verifier);
        let connector = Connector::new(AddressPolicy::default(), &[]);
        connector.expect("a connector").with_tls(tls)
    }

    #[tokio::test]
    async fn a_second_connection_resumes_the_session_of_the_first() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let acceptor = acceptor();
            for _ in 0..2 {
                let (stream, _) = listener.accept().await.expect("a connection");
                let mut stream = acceptor.accept(stream).await.expect("a handshake");
                stream.write_all(b"x").await.expect("it is sent");
                stream.shutdown().await.expect("it ends");
            }
        });
        let (connector, progress) = (connector(), ConnectProgress::start());
        let name = ServerName::try_from("localhost").expect("a name");

        let mut kinds = Vec::new();
        for _ in 0..2 {
            let stream = TcpStream::connect(address).await.expect("a connection");
            let shaking = connector.shake_hands(&name, stream, &progress, Protocols::All);
            let mut stream = shaking.await.expect("a handshake").stream;
            // A ticket comes with the first bytes.
            stream.read_u8().await.expect("a byte");
            kinds.push(stream.get_ref().1.handshake_kind());
        }

        server.await.expect("it ends");
        assert_eq!(
            kinds,
            [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)]
        );
    }
}
