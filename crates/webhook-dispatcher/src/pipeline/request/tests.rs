use super::*;
use crate::pipeline::sample::{self, leased};
use rstest::rstest;
use webhook_domain::{
    AddressPolicy, BodyFormat, HeaderName as CustomName, HeaderSecret, HeaderValue as CustomValue,
    TraceContext, WebhookUrl,
};
use webhook_store::destinations::Destination;

const SECRET_URL: &str = "https://hooks.example.com/services/T0AB12CD34/abcdefghijklmnop";

fn url() -> WebhookUrl {
    sample::destination(SECRET_URL).url.reveal().clone()
}

/// A destination with a secret URL and a header of the admin.
fn destination(body: BodyFormat) -> ReadyDestination {
    let mut stored = Destination {
        url: TargetUrl::secret(url()),
        body,
        ..sample::destination(SECRET_URL)
    };
    let name = CustomName::parse("x-api-key").expect("a name");
    let value = CustomValue::parse("hunter2").expect("a value");
    let set = stored.headers.set(name, HeaderSecret::Given(value));
    set.expect("a header");
    ReadyDestination::new(stored, &AddressPolicy::default())
}

#[test]
fn an_attempt_has_the_number_after_the_recorded_attempts() {
    let numbers = [0, 3].map(|attempts| begin(&leased(1, attempts), DateTime::UNIX_EPOCH).number);

    assert_eq!(numbers, [1, 4]);
}

#[test]
fn the_body_is_the_event_in_the_format_of_the_webhook() {
    let mut leased = leased(1, 0);
    leased.event.body = Bytes::from_static(b"{\"data\":{}}");
    let links = MessageLinks::default();

    let json = write_body(&destination(BodyFormat::Json), &leased, &links);
    let slack = write_body(&destination(BodyFormat::Slack), &leased, &links);

    assert_eq!(json, leased.event.body);
    assert!(slack.starts_with(b"{\"text\":"), "{slack:?}");
}

#[rstest]
#[case::stored_with_the_event(Format::Json, 2, None)]
#[case::message(Format::Slack, 2, Some("aa".to_owned()))]
#[case::to_the_bound(
    Format::CloudEvents,
    MAX_KEPT_BODY_BYTES,
    Some("a".repeat(MAX_KEPT_BODY_BYTES))
)]
#[case::beyond_the_bound(
    Format::CloudEvents,
    MAX_KEPT_BODY_BYTES + 1,
    Some("a".repeat(MAX_KEPT_BODY_BYTES) + "…")
)]
fn the_beginning_of_a_body_in_another_format_is_recorded(
    #[case] format: Format,
    #[case] bytes: usize,
    #[case] recorded: Option<String>,
) {
    assert_eq!(written_anew(format, "a".repeat(bytes).as_bytes()), recorded);
}

/// An attempt and a transcript in which the receiver repeats the URL.
fn repeated() -> (Attempt, Transcript) {
    let mut attempt = begin(&leased(1, 0), DateTime::UNIX_EPOCH);
    attempt.failure_detail = Some(FailureDetail::new(SECRET_URL));
    let transcript = Transcript {
        response_headers: vec![("location".into(), HeaderText::new(SECRET_URL))],
        response_body: format!("no {SECRET_URL} here").into_bytes(),
        repeated: Some(FailureDetail::new(SECRET_URL)),
        ..Transcript::default()
    };
    (attempt, transcript)
}

#[test]
fn a_secret_url_is_hidden_wherever_the_receiver_repeats_the_url() {
    let (mut attempt, mut transcript) = repeated();

    hide_url(&TargetUrl::secret(url()), &mut attempt, &mut transcript);

    let told = format!("{attempt:?} {transcript:?}");
    let body = String::from_utf8_lossy(&transcript.response_body);
    assert!(!told.contains("abcdefghijklmnop"), "{told}");
    assert!(body.starts_with("no https://hooks.example.com/"), "{body}");
    assert!(!body.contains("abcdefghijklmnop"), "{body}");
}

#[test]
fn an_open_url_is_recorded_as_the_receiver_repeats_the_url() {
    let (mut attempt, mut transcript) = repeated();

    hide_url(&TargetUrl::open(url()), &mut attempt, &mut transcript);

    let (_, unchanged) = repeated();
    assert_eq!(transcript, unchanged);
}

#[test]
fn the_body_of_a_response_may_take_as_long_again_as_the_head_within_the_timeout() {
    let head = Duration::from_secs(3);
    let (began, now) = (std::time::Instant::now() - head, Instant::now());
    let [soon, late] = [1, 60].map(|seconds| now + Duration::from_secs(seconds));

    let as_long_again = now + head + MAX_EXTRA_BODY_TIME;
    assert!(body_deadline(began, None) >= as_long_again);
    assert!(body_deadline(began, Some(late)) < late);
    assert_eq!(body_deadline(began, Some(soon)), soon);
}

#[test]
fn a_request_carries_our_headers_and_the_headers_of_the_admin() {
    let (destination, mut leased) = (destination(BodyFormat::Json), leased(1, 0));
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    leased.event.trace = TraceContext::parse(trace);
    let (number, now) = (1, DateTime::UNIX_EPOCH);
    let signed = sign(
        &destination,
        &leased,
        (number, b"{}"),
        now,
        leased.event.trace,
    );

    let headers = headers(&destination, &signed);

    let names: Vec<_> = signed.iter().map(|(header, _)| *header).collect();
    assert_eq!(names, RequestHeader::ALL);
    assert_eq!(headers.len(), RequestHeader::ALL.len() + 2);
    assert_eq!(headers[ACCEPT], "*/*");
    assert_eq!(headers["x-api-key"], "hunter2");
    for (header, value) in &signed {
        assert_eq!(headers[header.as_str()], *value);
    }
}

#[test]
fn the_record_has_our_headers_and_the_names_only_of_the_headers_of_the_admin() {
    let destination = destination(BodyFormat::Json);
    let signed = vec![(RequestHeader::Attempt, "3".to_owned())];

    let recorded = headers_to_record(signed, &destination);

    let own = Cow::Borrowed(RequestHeader::Attempt.as_str());
    let admins = Cow::Borrowed("x-api-key");
    assert_eq!(recorded, [(own, Some("3".to_owned())), (admins, None)]);
}
