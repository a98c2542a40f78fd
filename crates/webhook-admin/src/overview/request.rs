//! The environment and the span of time of an overview.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::IntoParams;
use webhook_domain::Environment;

use crate::fields::Fields;
use crate::refusal::Refusal;
use crate::request;
use crate::schema;
use crate::statistics::Interval;

request! {
    /// The environment and the span of an overview.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    pub struct ReadOverview {
        /// The environment.
        #[param(value_type = schema::EnvironmentName, inline)]
        pub environment: Environment = required(str::parse),
        /// The span of the counts; `24h` when left out.
        #[param(value_type = Option<String>, pattern = "^(24h|7d|30d)$")]
        pub span: TimeSpan = or_default(TimeSpan::parse),
    }
}

impl ReadOverview {
    /// Reads a URL's query: `environment=production&span=7d`.
    pub fn parse(query: &str) -> Result<Self, Refusal> {
        Fields::read_query(query, Self::take)
    }
}

/// The span of time of an overview, up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum TimeSpan {
    /// 24 hours, the current one included.
    #[default]
    #[serde(rename = "24h")]
    Day,
    /// 7 days, today included.
    #[serde(rename = "7d")]
    Week,
    /// 30 days, today included.
    #[serde(rename = "30d")]
    Month,
}

impl TimeSpan {
    fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "24h" => Ok(Self::Day),
            "7d" => Ok(Self::Week),
            "30d" => Ok(Self::Month),
            _ => Err("must be 24h, 7d or 30d"),
        }
    }

    /// The length of a part of the span: an hour or a day.
    pub fn interval(self) -> Interval {
        match self {
            Self::Day => Interval::Hour,
            Self::Week | Self::Month => Interval::Day,
        }
    }

    /// The start of the span that ends at `now`.
    pub fn since(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let before = match self {
            Self::Day => TimeDelta::hours(23),
            Self::Week => TimeDelta::days(6),
            Self::Month => TimeDelta::days(29),
        };
        self.interval().start(now - before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overview_is_of_one_environment() {
        assert!(ReadOverview::parse("environment=staging&span=30d").is_ok());
        for wrong in ["", "environment=moon", "environment=staging&span=1y"] {
            assert!(ReadOverview::parse(wrong).is_err(), "{wrong}");
        }
    }
}
