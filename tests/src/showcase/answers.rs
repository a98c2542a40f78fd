//! Answers of receivers.

use webhook_domain::{FailureClass, LastResponse};

/// An answer, or why there was none.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) class: Option<FailureClass>,
    pub(super) detail: &'static str,
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: &'static str,
    /// The rough time until the answer.
    pub(super) duration_ms: u32,
}

impl Answer {
    const fn accepted(status: u16, body: &'static str) -> Self {
        Self {
            status: Some(status),
            class: None,
            detail: "",
            headers: &[("content-type", "application/json"), ("server", "nginx")],
            body,
            duration_ms: 80,
        }
    }

    const fn refused(
        status: u16,
        detail: &'static str,
        headers: &'static [(&'static str, &'static str)],
        body: &'static str,
    ) -> Self {
        Self {
            status: Some(status),
            class: Some(FailureClass::Status),
            detail,
            headers,
            body,
            duration_ms: 140,
        }
    }

    const fn none(class: FailureClass, detail: &'static str, duration_ms: u32) -> Self {
        Self {
            status: None,
            class: Some(class),
            detail,
            headers: &[],
            body: "",
            duration_ms,
        }
    }

    /// The number for the lists of deliveries.
    pub(super) fn code(&self) -> i16 {
        LastResponse::of(self.status, self.class).code()
    }
}

/// The answers of healthy receivers.
pub(super) const ACCEPTED: [Answer; 3] = [
    Answer::accepted(200, r#"{"received":true}"#),
    Answer::accepted(204, ""),
    Answer::accepted(
        202,
        r#"{"status":"queued","queue":"licenses","position":3,"trace":"c0ffee-42"}"#,
    ),
];

/// The answers of other receivers: each class of failure, each kind of status.
pub(super) const FAILED: [Answer; 15] = [
    Answer::refused(
        503,
        "the receiver answered 503 Service Unavailable",
        &[("content-type", "text/plain"), ("retry-after", "120")],
        "upstream connect error or disconnect/reset before headers",
    ),
    Answer::none(FailureClass::Timeout, "the receiver took too long", 15_000),
    Answer::none(FailureClass::Dns, "the name does not resolve", 21),
    Answer::none(
        FailureClass::Connect,
        "Connection refused (os error 111)",
        12,
    ),
    Answer::none(
        FailureClass::Tls,
        "the certificate expired on 2026-10-31 23:59 UTC; renew the certificate",
        64,
    ),
    Answer::refused(
        500,
        "the receiver answered 500 Internal Server Error",
        &[
            ("content-type", "text/html; charset=utf-8"),
            ("server", "Apache"),
        ],
        "<!doctype html>\n<html><head><title>Internal Server Error</title></head>\n<body>\n<h1>Something went wrong</h1>\n<p>NullPointerException at com.example.hooks.LicenseHandler.handle(LicenseHandler.java:214)</p>\n</body></html>\n",
    ),
    Answer::none(
        FailureClass::Reset,
        "connection closed before message completed",
        340,
    ),
    Answer::refused(
        401,
        "the receiver answered 401 Unauthorized",
        &[("content-type", "application/json")],
        r#"{"error":"invalid_signature","message":"No signature found matching the expected signature for payload"}"#,
    ),
    Answer::none(
        FailureClass::BlockedAddress,
        "the URL's address must not be called",
        3,
    ),
    Answer::refused(
        404,
        "the receiver answered 404 Not Found",
        &[("content-type", "application/problem+json")],
        r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"no route for POST /hooks/licences/v1"}"#,
    ),
    Answer::refused(
        429,
        "the receiver answered 429 Too Many Requests",
        &[("content-type", "text/plain"), ("retry-after", "30")],
        "slow down",
    ),
    Answer::refused(
        301,
        "the receiver answered 301 Moved Permanently",
        &[("location", "https://hooks.example.com/moved/")],
        "",
    ),
    Answer::refused(
        413,
        "the receiver answered 413 Payload Too Large",
        &[("server", "nginx")],
        "",
    ),
    Answer::refused(
        400,
        "the receiver answered 400 Bad Request",
        &[("content-type", "application/json")],
        r#"{"errors":[{"path":"data.seats","message":"expected a string, got a number"}]}"#,
    ),
    Answer::refused(
        502,
        "the receiver answered 502 Bad Gateway",
        &[("content-type", "text/html")],
        "<html><body>bad gateway</body></html>",
    ),
];

/// The answer of a receiver that wants no more events.
pub(super) const GONE: Answer = Answer::refused(
    410,
    "the receiver answered 410 Gone",
    &[("content-type", "text/plain")],
    "this endpoint was retired",
);
