//! Statistics of attempts: why attempts failed, and how long attempts took.

use crate::{FailureClass, names::names};

names! {
    /// The kind of a failure in statistics. Counts are stored by position, so a new kind is added
    /// at the end.
    FailureKind, "kind of failure" {
        /// The host's name could not be resolved.
        Dns = "dns",
        /// No connection could be opened.
        Connect = "connect",
        /// The TLS handshake failed, or the certificate is not trusted.
        Tls = "tls",
        /// The response did not arrive within the timeout.
        Timeout = "timeout",
        /// The connection broke before the head of the response was complete.
        Reset = "reset",
        /// The address policy does not permit the address.
        BlockedAddress = "blocked_address",
        /// A redirect (3xx).
        Redirect = "3xx",
        /// A status blaming the request (4xx).
        Refused = "4xx",
        /// A status blaming the receiver (5xx).
        Broken = "5xx",
        /// Any other status.
        Other = "other",
        /// The receiver did not send valid HTTP.
        Protocol = "protocol",
        /// A 2xx whose body does not confirm the request.
        Body = "body",
    }
}

impl FailureKind {
    /// The kind of a failure with this class and, if there was a response, this status.
    pub fn of(class: FailureClass, status: Option<u16>) -> Self {
        match class {
            FailureClass::Dns => Self::Dns,
            FailureClass::Connect => Self::Connect,
            FailureClass::Tls => Self::Tls,
            FailureClass::Timeout => Self::Timeout,
            FailureClass::Reset => Self::Reset,
            FailureClass::BlockedAddress => Self::BlockedAddress,
            FailureClass::Protocol => Self::Protocol,
            FailureClass::Body => Self::Body,
            FailureClass::Status => match status.unwrap_or_default() {
                300..=399 => Self::Redirect,
                400..=499 => Self::Refused,
                500..=599 => Self::Broken,
                _ => Self::Other,
            },
        }
    }
}

/// The upper bounds of the buckets of durations, in milliseconds; a last bucket takes all longer
/// durations. Each bound is at most twice the bound before, so that a percentile within a bucket is
/// not far off.
const BUCKETS_MS: [u32; 26] = [
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000,
    3_000, 5_000, 7_000, 10_000, 15_000, 30_000,
];

/// The number of attempts per bucket of durations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations([u64; Self::BUCKETS]);

impl Default for Durations {
    fn default() -> Self {
        Self([0; Self::BUCKETS])
    }
}

impl Durations {
    /// The number of buckets.
    pub const BUCKETS: usize = BUCKETS_MS.len() + 1;

    /// The bucket of a duration, from 0.
    pub fn bucket(duration_ms: u32) -> usize {
        BUCKETS_MS.partition_point(|end| *end < duration_ms)
    }

    /// Adds counts by bucket. A shorter list leaves the last buckets unchanged.
    pub fn add(&mut self, counts: impl IntoIterator<Item = u64>) {
        for (sum, count) in self.0.iter_mut().zip(counts) {
            *sum += count;
        }
    }

