//! The pace of a webhook by its format, where the admin has chosen no pace: rate limit and concurrency.
//!
//! Chat platforms switch an integration off, or ban the sender, when requests keep coming too fast.
//!
//! | format | rate limit | burst | at once | why |
//! | --- | --- | --- | --- | --- |
//! | `slack` | 1 per second | 3 | 1 | Slack takes about one message per second and channel, with short bursts |
//! | `discord` | 25 per minute | 4 | 1 | Discord takes about 5 within 2 s per webhook, and 30 per minute and channel; 25 and one burst stay below 30 |
//! | `teams` | 30 per minute | 1 | 1 | the limits of workflows are not published |
//! | any other | none | | the dispatcher's default | the receiver is a program |
//!
//! One request at once, because the rate headers of a response must be read before the next request.

use std::num::NonZeroU16;

use crate::{Format, MaxConcurrency, RateLimit, RatePeriod};

impl Format {
    /// The rate limit of webhooks with this format, where the admin has chosen none. `None`: no limit.
    pub const fn default_pace(self) -> Option<RateLimit> {
        match self {
            Self::Slack => Some(limit(1, RatePeriod::Second, 3)),
            Self::Discord => Some(limit(25, RatePeriod::Minute, 4)),
            Self::Teams => Some(limit(30, RatePeriod::Minute, 1)),
            Self::Json | Self::CloudEvents | Self::Custom => None,
        }
    }

    /// The concurrency of webhooks with this format, where the admin has chosen none. `None`: the
    /// dispatcher's default.
    pub const fn default_concurrency(self) -> Option<MaxConcurrency> {
        match self {
            Self::Slack | Self::Discord | Self::Teams => Some(MaxConcurrency::ONE),
            Self::Json | Self::CloudEvents | Self::Custom => None,
        }
    }
}

const fn limit(requests: u16, per: RatePeriod, burst: u16) -> RateLimit {
    // At compile time for each row of the table, as the functions above are constant.
    let requests = NonZeroU16::new(requests).expect("the table has no 0");
    let burst = NonZeroU16::new(burst).expect("the table has no 0");
    RateLimit::known(requests, per, burst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_formats_have_a_pace_and_others_have_none() {
        let told = |format: Format| {
            let limit = format.default_pace()?;
            let at_once = format.default_concurrency()?;
            Some((limit.to_string(), limit.burst(), at_once.get()))
        };

        assert_eq!(told(Format::Slack), Some(("1 per second".to_owned(), 3, 1)));
        assert_eq!(
            told(Format::Discord),
            Some(("25 per minute".to_owned(), 4, 1))
        );
        assert_eq!(
            told(Format::Teams),
            Some(("30 per minute".to_owned(), 1, 1))
        );
        for format in [Format::Json, Format::CloudEvents, Format::Custom] {
            assert_eq!(format.default_pace(), None);
            assert_eq!(format.default_concurrency(), None);
        }
    }
}
