//! The findings of a signature check, in words for the engineer of the receiver.

use chrono::{DateTime, TimeDelta, Utc};

use crate::names::names;
use crate::{Mangling, OtherWebhook, RequestHeader, SignatureScheme, WebhookId};

names! {
    /// The kind of a finding.
    FindingCode, "finding" {
        /// No header is a signature.
        NoSignature = "no_signature",
        /// A header cannot be read.
        MalformedHeader = "malformed_header",
        /// A header lacks the time of the signature.
        MissingTimestamp = "missing_timestamp",
        /// The time in a header is not a number of seconds.
        NotATimestamp = "not_a_timestamp",
        /// The two schemes have different times.
        TimestampsDiffer = "timestamps_differ",
        /// The signature is older than verifiers accept.
        StaleTimestamp = "stale_timestamp",
        /// The signature is from the future.
        FutureTimestamp = "future_timestamp",
        /// The message's id is missing.
        MissingMessageId = "missing_message_id",
        /// The message's id is not the `id` of the body.
        MessageIdDiffers = "message_id_differs",
        /// A replaced, still valid secret made the signature.
        PreviousSecret = "previous_secret",
        /// A replaced, expired secret made the signature.
        ExpiredSecret = "expired_secret",
        /// Another webhook's secret made the signature.
        OtherWebhook = "other_webhook",
        /// The right secret made the signature, in the wrong key form.
        WrongKeyForm = "wrong_key_form",
        /// White space of the body was changed.
        WhitespaceChanged = "whitespace_changed",
        /// The body was encoded differently.
        WrongEncoding = "wrong_encoding",
        /// The body was parsed and serialised again.
        ReserializedJson = "reserialized_json",
        /// The content of the body was changed.
        BodyChanged = "body_changed",
        /// No tried secret made the signature.
        NoMatch = "no_match",
    }
}

/// A fault of a request, or another fact worth knowing. A finding contains no secret and nothing of
/// a body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the codes say it")]
pub enum SignatureFinding {
    NoSignature,
    MalformedHeader {
        header: RequestHeader,
        fault: &'static str,
    },
    MissingTimestamp {
        header: RequestHeader,
    },
    NotATimestamp {
        header: RequestHeader,
    },
    TimestampsDiffer,
    StaleTimestamp {
        age: TimeDelta,
    },
    FutureTimestamp {
        ahead: TimeDelta,
    },
    MissingMessageId,
    MessageIdDiffers,
    PreviousSecret {
        valid_until: DateTime<Utc>,
    },
    ExpiredSecret {
        valid_until: DateTime<Utc>,
    },
    OtherWebhook(OtherWebhook),
    WrongKeyForm {
        scheme: SignatureScheme,
    },
    Mangled(Mangling),
    ReserializedJson(BodyDifference),
    BodyChanged(BodyDifference),
    /// `body_is_ours` is whether the body is the one that was sent. `None`: the event is unknown.
    NoMatch {
        body_is_ours: Option<bool>,
    },
}

/// The difference between the received and the sent body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDifference {
    /// The position of the first different byte, from 0.
    pub first: usize,
    /// The bytes of the sent body.
    pub sent: usize,
    /// The bytes of the received body.
    pub received: usize,
}

