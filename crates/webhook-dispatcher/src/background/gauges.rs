//! The gauges: how full the dispatcher's memory and pools are, and, in the dispatcher that counts, what waits for
//! all dispatchers together.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use webhook_broker::Publisher;
use webhook_metrics::catalogue::{
    ATTEMPTS_IN_FLIGHT, DELIVERIES_DUE, DELIVERIES_PENDING, DISPATCHERS, DRAIN, EVENTS_QUEUED,
    LANE_BYTES, LANE_DELIVERIES, LANES, LANES_BUSY, LANES_LIMITED, OLDEST_DUE, RETENTION_BEHIND,
    STATUS_EVENTS_WAITING, WEBHOOKS,
};
use webhook_store::totals::{PlatformTotals, Waiting, count_platform, count_waiting};
use webhook_store::{StoreError, acquire, settings, show_size};

use super::heartbeat::ALIVE_FOR;
use crate::pipeline::lanes::{LaneLimit, LaneTotals};
use crate::worker::Worker;

/// How often a dispatcher shows its own gauges.
const OWN_INTERVAL: Duration = Duration::from_secs(5);

/// How often the dispatcher that counts reads the totals of all at most: shorter than the usual 30 s between two
/// scrapes.
const TOTALS_INTERVAL: Duration = Duration::from_secs(15);

/// How many times as long as its counting a total is kept: counting takes a fiftieth of a connection's time at
/// most, however much waits.
const KEPT_FACTOR: u32 = 50;

/// The time over which the rate of attempts is measured.
const RATE_SPAN: Duration = Duration::from_secs(60);

/// The least rate, in attempts per second: with no attempt at all a drain would take for ever, and Prometheus
/// could not compare.
const MIN_RATE: f64 = 1.0 / 60.0;

/// Shows the gauges until the worker is asked to stop.
pub(crate) async fn run_gauges(worker: &Worker, publisher: &Publisher) {
    let (mut rate, mut next_totals) = (AttemptRate::default(), Instant::now());
    loop {
        show_own(worker);
        if !worker.readiness.counts_for_all() {
            forget_totals();
            rate = AttemptRate::default();
        } else if next_totals <= Instant::now() {
            let began = Instant::now();
            show_queue(publisher).await;
            if let Err(error) = show_totals(worker, &mut rate).await {
                log::warn!("cannot count for the metrics: {error}");
                // An old number would look like a backlog that stands still.
                forget_totals();
            }
            next_totals = began + TOTALS_INTERVAL.max(began.elapsed() * KEPT_FACTOR);
        }
        if !worker.sleep_or_stop(OWN_INTERVAL).await {
            // The next dispatcher that counts goes on; two values would contradict each other.
            forget_totals();
            return;
        }
    }
}

fn show_own(worker: &Worker) {
    let LaneTotals {
        lanes,
        busy,
        deliveries,
        bytes,
        running,
        limited,
    } = worker.lanes.totals();
    LANES.set_count(lanes);
    LANES_BUSY.set_count(busy);
    LANE_DELIVERIES.set_count(deliveries);
    LANE_BYTES.set_count(bytes);
    ATTEMPTS_IN_FLIGHT.set_count(running);
    for by in LaneLimit::ALL {
        let count = limited.get(&by).copied().unwrap_or_default();
        LANES_LIMITED.set_count_for(&[by.as_str()], count);
    }
    show_size(&worker.pools.work);
    show_size(&worker.pools.batches);
}

async fn show_queue(publisher: &Publisher) {
    match publisher.count_queued().await {
        Ok(queued) => EVENTS_QUEUED.set(queued.into()),
        Err(error) => {
            log::debug!("cannot count the queued events: {error}");
            EVENTS_QUEUED.forget();
        }
    }
}

