//! The settings of the whole platform, made by owners.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use crate::FieldError;
use crate::access::link_patterns::LinkPatterns;
use crate::access::portal_url::PortalUrl;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings of the whole platform. [`checked`](Self::checked) has the bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformSettings {
    /// How long events, deliveries, bodies and audit entries are kept.
    pub retention: Retention,
    /// A webhook that has only failed for this long is set Inactive: 1 hour to 90 days.
    pub disable_after: Duration,
    /// How long a replaced secret keeps signing when the rotation names no grace period: 0 to 7
    /// days.
    pub grace_period: Duration,
    /// The source addresses of our requests, for the allow-lists of receivers: at most 100, without
    /// repeats.
    pub egress_addresses: Vec<EgressAddress>,
    /// The pages that show the objects of ids in payloads.
    pub link_patterns: LinkPatterns,
    /// The portal's own address, for links in messages. `None`: messages link to no page of the portal.
    pub portal_url: Option<PortalUrl>,
}

/// How long the platform keeps its records: each 1 to 3,650 days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Events, counted from their intake.
    pub events: Duration,
    /// Deliveries with their attempts, counted from the end of the delivery.
    pub deliveries: Duration,
    /// Transcripts (headers and bodies of requests and responses), counted from each attempt.
    pub transcripts: Duration,
    /// Entries of the audit log, counted from the action.
    pub audit: Duration,
}

impl Default for PlatformSettings {
    /// Five days outlast any weekend; one day is enough to roll out a secret.
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            disable_after: 5 * DAY,
            grace_period: DAY,
            egress_addresses: Vec::new(),
            link_patterns: LinkPatterns::default(),
            portal_url: None,
        }
    }
}

impl Default for Retention {
    /// A month to investigate failures, a week of transcripts, and a year of audit entries, because
    /// questions about changes come late.
    fn default() -> Self {
        Self {
            events: 30 * DAY,
            deliveries: 30 * DAY,
            transcripts: 7 * DAY,
            audit: 365 * DAY,
        }
    }
}

impl PlatformSettings {
    /// Bounds of `disable_after`: below one hour a restart of the receiver would disable its
    /// webhook; after 90 days of failure nobody waits for the receiver.
    pub const DISABLE_AFTER: RangeInclusive<Duration> = HOUR..=Duration::from_secs(90 * 86_400);
    /// The longest grace period: 7 days. A secret that is replaced because it leaked must not stay
    /// valid for longer.
    pub const MAX_GRACE_PERIOD: Duration = Duration::from_secs(7 * 86_400);
    /// The most egress addresses: 100. A longer list fits into no firewall rule.
    pub const MAX_EGRESS_ADDRESSES: usize = 100;

    /// Checks every setting, and refuses each wrong one by its name in JSON.
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
    /// Bounds of each period: with less than a day yesterday's trouble could not be investigated;
    /// ten years are the longest legal retention period.
    pub const EACH: RangeInclusive<Duration> = DAY..=Duration::from_secs(3_650 * 86_400);

    fn errors(&self) -> Vec<FieldError> {
        let refuse = |name: &str, reason| FieldError::new(format!("retention.{name}"), reason);
        let each = [
            ("events", self.events),
            ("deliveries", self.deliveries),
            ("bodies", self.transcripts),
            ("audit", self.audit),
        ];
        let out_of_range = each
            .into_iter()
            .filter(|(_, time)| !Self::EACH.contains(time));
        let mut errors: Vec<FieldError> = out_of_range
            .map(|(name, _)| refuse(name, "must be 1d to 3650d"))
            .collect();
        // Retention deletes in this order: transcripts, deliveries, events. A delivery must
        // not outlive its event, nor a transcript its delivery.
        if self.deliveries > self.events {
            let reason = "must be at most that of events: a delivery without its event cannot be \
                          retried";
            errors.push(refuse("deliveries", reason));
        }
        if self.transcripts > self.deliveries {
            let reason = "must be at most that of deliveries: a transcript is part of its \
                          delivery";
            errors.push(refuse("bodies", reason));
        }
        errors
    }
}

/// A source of our requests: an address (`203.0.113.7`) or a network (`203.0.113.0/24`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressAddress(IpNet);

impl FromStr for EgressAddress {
    type Err = &'static str;

    /// Reads an address or a network. The host bits of a network are set to zero.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse::<IpNet>();
        // A bare address is a network of one address.
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
            settings.retention.transcripts = DAY / 2;
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

    #[test]
    fn the_bounds_themselves_are_allowed() {
        let shortest = wrong(|settings| {
            let shortest = Retention {
                events: DAY,
                deliveries: DAY,
                transcripts: DAY,
                audit: DAY,
            };
            settings.retention = shortest;
            settings.disable_after = Duration::from_secs(3_600);
            settings.grace_period = Duration::ZERO;
        });
        let longest = wrong(|settings| {
            let years = Duration::from_secs(315_360_000);
            settings.retention = Retention {
                events: years,
                deliveries: years,
                transcripts: years,
                audit: years,
            };
            settings.disable_after = Duration::from_secs(7_776_000);
            settings.grace_period = Duration::from_secs(604_800);
            settings.egress_addresses = vec!["192.0.2.1".parse().expect("an address"); 100];
        });

        assert_eq!((shortest, longest), (vec![], vec![]));
    }

    #[test]
    fn one_second_beyond_a_bound_is_refused() {
        let second = Duration::from_secs(1);

        let long = wrong(|s| s.disable_after = Duration::from_secs(7_776_001));
        let hasty = wrong(|s| s.disable_after = Duration::from_secs(3_599));
        let grace = wrong(|s| s.grace_period = Duration::from_secs(604_801));
        let kept = wrong(|s| s.retention.audit = Duration::from_secs(315_360_001));
        let short = wrong(|s| s.retention.audit = DAY - second);

        assert_eq!([long, hasty].concat(), ["disable_after"; 2]);
        assert_eq!(grace, ["default_grace_period"]);
        assert_eq!([kept, short].concat(), ["retention.audit"; 2]);
    }

    #[test]
    fn the_defaults_are_those_of_the_contract() {
        let PlatformSettings {
            retention,
            disable_after,
            grace_period,
            ..
        } = PlatformSettings::default();

        let days = |time: Duration| time.as_secs() / 86_400;
        assert_eq!((days(disable_after), days(grace_period)), (5, 1));
        assert_eq!(days(retention.events), 30);
        assert_eq!(days(retention.deliveries), 30);
        assert_eq!(days(retention.transcripts), 7);
        assert_eq!(days(retention.audit), 365);
    }
}