impl SignatureFinding {
    /// The kind of the finding.
    pub fn code(&self) -> FindingCode {
        match self {
            Self::NoSignature => FindingCode::NoSignature,
            Self::MalformedHeader { .. } => FindingCode::MalformedHeader,
            Self::MissingTimestamp { .. } => FindingCode::MissingTimestamp,
            Self::NotATimestamp { .. } => FindingCode::NotATimestamp,
            Self::TimestampsDiffer => FindingCode::TimestampsDiffer,
            Self::StaleTimestamp { .. } => FindingCode::StaleTimestamp,
            Self::FutureTimestamp { .. } => FindingCode::FutureTimestamp,
            Self::MissingMessageId => FindingCode::MissingMessageId,
            Self::MessageIdDiffers => FindingCode::MessageIdDiffers,
            Self::PreviousSecret { .. } => FindingCode::PreviousSecret,
            Self::ExpiredSecret { .. } => FindingCode::ExpiredSecret,
            Self::OtherWebhook(_) => FindingCode::OtherWebhook,
            Self::WrongKeyForm { .. } => FindingCode::WrongKeyForm,
            Self::Mangled(Mangling::EndsTrimmed | Mangling::LineEndings) => {
                FindingCode::WhitespaceChanged
            }
            Self::Mangled(
                Mangling::ByteOrderMark
                | Mangling::Latin1
                | Mangling::Html
                | Mangling::Base64
                | Mangling::JsonString,
            ) => FindingCode::WrongEncoding,
            Self::ReserializedJson(_) => FindingCode::ReserializedJson,
            Self::BodyChanged(_) => FindingCode::BodyChanged,
            Self::NoMatch { .. } => FindingCode::NoMatch,
        }
    }

    /// The other webhook of an [`OtherWebhook`](Self::OtherWebhook) finding.
    pub fn other_webhook(&self) -> Option<WebhookId> {
        if let Self::OtherWebhook(other) = self {
            return Some(other.id);
        }
        None
    }

    /// The finding, in a sentence.
    pub fn message(&self) -> String {
        match self {
            Self::NoSignature => "No header is a signature.".to_owned(),
            Self::MalformedHeader { header, fault } => {
                format!("`{}` cannot be read: {fault}.", header.in_lower_case())
            }
            Self::MissingTimestamp { header } => {
                let header = header.in_lower_case();
                format!("`{header}` lacks the time of the signature.")
            }
            Self::NotATimestamp { header } => {
                let header = header.in_lower_case();
                format!("The time in `{header}` is not a number of seconds since 1970.")
            }
            Self::TimestampsDiffer => "The two schemes have different times.".to_owned(),
            Self::StaleTimestamp { age } => format!("The request was signed {} ago.", span(*age)),
            Self::FutureTimestamp { ahead } => {
                format!("The request was signed {} in the future.", span(*ahead))
            }
            Self::MissingMessageId => {
                "`webhook-id` is missing, and `webhook-signature` covers it.".to_owned()
            }
            Self::MessageIdDiffers => {
                "`webhook-id` is not the `id` in the body, and `webhook-signature` covers it."
                    .to_owned()
            }
            Self::PreviousSecret { valid_until } => format!(
                "The request is signed only with a replaced secret, which is valid until {}.",
                time(valid_until)
            ),
            Self::ExpiredSecret { valid_until } => format!(
                "The request is signed with a replaced secret, which was valid until {}.",
                time(valid_until)
            ),
            Self::OtherWebhook(OtherWebhook { id, name }) => {
                format!("The request is signed with the secret of another webhook: {name} ({id}).")
            }
            Self::WrongKeyForm { scheme } => wrong_key_form(*scheme).to_owned(),
            Self::Mangled(mangling) => mangled(*mangling).0.to_owned(),
            Self::ReserializedJson(difference) => {
                format!("The body is the same JSON as the sent body, in other bytes: {difference}.")
            }
            Self::BodyChanged(difference) => {
                format!("The body differs from the sent body: {difference}.")
            }
            Self::NoMatch { body_is_ours } => {
                let body = match body_is_ours {
                    Some(true) => "this body, which is the sent body",
                    Some(false) => {
                        "this body, which differs from the sent body, or over the sent body"
                    }
                    None => "this body, whose event is unknown",
                };
                format!("No known secret makes this signature over {body}.")
            }
        }
    }

