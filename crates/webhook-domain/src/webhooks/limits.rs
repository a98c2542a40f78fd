//! How a webhook wants to be served: how much at once, how fast, in which order.

use std::num::NonZeroU16;
use std::time::Duration;

/// How many requests may run at once per dispatcher, 1 to 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxConcurrency(NonZeroU16);

impl MaxConcurrency {
    /// More at once would only queue at the receiver.
    pub const MAX: u16 = 256;

    /// Checks a number.
    pub fn new(requests: u64) -> Result<Self, String> {
        bounded(requests, Self::MAX).map(Self)
    }

    /// The number.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

/// How many requests may be made per second by all dispatchers together, 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(NonZeroU16);

impl RateLimit {
    /// Beyond this a limit protects nobody.
    pub const MAX: u16 = 10_000;

    /// Checks a number of requests per second.
    pub fn new(per_second: u64) -> Result<Self, String> {
        bounded(per_second, Self::MAX).map(Self)
    }

    /// Requests per second.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

fn bounded(number: u64, max: u16) -> Result<NonZeroU16, String> {
    let checked = u16::try_from(number).ok().filter(|number| *number <= max);
    checked
        .and_then(NonZeroU16::new)
        .ok_or_else(|| format!("must be a number from 1 to {max}"))
}

/// How long one attempt may take: 100 ms to 30 s, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptTimeout(Duration);

impl AttemptTimeout {
    /// A receiver that is given less fails by the network alone.
    pub const MIN: Duration = Duration::from_millis(100);

    /// A receiver that needs longer should answer first and work afterwards.
    /// Half of a dispatcher's default lease, as a lease must outlive an attempt and its recording.
    pub const MAX: Duration = Duration::from_secs(30);

    /// Checks a number of milliseconds.
    pub fn from_millis(millis: u64) -> Result<Self, String> {
        let timeout = Duration::from_millis(millis);
        if (Self::MIN..=Self::MAX).contains(&timeout) {
            return Ok(Self(timeout));
        }
        let max = Self::MAX.as_millis();
        Err(format!("must be {} to {max}", Self::MIN.as_millis()))
    }

    /// The time.
    pub fn get(self) -> Duration {
        self.0
    }
}

/// The field of `data` whose equal values are delivered in order: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderingField(String);

impl OrderingField {
    /// The most characters that its name may have.
    pub const MAX_CHARS: usize = 100;

    /// Checks a field's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let chars = text.chars().count();
        if !(1..=Self::MAX_CHARS).contains(&chars) {
            return Err(format!("must have 1 to {} characters", Self::MAX_CHARS));
        }
        if text.contains(char::is_control) {
            return Err("must not contain control characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The field's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for OrderingField {
    /// `license_id`: what most events are about.
    fn default() -> Self {
        Self("license_id".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_bounded() {
        for wrong in [0, 10_001, u64::MAX] {
            assert!(RateLimit::new(wrong).is_err(), "{wrong}");
            assert!(MaxConcurrency::new(wrong).is_err(), "{wrong}");
        }
        assert_eq!(RateLimit::new(10_000).map(RateLimit::get), Ok(10_000));
        assert_eq!(MaxConcurrency::new(1).map(MaxConcurrency::get), Ok(1));
    }

    #[test]
    fn an_ordering_field_is_a_name() {
        assert!(OrderingField::parse("contract_id").is_ok());
        for wrong in ["", "a\nb", &"x".repeat(101)] {
            assert!(OrderingField::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_timeout_is_bounded() {
        for wrong in [0, 99, 30_001, u64::MAX] {
            assert!(AttemptTimeout::from_millis(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            AttemptTimeout::from_millis(100).map(AttemptTimeout::get),
            Ok(AttemptTimeout::MIN)
        );
    }
}
