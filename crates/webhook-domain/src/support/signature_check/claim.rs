//! The claims that the headers of a request make about its signature, and whether a secret confirms
//! a claim.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;

use crate::webhooks::secret::KeyForm;
use crate::{ReceivedRequest, RequestHeader, SignatureFinding, SignatureScheme, SigningSecret};

/// The claim in the headers of a scheme.
#[derive(Debug, Clone)]
pub(crate) struct SignatureClaim {
    pub(crate) scheme: SignatureScheme,
    /// The time of the signature in unix seconds. `None`: not readable.
    pub(crate) unix_seconds: Option<i64>,
    /// The text that is signed in front of the body. `None`: a header that is part of it is
    /// missing.
    head: Option<String>,
    /// The fault of the head, and the corrected head.
    corrected: Option<(SignatureFinding, String)>,
    /// The readable HMACs, of which one suffices.
    macs: Vec<Vec<u8>>,
}

impl SignatureClaim {
    /// Whether `secret` made one of the signatures over `body`. The comparison takes the same time
    /// whichever byte differs.
    pub(crate) fn is_signed_by(&self, secret: &SigningSecret, body: &[u8]) -> bool {
        self.is_signed_with(secret, self.scheme.key(), body)
    }

    /// Whether `secret`, used in the other scheme's key form, made one of the signatures over
    /// `body`.
    pub(crate) fn is_signed_by_other_form(&self, secret: &SigningSecret, body: &[u8]) -> bool {
        let other = match self.scheme.key() {
            KeyForm::Text => KeyForm::Bytes,
            KeyForm::Bytes => KeyForm::Text,
        };
        self.is_signed_with(secret, other, body)
    }

    /// Whether the claim has a signature and a head that a secret can confirm.
    pub(crate) fn is_complete(&self) -> bool {
        !self.macs.is_empty() && (self.head.is_some() || self.corrected.is_some())
    }

    /// The fault of the head, and the claim with the corrected head.
    pub(crate) fn corrected(&self) -> Option<(SignatureFinding, Self)> {
        let (finding, head) = self.corrected.clone()?;
        let corrected = Self {
            head: Some(head),
            ..self.clone()
        };
        Some((finding, corrected))
    }

    fn is_signed_with(&self, secret: &SigningSecret, key: KeyForm, body: &[u8]) -> bool {
        let Some(head) = &self.head else {
            return false;
        };
        if self.macs.is_empty() {
            return false;
        }
        let hmac = secret.hmac(key, [head.as_bytes(), body]);
        let holds = |mac: &Vec<u8>| hmac.clone().verify_slice(mac).is_ok();
        self.macs.iter().any(holds)
    }
}

/// The claim of each scheme whose header is there. Faults of the headers are added to `findings`.
pub(crate) fn read_claims(
    request: &ReceivedRequest,
    findings: &mut Vec<SignatureFinding>,
) -> Vec<SignatureClaim> {
    let platform = request.headers.find(RequestHeader::PlatformSignature);
    let platform = platform.map(|value| read_platform(value, findings));
    let standard = request.headers.find(RequestHeader::StandardSignature);
    let standard = standard.map(|value| read_standard(request, value, findings));
    platform.into_iter().chain(standard).collect()
}

fn read_standard(
    request: &ReceivedRequest,
    value: &str,
    findings: &mut Vec<SignatureFinding>,
) -> SignatureClaim {
    let values = value.split_ascii_whitespace();
    let values = values.filter_map(|part| part.strip_prefix("v1,"));
    let macs = read_macs(
        RequestHeader::StandardSignature,
        values,
        read_base64,
        findings,
    );
    let time = request.headers.find(RequestHeader::Timestamp);
    if time.is_none() {
        let header = RequestHeader::Timestamp;
        findings.push(SignatureFinding::MissingTimestamp { header });
    }
    let head = |id: &str| time.map(|time| format!("{id}.{time}."));
    let id = request.headers.find(RequestHeader::MessageId);
    let wrong_id = check_id(&request.body, id);
    let corrected = wrong_id.and_then(|(finding, id)| {
        findings.push(finding.clone());
        Some((finding, head(&id?)?))
    });
    SignatureClaim {
        scheme: SignatureScheme::Standard,
        unix_seconds: time.and_then(|time| read_time(RequestHeader::Timestamp, time, findings)),
        head: id.and_then(head),
        corrected,
        macs,
    }
}

/// The fault of the header `webhook-id`, and the `id` of the body.
fn check_id(body: &[u8], header: Option<&str>) -> Option<(SignatureFinding, Option<String>)> {
    let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let id = body.and_then(|body| body["id"].as_str().map(str::to_owned));
    match (header, &id) {
        (None, _) => Some((SignatureFinding::MissingMessageId, id)),
        // Publishers may write an id in upper case; the header has lower case.
        (Some(header), Some(of_body)) if !header.eq_ignore_ascii_case(of_body) => {
            Some((SignatureFinding::MessageIdDiffers, id))
        }
        (Some(_), _) => None,
    }
}

