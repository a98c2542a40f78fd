//! What the headers of a request say about its signature, and whether a secret bears that out.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::Mac;

use super::finding::SignatureFinding;
use crate::names::names;
use crate::secret::KeyForm;
use crate::{DeliveryId, EventId, SigningSecret};

const PLATFORM_SIGNATURE: &str = "x-webhook-signature";
const STANDARD_SIGNATURE: &str = "webhook-signature";
const STANDARD_TIMESTAMP: &str = "webhook-timestamp";
const STANDARD_ID: &str = "webhook-id";
const DELIVERY: &str = "x-webhook-delivery";

names! {
    /// A way to sign a request, see [`sign`](crate::sign).
    SignatureScheme, "signature scheme" {
        /// `X-Webhook-Signature`
        Platform = "x-webhook-signature",
        /// Standard Webhooks 1.0.0
        Standard = "standard-webhooks",
    }
}

impl SignatureScheme {
    /// What its HMAC is keyed with.
    pub(crate) fn key(self) -> KeyForm {
        match self {
            Self::Platform => KeyForm::Text,
            Self::Standard => KeyForm::Bytes,
        }
    }
}

/// Headers by name.
#[derive(Debug, Clone, Default)]
pub struct ReceivedHeaders(BTreeMap<String, String>);

impl ReceivedHeaders {
    /// The most that are taken.
    pub const MAX: usize = 100;

    /// Takes headers as a receiver's framework names them: in any case, or the way of CGI,
    /// `HTTP_WEBHOOK_ID`, as PHP, Django and Rack do.
    pub fn new(headers: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = headers.into_iter().map(|(name, value)| {
            let name = name.trim().to_ascii_lowercase().replace('_', "-");
            let name = name.strip_prefix("http-").unwrap_or(&name).to_owned();
            (name, value)
        });
        Self(named.collect())
    }

    fn find(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim())
    }
}

/// A request as its receiver saw it.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// Its headers.
    pub headers: ReceivedHeaders,
    /// Its body.
    pub body: Bytes,
}

impl ReceivedRequest {
    /// The event that its headers name.
    pub fn event_id(&self) -> Option<EventId> {
        self.headers.find(STANDARD_ID)?.parse().ok()
    }

    /// The delivery that its headers name.
    pub fn delivery_id(&self) -> Option<DeliveryId> {
        self.headers.find(DELIVERY)?.parse().ok()
    }

    /// What each scheme that is there claims; what is wrong with the headers goes to `findings`.
    pub(crate) fn claims(&self, findings: &mut Vec<SignatureFinding>) -> Vec<SignatureClaim> {
        let platform = self.headers.find(PLATFORM_SIGNATURE);
        let platform = platform.map(|value| read_platform(value, findings));
        let standard = self.headers.find(STANDARD_SIGNATURE);
        let standard = standard.map(|value| self.read_standard(value, findings));
        platform.into_iter().chain(standard).collect()
    }

    fn read_standard(&self, value: &str, findings: &mut Vec<SignatureFinding>) -> SignatureClaim {
        let values = value.split_ascii_whitespace();
        let values = values.filter_map(|part| part.strip_prefix("v1,"));
        let macs = read_macs(STANDARD_SIGNATURE, values, read_base64, findings);
        let time = self.headers.find(STANDARD_TIMESTAMP);
        if time.is_none() {
            let header = STANDARD_TIMESTAMP;
            findings.push(SignatureFinding::MissingTimestamp { header });
        }
        let head = |id: &str| time.map(|time| format!("{id}.{time}."));
        let id = self.headers.find(STANDARD_ID);
        let wrong_id = self.check_id(id);
        let corrected = wrong_id.and_then(|(finding, id)| {
            findings.push(finding.clone());
            Some((finding, head(&id?)?))
        });
        SignatureClaim {
            scheme: SignatureScheme::Standard,
            unix_seconds: time.and_then(|time| read_time(STANDARD_TIMESTAMP, time, findings)),
            head: id.and_then(head),
            corrected,
            macs,
        }
    }

    /// What is wrong with the message's id, and the id that the body has.
    fn check_id(&self, header: Option<&str>) -> Option<(SignatureFinding, Option<String>)> {
        let body: Option<serde_json::Value> = serde_json::from_slice(&self.body).ok();
        let id = body.and_then(|body| body["id"].as_str().map(str::to_owned));
        match (header, &id) {
            (None, _) => Some((SignatureFinding::MissingMessageId, id)),
            (Some(header), Some(of_body)) if !header.eq_ignore_ascii_case(of_body) => {
                Some((SignatureFinding::MessageIdDiffers, id))
            }
            (Some(_), _) => None,
        }
    }
}

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

fn read_platform(value: &str, findings: &mut Vec<SignatureFinding>) -> SignatureClaim {
    let fields = value
        .split(',')
        .filter_map(|part| part.trim().split_once('='));
    let fields: Vec<(&str, &str)> = fields.collect();
    let time = fields.iter().find(|(name, _)| *name == "t");
    let time = time.map(|(_, time)| *time);
    if time.is_none() {
        let header = PLATFORM_SIGNATURE;
        findings.push(SignatureFinding::MissingTimestamp { header });
    }
    let values = fields.iter().filter(|(name, _)| *name == "v1");
    let values = values.map(|(_, value)| *value);
    SignatureClaim {
        scheme: SignatureScheme::Platform,
        macs: read_macs(PLATFORM_SIGNATURE, values, read_hex, findings),
        unix_seconds: time.and_then(|time| read_time(PLATFORM_SIGNATURE, time, findings)),
        head: time.map(|time| format!("{time}.")),
        corrected: None,
    }
}

/// Reads signatures of a version that we know. Others are passed over, as verifiers do.
fn read_macs<'a>(
    header: &'static str,
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
    header: &'static str,
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
