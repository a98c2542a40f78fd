//! What is counted of attempts: why they failed, and how long they took.

use crate::{FailureClass, names::names};

names! {
    /// Why attempts failed, as they are counted. Counts are stored by position: new ones go last.
    FailureKind, "kind of failure" {
        /// The host's name could not be resolved.
        Dns = "dns",
        /// No connection could be opened.
        Connect = "connect",
        /// The TLS handshake failed, or the certificate is not trusted.
        Tls = "tls",
        /// The receiver took too long.
        Timeout = "timeout",
        /// The connection broke before the answer was complete.
        Reset = "reset",
        /// The address is one that must not be called.
        BlockedAddress = "blocked_address",
        /// A redirect.
        Redirect = "3xx",
        /// The receiver blamed the request.
        Refused = "4xx",
        /// The receiver blamed itself.
        Broken = "5xx",
        /// A status that is none of these.
        Other = "other",
        /// What the receiver sent is not HTTP.
        Protocol = "protocol",
    }
}

impl FailureKind {
    /// The kind of a failure, by its class and the status that came with it.
    pub fn of(class: FailureClass, status: Option<u16>) -> Self {
        match class {
            FailureClass::Dns => Self::Dns,
            FailureClass::Connect => Self::Connect,
            FailureClass::Tls => Self::Tls,
            FailureClass::Timeout => Self::Timeout,
            FailureClass::Reset => Self::Reset,
            FailureClass::BlockedAddress => Self::BlockedAddress,
            FailureClass::Protocol => Self::Protocol,
            FailureClass::Status => match status.unwrap_or_default() {
                300..=399 => Self::Redirect,
                400..=499 => Self::Refused,
                500..=599 => Self::Broken,
                _ => Self::Other,
            },
        }
    }

    /// Where it is counted.
    pub const fn position(self) -> usize {
        self as usize
    }
}

/// Where the buckets of durations end, in milliseconds; a last one takes all that is longer. Each
/// is at most 1.7 times as wide as the one before, so that a percentile is not far off.
const BUCKETS_MS: [u32; 26] = [
    1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1_000, 1_500, 2_000,
    3_000, 5_000, 7_000, 10_000, 15_000, 30_000,
];

/// How many attempts took how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durations([u64; Self::BUCKETS]);

impl Default for Durations {
    fn default() -> Self {
        Self([0; Self::BUCKETS])
    }
}

impl Durations {
    /// How many buckets there are.
    pub const BUCKETS: usize = BUCKETS_MS.len() + 1;

    /// The bucket of a duration.
    pub fn bucket(duration_ms: u32) -> usize {
        BUCKETS_MS.partition_point(|end| *end < duration_ms)
    }

    /// Adds counts by bucket; what is missing at the end counts nothing.
    pub fn add(&mut self, counts: impl IntoIterator<Item = u64>) {
        for (sum, count) in self.0.iter_mut().zip(counts) {
            *sum += count;
        }
    }

    /// How long `share` of the attempts took at most, in milliseconds: estimated within a bucket,
    /// as if they were spread evenly over it. `None`: there were no attempts.
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
        BUCKETS_MS.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
}
