use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

/// A receiver over TLS that answers 200, with a certificate of a fresh authority.
pub struct TlsReceiver {
    /// `https://localhost:…/hook`, the URL for a webhook.
    pub url: String,
    /// The authority's certificate, a value for the variable `SSL_CERT_FILE`.
    pub authority: PathBuf,
    _authority: Authority,
}

impl TlsReceiver {
    /// Listens with a certificate for `names`.
    pub async fn named(names: &[&str]) -> Self {
        let authority = Authority::new();
        let server = TlsServer::start(authority.issue(names).acceptor(&[])).await;
        Self {
            url: format!("https://localhost:{}/hook", server.port),
            authority: authority.file.clone(),
            _authority: authority,
        }
    }
}

/// A certificate authority for the certificates of a test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    /// The authority's own certificate, a value for the variable `SSL_CERT_FILE`.
    pub file: PathBuf,
}

impl Authority {
    /// Makes an authority. Programs with [`Authority::file`] in `SSL_CERT_FILE` trust the authority.
    pub fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority_params("an authority for tests");
        let issuer = CertifiedIssuer::self_signed(params, key);
        Self::of(issuer.expect("the certificate is self-signed"))
    }

    /// Makes an intermediate authority with a certificate of the authority.
    pub fn intermediate(&self) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority_params("an authority in between");
        let issuer = CertifiedIssuer::signed_by(params, key, &self.issuer);
        Self::of(issuer.expect("the certificate is signed"))
    }

    fn of(issuer: CertifiedIssuer<'static, KeyPair>) -> Self {
        let file = std::env::temp_dir().join(format!("webhooks-ca.{}.pem", Uuid::new_v4()));
        std::fs::write(&file, issuer.pem()).expect("the file is written");
        Self { issuer, file }
    }

    /// Signs a certificate for `names`.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_with(names, |_| {})
    }

    /// Signs a certificate for `names` after `change` has edited the parameters.
    pub fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let mut params = params_for(names);
        change(&mut params);
        let certificate = params.signed_by(&key, &self.issuer);
        let certificate = certificate.expect("the certificate is signed");
        Identity { certificate, key }
    }

    /// An acceptor that asks clients for a certificate of this authority, with these versions of TLS
    /// and these ALPN protocols, such as `h2`; without protocols, clients speak HTTP/1.
    pub fn asking_acceptor(
        &self,
        identity: &Identity,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> TlsAcceptor {
        let mut roots = RootCertStore::empty();
        let root = self.issuer.der().clone();
        roots.add(root).expect("a root certificate");
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions)
            .expect("versions")
            .with_client_cert_verifier(verifier.expect("the verifier has a root"))
            .with_single_cert(vec![identity.certificate()], identity.key());
        let mut config = config.expect("the key fits the certificate");
        config.alpn_protocols = alpn(protocols);
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// A certificate and the key.
pub struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    /// A self-signed certificate for `names`.
    pub fn self_signed(names: &[&str]) -> Self {
        let key = KeyPair::generate().expect("a key");
        let certificate = params_for(names).self_signed(&key);
        let certificate = certificate.expect("the certificate is self-signed");
        Self { certificate, key }
    }

    /// An acceptor that presents the certificate without a chain and offers these ALPN protocols, such
    /// as `h2`; without protocols, clients speak HTTP/1.
    pub fn acceptor(&self, protocols: &[&str]) -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate()], self.key());
        let mut config = config.expect("the key fits the certificate");
        config.alpn_protocols = alpn(protocols);
        TlsAcceptor::from(Arc::new(config))
    }

    fn certificate(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::try_from(self.key.serialize_der()).expect("a key")
    }
}

/// A certificate for `localhost` of a fresh authority, in files for other programs.
pub(crate) struct CertificateFiles {
    /// The authority's certificate, a value for the variable `SSL_CERT_FILE`.
    pub(crate) authority: PathBuf,
    /// The certificate for `localhost`.
    pub(crate) certificate: PathBuf,
    /// The private key of the certificate.
    pub(crate) key: PathBuf,
}

impl CertificateFiles {
    /// Writes the three files into `folder`.
    pub(crate) fn write(folder: &Path) -> Self {
        let authority = Authority::new();
        let identity = authority.issue(&["localhost"]);
        let write = |name: &str, pem: String| {
            let file = folder.join(name);
            std::fs::write(&file, pem).expect("the file is written");
            file
        };
        Self {
            authority: write("authority.pem", authority.issuer.pem()),
            certificate: write("certificate.pem", identity.certificate.pem()),
            key: write("key.pem", identity.key.serialize_pem()),
        }
    }
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn params_for(names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::default();
    // Without a subject name, a certificate would carry the name of the issuer and look self-signed.
    params
        .distinguished_name
        .push(DnType::CommonName, "a receiver");
    let names = names.iter().map(|name| (*name).try_into().expect("ASCII"));
    params.subject_alt_names = names.map(SanType::DnsName).collect();
    params
}

fn alpn(protocols: &[&str]) -> Vec<Vec<u8>> {
    let names = protocols.iter().map(|name| name.as_bytes());
    names.map(<[u8]>::to_vec).collect()
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A TLS server on loopback. Answers each request with 200 and closes the connection.
pub struct TlsServer {
    /// The port on 127.0.0.1.
    pub port: u16,
    seen: Arc<Mutex<Vec<TlsRequest>>>,
}

/// A request over TLS.
#[derive(Debug, Clone)]
pub struct TlsRequest {
    /// The server name in the client hello (SNI, RFC 6066), if any.
    pub server_name: Option<String>,
    /// The first bytes of the request: the head, if the request is small.
    pub head: String,
}

impl TlsServer {
    /// Listens on any free port and shakes hands with `acceptor`.
    pub async fn start(acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("the port is bound").port();
        let seen: Arc<Mutex<Vec<TlsRequest>>> = Arc::default();
        tokio::spawn(serve(listener, acceptor, seen.clone()));
        Self { port, seen }
    }

    /// The requests until now, in the order of arrival.
    pub fn requests(&self) -> Vec<TlsRequest> {
        lock(&self.seen).clone()
    }
}

fn lock(seen: &Mutex<Vec<TlsRequest>>) -> MutexGuard<'_, Vec<TlsRequest>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends a refused connection after its client. Closing with a request unread would reset the
/// connection, and the reset may overtake the alert that names the refusal.
async fn close_after_alert(mut refused: TcpStream) {
    let _ = refused.shutdown().await;
    let _ = tokio::io::copy(&mut refused, &mut tokio::io::sink()).await;
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<TlsRequest>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, seen) = (acceptor.clone(), seen.clone());
        tokio::spawn(async move {
            let mut stream = match acceptor.accept(stream).into_fallible().await {
                Ok(stream) => stream,
                Err((_, refused)) => return close_after_alert(refused).await,
            };
            let mut head = [0; 8 * 1024];
            let read = stream.read(&mut head).await.unwrap_or_default();
            lock(&seen).push(TlsRequest {
                server_name: stream.get_ref().1.server_name().map(str::to_owned),
                head: String::from_utf8_lossy(&head[..read]).into_owned(),
            });
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        });
    }
}
