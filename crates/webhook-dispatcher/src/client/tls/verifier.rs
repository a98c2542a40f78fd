//! The verifier of certificates, which explains a refusal to the owner of a webhook.

use std::fmt::{Display, Formatter};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use webhook_domain::{CertificateText, FailureDetail};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// The most names of a certificate quoted in a failure.
const MAX_NAMES: usize = 10;

/// The machine's verifier, with refusals in plain words.
#[derive(Debug)]
pub(super) struct Verifier(rustls_platform_verifier::Verifier);

impl Verifier {
    pub(super) fn new(provider: Arc<CryptoProvider>) -> Result<Self, Error> {
        rustls_platform_verifier::Verifier::new(provider).map(Self)
    }
}

/// Why a certificate is not accepted.
#[derive(Debug)]
pub(super) struct NotTrusted(pub(super) FailureDetail);

impl Display for NotTrusted {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for NotTrusted {}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.0
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.map_err(|error| {
            let Error::InvalidCertificate(error) = error else {
                return error;
            };
            let reason = NotTrusted(describe(&error, end_entity, intermediates));
            CertificateError::Other(OtherError(Arc::new(reason))).into()
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

fn describe(
    error: &CertificateError,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> FailureDetail {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the fault is in the certificate itself, or the library's text is clear"
    )]
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            let end = minute(not_after.as_secs());
            FailureDetail::of(format_args!(
                "the certificate expired on {end}; renew the certificate"
            ))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let start = minute(not_before.as_secs());
            FailureDetail::of(format_args!("the certificate is not valid before {start}"))
        }
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names = presented[..presented.len().min(MAX_NAMES)].iter();
            let names: Vec<&str> = names.map(|name| plain_name(name)).collect();
            let (expected, names) = (expected.to_str(), names.join(", "));
            let more = match presented.len().saturating_sub(MAX_NAMES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            FailureDetail::of(format_args!(
                "the certificate is not for {expected}, but for {names}{more}"
            ))
        }
        other => match Certificate::from_der(end_entity) {
            Ok(certificate) => of_issuer(other, &certificate, intermediates),
            Err(error) => {
                FailureDetail::of(format_args!("the certificate cannot be read: {error}"))
            }
        },
    }
}

fn of_issuer(
    error: &CertificateError,
    certificate: &Certificate,
    intermediates: &[CertificateDer<'_>],
) -> FailureDetail {
    let (subject, issuer) = (
        &certificate.tbs_certificate.subject,
        &certificate.tbs_certificate.issuer,
    );
    let issuer_text = CertificateText::of(issuer);
    if subject == issuer {
        return FailureDetail::of(format_args!(
            "the certificate is signed by itself ({issuer_text}), not by a public root"
        ));
    }
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the library's text of the others is clear"
    )]
    match error {
        CertificateError::UnknownIssuer if intermediates.is_empty() => {
            FailureDetail::of(format_args!(
                "the certificate comes without the intermediate certificate of its issuer \
                 ({issuer_text}), which is no public root: let the receiver send the whole chain"
            ))
        }
        CertificateError::UnknownIssuer => FailureDetail::of(format_args!(
            "the certificate's chain does not end at a public root (its issuer: {issuer_text})"
        )),
        other => FailureDetail::of(format_args!("the certificate is not accepted: {other}")),
    }
}

/// The name within `DnsName("a.test")`, as the library writes names.
fn plain_name(name: &str) -> &str {
    name.split_once("(\"")
        .and_then(|(_, rest)| rest.strip_suffix("\")"))
        .unwrap_or(name)
}

fn minute(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok();
    let time = time.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
    time.map_or_else(String::new, |time| {
        time.format("%Y-%m-%d %H:%M UTC").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::time::Duration;

    /// For `localhost`, signed by itself.
    const CERTIFICATE: &[u8] = include_bytes!("../../../testdata/localhost.crt.der");

    fn told(error: &CertificateError) -> String {
        describe(error, &CERTIFICATE.into(), &[]).into_string()
    }

    #[test]
    fn a_certificate_that_is_not_accepted_is_told_with_what_to_do() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));

        let expired = CertificateError::ExpiredContext {
            time: at(1_795_600_000),
            not_after: at(1_795_523_000),
        };
        let other_name = CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("b.test").expect("a name"),
            presented: vec!["DnsName(\"a.test\")".to_owned(); 12],
        };

        assert_eq!(
            told(&expired),
            "the certificate expired on 2026-11-24 12:23 UTC; renew the certificate"
        );
        let names = ["a.test"; 10].join(", ");
        assert_eq!(
            told(&other_name),
            format!("the certificate is not for b.test, but for {names} and 2 more")
        );
        assert!(told(&CertificateError::UnknownIssuer).contains("signed by itself"));
    }

    /// The certificate with another issuer, as of a certificate that is not signed by itself.
    fn issued() -> Certificate {
        let mut certificate = Certificate::from_der(CERTIFICATE).expect("a certificate");
        certificate.tbs_certificate.issuer = "CN=Some Authority".parse().expect("a name");
        certificate
    }

    #[rstest]
    #[case::alone(
        CertificateError::UnknownIssuer,
        0,
        "the certificate comes without the intermediate certificate of its issuer (CN=Some Authority), \
         which is no public root: let the receiver send the whole chain"
    )]
    #[case::with_a_chain(
        CertificateError::UnknownIssuer,
        1,
        "the certificate's chain does not end at a public root (its issuer: CN=Some Authority)"
    )]
    #[case::another_fault(
        CertificateError::Revoked,
        0,
        "the certificate is not accepted: Revoked"
    )]
    fn a_certificate_of_another_issuer_is_told_with_the_issuer(
        #[case] error: CertificateError,
        #[case] intermediates: usize,
        #[case] told: &str,
    ) {
        let intermediates = vec![CertificateDer::from(CERTIFICATE); intermediates];

        let detail = of_issuer(&error, &issued(), &intermediates);

        assert_eq!(detail.as_str(), told);
    }

    #[test]
    fn a_refusal_is_printed_as_its_detail() {
        let refusal = NotTrusted("the certificate is old".into());

        assert_eq!(refusal.to_string(), "the certificate is old");
    }

    #[test]
    fn signatures_are_checked_by_the_schemes_of_the_library() {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let schemes = provider
            .signature_verification_algorithms
            .supported_schemes();

        let verifier = Verifier::new(provider).expect("a verifier");

        assert_eq!(verifier.supported_verify_schemes(), schemes);
    }
}
