//! The IP addresses that the dispatcher may call, so that a webhook cannot be aimed at our own
//! network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Permits public addresses, and the networks that the operator opened.
#[derive(Debug, Clone, Default)]
pub struct AddressPolicy {
    /// Networks that are permitted although they are not public, such as a customer's VPN.
    pub allowed: Vec<IpNet>,
}

impl AddressPolicy {
    /// Whether a connection to `address` may be opened.
    pub fn permits(&self, address: IpAddr) -> bool {
        // A private IPv4 address must not slip through in the clothes of an IPv6 address.
        let address = unmapped(address);
        self.allowed
            .iter()
            .any(|network| network.contains(&address))
            || is_public(address)
    }
}

/// The IPv4 address inside an IPv4-mapped, NAT64 or 6to4 address: the packets end up there.
fn unmapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match [a, b, c, d, e, f] {
        // ::ffff:0:0/96 (RFC 4291), 64:ff9b::/96 (RFC 6052)
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => v4(g, h).into(),
        // 2002::/16 (RFC 3056)
        [0x2002, high, low, ..] => v4(high, low).into(),
        _ => address,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Whether an address is neither in the IANA IPv4 Special-Purpose Address Registry (RFC 6890) nor
/// multicast.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT, RFC 6598
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 192 && b == 88 && c == 99) // 6to4 relays
        || (a == 198 && (b == 18 || b == 19)) // benchmarking, RFC 2544
        || a >= 240; // reserved, and broadcast
    !special
}

/// Whether an address is inside 2000::/3, the only unicast space in use, and not reserved within
/// that space.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global_unicast = a & 0xe000 == 0x2000;
    let special = match a {
        // protocol assignments and Teredo (RFC 2928), documentation (RFC 3849)
        0x2001 => b < 0x0200 || b == 0x0db8,
        // documentation (RFC 9637)
        0x3fff => b < 0x1000,
        _ => false,
    };
    global_unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::loopback("127.0.0.1")]
    #[case::unspecified("0.0.0.0")]
    #[case::private("10.1.2.3")]
    #[case::private("172.16.0.1")]
    #[case::private("192.168.1.1")]
    #[case::carrier("100.64.0.1")]
    #[case::cloud_metadata("169.254.169.254")]
    #[case::benchmark("198.18.0.1")]
    #[case::multicast("224.0.0.1")]
    #[case::broadcast("255.255.255.255")]
    #[case::loopback("::1")]
    #[case::unspecified("::")]
    #[case::mapped_loopback("::ffff:127.0.0.1")]
    #[case::nat64_private("64:ff9b::10.0.0.1")]
    #[case::six_to_four_private("2002:0a00:0001::1")]
    #[case::compatible_loopback("::127.0.0.1")]
    #[case::unique_local("fd00::1")]
    #[case::link_local("fe80::1")]
    #[case::site_local("fec0::1")]
    #[case::multicast("ff02::1")]
    #[case::documentation("2001:db8::1")]
    fn addresses_that_are_not_public_are_refused(#[case] address: IpAddr) {
        assert!(!AddressPolicy::default().permits(address));
    }

    #[rstest]
    #[case("93.184.216.34")]
    #[case("1.1.1.1")]
    #[case("2606:4700:4700::1111")]
    #[case("::ffff:1.1.1.1")]
    fn public_addresses_are_permitted(#[case] address: IpAddr) {
        assert!(AddressPolicy::default().permits(address));
    }

    #[test]
    fn an_allowed_network_is_permitted_in_its_mapped_form_too() {
        let policy = AddressPolicy {
            allowed: vec!["127.0.0.0/8".parse().expect("a network")],
        };

        assert!(policy.permits("127.0.0.1".parse().expect("an address")));
        assert!(policy.permits("::ffff:127.0.0.1".parse().expect("an address")));
        assert!(!policy.permits("10.0.0.1".parse().expect("an address")));
    }

    /// The first and the last address of each special network, and the public addresses beside
    /// them. Where a network has no neighbour, any public address stands.
    #[rstest]
    #[case::carrier("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0")]
    #[case::assignments("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0")]
    #[case::relays("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0")]
    #[case::benchmark("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0")]
    #[case::multicast("223.255.255.255", "224.0.0.0", "255.255.255.255", "1.0.0.0")]
    #[case::this_network("1.0.0.0", "0.0.0.0", "0.255.255.255", "1.0.0.0")]
    #[case::teredo("2000::", "2001::", "2001:1ff:ffff::", "2001:200::")]
    #[case::example("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff::", "2001:db9::")]
    #[case::example("3ffe::", "3fff::", "3fff:fff:ffff::", "3fff:1000::")]
    #[case::global_unicast("3ffe::", "1fff::", "4000::", "2000::")]
    fn a_network_ends_at_its_bounds(
        #[case] before: IpAddr,
        #[case] first: IpAddr,
        #[case] last: IpAddr,
        #[case] behind: IpAddr,
    ) {
        let public = [before, first, last, behind].map(|a| AddressPolicy::default().permits(a));

        assert_eq!(public, [true, false, false, true]);
    }

    #[rstest]
    #[case("192.1.0.1")]
    #[case("193.0.0.1")]
    #[case("192.88.98.1")]
    #[case("192.89.99.1")]
    #[case("193.88.99.1")]
    #[case("199.18.0.1")]
    #[case("101.64.0.1")]
    fn an_address_that_shares_some_bytes_with_a_network_is_public(#[case] address: IpAddr) {
        assert!(AddressPolicy::default().permits(address));
    }

    #[test]
    fn an_embedded_address_is_read_from_all_of_its_bits() {
        let embedded = |text: &str| unmapped(text.parse().expect("an address")).to_string();

        assert_eq!(embedded("::ffff:201.2.3.4"), "201.2.3.4");
        assert_eq!(embedded("64:ff9b::201.2.3.4"), "201.2.3.4");
        assert_eq!(embedded("2002:c902:0304::1"), "201.2.3.4");
    }
}
