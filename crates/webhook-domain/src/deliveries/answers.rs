//! The meaning of an answer by the format of the webhook: one table from status and code to outcome.
//!
//! Chat platforms say in the body of a response whether the URL or the bytes are at fault, so a
//! status alone would be retried for days without hope. The first row that fits decides; an answer
//! without a row has the outcome of its status, and `json` and `cloudevents` have no rows.
//!
//! | effect | outcome | Slack | Discord | Teams |
//! | --- | --- | --- | --- | --- |
//! | taken | [`Outcome::Accepted`] | 2xx with `ok` | 2xx | 2xx |
//! | not confirmed | [`Outcome::Failed`], [`FailureClass::Body`] | 2xx without `ok` | | |
//! | never again | [`Outcome::Gone`] | `no_service`, `channel_not_found`, `no_team`, `channel_is_archived` | 404 with 10015 | 404, 410 |
//! | refused bytes | [`Outcome::Refused`] | `invalid_payload`, `invalid_blocks`, `no_text`, `missing_text_or_fallback_or_attachments` | 400 with 50006 or 50035 | 400 |
//! | forbidden | [`Outcome::Forbidden`] | `action_prohibited` | 401, 403 | 401, 403 |
//! | passing | by the status | 429, 5xx | 429, 5xx | 408, 429, 5xx |

use std::time::Duration;

use crate::{AnswerMeaning, Format, Outcome, RateAdvice, RateHeaders};

// A row of the table, and the advice on the rate of requests.
pub(crate) mod rate;
pub(crate) mod row;

// The platforms: rows, and how a response's body names a code.
mod discord;
mod slack;
mod teams;

use row::{Effect, Row};

/// A response, as far as the response decides the outcome of an attempt.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The format of the request.
    pub format: Format,
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`, read by [`parse_retry_after`](crate::parse_retry_after).
    pub retry_after: Option<Duration>,
    /// The first kilobytes of the body, perhaps broken off. An answer whose code is not within these
    /// bytes counts by its status.
    pub body: &'a [u8],
    /// The headers about the rate of requests.
    pub rate: RateHeaders,
}

/// The judgement on an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedAnswer {
    /// The outcome of the attempt.
    pub outcome: Outcome,
    /// The receiver's own word, with our sentence. `None`: no known word.
    pub meaning: Option<AnswerMeaning>,
    /// The receiver's advice on the rate of requests.
    pub rate: RateAdvice,
}

impl JudgedAnswer {
    /// An outcome without a word or an advice of the receiver, as of an attempt without a response.
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            meaning: None,
            rate: RateAdvice::default(),
        }
    }

    /// The judgement where the receiver's word counts for its own webhook only: a limit of all requests of the sender
    /// is one of the webhook.
    pub fn of_one_webhook(self) -> Self {
        let rate = RateAdvice {
            global: false,
            ..self.rate
        };
        Self { rate, ..self }
    }

    /// How long the webhook is to get no request at all: the longer of the outcome's time and the time
    /// of the rate headers. A lane must wait before its next request, also after an accepted one.
    pub fn hold(&self) -> Option<Duration> {
        self.outcome.hold().max(self.rate.hold)
    }
}

/// Judges an answer by the format of its request.
///
/// Formats without a table have the outcome of [`Outcome::of_status`], and no meaning and no advice.
pub fn judge_answer(answer: &Answer<'_>) -> JudgedAnswer {
    let rate = advice_of(answer);
    let retry_after = match answer.format {
        // The time of a 429's body is finer than the whole seconds of the header.
        Format::Discord if answer.status == 429 => rate.hold.or(answer.retry_after),
        Format::Discord
        | Format::Json
        | Format::Slack
        | Format::Teams
        | Format::CloudEvents
        | Format::Custom => answer.retry_after,
    };
    let row = find_row(answer.format, answer.status, answer.body);
    let effect = row.map_or(Effect::ByStatus, |row| row.effect);
    JudgedAnswer {
        outcome: effect.outcome(answer.status, retry_after),
        meaning: row.map(Row::meaning),
        rate,
    }
}

/// The receiver's own word in a stored response, with our sentence. `None`: no known word.
///
/// ```
/// use webhook_domain::{Format, explain_answer};
///
/// let told = explain_answer(Format::Slack, 404, b"no_service").expect("a known word");
///
/// assert_eq!(
///     told.to_string(),
///     "`no_service`: this webhook was removed in Slack. Create a new one there and paste its URL"
/// );
/// ```
pub fn explain_answer(format: Format, status: u16, body: &[u8]) -> Option<AnswerMeaning> {
    find_row(format, status, body).map(Row::meaning)
}

fn find_row(format: Format, status: u16, body: &[u8]) -> Option<&'static Row> {
    let (rows, code) = match format {
        Format::Slack => (slack::ROWS, slack::code_of(body)),
        Format::Discord => (discord::ROWS, discord::code_of(body)),
        Format::Teams => (teams::ROWS, None),
        Format::Json | Format::CloudEvents | Format::Custom => return None,
    };
    rows.iter().find(|row| row.fits(status, code.as_deref()))
}

/// The advice of an answer on the rate of requests. Only Discord gives advice beside `Retry-After`.
fn advice_of(answer: &Answer<'_>) -> RateAdvice {
    match answer.format {
        Format::Discord if answer.status == 429 => {
            discord::advice_of_429(answer.retry_after, answer.rate, answer.body)
        }
        Format::Discord => answer.rate.advice(),
        Format::Json | Format::Slack | Format::Teams | Format::CloudEvents | Format::Custom => {
            RateAdvice::default()
        }
    }
}

#[cfg(test)]
mod tests;
