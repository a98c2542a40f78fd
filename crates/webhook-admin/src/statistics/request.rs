//! The webhook and the spans of time of statistics.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::Serialize;
use utoipa::IntoParams;
use webhook_domain::WebhookId;

use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::values::parse_time;

/// The most spans of a response: 31 days of hours. Of a longer time only the last spans are read.
const MAX_SPANS: i32 = 31 * 24;

request! {
    /// The webhook and the time to be counted.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ReadStatistics {
        /// The webhook of the deliveries; all webhooks when left out.
        #[param(value_type = Option<Uuid>)]
        pub webhook_id: Option<WebhookId> = optional(str::parse),
        /// The length of a span; `hour` when left out.
        #[param(value_type = Option<String>, pattern = "^(hour|day)$")]
        pub interval: Interval = or_default(Interval::parse),
        /// A time in the first span; 24 hours or 30 days ago when left out. Of more than 744 spans the
        /// last 744 are read.
        pub since: Option<DateTime<Utc>> = optional(parse_time),
        /// The end of the last span; now when left out.
        pub until: Option<DateTime<Utc>> = optional(parse_time),
    }
}

/// The length of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// From a full hour to the next.
    #[default]
    Hour,
    /// From midnight to midnight, in UTC.
    Day,
}

/// The spans of a response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spans {
    /// The length of each span.
    pub(super) interval: Interval,
    /// The start of the first span.
    pub(super) since: DateTime<Utc>,
    /// The end of the last span, also in the middle of an hour or day.
    pub(super) until: DateTime<Utc>,
}

impl ReadStatistics {
    /// Reads a URL's query.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }

    /// The spans of the response, at most [`MAX_SPANS`], the last of the requested time.
    pub(super) fn spans(&self, now: DateTime<Utc>) -> Spans {
        let interval = self.interval;
        let until = self.until.unwrap_or(now);
        let since = self.since.unwrap_or(until - interval.default_time());
        let earliest = interval.start(until) - interval.length() * (MAX_SPANS - 1);
        Spans {
            interval,
            since: interval.start(since).max(earliest),
            until,
        }
    }
}

impl Interval {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "hour" => Ok(Self::Hour),
            "day" => Ok(Self::Day),
            _ => Err("must be hour or day"),
        }
    }

    /// The length of a span.
    pub(crate) fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// The start of the span around `time`.
    pub(crate) fn start(self, time: DateTime<Utc>) -> DateTime<Utc> {
        time.duration_trunc(self.length()).unwrap_or(time)
    }

    /// The time from the first span to now when the request has no `since`: 24 hours or 30 days, the
    /// current span included.
    fn default_time(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(23),
            Self::Day => TimeDelta::days(29),
        }
    }
}
