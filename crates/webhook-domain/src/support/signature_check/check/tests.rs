use super::*;
use crate::{EventId, ReceivedHeaders, WebhookId, sign};
use proptest::prelude::*;
use rstest::rstest;

const ID: &str = "0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e";
const BODY: &str = r#"{"id":"0192f0c1-7c1e-7b7e-8d5e-3f1a2b3c4d5e","data":{"seats":5}}"#;
const SIGNED: i64 = 1_795_523_000;

fn secret(byte: u8) -> SigningSecret {
    SigningSecret::from_random([byte; 32])
}

fn at(seconds_later: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(SIGNED + seconds_later, 0).expect("a time")
}

/// What arrives: headers by name, and a body.
struct Arrived(Vec<(&'static str, String)>, String);

fn arrived(secrets: &[SigningSecret]) -> Arrived {
    let id: EventId = ID.parse().expect("an id");
    let signatures = sign(secrets.iter(), id, SIGNED, BODY.as_bytes());
    let headers = vec![
        ("X-Webhook-Signature", signatures.platform),
        ("webhook-id", ID.to_owned()),
        ("webhook-timestamp", SIGNED.to_string()),
        ("webhook-signature", signatures.standard),
    ];
    Arrived(headers, BODY.to_owned())
}

impl Arrived {
    fn with(mut self, name: &str, value: &str) -> Self {
        let header = self.0.iter_mut().find(|(known, _)| *known == name);
        value.clone_into(&mut header.expect("it is there").1);
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self
    }

    fn with_body(self, body: &str) -> Self {
        Self(self.0, body.to_owned())
    }

    fn check(self, own: &[OwnSecret], sent: Option<&str>, now: DateTime<Utc>) -> SignatureCheck {
        let headers = self
            .0
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let request = ReceivedRequest {
            headers: ReceivedHeaders::new(headers),
            body: self.1.into(),
        };
        let sent = sent.map(|sent| Bytes::copy_from_slice(sent.as_bytes()));
        check_signatures(&request, own, sent.as_ref(), now)
    }
}

fn own(byte: u8, valid_until: Option<DateTime<Utc>>) -> OwnSecret {
    let secret = secret(byte);
    OwnSecret {
        secret,
        valid_until,
    }
}

fn codes(check: &SignatureCheck) -> Vec<&'static str> {
    let findings = check.findings.iter();
    findings.map(|finding| finding.code().as_str()).collect()
}

#[test]
fn what_arrives_untouched_holds_whatever_the_framework_calls_its_headers() {
    let mut cgi = arrived(&[secret(1)]);
    cgi.0[0].0 = "HTTP_X_WEBHOOK_SIGNATURE";
    cgi.0[1].0 = "HTTP_WEBHOOK_ID";
    for request in [arrived(&[secret(1)]), cgi] {
        let check = request.check(&[own(1, None)], None, at(300));

        assert!(check.valid && check.findings.is_empty(), "{check:?}");
        let matched: Vec<_> = check.schemes.iter().map(|scheme| scheme.matched).collect();
        assert_eq!(matched, [Some(SecretStanding::Current); 2]);
        assert_eq!(check.schemes[1].signed_at, Some(at(0)));
    }
}

#[rstest]
#[case::no_signature(|r: Arrived| r.without("X-Webhook-Signature").without("webhook-signature"), &["no_signature"])]
#[case::cut(|r: Arrived| r.with("X-Webhook-Signature", "t=1795523000,v1=abc"), &["malformed_header"])]
#[case::no_version(|r: Arrived| r.with("webhook-signature", "v2,abc"), &["malformed_header"])]
#[case::no_time(|r: Arrived| r.with("X-Webhook-Signature", "v1=00"), &["missing_timestamp", "malformed_header"])]
#[case::no_time_header(|r: Arrived| r.without("webhook-timestamp"), &["missing_timestamp"])]
#[case::no_number(|r: Arrived| r.with("webhook-timestamp", "now"), &["not_a_timestamp", "no_match"])]
#[case::no_year(|r: Arrived| r.with("webhook-timestamp", "9223372036854775807"), &["not_a_timestamp", "no_match"])]
#[case::other_time(|r: Arrived| r.with("webhook-timestamp", "1795523001"), &["timestamps_differ", "no_match"])]
#[case::no_id(|r: Arrived| r.without("webhook-id"), &["missing_message_id"])]
#[case::other_id(|r: Arrived| r.with("webhook-id", "0192f0c1-0000-7b7e-8d5e-3f1a2b3c4d5e"), &["message_id_differs"])]
#[case::re_serialised(|r: Arrived| r.with_body(&BODY.replace(':', ": ")), &["reserialized_json"])]
#[case::changed(|r: Arrived| r.with_body(&BODY.replace('5', "6")), &["message_id_differs", "body_changed"])]
#[case::white_space(|r: Arrived| r.with_body(&format!("{BODY}\n")), &["whitespace_changed"])]
#[case::html(|r: Arrived| r.with_body(&BODY.replace('"', "&quot;")), &["wrong_encoding"])]
fn what_is_wrong_is_told(#[case] change: fn(Arrived) -> Arrived, #[case] expected: &[&str]) {
    let mut check = change(arrived(&[secret(1)])).check(&[own(1, None)], Some(BODY), at(0));

    check.conclude(None);

    assert_eq!((check.valid, codes(&check)), (false, expected.to_vec()));
}

#[test]
fn a_signature_that_is_old_or_early_holds_with_a_warning() {
    for (now, code) in [(at(301), "stale_timestamp"), (at(-301), "future_timestamp")] {
        let check = arrived(&[secret(1)]).check(&[own(1, None)], None, now);

        assert_eq!((check.valid, codes(&check)), (true, vec![code]));
    }
}

#[rstest]
#[case::valid_still(60, true, Some(SecretStanding::Previous), "previous_secret")]
#[case::not_any_more(-60, false, None, "expired_secret")]
fn a_replaced_secret_is_told_apart(
    #[case] seconds_left: i64,
    #[case] valid: bool,
    #[case] matched: Option<SecretStanding>,
    #[case] code: &str,
) {
    let own = [own(2, None), own(1, Some(at(seconds_left)))];

    let check = arrived(&[secret(1)]).check(&own, None, at(0));

    assert_eq!((check.valid, codes(&check)), (valid, vec![code]));
    assert_eq!(check.schemes[0].matched, matched);
}

#[test]
fn another_webhooks_signature_is_found_over_the_body_that_was_sent() {
    let request = arrived(&[secret(3)]).with_body(&format!("{BODY} "));
    let mut check = request.check(&[own(1, None)], Some(BODY), at(0));
    let other = OtherWebhook {
        id: WebhookId(uuid::Uuid::nil()),
        name: "ERP".to_owned(),
    };

    let unexplained = check.unexplained.clone().expect("there is no reason yet");
    check.conclude(Some(other));

    assert!(unexplained.is_signed_by(&secret(3)) && !unexplained.is_signed_by(&secret(4)));
    assert_eq!(codes(&check), ["other_webhook", "reserialized_json"]);
}

#[test]
fn a_key_of_the_wrong_form_is_recognised_in_both_schemes() {
    let mac = |form, head: String| {
        let hmac = secret(1).hmac(form, [head.as_bytes(), BODY.as_bytes()]);
        hmac::Mac::finalize(hmac).into_bytes()
    };
    let platform = mac(
        crate::webhooks::secret::KeyForm::Bytes,
        format!("{SIGNED}."),
    );
    let standard = mac(
        crate::webhooks::secret::KeyForm::Text,
        format!("{ID}.{SIGNED}."),
    );
    let standard = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, standard);
    let request = arrived(&[secret(1)])
        .with(
            "X-Webhook-Signature",
            &format!("t={SIGNED},v1={}", hex::encode(platform)),
        )
        .with("webhook-signature", &format!("v1,{standard}"));

    let check = request.check(&[own(1, None)], None, at(0));

    assert_eq!(codes(&check), ["wrong_key_form", "wrong_key_form"]);
}

