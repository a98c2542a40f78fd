//! What the headers of a request say about its signature, and whether a secret bears that out.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::Mac;

use crate::webhooks::secret::KeyForm;
use crate::{ReceivedRequest, RequestHeader, SignatureFinding, SignatureScheme, SigningSecret};

/// What one scheme's headers claim.
#[derive(Debug, Clone)]
pub(crate) struct SignatureClaim {
    pub(crate) scheme: SignatureScheme,
    /// When it was signed, if that can be read.
    pub(crate) unix_seconds: Option<i64>,
    /// What is signed before the body; `None`: a header that belongs to it is missing.
    head: Option<String>,
    /// What is wrong with the head, and the head as it should be.
    corrected: Option<(SignatureFinding, String)>,
    /// HMACs, any of which may hold; those that cannot be read are left out.
    macs: Vec<Vec<u8>>,
}

impl SignatureClaim {
    /// Whether `secret` made one of the signatures over `body`. It takes the same time whichever
    /// byte differs.
    pub(crate) fn is_signed_by(&self, secret: &SigningSecret, body: &[u8]) -> bool {
        self.is_signed_with(secret, self.scheme.key(), body)
    }

    /// The same with a key of the other form.
    pub(crate) fn is_signed_by_other_form(&self, secret: &SigningSecret, body: &[u8]) -> bool {
        let other = match self.scheme.key() {
            KeyForm::Text => KeyForm::Bytes,
            KeyForm::Bytes => KeyForm::Text,
        };
        self.is_signed_with(secret, other, body)
    }

    /// Whether there is anything that a secret could bear out.
    pub(crate) fn is_complete(&self) -> bool {
        !self.macs.is_empty() && (self.head.is_some() || self.corrected.is_some())
    }

    /// The claim with its head as it should be, and what is wrong with it as it is.
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

/// The claim of each scheme whose header is there. What is wrong with the headers goes to `findings`.
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

/// What is wrong with the message's id, and the id that the body has.
fn check_id(body: &[u8], header: Option<&str>) -> Option<(SignatureFinding, Option<String>)> {
    let body: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let id = body.and_then(|body| body["id"].as_str().map(str::to_owned));
    match (header, &id) {
        (None, _) => Some((SignatureFinding::MissingMessageId, id)),
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

/// Reads signatures of a version that we know. Others are passed over, as verifiers do.
fn read_macs<'a>(
    header: RequestHeader,
    values: impl Iterator<Item = &'a str>,
    read: fn(&str) -> Result<Vec<u8>, &'static str>,
    findings: &mut Vec<SignatureFinding>,
) -> Vec<Vec<u8>> {
    let mut read: Vec<_> = values.map(read).collect();
    if read.is_empty() {
        read.push(Err("it holds no signature of version `v1`"));
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

/// How many bytes an HMAC-SHA256 has.
const MAC_BYTES: usize = 32;

fn read_hex(text: &str) -> Result<Vec<u8>, &'static str> {
    match (hex::decode(text), STANDARD.decode(text)) {
        (Ok(mac), _) if mac.len() == MAC_BYTES => Ok(mac),
        (_, Ok(mac)) if mac.len() == MAC_BYTES => {
            Err("a signature in it is base64, and this scheme writes hex")
        }
        _ => Err("a signature in it is not 64 hex digits: it was cut or changed"),
    }
}

fn read_base64(text: &str) -> Result<Vec<u8>, &'static str> {
    match (STANDARD.decode(text), hex::decode(text)) {
        (Ok(mac), _) if mac.len() == MAC_BYTES => Ok(mac),
        (_, Ok(mac)) if mac.len() == MAC_BYTES => {
            Err("a signature in it is hex, and this scheme writes base64")
        }
        _ => Err("a signature in it is not 32 bytes in base64: it was cut or changed"),
    }
}

fn read_time(
    header: RequestHeader,
    text: &str,
    findings: &mut Vec<SignatureFinding>,
) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| digits);
    let seconds = seconds.filter(|seconds| chrono::DateTime::from_timestamp(*seconds, 0).is_some());
    if seconds.is_none() {
        findings.push(SignatureFinding::NotATimestamp { header });
    }
    seconds
}
