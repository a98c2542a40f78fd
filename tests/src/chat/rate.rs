//! Three ways to count requests. Each is a pure function of the instants that it is given, and a refusal
//! says how long a sender should wait.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// An even rate with short bursts.
pub(super) struct SteadyRate {
    period: Duration,
    burst: u32,
    /// When the requests so far would have ended at one in each `period`.
    paid_until: Option<Instant>,
}

impl SteadyRate {
    /// One request in each `period`; up to `burst` at once after a rest.
    pub(super) fn new(period: Duration, burst: u32) -> Self {
        Self {
            period,
            burst,
            paid_until: None,
        }
    }

    /// Admits a request, or says how long to wait. A refused request does not count.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        let paid_until = self.paid_until.map_or(now, |until| until.max(now));
        let (paid, credit) = (paid_until + self.period, now + self.period * self.burst);
        if paid > credit {
            return Err(paid - credit);
        }
        self.paid_until = Some(paid);
        Ok(())
    }
}

/// A number of requests in a span that begins with its first request and is then over at once.
pub(super) struct FixedWindow {
    limit: usize,
    span: Duration,
    opened: Option<Instant>,
    used: usize,
}

impl FixedWindow {
    /// Up to `limit` requests in each `span`.
    pub(super) fn new(limit: usize, span: Duration) -> Self {
        Self {
            limit,
            span,
            opened: None,
            used: 0,
        }
    }

    /// Admits a request, or says how long the present span still lasts.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        let opened = self.opened.filter(|opened| now < *opened + self.span);
        if opened.is_none() {
            (self.opened, self.used) = (Some(now), 0);
        }
        if self.used == self.limit {
            return Err(self.reset_after(now));
        }
        self.used += 1;
        Ok(())
    }

    /// The number of requests in a span.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// The number of further requests in the present span.
    pub(super) fn remaining(&self, now: Instant) -> usize {
        let over = self.reset_after(now).is_zero();
        self.limit - if over { 0 } else { self.used }
    }

    /// The rest of the present span.
    pub(super) fn reset_after(&self, now: Instant) -> Duration {
        let ends = self.opened.map(|opened| opened + self.span);
        ends.map_or(Duration::ZERO, |ends| ends.saturating_duration_since(now))
    }
}

/// A number of requests in any span of a length, wherever the span begins.
pub(super) struct SlidingWindow {
    limit: usize,
    span: Duration,
    admitted: VecDeque<Instant>,
}

impl SlidingWindow {
    /// Up to `limit` requests in any `span`.
    pub(super) fn new(limit: usize, span: Duration) -> Self {
        let admitted = VecDeque::with_capacity(limit);
        Self {
            limit,
            span,
            admitted,
        }
    }

    /// Admits a request, or says when the oldest of the last `limit` requests leaves the span.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        while let Some(oldest) = self.admitted.front()
            && *oldest + self.span <= now
        {
            self.admitted.pop_front();
        }
        match self.admitted.front() {
            Some(oldest) if self.admitted.len() == self.limit => Err(*oldest + self.span - now),
            Some(_) | None => {
                self.admitted.push_back(now);
                Ok(())
            }
        }
    }
}

/// Seconds for a `Retry-After`, rounded up: a sender that waits exactly as told must be admitted.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Seconds as a fraction, rounded up to milliseconds.
pub(super) fn seconds(wait: Duration) -> f64 {
    let milliseconds = wait.as_nanos().div_ceil(1_000_000);
    f64::from(u32::try_from(milliseconds).unwrap_or(u32::MAX)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_steady_rate_admits_a_burst_and_then_one_request_in_each_period() {
        let (start, mut rate) = (Instant::now(), SteadyRate::new(SECOND, 3));

        let burst = [(); 5].map(|()| rate.admit(start));
        let later = [500, 1_000, 1_500, 2_000].map(|ms| rate.admit(start + SECOND * ms / 1_000));

        assert_eq!(burst, [Ok(()), Ok(()), Ok(()), Err(SECOND), Err(SECOND)]);
        let half = Err(SECOND / 2);
        assert_eq!(later, [half, Ok(()), half, Ok(())]);
    }

    #[test]
    fn a_fixed_window_admits_its_limit_and_is_whole_again_at_its_end() {
        let (start, mut window) = (Instant::now(), FixedWindow::new(2, SECOND));

        let first = [0, 100, 200].map(|ms| window.admit(start + SECOND * ms / 1_000));
        let (used, reset) = (window.remaining(start), window.reset_after(start));
        let whole = window.remaining(start + SECOND);
        let second = [(); 3].map(|()| window.admit(start + SECOND));

        assert_eq!(first, [Ok(()), Ok(()), Err(SECOND * 8 / 10)]);
        assert_eq!((used, reset, whole), (0, SECOND, 2));
        assert_eq!(second, [Ok(()), Ok(()), Err(SECOND)]);
    }

    #[test]
    fn a_sliding_window_frees_a_place_when_its_oldest_request_is_a_span_old() {
        let (start, mut window) = (Instant::now(), SlidingWindow::new(2, SECOND));

        let admitted =
            [0, 900, 950, 1_000, 1_001].map(|ms| window.admit(start + SECOND * ms / 1_000));

        let (fifty, most) = (Err(SECOND / 20), Err(SECOND * 899 / 1_000));
        assert_eq!(admitted, [Ok(()), Ok(()), fifty, Ok(()), most]);
    }

    #[test]
    fn seconds_round_up() {
        let wait = Duration::from_nanos(1_000_000_001);

        assert_eq!(whole_seconds(wait), 2);
        assert_eq!(seconds(wait).to_string(), "1.001");
    }
}
