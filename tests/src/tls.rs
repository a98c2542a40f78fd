use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

/// A receiver with a certificate of an authority of its own, which answers 200.
pub struct TlsReceiver {
    /// Where it listens, by the name `localhost`.
    pub url: String,
    /// The authority's certificate: programs trust it with `SSL_CERT_FILE`.
    pub authority: PathBuf,
}

impl TlsReceiver {
    /// Listens with a certificate for these names.
    pub async fn named(names: &[&str]) -> Self {
        let authority = authority();
        let (certificate, key) = certificate(names, &authority);
        let file = std::env::temp_dir().join(format!("webhooks-ca.{}.pem", Uuid::new_v4()));
        std::fs::write(&file, authority.pem()).expect("it is written");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(serve(listener, acceptor(certificate.der().clone(), &key)));
        Self {
            url: format!("https://localhost:{port}/hook"),
            authority: file,
        }
    }
}

impl Drop for TlsReceiver {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.authority);
    }
}

/// A certificate for `localhost` of an authority of its own, in files for other programs.
pub(crate) struct CertificateFiles {
    /// The authority's certificate: programs trust it with `SSL_CERT_FILE`.
    pub(crate) authority: PathBuf,
    /// The certificate for `localhost`.
    pub(crate) certificate: PathBuf,
    /// The private key of that certificate.
    pub(crate) key: PathBuf,
}

impl CertificateFiles {
    /// Writes the three files into `folder`.
    pub(crate) fn write(folder: &Path) -> Self {
        let authority = authority();
        let (certificate, key) = certificate(&["localhost"], &authority);
        let write = |name: &str, pem: String| {
            let file = folder.join(name);
            std::fs::write(&file, pem).expect("it is written");
            file
        };
        Self {
            authority: write("authority.pem", authority.pem()),
            certificate: write("certificate.pem", certificate.pem()),
            key: write("key.pem", key.serialize_pem()),
        }
    }
}

/// A certificate for these names, and its private key.
fn certificate(
    names: &[&str],
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    let names = names.iter().map(|name| (*name).try_into().expect("ASCII"));
    params.subject_alt_names = names.map(SanType::DnsName).collect();
    let certificate = params.signed_by(&key, authority).expect("it is signed");
    (certificate, key)
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("it signs itself")
}

fn acceptor(certificate: CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.expect("it fits")))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let _ = stream.read(&mut [0; 8 * 1024]).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(answer).await;
            let _ = stream.shutdown().await;
        });
    }
}
