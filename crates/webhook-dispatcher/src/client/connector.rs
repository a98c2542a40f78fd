//! From an endpoint to a connection: look-up, address policy, TCP, TLS.

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

use super::addresses::{Addresses, with_port};
use super::endpoint::{Endpoint, HostName};
use super::failure::Failure;
use super::progress::Progress;
use super::resolver::NameResolver;
use super::tls::{self, Protocols};
use super::wire::{Stream, Transport};

/// How long TCP may take, over all addresses.
pub(crate) const CONNECT: Duration = Duration::from_secs(10);

/// How long TLS may take.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// Makes connections to addresses that may be called, whatever a name resolves to.
pub(crate) struct Connector {
    policy: AddressPolicy,
    resolver: NameResolver,
    addresses: Addresses,
    tls: ClientConfig,
}

/// Why there is no way to make connections.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoConnector {
    #[error("cannot read the configuration of the DNS: {0}")]
    Dns(#[from] NetError),
    #[error("cannot read the certificates that this machine trusts: {0}")]
    Tls(#[from] rustls::Error),
}

/// A TLS handshake that came to its end.
pub(crate) struct Handshake {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) certificate_wanted: Arc<AtomicBool>,
}

impl Handshake {
    /// What the receiver refused by TLS after the handshake, if that is what the error is.
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
        Ok(Self {
            policy,
            resolver: NameResolver::new(name_servers)?,
            addresses: Addresses::default(),
            tls: tls::client_config()?,
        })
    }

    /// The same with another TLS.
    #[cfg(test)]
    pub(crate) fn with_tls(self, tls: ClientConfig) -> Self {
        Self { tls, ..self }
    }

    /// Connects, and shakes hands where the endpoint wants TLS.
    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        progress: &Progress,
        protocols: Protocols,
    ) -> Result<Stream, Failure> {
        let found = match &endpoint.host {
            HostName::Name(name) => {
                progress.looking_up(name);
                let found = self.resolver.look_up(name).await?;
                progress.looked_up();
                found
            }
            HostName::Address(address) => Arc::new([*address]),
        };
        let permitted = self.permitted(&found, endpoint.port())?;
        progress.connecting(&permitted);
        let stream = self.reach(&permitted, progress).await?;
        let stream = match endpoint.server_name() {
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

    /// The addresses of the endpoint's host, permitted or not.
    pub(crate) async fn look_up(&self, endpoint: &Endpoint) -> Result<Arc<[IpAddr]>, Failure> {
        match &endpoint.host {
            HostName::Name(name) => self.resolver.look_up(name).await,
            HostName::Address(address) => Ok(Arc::new([*address])),
        }
    }

    /// Those of them that may be called.
    pub(crate) fn permitted(
        &self,
        found: &[IpAddr],
        port: u16,
    ) -> Result<Vec<SocketAddr>, Failure> {
        let mut permitted = with_port(found, port);
        permitted.retain(|address| self.policy.permits(address.ip()));
        if permitted.is_empty() {
            return Err(Failure::new(
                FailureClass::BlockedAddress,
                "the name resolves to addresses that must not be called",
            ));
        }
        Ok(permitted)
    }

    /// Whether an address may be called.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        self.policy.permits(address)
    }

    /// A TCP connection to one of these addresses.
    pub(crate) async fn reach(
        &self,
        addresses: &[SocketAddr],
        progress: &Progress,
    ) -> Result<TcpStream, Failure> {
        let connecting = self.addresses.connect(addresses);
        let connected = timeout(CONNECT, connecting).await;
        connected.unwrap_or_else(|_| Err(progress.timed_out()))
    }

    /// TLS over a TCP connection.
    pub(crate) async fn shake_hands(
        &self,
        name: &ServerName<'static>,
        stream: TcpStream,
        progress: &Progress,
        protocols: Protocols,
    ) -> Result<Handshake, Failure> {
        let wanted = Arc::default();
        let config = Arc::new(tls::for_connection(&self.tls, &wanted, protocols));
        let shaking = TlsConnector::from(config).connect(name.clone(), stream);
        let stream = match timeout(HANDSHAKE, shaking).await {
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
