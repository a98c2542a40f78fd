use super::*;
use rstest::rstest;
use std::collections::BTreeSet;

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

#[rstest]
#[case(minutes(6), "6 minutes")]
#[case(minutes(119), "119 minutes")]
#[case(minutes(120), "2 hours")]
#[case(minutes(47 * 60 + 59), "47 hours")]
#[case(minutes(48 * 60), "2 days")]
fn a_duration_is_told_in_the_largest_unit_of_which_there_are_two(
    #[case] duration: TimeDelta,
    #[case] told: &str,
) {
    assert_eq!(span(duration), told);
}

#[test]
fn a_header_is_named_in_lower_case() {
    let header = RequestHeader::PlatformSignature;
    let fault = "it is empty";

    let messages = [
        SignatureFinding::MalformedHeader { header, fault },
        SignatureFinding::MissingTimestamp { header },
        SignatureFinding::NotATimestamp { header },
    ]
    .map(|finding| finding.message());

    assert_eq!(
        messages,
        [
            "`x-webhook-signature` cannot be read: it is empty.",
            "`x-webhook-signature` lacks the time of the signature.",
            "The time in `x-webhook-signature` is not a number of seconds since 1970.",
        ]
    );
}

#[test]
fn a_replaced_secret_is_told_with_the_end_of_its_grace_period() {
    let valid_until = DateTime::UNIX_EPOCH;

    let previous = SignatureFinding::PreviousSecret { valid_until }.message();
    let expired = SignatureFinding::ExpiredSecret { valid_until }.message();

    assert!(
        previous.ends_with("is valid until 1970-01-01T00:00:00Z."),
        "{previous}"
    );
    assert!(
        expired.ends_with("was valid until 1970-01-01T00:00:00Z."),
        "{expired}"
    );
}

#[test]
fn another_webhook_is_named_with_its_id() {
    let id = WebhookId(uuid::Uuid::from_u128(7));
    let finding = SignatureFinding::OtherWebhook(OtherWebhook {
        id,
        name: "ERP".to_owned(),
    });

    assert_eq!(finding.other_webhook(), Some(id));
    assert_eq!(SignatureFinding::NoSignature.other_webhook(), None);
    assert_eq!(
        finding.message(),
        format!("The request is signed with the secret of another webhook: ERP ({id}).")
    );
}

#[test]
fn a_difference_is_told_by_lengths_and_position() {
    let difference = BodyDifference {
        first: 3,
        sent: 9,
        received: 10,
    };
    let told = "9 bytes were sent, 10 were received, and byte 3 (from 0) is the first difference";

    assert_eq!(difference.to_string(), told);
    let changed = SignatureFinding::BodyChanged(difference).message();
    assert_eq!(
        changed,
        format!("The body differs from the sent body: {told}.")
    );
}

#[rstest]
#[case(Some(true), "this body, which is the sent body.")]
#[case(
    Some(false),
    "this body, which differs from the sent body, or over the sent body."
)]
#[case(None, "this body, whose event is unknown.")]
fn an_unexplained_signature_tells_what_was_tried(
    #[case] body_is_ours: Option<bool>,
    #[case] end: &str,
) {
    let message = SignatureFinding::NoMatch { body_is_ours }.message();

    assert!(message.ends_with(end), "{message}");
}

#[test]
fn every_mangling_has_a_sentence_and_advice_of_its_own_kind() {
    let told: Vec<_> = Mangling::ALL
        .iter()
        .map(|m| SignatureFinding::Mangled(*m))
        .collect();
    let messages: BTreeSet<String> = told.iter().map(SignatureFinding::message).collect();
    let codes: Vec<&str> = told.iter().map(|finding| finding.code().as_str()).collect();

    assert_eq!(messages.len(), Mangling::ALL.len());
    assert_eq!(codes[..2], ["whitespace_changed"; 2]);
    assert_eq!(codes[2..], ["wrong_encoding"; 5]);
    for finding in told {
        assert!(finding.advice().starts_with("Verify") || finding.advice().starts_with("Decode"));
    }
}

#[rstest]
#[case(SignatureScheme::Platform, "keyed with the whole text")]
#[case(SignatureScheme::Standard, "keyed with the bytes")]
fn a_wrong_key_form_names_the_right_one(#[case] scheme: SignatureScheme, #[case] right: &str) {
    let finding = SignatureFinding::WrongKeyForm { scheme };

    assert!(finding.message().contains(right), "{}", finding.message());
    assert!(finding.advice().contains("docs/verifying.md"));
}