async fn show_totals(worker: &Worker, rate: &mut AttemptRate) -> Result<(), StoreError> {
    let mut connection = acquire(&worker.pools.work).await?;
    let waiting = count_waiting(&mut connection, worker.lanes.restrained_webhooks()).await?;
    let platform = count_platform(&mut connection, ALIVE_FOR).await?;
    let kept = settings::find(&mut connection).await?.settings.retention;
    drop(connection);
    rate.add(Instant::now(), platform.attempts);
    show_waiting(&waiting, rate.per_second());
    show_platform(&platform);
    for (table, oldest, kept) in [
        (
            "deliveries",
            platform.oldest_delivery_seconds,
            kept.deliveries,
        ),
        ("events", platform.oldest_event_seconds, kept.events),
        (
            "exchanges",
            platform.oldest_transcript_seconds,
            kept.transcripts,
        ),
    ] {
        let behind = oldest.unwrap_or_default() - kept.as_secs_f64();
        RETENTION_BEHIND.set_for(&[table], behind.max(0.0));
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn show_waiting(waiting: &Waiting, attempts_per_second: Option<f64>) {
    DELIVERIES_PENDING.set(waiting.pending as f64);
    for (held_by, count) in [
        ("nothing", waiting.due),
        ("receiver", waiting.due_restrained),
        ("rate_limit", waiting.due_rate_limited),
        ("hold", waiting.due_held),
        ("circuit", waiting.due_circuit_open),
        ("inactive", waiting.due_inactive),
    ] {
        DELIVERIES_DUE.set_for(&[held_by], count as f64);
    }
    OLDEST_DUE.set(waiting.oldest_due_seconds);
    // Without a rate yet the number would be sixty times what waits, and would start dispatchers for nothing.
    let drain =
        attempts_per_second.map_or(f64::NAN, |rate| waiting.due as f64 / rate.max(MIN_RATE));
    DRAIN.set(drain);
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn show_platform(totals: &PlatformTotals) {
    for (state, count) in [
        ("active", totals.active),
        ("inactive", totals.inactive),
        ("disabled", totals.disabled),
        ("failing", totals.failing),
        ("circuit_open", totals.circuit_open),
        ("held", totals.held),
    ] {
        WEBHOOKS.set_for(&[state], count as f64);
    }
    DISPATCHERS.set(totals.dispatchers as f64);
    STATUS_EVENTS_WAITING.set(totals.status_events as f64);
}

/// The totals are another dispatcher's to tell.
fn forget_totals() {
    for gauge in [
        &EVENTS_QUEUED,
        &DELIVERIES_PENDING,
        &DELIVERIES_DUE,
        &OLDEST_DUE,
        &DRAIN,
        &WEBHOOKS,
        &DISPATCHERS,
        &STATUS_EVENTS_WAITING,
        &RETENTION_BEHIND,
    ] {
        gauge.forget();
    }
}

/// The attempts of all dispatchers at some looks, the oldest look first.
#[derive(Default)]
struct AttemptRate(VecDeque<(Instant, i64)>);

impl AttemptRate {
    fn add(&mut self, now: Instant, attempts: i64) {
        // At the full hour an hour falls out of the sum, and the sum begins anew.
        if self.0.back().is_some_and(|(_, before)| attempts < *before) {
            self.0.clear();
        }
        self.0.push_back((now, attempts));
        // The look at the span's beginning stays.
        while self.0.get(1).is_some_and(|(at, _)| now - *at >= RATE_SPAN) {
            self.0.pop_front();
        }
    }

    /// Attempts per second between the oldest look and the latest; `None` with less than two looks.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn per_second(&self) -> Option<f64> {
        let ((first, before), (last, now)) = (self.0.front()?, self.0.back()?);
        (last > first).then(|| (now - before) as f64 / (*last - *first).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rate after looks, each a second and a number of attempts.
    fn rate(looks: &[(u64, i64)]) -> Option<f64> {
        let (mut rate, began) = (AttemptRate::default(), Instant::now());
        for (second, attempts) in looks {
            rate.add(began + Duration::from_secs(*second), *attempts);
        }
        rate.per_second()
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let looks = [(0, 0), (15, 15_000), (75, 16_200), (90, 16_500)];

        assert_eq!(rate(&looks), Some(20.0));
    }

    #[test]
    fn a_single_look_and_a_sum_that_begins_anew_have_no_rate() {
        assert_eq!(rate(&[(0, 500)]), None);
        assert_eq!(rate(&[(0, 500), (15, 20)]), None);
    }

    #[test]
    fn looks_without_a_new_attempt_count_for_the_rate() {
        let looks = [(0, 500), (15, 500), (30, 800)];

        assert_eq!(rate(&looks), Some(10.0));
    }

    /// Nineteen deliveries that nothing holds back.
    fn waiting() -> Waiting {
        Waiting {
            pending: 23,
            due: 19,
            due_rate_limited: 3,
            due_held: 0,
            due_restrained: 4,
            due_circuit_open: 0,
            due_inactive: 0,
            oldest_due_seconds: 7.5,
        }
    }

    fn platform() -> PlatformTotals {
        PlatformTotals {
            active: 11,
            inactive: 0,
            disabled: 0,
            failing: 2,
            circuit_open: 0,
            held: 0,
            dispatchers: 3,
            status_events: 5,
            attempts: 0,
            oldest_delivery_seconds: None,
            oldest_event_seconds: None,
            oldest_transcript_seconds: None,
        }
    }

    #[test]
    fn the_totals_of_all_dispatchers_are_shown_until_they_are_forgotten() {
        webhook_metrics::register(webhook_metrics::Service::Dispatcher, "test");
        let shown = |lines: &[&str]| {
            let page = webhook_metrics::render();
            let missing = lines
                .iter()
                .find(|line| !page.contains(&format!("{line}\n")));
            assert_eq!(missing, None, "{page}");
        };

        show_waiting(&waiting(), Some(9.5));
        show_platform(&platform());
        shown(&[
            "webhook_deliveries_pending 23",
            r#"webhook_deliveries_due{held_by="receiver"} 4"#,
            "webhook_drain_seconds 2",
            r#"webhook_webhooks{state="failing"} 2"#,
            "webhook_dispatchers 3",
        ]);
        forget_totals();
        shown(&["webhook_deliveries_pending NaN", "webhook_dispatchers NaN"]);
        show_waiting(&waiting(), Some(0.0));
        shown(&["webhook_drain_seconds 1140"]);
        show_waiting(&waiting(), None);
        shown(&["webhook_drain_seconds NaN"]);
    }
}