fn read_platform(value: &str, findings: &mut Vec<SignatureFinding>) -> SignatureClaim {
    let fields = value
        .split(',')
        .filter_map(|part| part.trim().split_once('='));
    let fields: Vec<(&str, &str)> = fields.collect();
    let time = fields.iter().find(|(name, _)| *name == "t");
    let time = time.map(|(_, time)| *time);
    if time.is_none() {
        let header = RequestHeader::PlatformSignature;
        findings.push(SignatureFinding::MissingTimestamp { header });
    }
    let values = fields.iter().filter(|(name, _)| *name == "v1");
    let values = values.map(|(_, value)| *value);
    SignatureClaim {
        scheme: SignatureScheme::Platform,
        macs: read_macs(RequestHeader::PlatformSignature, values, read_hex, findings),
        unix_seconds: time
            .and_then(|time| read_time(RequestHeader::PlatformSignature, time, findings)),
        head: time.map(|time| format!("{time}.")),
        corrected: None,
    }
}

/// Reads the signatures of version `v1`. Signatures of other versions are skipped, as verifiers do.
fn read_macs<'a>(
    header: RequestHeader,
    values: impl Iterator<Item = &'a str>,
    read: fn(&str) -> Result<Vec<u8>, &'static str>,
    findings: &mut Vec<SignatureFinding>,
) -> Vec<Vec<u8>> {
    let mut read: Vec<_> = values.map(read).collect();
    if read.is_empty() {
        read.push(Err("the header has no signature of version `v1`"));
    }
    let mut macs = Vec::new();
    for mac in read {
        match mac {
            Ok(mac) => macs.push(mac),
            Err(fault) => findings.push(SignatureFinding::MalformedHeader { header, fault }),
        }
    }
    macs
}

/// The bytes of an HMAC-SHA256.
const MAC_BYTES: usize = 32;

fn read_hex(text: &str) -> Result<Vec<u8>, &'static str> {
    match (hex::decode(text), STANDARD.decode(text)) {
        (Ok(mac), _) if mac.len() == MAC_BYTES => Ok(mac),
        (_, Ok(mac)) if mac.len() == MAC_BYTES => {
            Err("a signature is base64, and the scheme writes hex")
        }
        _ => Err("a signature is not 64 hex digits: the header was cut or changed"),
    }
}

fn read_base64(text: &str) -> Result<Vec<u8>, &'static str> {
    match (STANDARD.decode(text), hex::decode(text)) {
        (Ok(mac), _) if mac.len() == MAC_BYTES => Ok(mac),
        (_, Ok(mac)) if mac.len() == MAC_BYTES => {
            Err("a signature is hex, and the scheme writes base64")
        }
        _ => Err("a signature is not 32 bytes in base64: the header was cut or changed"),
    }
}

fn read_time(
    header: RequestHeader,
    text: &str,
    findings: &mut Vec<SignatureFinding>,
) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    // A number that no calendar has, such as milliseconds times 1,000, is not a time either.
    let seconds = seconds.filter(|seconds| chrono::DateTime::from_timestamp(*seconds, 0).is_some());
    if seconds.is_none() {
        findings.push(SignatureFinding::NotATimestamp { header });
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_signature_is_read_in_the_notation_of_its_scheme_only() {
        let mac = vec![7; MAC_BYTES];
        let (hex, base64) = (hex::encode(&mac), STANDARD.encode(&mac));

        assert_eq!(
            (read_hex(&hex), read_base64(&base64)),
            (Ok(mac.clone()), Ok(mac))
        );
        assert!(read_hex(&base64).is_err_and(|fault| fault.contains("is base64")));
        assert!(read_base64(&hex).is_err_and(|fault| fault.contains("is hex")));
    }

    #[rstest]
    #[case::empty(0)]
    #[case::cut(MAC_BYTES - 2)]
    #[case::longer(MAC_BYTES + 1)]
    fn a_signature_of_another_length_was_cut_or_changed(#[case] bytes: usize) {
        let (hex, base64) = (hex::encode(vec![7; bytes]), STANDARD.encode(vec![7; bytes]));

        for fault in [
            read_hex(&hex),
            read_hex(&base64),
            read_base64(&hex),
            read_base64(&base64),
        ] {
            assert!(fault.is_err_and(|fault| fault.ends_with("the header was cut or changed")));
        }
    }

    #[rstest]
    #[case("1795523000", Some(1_795_523_000))]
    #[case("0", Some(0))]
    #[case("+5", None)]
    #[case("-5", None)]
    #[case("9223372036854775807", None)]
    fn a_time_is_a_number_of_digits_that_a_calendar_has(
        #[case] text: &str,
        #[case] read: Option<i64>,
    ) {
        let mut findings = Vec::new();

        assert_eq!(
            read_time(RequestHeader::Timestamp, text, &mut findings),
            read
        );

        assert_eq!(findings.len(), usize::from(read.is_none()));
    }
}
