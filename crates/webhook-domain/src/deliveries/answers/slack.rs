//! Answers of Slack's incoming webhooks: a status, and a word as plain text.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::row::{Effect, Row};
use crate::formats::json_view::{JsonView, fields_before_the_break};

/// The word of a message that was posted.
const OK: &str = "ok";

/// The statuses with which a word of refusal may come. Slack has moved words between statuses:
/// `no_text` came with 500 once, and comes with 400 today.
const REFUSALS: RangeInclusive<u16> = 400..=499;

/// The rows of Slack. A 429 counts as a 429 whatever its body says.
pub(super) const ROWS: &[Row] = &[
    Row::by_code(200..=299, OK, Effect::Taken, "Slack posted the message"),
    Row::by_status(
        200..=299,
        "not ok",
        Effect::NotConfirmed,
        "the receiver answered 2xx without `ok`: perhaps no message was posted. Check that the URL belongs \
         to an incoming webhook of Slack",
    ),
    Row::by_status(
        429..=429,
        "429",
        Effect::ByStatus,
        "Slack wants fewer messages in the channel. Select fewer event types, or give the webhook a \
         lower rate limit",
    ),
    Row::by_code(
        REFUSALS,
        "no_service",
        Effect::NeverAgain,
        "this webhook was removed in Slack. Create a new one there and paste its URL",
    ),
    Row::by_code(
        REFUSALS,
        "channel_not_found",
        Effect::NeverAgain,
        "the channel was deleted in Slack. Create a webhook for another channel and paste the new URL",
    ),
    Row::by_code(
        REFUSALS,
        "no_team",
        Effect::NeverAgain,
        "the workspace was deleted in Slack. Create a webhook in another workspace and paste the new URL",
    ),
    Row::by_code(
        REFUSALS,
        "channel_is_archived",
        Effect::NeverAgain,
        "the channel was archived in Slack. Restore the channel and activate the webhook, or \
         paste the URL of another channel",
    ),
    Row::by_code(
        REFUSALS,
        "invalid_payload",
        Effect::RefusedBytes,
        "Slack could not read the message. Look at the body in the log, mend the format or the \
         template, and retry the delivery",
    ),
    Row::by_code(
        REFUSALS,
        "invalid_blocks",
        Effect::RefusedBytes,
        "Slack could not draw the blocks of the message. Look at the body in the log, mend `blocks` \
         in the template, and retry the delivery",
    ),
    Row::by_code(
        REFUSALS,
        "no_text",
        Effect::RefusedBytes,
        "the message has no text. Set the format to `slack`, or give the template a `text`, and retry \
         the delivery",
    ),
    Row::by_code(
        REFUSALS,
        "missing_text_or_fallback_or_attachments",
        Effect::RefusedBytes,
        "the message has neither text nor attachments. Set the format to `slack`, or give the \
         template a `text`, and retry the delivery",
    ),
    Row::by_code(
        REFUSALS,
        "action_prohibited",
        Effect::Forbidden,
        "an admin of the Slack workspace forbade messages of incoming webhooks. Ask the admin to allow \
         messages, then activate the webhook",
    ),
    Row::by_code(
        500..=599,
        "rollup_error",
        Effect::ByStatus,
        "Slack failed for a moment. The delivery is retried by the retry policy",
    ),
];

/// The word of a body: plain text, or `ok` for `{"ok":true}`, with which Slack's other endpoints
/// confirm. `None`: the body is no text.
pub(super) fn code_of(body: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(body).ok()?.trim();
    if !text.starts_with('{') {
        return Some(Cow::Borrowed(text));
    }
    let [ok] = fields_before_the_break(text.as_bytes(), ["ok"]);
    match JsonView::of(ok?) {
        JsonView::Bool(true) => Some(Cow::Borrowed(OK)),
        JsonView::Bool(false)
        | JsonView::Null
        | JsonView::Number(_)
        | JsonView::Text(_)
        | JsonView::Array(_)
        | JsonView::Object(_) => None,
    }
}
