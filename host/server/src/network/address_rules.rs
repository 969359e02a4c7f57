//! Which IP addresses are public: those that a stranger's name may lead the pool to.
//! It knows no name, no port and no exception; who may be talked to in spite of it is decided elsewhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// Blocks of IPv4 that are not public: first address, length of the prefix, what it is. From the registry of special
/// purpose addresses (RFC 6890 and its successors), multicast and the reserved rest.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32, &str); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "an address of this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "a private address"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "an address of a provider's inner network"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "a loopback address"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "a link-local address"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "a private address"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "an address kept for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "an address kept for protocols"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "an address kept for protocols"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a relay's address"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "a private address"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "an address for measurements"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "an address for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "a multicast address"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "a reserved or broadcast address"),
];

/// Blocks of IPv6 that are not public, in the same form. The first that holds an address names it.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32, &str); 16] = [
    (Ipv6Addr::UNSPECIFIED, 128, "the unspecified address"),
    (Ipv6Addr::LOCALHOST, 128, "a loopback address"),
    (Ipv6Addr::UNSPECIFIED, 96, "an IPv4-compatible address"),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96, "an address that stands for one of IPv4 (NAT64)"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "an address that stands for one of IPv4 (NAT64)"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "a discard address"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "an address that stands for one of IPv4 (Teredo)"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "an address kept for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "an address for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "an address that stands for one of IPv4 (6to4)"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "an address for documentation"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "a unique local address"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "a link-local address"),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, "a site-local address"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "a multicast address"),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16, "an address kept for protocols"),
];

/// The only block of IPv6 from which public addresses are given out.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whether an address is one of the public internet. An IPv4 address written as IPv6 (`::ffff:0:0/96`) is judged as
/// the IPv4 address that it is connected to as; the other forms that carry one (NAT64, 6to4, Teredo) are refused,
/// because where they lead is up to a translator.
///
/// # Errors
/// [`NotPublic`] says what the address is instead.
pub fn check_public(address: IpAddr) -> Result<(), NotPublic> {
    let kind = match address {
        IpAddr::V4(v4) => kind_of_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => kind_of_v4(v4),
            None => kind_of_v6(v6),
        },
    };
    kind.map_or(Ok(()), |kind| Err(NotPublic { address, kind }))
}

fn kind_of_v4(address: Ipv4Addr) -> Option<&'static str> {
    let within = |start: Ipv4Addr, prefix: u32| {
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(prefix)).unwrap_or(0);
        address.to_bits() & mask == start.to_bits()
    };
    NOT_PUBLIC_V4.iter().find(|(start, prefix, _)| within(*start, *prefix)).map(|(_, _, kind)| *kind)
}

fn kind_of_v6(address: Ipv6Addr) -> Option<&'static str> {
    let within = |start: Ipv6Addr, prefix: u32| {
        let mask = u128::MAX.checked_shl(128_u32.saturating_sub(prefix)).unwrap_or(0);
        address.to_bits() & mask == start.to_bits()
    };
    let special = NOT_PUBLIC_V6.iter().find(|(start, prefix, _)| within(*start, *prefix));
    let outside = (!within(GLOBAL_V6.0, GLOBAL_V6.1)).then_some("an address that was never given out");
    special.map(|(_, _, kind)| *kind).or(outside)
}

/// An address that is not public. The operator's, if it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{address} is {kind}")]
pub struct NotPublic {
    /// The address.
    pub address: IpAddr,
    /// What it is, with its article.
    pub kind: &'static str,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_public(address: &str) -> bool {
        check_public(address.parse().unwrap()).is_ok()
    }

    #[test]
    fn the_first_and_last_address_of_every_closed_block_are_refused_and_their_neighbours_are_not() {
        // First and last of the block, and whether the address before and the one after are public.
        let blocks = [
            ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
            ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
            ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
            ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
            ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
            ("224.0.0.0", "255.255.255.255", Some("223.255.255.255"), None),
            ("64:ff9b::", "64:ff9b::ffff:ffff", None, None),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", None, None),
            ("100::", "100::ffff:ffff:ffff:ffff", None, None),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", None, Some("2001:200::")),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                Some("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"),
                Some("2001:db9::"),
            ),
            (
                "2002::",
                "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                Some("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                Some("2003::"),
            ),
            (
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                Some("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                Some("3fff:1000::"),
            ),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("::", "::ffff:ffff", None, None),
        ];
        for (first, last, before, after) in blocks {
            assert!(!is_public(first) && !is_public(last), "{first} to {last}");
            assert!(before.is_none_or(is_public) && after.is_none_or(is_public), "beside {first}");
        }
        assert!(is_public("2a00::1") && is_public("8.8.8.8") && is_public("2606:4700::1111"));
    }

    #[test]
    fn an_address_is_named_as_what_it_is() {
        let named = |text: &str| check_public(text.parse().unwrap()).unwrap_err().to_string();
        assert_eq!(named("127.0.0.1"), "127.0.0.1 is a loopback address");
        assert_eq!(named("::ffff:10.0.0.1"), "::ffff:10.0.0.1 is a private address");
        assert_eq!(named("::1"), "::1 is a loopback address");
        assert_eq!(named("::127.0.0.1"), "::7f00:1 is an IPv4-compatible address");
        assert_eq!(named("169.254.169.254"), "169.254.169.254 is a link-local address");
        assert_eq!(named("4000::1"), "4000::1 is an address that was never given out");
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_judged_as_the_one_it_carries(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let (plain, mapped) = (check_public(v4.into()), check_public(v4.to_ipv6_mapped().into()));
            prop_assert_eq!(plain.map_err(|refused| refused.kind), mapped.map_err(|refused| refused.kind));
        }

        #[test]
        fn no_address_that_the_standard_library_calls_special_is_public(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let special = v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_broadcast()
                || v4.is_documentation() || v4.is_multicast() || v4.is_unspecified();
            prop_assert!(!special || check_public(v4.into()).is_err());
        }

        #[test]
        fn no_ipv6_address_outside_of_global_unicast_is_public(bits: u128) {
            let v6 = Ipv6Addr::from_bits(bits);
            let special = v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()
                || v6.is_multicast() || v6.is_unspecified() || v6.octets()[0] >> 5 != 1;
            prop_assert!(!special || v6.to_ipv4_mapped().is_some() || check_public(v6.into()).is_err());
        }

        #[test]
        fn whatever_carries_an_ipv4_address_another_way_is_refused(bits: u32, rest: u64) {
            let v4 = u128::from(bits);
            let nat64 = (0x64_ff9b_u128 << 96) | v4;
            let local_nat64 = (0x64_ff9b_0001_u128 << 80) | v4;
            let compatible = v4;
            let six_to_four = (0x2002_u128 << 112) | (v4 << 80) | u128::from(rest);
            let teredo = (0x2001_u128 << 112) | u128::from(rest);
            for bits in [nat64, local_nat64, compatible, six_to_four, teredo] {
                prop_assert!(check_public(Ipv6Addr::from_bits(bits).into()).is_err());
            }
        }
    }
}
