//! The hold: a receiver that responded with 429, 502, 503, 504 or 520 to 524 and `Retry-After` gets
//! no request of its webhook before that time: the hold is for all deliveries and all dispatchers. A hold
//! also follows from rate headers that say that the next request would be one too many.
//!
//! | state | what happened | next |
//! | --- | --- | --- |
//! | any | a response with one of these statuses and `Retry-After` | held until that time, or until the later of two times |
//! | any | a response whose rate headers allow no further request (Discord's `X-RateLimit-Remaining: 0`) | held until the rate headers allow requests again, or until the later of two times |
//! | any | a response to another webhook says that Discord's global limit is reached | held as that webhook, for [`MAX_GLOBAL_HOLD`](crate::deliveries::answers::rate::MAX_GLOBAL_HOLD) at most, if requests of the webhook count at Discord |
//! | held | the time comes | not held: waiting deliveries continue in the order in which they were due |
//! | held | a test event is accepted, or a 410 | not held, unless the rate headers of the accepted test event ask for a hold |
//! | held | an admin retries a delivery, activates the webhook, or changes the target URL, headers, rate, concurrency, ordering, timeout or retry policy | not held |

use chrono::{DateTime, TimeDelta, Utc};

use crate::{Observation, Occasion, Outcome};

/// The end of a webhook's hold after an attempt. `None`: no hold.
///
/// The later of two ends counts, because the responses to simultaneous requests arrive in any
/// order. An accepted test event ends a hold, because the receiver takes requests again. Other
/// accepted requests were on their way when the receiver asked for the hold.
pub fn hold_after(before: Option<DateTime<Utc>>, seen: &Observation) -> Option<DateTime<Utc>> {
    let before = before.filter(|until| *until > seen.ended_at);
    let ends = match seen.outcome {
        Outcome::Accepted => seen.occasion == Occasion::Test,
        Outcome::Gone => return None,
        Outcome::Refused
        | Outcome::Forbidden
        | Outcome::Throttled { .. }
        | Outcome::Overloaded { .. }
        | Outcome::Failed { .. } => false,
    };
    // The rate headers of an accepted test event are newer than the hold that the test event ends.
    let before = before.filter(|_| !ends);
    // `Retry-After: 0` asks for no hold.
    let asked = seen.hold().filter(|asked| !asked.is_zero());
    let until = |asked| seen.ended_at + TimeDelta::from_std(asked).unwrap_or(TimeDelta::MAX);
    before.max(asked.map(until))
}

/// The end of the hold of all webhooks at Discord after some attempts. `None`: no response said that the limit of
/// all requests is reached.
pub fn hold_of_all_after<'a>(seen: impl Iterator<Item = &'a Observation>) -> Option<DateTime<Utc>> {
    let ends = seen.filter_map(|seen| {
        let asked = TimeDelta::from_std(seen.rate.hold_of_all()?);
        Some(seen.ended_at + asked.unwrap_or(TimeDelta::MAX))
    });
    ends.max()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{FailureClass, RateAdvice};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn failed() -> Outcome {
        Outcome::Failed {
            class: FailureClass::Status,
            retry_after: Some(Duration::from_secs(1_000)),
        }
    }

    fn throttled(seconds: Option<u64>) -> Outcome {
        Outcome::of_status(429, seconds.map(Duration::from_secs))
    }

    fn held(before: Option<i64>, outcome: Outcome, occasion: Occasion) -> Option<i64> {
        let seen = Observation {
            outcome,
            occasion,
            ended_at: at(100),
            rate: RateAdvice::default(),
            meaning: None,
        };
        hold_after(before.map(at), &seen).map(|until| until.timestamp())
    }

    /// The end of a hold in milliseconds, after an accepted attempt whose rate headers ask to wait.
    fn held_ms(before: Option<i64>, wait: Duration, occasion: Occasion) -> Option<i64> {
        let seen = Observation {
            outcome: Outcome::Accepted,
            occasion,
            ended_at: at(100),
            rate: RateAdvice {
                hold: Some(wait),
                global: false,
            },
            meaning: None,
        };
        hold_after(before.map(at), &seen).map(|until| until.timestamp_millis())
    }

    #[test]
    fn the_longer_hold_counts_and_a_hold_ends_by_itself() {
        let due = |before, outcome| held(before, outcome, Occasion::Due);

        assert_eq!(due(None, throttled(Some(60))), Some(160));
        assert_eq!(due(Some(150), throttled(Some(60))), Some(160));
        assert_eq!(due(Some(200), throttled(Some(60))), Some(200));
        assert_eq!(due(Some(200), failed()), Some(200));
        assert_eq!(due(Some(100), failed()), None);
        assert_eq!(due(None, throttled(Some(0))), None);
        assert_eq!(due(None, throttled(None)), None);
    }

    #[test]
    fn only_an_accepted_test_and_a_410_end_a_hold_early() {
        let of = |outcome, occasion| held(Some(200), outcome, occasion);

        assert_eq!(of(Outcome::Accepted, Occasion::Test), None);
        assert_eq!(of(Outcome::Gone, Occasion::Due), None);
        assert_eq!(of(Outcome::Accepted, Occasion::Due), Some(200));
        assert_eq!(of(Outcome::Accepted, Occasion::Probe), Some(200));
        assert_eq!(of(failed(), Occasion::Test), Some(200));
        assert_eq!(of(Outcome::Refused, Occasion::Test), Some(200));
        assert_eq!(of(Outcome::Forbidden, Occasion::Due), Some(200));
    }

    #[test]
    fn an_accepted_attempt_whose_rate_headers_allow_no_more_holds_for_a_fraction_of_a_second() {
        let half = Duration::from_millis(500);

        assert_eq!(held_ms(None, half, Occasion::Due), Some(100_500));
        assert_eq!(held_ms(Some(200), half, Occasion::Due), Some(200_000));
        assert_eq!(held_ms(Some(200), half, Occasion::Test), Some(100_500));
        assert_eq!(held_ms(None, Duration::ZERO, Occasion::Due), None);
    }

    #[test]
    fn only_a_global_limit_holds_all_and_the_longest_counts() {
        let seen = |wait_s: u64, global| Observation {
            outcome: throttled(Some(wait_s)),
            occasion: Occasion::Due,
            ended_at: at(100),
            rate: RateAdvice {
                hold: Some(Duration::from_secs(wait_s)),
                global,
            },
            meaning: None,
        };
        let single = [seen(30, false)];
        let several = [seen(2, true), seen(3, true), seen(30, false)];

        assert_eq!(hold_of_all_after(single.iter()), None);
        assert_eq!(hold_of_all_after(several.iter()), Some(at(103)));
    }
}
