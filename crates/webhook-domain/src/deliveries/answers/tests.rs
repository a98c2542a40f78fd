use super::row::By;
use super::*;
use crate::FailureClass;
use proptest::prelude::*;
use rstest::rstest;

const PLAIN: [Format; 3] = [Format::Json, Format::CloudEvents, Format::Custom];
const CHATS: [Format; 3] = [Format::Slack, Format::Discord, Format::Teams];

fn judge(format: Format, status: u16, body: &str) -> Outcome {
    judged(format, status, body, RateHeaders::default()).outcome
}

fn judged(format: Format, status: u16, body: &str, rate: RateHeaders) -> JudgedAnswer {
    judge_answer(&Answer {
        format,
        status,
        retry_after: None,
        body: body.as_bytes(),
        rate,
    })
}

const UNCONFIRMED: Outcome = Outcome::Failed {
    class: FailureClass::Body,
    retry_after: None,
};

#[rstest]
#[case(200, "ok", Outcome::Accepted)]
#[case(200, " ok\r\n", Outcome::Accepted)]
#[case(200, r#"{"ok":true}"#, Outcome::Accepted)]
#[case(200, r#"{"ok":false}"#, UNCONFIRMED)]
#[case(200, "", UNCONFIRMED)]
#[case(200, "okay", UNCONFIRMED)]
#[case(200, "<html>", UNCONFIRMED)]
#[case(204, "", UNCONFIRMED)]
#[case(404, "no_service", Outcome::Gone)]
#[case(404, "channel_not_found\n", Outcome::Gone)]
#[case(404, "no_team", Outcome::Gone)]
#[case(410, "channel_is_archived", Outcome::Gone)]
#[case(410, "", Outcome::Gone)]
#[case(400, "invalid_payload", Outcome::Refused)]
#[case(400, "invalid_blocks", Outcome::Refused)]
#[case(400, "no_text", Outcome::Refused)]
#[case(400, "missing_text_or_fallback_or_attachments", Outcome::Refused)]
#[case(403, "action_prohibited", Outcome::Forbidden)]
fn slacks_words_decide(#[case] status: u16, #[case] body: &str, #[case] outcome: Outcome) {
    assert_eq!(judge(Format::Slack, status, body), outcome);
}

#[rstest]
#[case(204, "", Outcome::Accepted)]
#[case(200, r#"{"id":"1"}"#, Outcome::Accepted)]
#[case(404, r#"{"message": "Unknown Webhook", "code": 10015}"#, Outcome::Gone)]
#[case(
    400,
    r#"{"message": "Cannot send an empty message", "code": 50006}"#,
    Outcome::Refused
)]
#[case(400, r#"{"code": 50035, "errors": {"embeds": {"0""#, Outcome::Refused)]
#[case(
    401,
    r#"{"message": "Invalid Webhook Token", "code": 50027}"#,
    Outcome::Forbidden
)]
#[case(403, "error code: 1010", Outcome::Forbidden)]
fn discords_codes_decide(#[case] status: u16, #[case] body: &str, #[case] outcome: Outcome) {
    assert_eq!(judge(Format::Discord, status, body), outcome);
}

#[rstest]
#[case(202, Outcome::Accepted)]
#[case(200, Outcome::Accepted)]
#[case(400, Outcome::Refused)]
#[case(401, Outcome::Forbidden)]
#[case(403, Outcome::Forbidden)]
#[case(404, Outcome::Gone)]
#[case(410, Outcome::Gone)]
fn the_statuses_of_teams_decide(#[case] status: u16, #[case] outcome: Outcome) {
    for body in [
        "",
        "{}",
        "no_service",
        r#"{"error":{"code":"TriggerDisabled"}}"#,
    ] {
        assert_eq!(judge(Format::Teams, status, body), outcome, "{body}");
    }
}

#[rstest]
#[case(Format::Slack, 404, "")]
#[case(Format::Slack, 404, "no_servic")]
#[case(Format::Slack, 400, "too_many_attachments")]
#[case(Format::Slack, 403, "invalid_token")]
#[case(Format::Slack, 429, "no_service")]
#[case(Format::Slack, 500, "no_service")]
#[case(Format::Slack, 500, "rollup_error")]
#[case(Format::Discord, 404, "<html>")]
#[case(Format::Discord, 404, r#"{"code": 10003}"#)]
#[case(Format::Discord, 400, r#"{"code": 50006"#)]
#[case(Format::Discord, 502, r#"{"code": 10015}"#)]
#[case(Format::Teams, 408, "")]
#[case(Format::Teams, 413, "")]
fn an_answer_without_a_row_has_the_outcome_of_its_status(
    #[case] format: Format,
    #[case] status: u16,
    #[case] body: &str,
) {
    assert_eq!(
        judge(format, status, body),
        Outcome::of_status(status, None)
    );
}

