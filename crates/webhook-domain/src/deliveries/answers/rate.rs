//! The advice of a receiver on the rate of requests: Discord's `X-RateLimit-*` and the body of a 429.
//!
//! Every time that a receiver states is bounded, because a receiver may be broken or hostile:
//! `1e300`, `NaN`, a negative number and ten years are all states of a header.

use std::time::Duration;

use crate::deliveries::retry_after::bounded_seconds;

/// The longest time that `X-RateLimit-Reset-After` can ask for: 10 minutes, many times the longest
/// window of Discord's limits for webhooks. Longer times are cut to this one: a request that comes too
/// soon gets a 429, whose own time counts in full.
pub const MAX_RATE_HOLD: Duration = Duration::from_secs(600);

/// The longest hold of all Discord webhooks that the answer to a single one can cause: 60 s. Discord's
/// global limit is one per second and recovers within seconds; a longer time holds the single webhook
/// only, so that a wrong answer cannot silence every other webhook.
pub const MAX_GLOBAL_HOLD: Duration = Duration::from_secs(60);

/// The most bytes of a rate header that are read. Longer values are no numbers of a receiver.
const MAX_HEADER_BYTES: usize = 64;

/// The headers of a response about the rate of requests, as far as they can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateHeaders {
    /// `X-RateLimit-Remaining`: requests that may follow at once. `None`: missing, or no number.
    pub remaining: Option<u32>,
    /// `X-RateLimit-Reset-After`: seconds, with a fraction, until requests may follow again; at most
    /// [`MAX_RATE_HOLD`]. `None`: missing, or no number from 0 on.
    pub reset_after: Option<Duration>,
    /// `X-RateLimit-Global: true`, or `X-RateLimit-Scope: global`: the limit is one of all requests
    /// of the sender.
    pub global: bool,
}

impl RateHeaders {
    /// Reads the headers; `value_of` finds the value of a header by its name in lower case.
    ///
    /// ```
    /// use std::time::Duration;
    /// use webhook_domain::RateHeaders;
    ///
    /// let read = RateHeaders::read(|name| match name {
    ///     "x-ratelimit-remaining" => Some(b"0".as_slice()),
    ///     "x-ratelimit-reset-after" => Some(b"0.25".as_slice()),
    ///     _ => None,
    /// });
    ///
    /// assert_eq!(read.remaining, Some(0));
    /// assert_eq!(read.reset_after, Some(Duration::from_millis(250)));
    /// ```
    pub fn read<'a>(value_of: impl Fn(&str) -> Option<&'a [u8]>) -> Self {
        let text = |name: &str| {
            let value = value_of(name)?;
            let value = value.get(..MAX_HEADER_BYTES).map_or(Some(value), |_| None);
            std::str::from_utf8(value?).ok().map(str::trim)
        };
        let says = |name: &str, word: &str| {
            text(name).is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        Self {
            remaining: text("x-ratelimit-remaining").and_then(|value| value.parse().ok()),
            reset_after: text("x-ratelimit-reset-after")
                .and_then(|value| bounded_seconds(value, MAX_RATE_HOLD)),
            global: says("x-ratelimit-global", "true") || says("x-ratelimit-scope", "global"),
        }
    }

    /// The advice before the next request: a hold when no request may follow at once.
    pub(super) fn advice(self) -> RateAdvice {
        let is_empty = self.remaining == Some(0);
        let hold = self.reset_after.filter(|wait| is_empty && !wait.is_zero());
        RateAdvice {
            hold,
            global: false,
        }
    }
}

/// The advice of a receiver on the rate of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RateAdvice {
    /// How long the webhook is to get no request: at most [`MAX_RATE_HOLD`], or 30 days after a 429,
    /// as for any `Retry-After`. `None`: no wait.
    pub hold: Option<Duration>,
    /// Whether the hold is one of all requests of the sender, see [`hold_of_all`](Self::hold_of_all).
    pub global: bool,
}

impl RateAdvice {
    /// How long no webhook of the same platform is to get a request, at most [`MAX_GLOBAL_HOLD`].
    /// `None`: the advice is about the single webhook.
    pub fn hold_of_all(self) -> Option<Duration> {
        let hold = self.hold.filter(|_| self.global);
        hold.map(|wait| wait.min(MAX_GLOBAL_HOLD))
    }
}
