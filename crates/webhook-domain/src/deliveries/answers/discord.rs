//! Answers of Discord's webhooks: a status, and JSON with a number as code.
//!
//! ```json
//! {"message": "Unknown Webhook", "code": 10015}
//! ```

use std::borrow::Cow;
use std::time::Duration;

use super::row::{Effect, Row};
use crate::deliveries::retry_after::{MAX_RETRY_AFTER, bounded_seconds};
use crate::formats::json_view::{JsonView, fields_before_the_break};
use crate::{RateAdvice, RateHeaders};

/// The rows of Discord.
pub(super) const ROWS: &[Row] = &[
    Row::by_code(
        404..=404,
        "10015",
        Effect::NeverAgain,
        "the webhook was removed in Discord. Create a new webhook there and paste the new URL",
    ),
    Row::by_code(
        400..=400,
        "50006",
        Effect::RefusedBytes,
        "the message is empty. Set the format to `discord`, or give the template `content` or \
         `embeds`, and retry the delivery",
    ),
    Row::by_code(
        400..=400,
        "50035",
        Effect::RefusedBytes,
        "a field of the message breaks a rule of Discord, for example a limit of characters. Read the \
         response in the log, mend the template, and retry the delivery",
    ),
    Row::by_status(
        401..=401,
        "401",
        Effect::Forbidden,
        "Discord does not accept the token in the URL. Copy the URL again in Discord, paste the URL, \
         and activate the webhook",
    ),
    Row::by_status(
        403..=403,
        "403",
        Effect::Forbidden,
        "Discord does not allow messages of the webhook. Check the channel and the webhook in Discord, \
         then activate the webhook",
    ),
    Row::by_status(
        429..=429,
        "429",
        Effect::ByStatus,
        "Discord wants fewer messages in the channel. Select fewer event types, or give the webhook \
         a lower rate limit",
    ),
];

/// The code of a body, such as `10015`. `None`: the body has no code, or broke off before its end.
pub(super) fn code_of(body: &[u8]) -> Option<Cow<'_, str>> {
    let [code] = fields_before_the_break(body, ["code"]);
    match JsonView::of(code?) {
        JsonView::Number(digits) => Some(Cow::Borrowed(digits)),
        JsonView::Text(digits) => Some(Cow::Owned(digits)),
        JsonView::Null | JsonView::Bool(_) | JsonView::Array(_) | JsonView::Object(_) => None,
    }
}

