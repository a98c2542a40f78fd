//! TLS of connections to receivers, and the meaning of TLS errors.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;
use rustls::{AlertDescription, ClientConfig, OtherError, SignatureScheme};
use webhook_domain::FailureDetail;

mod verifier;

use verifier::{NotTrusted, Verifier};

/// TLS 1.2 and 1.3, trusting the machine's roots, offering HTTP/2 before HTTP/1.1.
pub(super) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(default_provider());
    let verifier = Verifier::new(provider.clone())?;
    let builder = ClientConfig::builder_with_provider(provider);
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_cert_resolver(Arc::new(NoCertificate));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The protocols offered in a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocols {
    /// HTTP/2 before HTTP/1.1.
    All,
    /// Only HTTP/1.1.
    Http1,
}

/// A copy of the configuration, offering only HTTP/1.1.
pub(super) fn without_http2(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

tokio::task_local! {
    /// Whether the receiver of the current task's handshake asked for a client certificate.
    static CERTIFICATE_WANTED: Arc<AtomicBool>;
}

/// Runs a handshake, and notes in `wanted` whether the receiver asks for a client certificate.
pub(super) async fn noting<T>(wanted: &Arc<AtomicBool>, handshake: impl Future<Output = T>) -> T {
    CERTIFICATE_WANTED.scope(wanted.clone(), handshake).await
}

/// Presents no client certificate, and notes a receiver's wish for one.
///
/// A single resolver serves all connections, as a TLS session is resumed only under the resolver of its
/// start. So the note goes through a task-local instead of a field.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let note = |wanted: &Arc<AtomicBool>| wanted.store(true, Ordering::Relaxed);
        // Outside of `noting` the note has no reader.
        let _ = CERTIFICATE_WANTED.try_with(note);
        None
    }

    fn has_certs(&self) -> bool {
        // With `false` the library would not call `resolve`.
        true
    }
}

/// Finds the TLS error within an `io::Error`. An `io::Error` may be nested, and hides the inner error
/// from `source`.
pub(super) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let wrapped = error.downcast_ref().and_then(io::Error::get_ref);
    let inside = wrapped.and_then(|inner| tls_error(inner));
    error.downcast_ref().or(inside)
}

/// Says why a handshake failed.
pub(super) fn describe_handshake(error: &io::Error, certificate_wanted: bool) -> FailureDetail {
    match tls_error(error) {
        Some(error) => describe(error, certificate_wanted),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the receiver closed the connection in the middle of the TLS handshake".into()
        }
        None if error.kind() == io::ErrorKind::ConnectionReset => {
            "the receiver reset the connection in the middle of the TLS handshake".into()
        }
        None => FailureDetail::of(format_args!("the TLS handshake failed: {error}")),
    }
}

/// Explains a TLS error to the operator of the receiver. `certificate_wanted`: the receiver had asked
/// for a client certificate.
pub(super) fn describe(error: &rustls::Error, certificate_wanted: bool) -> FailureDetail {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the library's text of the others is clear"
    )]
    match error {
        rustls::Error::InvalidMessage(_) => {
            "the receiver does not speak TLS on this port; perhaps the port speaks plain HTTP"
                .into()
        }
        rustls::Error::AlertReceived(alert) => describe_alert(*alert, certificate_wanted),
        rustls::Error::PeerIncompatible(why) => FailureDetail::of(format_args!(
            "the receiver and the dispatcher share no version of TLS: {why:?}"
        )),
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(OtherError(other))) => {
            match other.downcast_ref::<NotTrusted>() {
                Some(NotTrusted(detail)) => detail.clone(),
                None => FailureDetail::of(format_args!("the certificate is not accepted: {other}")),
            }
        }
        rustls::Error::InvalidCertificate(other) => {
            FailureDetail::of(format_args!("the certificate is not accepted: {other}"))
        }
        other => FailureDetail::of(format_args!("TLS failed: {other}")),
    }
}

fn describe_alert(alert: AlertDescription, certificate_wanted: bool) -> FailureDetail {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the library's text of the others is clear"
    )]
    match alert {
        AlertDescription::ProtocolVersion => {
            "the receiver speaks neither TLS 1.2 nor TLS 1.3; older versions are not used".into()
        }
        AlertDescription::CertificateRequired => WANTS_CERTIFICATE.into(),
        AlertDescription::HandshakeFailure
        | AlertDescription::BadCertificate
        | AlertDescription::AccessDenied
        | AlertDescription::UnknownCA
            if certificate_wanted =>
        {
            WANTS_CERTIFICATE.into()
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "the receiver accepts none of our cipher suites, which all use ECDHE with AES-GCM or \
             ChaCha20"
                .into()
        }
        AlertDescription::UnrecognisedName => {
            "the receiver has no certificate for the URL's host: the name is unknown to the receiver".into()
        }
        AlertDescription::NoApplicationProtocol => {
            "the receiver speaks neither HTTP/2 nor HTTP/1.1 over TLS".into()
        }
        other => FailureDetail::of(format_args!(
            "the receiver ended the TLS connection with the alert {other:?}"
        )),
    }
}

const WANTS_CERTIFICATE: &str = "the receiver wants a client certificate, and we present none";

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_refusal_after_a_request_for_a_certificate_is_about_that_certificate() {
        let alert = rustls::Error::AlertReceived(AlertDescription::HandshakeFailure);

        let wanted = describe(&alert, true);
        let unwanted = describe(&alert, false);

        assert_eq!(wanted.as_str(), WANTS_CERTIFICATE);
        assert!(unwanted.as_str().contains("cipher"), "{unwanted}");
    }

    #[test]
    fn a_tls_error_is_found_within_other_errors() {
        let inner = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
        let nested = io::Error::other(io::Error::other(inner.clone()));

        assert_eq!(tls_error(&nested), Some(&inner));
        assert_eq!(tls_error(&io::Error::other("none")), None);
    }

    #[tokio::test]
    async fn a_wish_for_a_certificate_is_noted_and_not_granted() {
        let wanted = Arc::default();

        let presented = noting(&wanted, async { NoCertificate.resolve(&[], &[]) }).await;

        assert!(presented.is_none() && wanted.load(Ordering::Relaxed));
        assert!(NoCertificate.has_certs(), "or the resolver is not asked");
    }

    #[rstest]
    #[case(
        io::ErrorKind::UnexpectedEof.into(),
        "the receiver closed the connection in the middle of the TLS handshake"
    )]
    #[case(
        io::ErrorKind::ConnectionReset.into(),
        "the receiver reset the connection in the middle of the TLS handshake"
    )]
    #[case(io::Error::other("no luck"), "the TLS handshake failed: no luck")]
    #[case(
        io::Error::other(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)),
        WANTS_CERTIFICATE
    )]
    fn a_handshake_that_failed_tells_how(#[case] error: io::Error, #[case] told: &str) {
        assert_eq!(describe_handshake(&error, false).as_str(), told);
    }

    #[test]
    fn http2_is_offered_first_and_can_be_left_out() {
        let config = client_config().expect("a configuration");

        let http1 = without_http2(&config);

        assert_eq!(config.alpn_protocols, [&b"h2"[..], b"http/1.1"]);
        assert_eq!(http1.alpn_protocols, [b"http/1.1"]);
    }
}
