//! An attempt with its request and response, as the API shows it.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use webhook_domain::{
    BodyEnd, FailureClass, FailureDetail, HeaderText, MaskedUrl, TemplateVersion, UrlSetting,
    WebhookUrl, advice,
};
use webhook_store::attempts::{Attempt, StoredTranscript, Transcript};

use crate::decoding::DecodedBody;
use crate::schema;

/// One HTTP request made for a delivery.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub struct AttemptBody {
    /// The attempt's number, from 1. A number comes twice when two workers made the attempt.
    pub number: i32,
    /// When the attempt began.
    pub started_at: DateTime<Utc>,
    /// How long the attempt took in all.
    pub duration_ms: i32,
    /// How long the DNS look-up took; `null`: a connection was open already, or the URL has an address.
    pub dns_ms: Option<i32>,
    /// How long connecting took, TLS included; `null`: a connection was open already.
    pub connect_ms: Option<i32>,
    /// The time from the start to the head of the response; `null`: there was no response.
    pub first_byte_ms: Option<i32>,
    /// Whether the request and the response are logged: `kept`; `expired`: the log was removed at the
    /// end of its retention; `unreadable`: the log exists and could not be read.
    #[schema(value_type = String, pattern = "^(kept|expired|unreadable)$")]
    pub log: TranscriptState,
    /// The URL of the request; `null` unless the log is `kept`.
    pub request_url: Option<String>,
    /// The headers of the request; empty unless the log is `kept`.
    pub request_headers: Vec<RequestHeaderBody>,
    /// The first 32 KiB of the request's body, if the webhook's format is another than `json`; `null`: the
    /// delivery's `request_body` was sent, or the log is not `kept`.
    pub request_body: Option<String>,
    /// The version of the webhook's template that wrote the body; `null`: no template did, or the log is not `kept`.
    #[schema(value_type = Option<u32>)]
    pub template_version: Option<TemplateVersion>,
    /// The HTTP status of the response; `null`: there was no response.
    pub response_status: Option<i32>,
    /// The headers of the response; empty unless the log is `kept`.
    pub response_headers: Vec<HeaderBody>,
    /// The response's body as text: the first 16 KiB received, decoded by the headers `content-encoding`
    /// and `content-type` up to 64 KiB. Bytes that are no text are replaced.
    /// `null`: the body is not kept any more.
    pub response_body: Option<String>,
    /// The number of body bytes that are kept, before decoding; `null`: there was no response, or
    /// the body is not kept any more.
    pub response_body_bytes: Option<usize>,
    /// How the body ended: `complete`; `cut`: longer than the 16 KiB that are kept; `broken_off`: the
    /// connection broke or the body was malformed after the head; `unfinished`: the time for reading the
    /// body was over before the end of the body. `null`: there was no response, or the
    /// body is not kept any more.
    #[schema(value_type = Option<schema::BodyEndName>)]
    pub response_body_end: Option<BodyEnd>,
    /// Whether `response_body` is not the complete body: the body is not `complete`, or decoding stopped
    /// early.
    pub response_body_truncated: bool,
    /// The encodings that the text of `response_body` was decoded from, in the order of decoding;
    /// `null`: the body is shown as received.
    #[schema(example = "gzip, iso-8859-1")]
    pub response_body_decoded_from: Option<String>,
    /// Why the request was sent a second time within this attempt, on a fresh connection; `null`: the
    /// request was sent once.
    #[schema(example = "the receiver closed the connection before a response")]
    pub repeated: Option<String>,
    /// Why the attempt failed; `null`: the webhook accepted the delivery.
    #[schema(value_type = Option<schema::FailureClassName>)]
    pub failure_class: Option<FailureClass>,
    /// The failure in words; `null`: the attempt did not fail.
    pub failure_detail: Option<String>,
    /// How to prevent the failure; `null`: the attempt did not fail.
    #[schema(example = "Give the webhook a rate limit that your endpoint can handle.")]
    pub advice: Option<&'static str>,
}

/// Whether the request and the response of an attempt are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TranscriptState {
    /// The log is complete.
    Kept,
    /// The log was removed at the end of its retention.
    Expired,
    /// The log exists and could not be read.
    Unreadable,
}

/// A header of a request.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestHeader)]
pub struct RequestHeaderBody {
    /// The header's name.
    pub name: String,
    /// The header's value; `null`: the value is secret.
    pub value: Option<String>,
}

/// A header of a response.
#[derive(Serialize, ToSchema)]
#[schema(as = Header)]
pub struct HeaderBody {
    /// The header's name.
    pub name: String,
    /// The header's value.
    pub value: String,
}

/// The URL of a request, masked if the webhook's URL has become secret since the request.
fn shown(request_url: String, url: Option<&UrlSetting>) -> String {
    let is_secret = url.is_some_and(UrlSetting::is_secret);
    if !is_secret || MaskedUrl::parse(&request_url).is_some() {
        return request_url;
    }
    WebhookUrl::from_stored(&request_url).map_or(request_url, |whole| whole.masked())
}

impl AttemptBody {
    /// An attempt with its transcript. `url`: the webhook's URL as of today.
    pub(super) fn of(
        (attempt, logged): (Attempt, StoredTranscript),
        url: Option<&UrlSetting>,
    ) -> Self {
        let (log, transcript) = match logged {
            StoredTranscript::Kept(transcript) => (TranscriptState::Kept, transcript),
            StoredTranscript::Removed => (TranscriptState::Expired, Transcript::default()),
            StoredTranscript::Unreadable => (TranscriptState::Unreadable, Transcript::default()),
        };
        // Without a kept transcript the fields are `null`: empty texts would look like facts.
        let is_kept = log == TranscriptState::Kept;
        let has_response = is_kept && attempt.response_status.is_some();
        let status = attempt.status();
        let body = DecodedBody::of(
            &transcript.response_body,
            transcript.response_body_end,
            &transcript.response_headers,
        );
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.timing.duration_ms,
            dns_ms: attempt.timing.dns_ms,
            connect_ms: attempt.timing.connect_ms,
            first_byte_ms: attempt.timing.first_byte_ms,
            log,
            request_url: is_kept.then(|| shown(transcript.request_url, url)),
            request_headers: request_headers(transcript.request_headers),
            request_body: transcript.request_body,
            template_version: transcript.template_version,
            response_status: attempt.response_status,
            response_headers: response_headers(transcript.response_headers),
            response_body: is_kept.then_some(body.text),
            response_body_bytes: has_response.then_some(transcript.response_body.len()),
            response_body_end: has_response.then_some(transcript.response_body_end),
            response_body_truncated: !body.is_whole,
            response_body_decoded_from: body.decoded_from,
            repeated: transcript.repeated.map(FailureDetail::into_string),
            failure_class: attempt.failure_class,
            failure_detail: attempt.failure_detail.map(FailureDetail::into_string),
            advice: attempt.failure_class.map(|class| advice(class, status)),
        }
    }
}

fn request_headers(
    headers: impl IntoIterator<Item = (impl Into<String>, Option<String>)>,
) -> Vec<RequestHeaderBody> {
    let headers = headers.into_iter().map(|(name, value)| RequestHeaderBody {
        name: name.into(),
        value,
    });
    headers.collect()
}

fn response_headers(
    headers: impl IntoIterator<Item = (impl Into<String>, HeaderText)>,
) -> Vec<HeaderBody> {
    let headers = headers.into_iter().map(|(name, value)| HeaderBody {
        name: name.into(),
        value: value.into_string(),
    });
    headers.collect()
}