#[test]
fn no_finding_repeats_a_body_or_a_secret() {
    let request = arrived(&[secret(1)]).with_body(&BODY.replace("seats", "chairs"));

    let check = request.check(&[own(1, None)], Some(BODY), at(9_000));

    let told = format!("{:?}", check.findings) + &check.findings[1].message();
    assert!(
        !told.contains("seats") && !told.contains("whsec_"),
        "{told}"
    );
    assert!(told.contains("byte 54 (from 0)"), "{told}");
    assert_eq!(
        check.findings[0].message(),
        "The request was signed 2 hours ago."
    );
}

proptest! {
    #[test]
    fn what_is_signed_holds_and_no_changed_byte_does(
        body in proptest::collection::vec(any::<u8>(), 1..200), place in any::<prop::sample::Index>(),
        change in 1_u8.., key in any::<[u8; 32]>(), seconds in 0_i64..4_000_000_000,
    ) {
        let secret = SigningSecret::from_random(key);
        let id: EventId = ID.parse().expect("an id");
        let signatures = sign([&secret].into_iter(), id, seconds, &body);
        let mut headers = arrived(&[]).0;
        headers[0].1 = signatures.platform;
        headers[2].1 = seconds.to_string();
        headers[3].1 = signatures.standard;
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value));
        let headers = ReceivedHeaders::new(headers);
        let own = [OwnSecret { secret, valid_until: None }];
        let mut changed = body.clone();
        changed[place.index(body.len())] ^= change;

        let check = |body: Vec<u8>| {
            let request = ReceivedRequest { headers: headers.clone(), body: body.into() };
            check_signatures(&request, &own, None, at(0)).valid
        };

        prop_assert!(check(body));
        prop_assert!(!check(changed));
    }
}

#[rstest]
#[case(301, Some("The request was signed 5 minutes ago."))]
#[case(300, None)]
#[case(-300, None)]
#[case(-301, Some("The request was signed 5 minutes in the future."))]
fn a_clock_may_differ_by_five_minutes(#[case] seconds: i64, #[case] told: Option<&str>) {
    let check = arrived(&[secret(1)]).check(&[own(1, None)], None, at(seconds));

    let messages: Vec<String> = check
        .findings
        .iter()
        .map(SignatureFinding::message)
        .collect();

    assert_eq!(messages, Vec::from_iter(told));
}

#[test]
fn a_replaced_secret_expires_at_the_end_of_its_grace_period() {
    let own = [own(2, None), own(1, Some(at(60)))];
    let matched = |now| arrived(&[secret(1)]).check(&own, None, now).schemes[0].matched;

    assert_eq!(matched(at(59)), Some(SecretStanding::Previous));
    assert_eq!(matched(at(60)), None);
}

#[rstest]
#[case::same(Some(BODY), "which is the sent body")]
#[case::other(Some("{}"), "which differs from the sent body")]
#[case::unknown(None, "whose event is unknown")]
fn a_signature_of_nobody_is_told_with_the_standing_of_the_body(
    #[case] sent: Option<&str>,
    #[case] told: &str,
) {
    let mut check = arrived(&[secret(9)]).check(&[own(1, None)], sent, at(0));

    check.conclude(None);
    check.conclude(None);

    assert_eq!(codes(&check), ["no_match"]);
    assert!(check.findings[0].message().contains(told));
}
