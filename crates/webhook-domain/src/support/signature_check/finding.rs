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
            Self::NoSignature => "None of the headers is a signature.".to_owned(),
            Self::MalformedHeader { header, fault } => {
                format!("`{}` cannot be read: {fault}.", header.in_lower_case())
            }
            Self::MissingTimestamp { header } => {
                let header = header.in_lower_case();
                format!("`{header}` does not tell when the request was signed.")
            }
            Self::NotATimestamp { header } => {
                let header = header.in_lower_case();
                format!("The time in `{header}` is not a number of seconds since 1970.")
            }
            Self::TimestampsDiffer => "The two schemes tell different times.".to_owned(),
            Self::StaleTimestamp { age } => format!("It was signed {} ago.", span(*age)),
            Self::FutureTimestamp { ahead } => {
                format!("It was signed {} in the future.", span(*ahead))
            }
            Self::MissingMessageId => {
                "`webhook-id` is missing, and `webhook-signature` covers it.".to_owned()
            }
            Self::MessageIdDiffers => {
                "`webhook-id` is not the `id` in the body, and `webhook-signature` covers it."
                    .to_owned()
            }
            Self::PreviousSecret { valid_until } => format!(
                "It is signed only with a secret that was replaced, which is valid until {}.",
                time(valid_until)
            ),
            Self::ExpiredSecret { valid_until } => format!(
                "It is signed with a secret that was replaced, which was valid until {}.",
                time(valid_until)
            ),
            Self::OtherWebhook(OtherWebhook { id, name }) => {
                format!("It is signed with the secret of another webhook: {name} ({id}).")
            }
            Self::WrongKeyForm { scheme } => wrong_key_form(*scheme).to_owned(),
            Self::Mangled(mangling) => mangled(*mangling).0.to_owned(),
            Self::ReserializedJson(difference) => format!(
                "The body is the same JSON as the one that was sent, in other bytes: {difference}."
            ),
            Self::BodyChanged(difference) => {
                format!("The body is not the one that was sent: {difference}.")
            }
            Self::NoMatch { body_is_ours } => {
                let body = match body_is_ours {
                    Some(true) => "this body, which is the one that was sent",
                    Some(false) => "this body or the one that was sent, which is another",
                    None => "this body, and no event with its id is known",
                };
                format!("No secret that was tried makes this signature over {body}.")
            }
        }
    }

    /// The advice, in a sentence or two.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoSignature => {
                "Give the headers as they arrived. If they did arrive without a signature, a proxy \
                 takes it away, or the request is not ours: refuse it."
            }
            Self::MalformedHeader { .. } => {
                "Give the whole header as it arrived. `docs/verifying.md` tells what it looks like."
            }
            Self::MissingTimestamp { .. } | Self::NotATimestamp { .. } => {
                "Give the header as it arrived. If it did arrive so, a proxy changes headers."
            }
            Self::TimestampsDiffer => {
                "Every request tells one time. Look for headers of two requests that were mixed up."
            }
            Self::StaleTimestamp { .. } => {
                "Verifiers refuse what is older than five minutes. If it is fresh, set the \
                 receiver's clock by NTP; if it waits in a queue of yours, verify before it does."
            }
            Self::FutureTimestamp { .. } => {
                "The receiver's clock is behind: set it by NTP. If it is right, the time was changed."
            }
            Self::MissingMessageId | Self::MessageIdDiffers => {
                "Let the header through as it was sent, and verify each request with its own headers."
            }
            Self::PreviousSecret { .. } => {
                "It was made before the rotation. Later ones are signed with both secrets until \
                 that time: give the receiver the new one before."
            }
            Self::ExpiredSecret { .. } => {
                "Requests are signed with the current secret by now, retries too: give it to the receiver."
            }
            Self::OtherWebhook(_) => {
                "Verify with the secret of the webhook whose URL this is. One URL may belong to \
                 several webhooks, each with a secret of its own."
            }
            Self::WrongKeyForm { .. } => {
                "Each scheme makes its key out of the secret in its own way, see `docs/verifying.md`."
            }
            Self::Mangled(mangling) => mangled(*mangling).1,
            Self::ReserializedJson(_) => {
                "Your framework parsed the body and wrote it again: verify over the raw bytes."
            }
            Self::BodyChanged(_) => {
                "Something between us and your verifier changes the body: compare what arrives at \
                 your edge. Until you know what it is, refuse it."
            }
            Self::NoMatch { .. } => {
                "Give headers and body of one request, as they arrived. If they did arrive so, the \
                 request is not ours or was changed on the way: refuse it."
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
             the bytes that the base64 after `whsec_` stands for."
        }
    }
}

fn mangled(mangling: Mangling) -> (&'static str, &'static str) {
    const RAW: &str = "Verify over the raw bytes, before anything else reads them.";
    match mangling {
        Mangling::EndsTrimmed => (
            "White space at an end of the body was added or taken away.",
            RAW,
        ),
        Mangling::LineEndings => (
            "The line endings of the body were changed between LF and CR LF.",
            RAW,
        ),
        Mangling::ByteOrderMark => ("A byte order mark was put before the body.", RAW),
        Mangling::Latin1 => (
            "The body's UTF-8 was read as Latin-1.",
            "Verify over the raw bytes, or read them as UTF-8.",
        ),
        Mangling::Html => ("The body was escaped for HTML.", RAW),
        Mangling::Base64 => (
            "The body is base64.",
            "Decode it first: gateways of serverless functions often hand over base64.",
        ),
        Mangling::JsonString => (
            "The body was made a string in JSON.",
            "Verify over what the string says, or rather over the raw bytes.",
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
            "{sent} bytes were sent, {received} are here, and byte {first} (from 0) is the first that differs"
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