    /// The duration that `share` of the attempts (0 to 1) did not exceed, in milliseconds:
    /// estimated as if the attempts were spread evenly over their bucket. `None`: no attempts.
    pub fn percentile(&self, share: f64) -> Option<u32> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let wanted = (share * total as f64).max(f64::MIN_POSITIVE);
        let mut before = 0.0;
        for (bucket, count) in self.0.iter().enumerate() {
            #[allow(clippy::cast_precision_loss, reason = "an estimate")]
            let count = *count as f64;
            if before + count >= wanted {
                let start = bucket.checked_sub(1).map_or(0, |b| BUCKETS_MS[b]);
                let end = BUCKETS_MS.get(bucket).copied().unwrap_or(start);
                let within = (wanted - before) / count;
                #[allow(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between two bounds"
                )]
                let inside = (f64::from(end - start) * within).round() as u32;
                return Some(start + inside);
            }
            before += count;
        }
        // Reached only by a share above 1, or by rounding: the longest known bound.
        BUCKETS_MS.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[test]
    fn a_failure_is_counted_by_its_class_or_the_hundred_of_its_status() {
        let of = |status| FailureKind::of(FailureClass::Status, status);

        assert_eq!(of(Some(302)), FailureKind::Redirect);
        assert_eq!(of(Some(404)), FailureKind::Refused);
        assert_eq!(of(Some(503)), FailureKind::Broken);
        assert_eq!(of(Some(100)), FailureKind::Other);
        let timeout = FailureKind::of(FailureClass::Timeout, Some(200));
        assert_eq!(timeout.position(), 3);
    }

    proptest! {
        #[test]
        fn a_percentile_is_in_the_bucket_that_it_falls_into(
            mut durations in proptest::collection::vec(0_u32..40_000, 1..200),
            share in 0.01_f64..1.0,
        ) {
            let mut counted = Durations::default();
            for duration in &durations {
                let bucket = Durations::bucket(*duration);
                counted.add((0..Durations::BUCKETS).map(|b| u64::from(b == bucket)));
            }
            durations.sort_unstable();
            let count = u32::try_from(durations.len()).expect("few");
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let rank = (f64::from(count) * share).ceil() as usize;
            let exact = durations[rank.clamp(1, durations.len()) - 1];

            let estimate = counted.percentile(share).expect("there are some");

            let bucket = Durations::bucket(exact);
            let (near, far) = (Durations::bucket(estimate), bucket.abs_diff(Durations::bucket(estimate)));
            prop_assert!(far <= 1 || near == BUCKETS_MS.len() - 1, "{exact} {estimate}");
        }
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Durations::default().percentile(0.5), None);
    }

    #[test]
    fn a_duration_on_a_bound_is_in_the_bucket_below() {
        let buckets = [0, 1, 2, 3, 4, 5, 30_000, 30_001].map(Durations::bucket);

        assert_eq!(buckets, [0, 0, 1, 2, 3, 3, 25, 26]);
    }

    /// Ten attempts of 11 to 15 ms (bucket 6), and ten of 1,001 to 1,500 ms (bucket 18).
    #[rstest]
    #[case(0.0, 10)]
    #[case(0.25, 13)]
    #[case(0.5, 15)]
    #[case(0.75, 1_250)]
    #[case(0.95, 1_450)]
    #[case(1.0, 1_500)]
    fn a_percentile_is_estimated_evenly_within_its_bucket(#[case] share: f64, #[case] ms: u32) {
        let mut durations = Durations::default();
        for bucket in [6, 18] {
            durations.add((0..Durations::BUCKETS).map(|b| if b == bucket { 5 } else { 0 }));
            durations.add((0..=bucket).map(|b| if b == bucket { 5 } else { 0 }));
        }

        assert_eq!(durations.percentile(share), Some(ms));
    }

    #[test]
    fn attempts_longer_than_every_bound_are_told_as_the_longest_bound() {
        let mut durations = Durations::default();
        durations.add((0..Durations::BUCKETS).map(|bucket| u64::from(bucket == 26)));

        assert_eq!(durations.percentile(0.5), Some(30_000));
    }

    #[test]
    fn every_kind_of_status_covers_its_hundred() {
        let of = |status| FailureKind::of(FailureClass::Status, status);

        assert_eq!([300, 399].map(|s| of(Some(s))), [FailureKind::Redirect; 2]);
        assert_eq!([400, 499].map(|s| of(Some(s))), [FailureKind::Refused; 2]);
        assert_eq!([500, 599].map(|s| of(Some(s))), [FailureKind::Broken; 2]);
        assert_eq!(
            [of(Some(600)), of(Some(299)), of(None)],
            [FailureKind::Other; 3]
        );
    }

    #[test]
    fn every_other_class_is_counted_under_its_own_name() {
        for class in FailureClass::ALL
            .iter()
            .filter(|c| **c != FailureClass::Status)
        {
            assert_eq!(FailureKind::of(*class, Some(500)).as_str(), class.as_str());
        }
    }
}
