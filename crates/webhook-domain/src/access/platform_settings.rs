//! What owners set for the whole platform.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use crate::FieldError;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What owners set for the whole platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformSettings {
    /// For how long what happened is kept.
    pub retention: Retention,
    /// After how long of nothing but failure a webhook is set Inactive.
    pub disable_after: Duration,
    /// For how long a replaced secret signs as well when nobody says.
    pub grace_period: Duration,
    /// Where requests come from, for the allow-lists of receivers; each once.
    pub egress_addresses: Vec<EgressAddress>,
}

/// For how long what happened is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Events, from when they were taken in.
    pub events: Duration,
    /// Deliveries with their attempts, from their end.
    pub deliveries: Duration,
    /// What was said on the wire, from each attempt on.
    pub bodies: Duration,
    /// Entries of the audit log.
    pub audit: Duration,
}

impl Default for PlatformSettings {
    /// 5 days are longer than any weekend; a day is enough to roll a secret out.
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            disable_after: 5 * DAY,
            grace_period: DAY,
            egress_addresses: Vec::new(),
        }
    }
}

impl Default for Retention {
    /// A month to look into what went wrong, a week of what was said; who changed what is asked
    /// for long afterwards.
    fn default() -> Self {
        Self {
            events: 30 * DAY,
            deliveries: 30 * DAY,
            bodies: 7 * DAY,
            audit: 365 * DAY,
        }
    }
}

impl PlatformSettings {
    /// Below an hour a restart of the receiver would disable it; after three months of nothing
    /// but failure nobody waits for it.
    pub const DISABLE_AFTER: RangeInclusive<Duration> = HOUR..=Duration::from_secs(90 * 86_400);
    /// A secret that was replaced a week ago may well be somebody else's by now.
    pub const MAX_GRACE_PERIOD: Duration = Duration::from_secs(7 * 86_400);
    /// A longer list goes into no firewall.
    pub const MAX_EGRESS_ADDRESSES: usize = 100;

    /// Checks what an owner asked for, and tells all that is wrong by the names that JSON has.
    pub fn checked(self) -> Result<Self, Vec<FieldError>> {
        let mut errors = self.retention.errors();
        if !Self::DISABLE_AFTER.contains(&self.disable_after) {
            errors.push(FieldError::new("disable_after", "must be 1h to 90d"));
        }
        if self.grace_period > Self::MAX_GRACE_PERIOD {
            errors.push(FieldError::new("default_grace_period", "must be 0 to 7d"));
        }
        if self.egress_addresses.len() > Self::MAX_EGRESS_ADDRESSES {
            let reason = format!("must have at most {} items", Self::MAX_EGRESS_ADDRESSES);
            errors.push(FieldError::new("egress_addresses", reason));
        }
        if errors.is_empty() {
            Ok(self)
        } else {
            Err(errors)
        }
    }
}

impl Retention {
    /// Whoever keeps something for less than a day cannot look into yesterday's trouble; ten years
    /// are what the law asks for at most.
    pub const EACH: RangeInclusive<Duration> = DAY..=Duration::from_secs(3_650 * 86_400);

    fn errors(&self) -> Vec<FieldError> {
        let refuse = |name: &str, reason| FieldError::new(format!("retention.{name}"), reason);
        let each = [
            ("events", self.events),
            ("deliveries", self.deliveries),
            ("bodies", self.bodies),
            ("audit", self.audit),
        ];
        let out_of_range = each
            .into_iter()
            .filter(|(_, time)| !Self::EACH.contains(time));
        let mut errors: Vec<FieldError> = out_of_range
            .map(|(name, _)| refuse(name, "must be 1d to 3650d"))
            .collect();
        if self.deliveries > self.events {
            let reason = "must be at most that of events: a delivery without its event cannot be \
                          tried again";
            errors.push(refuse("deliveries", reason));
        }
        if self.bodies > self.deliveries {
            let reason = "must be at most that of deliveries: what was said is told with its \
                          delivery";
            errors.push(refuse("bodies", reason));
        }
        errors
    }
}

/// Where requests come from: an address (`203.0.113.7`) or a network (`203.0.113.0/24`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressAddress(IpNet);

impl FromStr for EgressAddress {
    type Err = &'static str;

    /// Bits of a network's address that are its hosts' are cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse::<IpNet>();
        let network = network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(|network| Self(network.trunc()))
            .map_err(|_| "must be an IP address or a network such as 203.0.113.0/24")
    }
}

impl Display for EgressAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn wrong(change: impl FnOnce(&mut PlatformSettings)) -> Vec<String> {
        let mut settings = PlatformSettings::default();
        change(&mut settings);
        let errors = settings.checked().err().unwrap_or_default();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn the_defaults_are_right() {
        assert_eq!(wrong(|_| {}), [""; 0]);
    }

    #[test]
    fn what_is_out_of_range_is_told_at_once() {
        let fields = wrong(|settings| {
            settings.retention.bodies = DAY / 2;
            settings.retention.audit = 3_651 * DAY;
            settings.disable_after = HOUR / 2;
            settings.grace_period = 8 * DAY;
            settings.egress_addresses = vec!["192.0.2.1".parse().expect("an address"); 101];
        });

        assert_eq!(
            fields,
            [
                "retention.bodies",
                "retention.audit",
                "disable_after",
                "default_grace_period",
                "egress_addresses"
            ]
        );
    }

    #[test]
    fn nothing_is_kept_longer_than_what_it_needs() {
        let shorter_events = wrong(|settings| settings.retention.events = 29 * DAY);
        let shorter_deliveries = wrong(|settings| settings.retention.deliveries = 6 * DAY);

        assert_eq!(shorter_events, ["retention.deliveries"]);
        assert_eq!(shorter_deliveries, ["retention.bodies"]);
    }

    #[rstest]
    #[case("203.0.113.7", "203.0.113.7")]
    #[case("203.0.113.7/32", "203.0.113.7")]
    #[case("203.0.113.7/24", "203.0.113.0/24")]
    #[case("2001:DB8::1", "2001:db8::1")]
    #[case("2001:db8::/32", "2001:db8::/32")]
    fn an_egress_address_is_an_address_or_a_network(#[case] text: &str, #[case] shown: &str) {
        let address: EgressAddress = text.parse().expect("it is one");

        assert_eq!(address.to_string(), shown);
    }

    #[rstest]
    #[case("")]
    #[case("example.com")]
    #[case("203.0.113")]
    #[case("203.0.113.0/33")]
    #[case("203.0.113.7:443")]
    fn anything_else_is_none(#[case] text: &str) {
        assert!(text.parse::<EgressAddress>().is_err());
    }
}
