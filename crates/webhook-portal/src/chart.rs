//! Charts as numbers for SVG attributes, so that a chart needs no script and no inline style.

pub(crate) mod bars;
pub(crate) mod span;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use webhook_store::activity::HourCounts;

/// The height of a sparkline, in SVG units.
pub(crate) const SPARK_HEIGHT: u32 = 20;
/// The width of a bar with its gap, in SVG units.
const SPARK_STEP: u32 = 3;
/// How many hours a sparkline shows.
const SPARK_HOURS: u32 = 24;

/// The attempts of a webhook in the last 24 hours: a bar per hour, with the failed ones on top.
pub(crate) struct Sparkline {
    pub(crate) bars: Vec<SparkBar>,
}

/// The bar of an hour.
pub(crate) struct SparkBar {
    pub(crate) x: u32,
    pub(crate) accepted: u32,
    pub(crate) failed: u32,
}

impl Sparkline {
    /// The width of a sparkline, in SVG units.
    pub(crate) const WIDTH: u32 = SPARK_STEP * SPARK_HOURS;

    /// Draws the 24 hours up to `now`. An hour that is not in `hours` had no attempts.
    pub(crate) fn of(hours: &[HourCounts], now: DateTime<Utc>) -> Self {
        let most = hours.iter().map(|hour| hour.attempts).max().unwrap_or(0);
        let this_hour = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
        let bars = hours.iter().filter_map(|hour| {
            let ago = u32::try_from((this_hour - hour.start).num_hours()).ok()?;
            let place = SPARK_HOURS.checked_sub(ago + 1)?;
            let failed = height(hour.failed_attempts, most);
            Some(SparkBar {
                x: place * SPARK_STEP,
                accepted: height(hour.attempts - hour.failed_attempts, most),
                failed,
            })
        });
        Self {
            bars: bars.collect(),
        }
    }
}

impl SparkBar {
    /// The top of the failed part, from the top of the sparkline.
    pub(crate) fn failed_y(&self) -> u32 {
        self.accepted_y().saturating_sub(self.failed)
    }

    /// The top of the accepted part, from the top of the sparkline.
    pub(crate) fn accepted_y(&self) -> u32 {
        SPARK_HEIGHT.saturating_sub(self.accepted)
    }
}

/// The height of `part` if `most` has the full height; at least 1, so that one failure is visible.
fn height(part: i64, most: i64) -> u32 {
    if part <= 0 || most <= 0 {
        return 0;
    }
    let height = part * i64::from(SPARK_HEIGHT) / most;
    u32::try_from(height).unwrap_or(SPARK_HEIGHT).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_stands_at_its_place_and_one_failure_is_seen() {
        let now = DateTime::from_timestamp(1_795_523_400, 0).expect("a time");
        let this_hour = now.duration_trunc(TimeDelta::hours(1)).expect("an hour");
        let hour = |ago: i64, attempts, failed_attempts| HourCounts {
            start: this_hour - TimeDelta::hours(ago),
            attempts,
            failed_attempts,
        };

        let drawn = Sparkline::of(&[hour(24, 9, 0), hour(23, 5, 0), hour(0, 1_000, 1)], now);

        let bars = drawn
            .bars
            .iter()
            .map(|bar| (bar.x, bar.accepted, bar.failed));
        assert_eq!(bars.collect::<Vec<_>>(), [(0, 1, 0), (69, 19, 1)]);
    }
}