#[test]
fn formats_without_a_table_count_by_status_alone() {
    let wait = Some(Duration::from_secs(7));
    let rate = RateHeaders {
        remaining: Some(0),
        reset_after: wait,
        global: true,
    };
    for (format, status) in PLAIN
        .iter()
        .flat_map(|f| (100..1_000).map(move |s| (*f, s)))
    {
        let body = b"no_service".as_slice();
        let judged = judge_answer(&Answer {
            format,
            status,
            retry_after: wait,
            body,
            rate,
        });

        assert_eq!(judged.outcome, Outcome::of_status(status, wait));
        assert_eq!((judged.meaning, judged.rate), (None, RateAdvice::default()));
    }
}

#[test]
fn passing_statuses_pass_in_every_format_with_their_time() {
    let wait = Some(Duration::from_secs(7));
    for (format, status) in CHATS
        .iter()
        .flat_map(|f| [408, 429, 500, 503, 522].map(|s| (*f, s)))
    {
        let judged = judge_answer(&Answer {
            format,
            status,
            retry_after: wait,
            body: b"",
            rate: RateHeaders::default(),
        });

        assert_eq!(
            judged.outcome,
            Outcome::of_status(status, wait),
            "{format} {status}"
        );
    }
}

#[test]
fn a_hold_is_the_longer_of_retry_after_and_the_rate_headers() {
    let rate = RateHeaders {
        remaining: Some(0),
        reset_after: Some(Duration::from_secs(2)),
        global: false,
    };
    let hold = |status, retry_after_s| {
        let judged = judge_answer(&Answer {
            format: Format::Discord,
            status,
            retry_after: Some(Duration::from_secs(retry_after_s)),
            body: b"",
            rate,
        });
        judged.hold().map(|hold| hold.as_secs())
    };

    assert_eq!(
        hold(204, 9),
        Some(2),
        "an accepted request has no Retry-After"
    );
    assert_eq!([hold(503, 9), hold(503, 1)], [Some(9), Some(2)]);
    assert_eq!(judged(Format::Slack, 200, "ok", rate).hold(), None);
}

#[test]
fn every_row_has_a_sentence_with_advice_and_no_full_stop() {
    for row in [slack::ROWS, discord::ROWS, teams::ROWS]
        .into_iter()
        .flatten()
    {
        let sentence = row.sentence;

        assert!(
            !sentence.ends_with('.') && !sentence.is_empty(),
            "{}",
            row.code
        );
        assert!(!sentence.contains("  "), "{}", row.code);
        let needs_advice = !matches!(row.effect, Effect::Taken);
        assert!(!needs_advice || sentence.contains(". "), "{sentence}");
    }
}

#[test]
fn every_row_can_be_reached() {
    for (format, rows) in CHATS.iter().zip([slack::ROWS, discord::ROWS, teams::ROWS]) {
        for row in rows {
            let is_json = *format == Format::Discord && row.by == By::Code;
            let body = if is_json {
                format!(r#"{{"code":{}}}"#, row.code)
            } else {
                row.code.to_owned()
            };
            let told = explain_answer(*format, *row.statuses.start(), body.as_bytes());

            assert_eq!(told, Some(row.meaning()), "{format} {}", row.code);
        }
    }
}

fn any_format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL)
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "\\{\"(code|retry_after|global|ok)\": ?[-0-9.eE+a-zA-Z\"]{0,12}[,}]?.{0,8}"
            .prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn no_answer_panics_and_every_hold_is_bounded(
        format in any_format(), status in 0_u16..1_100, body in any_body(), header in "\\PC{0,70}",
    ) {
        let rate = RateHeaders::read(|_| Some(header.as_bytes()));
        let judged =
            judge_answer(&Answer { format, status, retry_after: None, body: &body, rate });

        let longest = crate::deliveries::retry_after::MAX_RETRY_AFTER;
        prop_assert!(judged.rate.hold.is_none_or(|hold| !hold.is_zero() && hold <= longest));
        prop_assert!(judged.rate.hold_of_all().is_none_or(|hold| hold <= rate::MAX_GLOBAL_HOLD));
        prop_assert!(rate.reset_after.is_none_or(|wait| wait <= rate::MAX_RATE_HOLD));
        prop_assert_eq!(judged.meaning, explain_answer(format, status, &body));
    }

    #[test]
    fn a_body_that_breaks_off_is_judged_as_the_whole_or_by_its_status(cut in 0_usize..=70) {
        let whole = r#"{"message": "Unknown Webhook", "code": 10015, "errors": {"a": [1]}}"#;
        let part = &whole[..cut.min(whole.len())];

        let outcome = judge(Format::Discord, 404, part);

        prop_assert!([Outcome::Gone, Outcome::of_status(404, None)].contains(&outcome));
    }
}
