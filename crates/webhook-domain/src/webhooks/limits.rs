//! How a webhook is served: requests at once, time per request, order.

use std::num::NonZeroU16;
use std::time::Duration;

/// The most simultaneous requests from each dispatcher to a webhook: 1 to 256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxConcurrency(NonZeroU16);

impl MaxConcurrency {
    /// The greatest concurrency: 256. More requests at once would only queue at the receiver.
    pub const MAX: u16 = 256;

    /// One request at once.
    pub(crate) const ONE: Self = Self(NonZeroU16::MIN);

    /// Checks a number of requests.
    pub fn new(requests: u64) -> Result<Self, String> {
        bounded(requests, Self::MAX).map(Self)
    }

    /// The number of requests.
    pub fn get(self) -> u16 {
        self.0.get()
    }
}

/// Checks that a number is from 1 to `max`.
pub(super) fn bounded(number: u64, max: u16) -> Result<NonZeroU16, String> {
    let checked = u16::try_from(number).ok().filter(|number| *number <= max);
    checked
        .and_then(NonZeroU16::new)
        .ok_or_else(|| format!("must be a number from 1 to {max}"))
}

/// The timeout of one attempt: 100 ms to 30 s, in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptTimeout(Duration);

impl AttemptTimeout {
    /// The shortest timeout: 100 ms. A shorter one would expire in the network alone.
    pub const MIN: Duration = Duration::from_millis(100);

    /// The longest timeout: 30 s. A receiver that needs longer should respond first and work
    /// afterwards.
    ///
    /// Half of a dispatcher's default lease, because a lease must outlive an attempt and its
    /// recording.
    pub const MAX: Duration = Duration::from_secs(30);

    /// Checks a number of milliseconds.
    pub fn from_millis(millis: u64) -> Result<Self, String> {
        let timeout = Duration::from_millis(millis);
        if (Self::MIN..=Self::MAX).contains(&timeout) {
            return Ok(Self(timeout));
        }
        let max = Self::MAX.as_secs();
        Err(format!("must be {} ms to {max} s", Self::MIN.as_millis()))
    }

    /// The timeout.
    pub fn get(self) -> Duration {
        self.0
    }
}

/// The name of the field of `data` that orders events: events with equal values are delivered in
/// order. 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderingField(String);

impl OrderingField {
    /// The most characters of a field's name.
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
    /// `license_id`, the field that most events have.
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
            assert!(MaxConcurrency::new(wrong).is_err(), "{wrong}");
        }
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

    #[test]
    fn the_greatest_limits_are_allowed() {
        let timeout = AttemptTimeout::from_millis(30_000).map(AttemptTimeout::get);

        assert_eq!(MaxConcurrency::new(256).map(MaxConcurrency::get), Ok(256));
        assert!(MaxConcurrency::new(257).is_err());
        assert_eq!(timeout, Ok(Duration::from_secs(30)));
    }

    #[test]
    fn an_ordering_field_keeps_its_name_and_is_license_id_by_default() {
        let longest = "é".repeat(OrderingField::MAX_CHARS);

        let field = OrderingField::parse(&longest).expect("a name");

        assert_eq!(field.as_str(), longest);
        assert_eq!(OrderingField::default().as_str(), "license_id");
    }
}
