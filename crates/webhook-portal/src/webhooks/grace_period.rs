//! The grace periods of a replaced secret, to choose from.

use std::time::Duration;

use crate::duration_text::in_words;
use webhook_admin::duration::write_duration;
use webhook_admin::retry_policies::millis;

/// The offered grace periods, in seconds. The platform's default is offered too.
const OFFERED: [u64; 4] = [0, 3_600, 86_400, 604_800];

/// A grace period to choose: how long the old secret stays valid.
pub(super) struct GracePeriod {
    /// The notation of the API: `24h`.
    pub(super) value: String,
    pub(super) words: String,
    pub(super) is_default: bool,
    pub(super) chosen: bool,
}

/// The grace periods to choose from. `chosen`: in the notation of the API; `None` for the platform's
/// `default`.
pub(super) fn grace_periods(default: Duration, chosen: Option<&str>) -> Vec<GracePeriod> {
    let mut spans: Vec<Duration> = OFFERED.map(Duration::from_secs).to_vec();
    spans.push(default);
    spans.sort();
    spans.dedup();
    let offered = spans.into_iter().map(|span| {
        let value = write_duration(span);
        GracePeriod {
            chosen: chosen.map_or(span == default, |chosen| chosen == value),
            words: in_words(millis(span)),
            is_default: span == default,
            value,
        }
    });
    offered.collect()
}