/// The advice of a 429, whose body is `{"message": "…", "retry_after": 0.5, "global": false}`.
///
/// The finest time counts: the body's, then the one of `X-RateLimit-Reset-After`, then `Retry-After`,
/// which Discord rounds up to whole seconds. A time that is missing, broken off or no number from 0
/// on is passed over.
pub(super) fn advice_of_429(
    retry_after: Option<Duration>,
    headers: RateHeaders,
    body: &[u8],
) -> RateAdvice {
    let [in_body, global] = fields_before_the_break(body, ["retry_after", "global"]);
    let in_body = in_body.and_then(|value| match JsonView::of(value) {
        JsonView::Number(digits) => bounded_seconds(digits, MAX_RETRY_AFTER),
        JsonView::Text(digits) => bounded_seconds(&digits, MAX_RETRY_AFTER),
        JsonView::Null | JsonView::Bool(_) | JsonView::Array(_) | JsonView::Object(_) => None,
    });
    let hold = in_body.or(headers.reset_after).or(retry_after);
    RateAdvice {
        hold: hold.filter(|wait| !wait.is_zero()),
        global: headers.global || global.is_some_and(|value| value.get() == "true"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Format, Outcome, judge_answer};
    use rstest::rstest;

    fn headers(remaining: &str, reset_after: &str) -> RateHeaders {
        RateHeaders::read(|name| match name {
            "x-ratelimit-remaining" => Some(remaining.as_bytes()),
            "x-ratelimit-reset-after" => Some(reset_after.as_bytes()),
            _ => None,
        })
    }

    fn advised(status: u16, body: &str, rate: RateHeaders) -> (Outcome, RateAdvice) {
        let judged = judge_answer(&Answer {
            format: Format::Discord,
            status,
            retry_after: Some(Duration::from_secs(3)),
            body: body.as_bytes(),
            rate,
        });
        (judged.outcome, judged.rate)
    }

    #[rstest]
    #[case("0", "1.337", Some(1_337))]
    #[case(" 0 ", " 2 ", Some(2_000))]
    #[case("0", "0", None)]
    #[case("1", "1.337", None)]
    #[case("-1", "1.337", None)]
    #[case("", "1.337", None)]
    #[case("0", "-5", None)]
    #[case("0", "NaN", None)]
    #[case("0", "inf", None)]
    #[case("0", "", None)]
    #[case("0", "soon", None)]
    #[case("0", "1e300", Some(600_000))]
    #[case("0", "1e999", Some(600_000))]
    #[case("0", "315360000", Some(600_000))]
    fn an_empty_bucket_holds_until_its_reset(
        #[case] remaining: &str,
        #[case] reset_after: &str,
        #[case] hold_ms: Option<u64>,
    ) {
        let (outcome, advice) = advised(204, "", headers(remaining, reset_after));

        assert_eq!(advice.hold, hold_ms.map(Duration::from_millis));
        assert_eq!((outcome, advice.global), (Outcome::Accepted, false));
    }

    #[rstest]
    #[case(r#"{"retry_after": 0.5, "global": false}"#, "9", 500)]
    #[case(r#"{"retry_after": "0.5"}"#, "9", 500)]
    #[case(r#"{"retry_after": 5e-1}"#, "9", 500)]
    #[case(r#"{"retry_after": 64"#, "9", 9_000)]
    #[case(r#"{"retry_after": -1}"#, "9", 9_000)]
    #[case(r#"{"retry_after": null}"#, "x", 3_000)]
    #[case("error code: 1015", "", 3_000)]
    #[case(r#"{"retry_after": 1e300}"#, "9", 2_592_000_000)]
    fn the_finest_time_of_a_429_counts(
        #[case] body: &str,
        #[case] reset_after: &str,
        #[case] hold_ms: u64,
    ) {
        let wait = Some(Duration::from_millis(hold_ms));

        let (outcome, advice) = advised(429, body, headers("0", reset_after));

        assert_eq!(advice.hold, wait);
        assert_eq!(outcome, Outcome::Throttled { retry_after: wait });
    }

    #[rstest]
    #[case(r#"{"retry_after": 0.5, "global": true}"#, "", Some(500))]
    #[case(r#"{"retry_after": 86400, "global": true}"#, "", Some(60_000))]
    #[case(r#"{"retry_after": 0.5, "global": false}"#, "true", Some(500))]
    #[case(r#"{"retry_after": 0.5, "global": "true"}"#, "user", None)]
    #[case("", "", None)]
    fn a_global_limit_holds_all_webhooks_for_a_minute_at_most(
        #[case] body: &str,
        #[case] global: &str,
        #[case] hold_ms: Option<u64>,
    ) {
        let rate =
            RateHeaders::read(|name| (name == "x-ratelimit-global").then_some(global.as_bytes()));

        let (_, advice) = advised(429, body, rate);

        assert_eq!(advice.hold_of_all(), hold_ms.map(Duration::from_millis));
    }

    #[test]
    fn a_scope_of_global_is_global_and_a_header_of_a_kilobyte_is_none() {
        let long = "0".repeat(1_024);
        let scope =
            RateHeaders::read(|name| (name == "x-ratelimit-scope").then_some(b"Global".as_slice()));

        assert!(scope.global);
        assert_eq!(headers(&long, &long), RateHeaders::default());
    }
}