    /// The advice, in a sentence or two.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoSignature => {
                "Paste the headers as received. If the request arrived without a signature, a proxy \
                 removes the signature, or the request is not ours: refuse the request."
            }
            Self::MalformedHeader { .. } => {
                "Paste the whole header as received. `docs/verifying.md` shows its format."
            }
            Self::MissingTimestamp { .. } | Self::NotATimestamp { .. } => {
                "Paste the header as received. If the header did arrive like this, a proxy changes headers."
            }
            Self::TimestampsDiffer => {
                "Every request has one time of signature. The headers may be of two requests."
            }
            Self::StaleTimestamp { .. } => {
                "Verifiers refuse requests older than five minutes. If the request is new, set the \
                 receiver's clock by NTP. If requests wait in a queue of yours, verify before the \
                 queue."
            }
            Self::FutureTimestamp { .. } => {
                "Set the receiver's clock, which is behind, by NTP. If the clock is right, the time in \
                 the header was changed."
            }
            Self::MissingMessageId | Self::MessageIdDiffers => {
                "Let the header through unchanged, and verify each request with its own headers."
            }
            Self::PreviousSecret { .. } => {
                "The request was signed before the rotation. Later requests are signed with both \
                 secrets until that time: give the receiver the new secret before."
            }
            Self::ExpiredSecret { .. } => {
                "Requests and retries are now signed with the current secret: give the current secret to \
                 the receiver."
            }
            Self::OtherWebhook(_) => {
                "Verify with the secret of the webhook that sends to this URL. Several webhooks may \
                 have the same URL, each with a secret of its own."
            }
            Self::WrongKeyForm { .. } => {
                "Each scheme derives its key from the secret differently, see `docs/verifying.md`."
            }
            Self::Mangled(mangling) => mangled(*mangling).1,
            Self::ReserializedJson(_) => {
                "Your framework parsed and serialised the body: verify over the raw bytes."
            }
            Self::BodyChanged(_) => {
                "A proxy or program between us and your verifier changes the body: compare the body \
                 that arrives at your edge. Refuse such requests until the cause is known."
            }
            Self::NoMatch { .. } => {
                "Paste headers and body of one request, as received. If the request did arrive like \
                 this, the request is not ours or was changed on the way: refuse the request."
            }
        }
    }
}

fn wrong_key_form(scheme: SignatureScheme) -> &'static str {
    match scheme {
        SignatureScheme::Platform => {
            "This signature is keyed with the decoded bytes of the secret; `X-Webhook-Signature` \
             is keyed with the whole text, `whsec_` included."
        }
        SignatureScheme::Standard => {
            "This signature is keyed with the text of the secret; `webhook-signature` is keyed with \
             the bytes that the base64 after `whsec_` encodes."
        }
    }
}

fn mangled(mangling: Mangling) -> (&'static str, &'static str) {
    const RAW: &str = "Verify over the raw bytes, before other code reads the body.";
    match mangling {
        Mangling::EndsTrimmed => (
            "White space at an end of the body was added or removed.",
            RAW,
        ),
        Mangling::LineEndings => (
            "The line endings of the body were changed between LF and CR LF.",
            RAW,
        ),
        Mangling::ByteOrderMark => ("A byte order mark was put before the body.", RAW),
        Mangling::Latin1 => (
            "The body's UTF-8 was read as Latin-1.",
            "Verify over the raw bytes, or decode the bytes as UTF-8.",
        ),
        Mangling::Html => ("The body was escaped for HTML.", RAW),
        Mangling::Base64 => (
            "The body is base64.",
            "Decode the body first: gateways of serverless functions often pass base64 on.",
        ),
        Mangling::JsonString => (
            "The body was wrapped into a JSON string.",
            "Verify over the content of the string, or better over the raw bytes.",
        ),
    }
}

impl std::fmt::Display for BodyDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            first,
            sent,
            received,
        } = self;
        write!(
            f,
            "{sent} bytes were sent, {received} were received, and byte {first} (from 0) is the first difference"
        )
    }
}

fn time(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A duration in the largest unit of which there are at least two.
fn span(span: TimeDelta) -> String {
    match span {
        span if span.num_days() >= 2 => format!("{} days", span.num_days()),
        span if span.num_hours() >= 2 => format!("{} hours", span.num_hours()),
        span => format!("{} minutes", span.num_minutes()),
    }
}

#[cfg(test)]
mod tests;
