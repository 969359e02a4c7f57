//! Where messages come from, and how many each such place may send.
//! It knows no LP: an address is all it sees.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bucket::Bucket;

/// Most addresses that are remembered. Beyond it new ones share one allowance until others have gone quiet.
const MAX_PEERS: usize = 50_000;

/// How many refusals by exchanges one address may cause a minute, over all keys that are not known to come from it:
/// whoever registers keys by the dozen and posts junk under each would else have the pool's own address banned.
const REFUSALS_PER_MINUTE: u32 = 20;

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// The pool's own machine, and nobody on whose behalf. It is not counted: who is there already can do worse.
    Local,
    /// An IPv4 address.
    V4(u32),
    /// The network part of an IPv6 address: one customer has a whole /64.
    V6(u64),
}

impl Peer {
    /// The place behind an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(Ipv4Addr::LOCALHOST) | IpAddr::V6(Ipv6Addr::LOCALHOST) => Self::Local,
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }

    /// The place a message came from: that of the connection or, where the connection is the operator's own web
    /// server, the last address that it wrote into `X-Forwarded-For`. What stands before that the client wrote.
    #[must_use]
    pub fn of_request(connection: Option<IpAddr>, proxy: IpAddr, forwarded_for: Option<&str>) -> Self {
        let Some(connection) = connection.map(|address| address.to_canonical()) else { return Self::Local };
        let is_proxy = connection == proxy || (proxy.is_loopback() && connection.is_loopback());
        let forwarded = forwarded_for.filter(|_| is_proxy).and_then(last_address);
        Self::of(forwarded.unwrap_or(connection))
    }
}

fn last_address(header: &str) -> Option<IpAddr> {
    header.rsplit(',').next()?.trim().parse().ok()
}

/// The allowances of all places.
#[derive(Debug, Default)]
pub struct Peers {
    seen: BTreeMap<Peer, Allowance>,
    /// What those share for whom there is no room.
    others: Option<Allowance>,
}

#[derive(Debug)]
struct Allowance {
    posts: Bucket,
    refusals: Bucket,
}

impl Peers {
    /// Takes a message, if this place may send so many a minute.
    ///
    /// # Errors
    /// How long it has to wait, in milliseconds.
    pub fn post(&mut self, peer: Peer, per_minute: u32, now_ms: u64) -> Result<(), u64> {
        let Some(allowance) = self.allowance(peer, per_minute, now_ms) else { return Ok(()) };
        allowance.posts.set_rate(per_minute, now_ms);
        match allowance.posts.wait_ms(0, now_ms) {
            Some(0) => {
                allowance.posts.take(1, now_ms);
                Ok(())
            }
            wait_ms => Err(wait_ms.unwrap_or(60_000)),
        }
    }

    /// How long this place has to wait before an exchange is asked on its behalf again, in milliseconds.
    pub fn refused_wait_ms(&mut self, peer: Peer, now_ms: u64) -> u64 {
        let allowance = self.allowance(peer, u32::MAX, now_ms);
        allowance.map_or(0, |allowance| allowance.refusals.wait_ms(0, now_ms).unwrap_or(60_000))
    }

    /// Notes that an exchange refused a message from there.
    pub fn refused(&mut self, peer: Peer, now_ms: u64) {
        if let Some(allowance) = self.allowance(peer, u32::MAX, now_ms) {
            allowance.refusals.take(1, now_ms);
        }
    }

    fn allowance(&mut self, peer: Peer, per_minute: u32, now_ms: u64) -> Option<&mut Allowance> {
        let new = || Allowance {
            posts: Bucket::full(per_minute, now_ms),
            refusals: Bucket::full(REFUSALS_PER_MINUTE, now_ms),
        };
        if peer == Peer::Local {
            return None;
        }
        if !self.seen.contains_key(&peer) && self.seen.len() >= MAX_PEERS {
            // An address whose allowances are full is as good as one that was never seen.
            self.seen.retain(|_, kept| !kept.posts.is_full(now_ms) || !kept.refusals.is_full(now_ms));
            if self.seen.len() >= MAX_PEERS {
                return Some(self.others.get_or_insert_with(new));
            }
        }
        Some(self.seen.entry(peer).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_forwarded_address_counts_if_the_operators_web_server_wrote_it() {
        let proxy = ip("127.0.0.1");
        let of = |from: &str, header| Peer::of_request(Some(ip(from)), proxy, header);
        let (one, two) = (Peer::of(ip("192.0.2.1")), Peer::of(ip("192.0.2.2")));
        assert_eq!(of("127.0.0.1", Some("198.51.100.7, 192.0.2.1")), one);
        assert_eq!(of("::1", Some("192.0.2.1")), one);
        assert_eq!(of("::ffff:127.0.0.1", Some("192.0.2.1")), one);
        assert_eq!(of("192.0.2.2", Some("192.0.2.1")), two);
        assert_eq!(of("127.0.0.1", None), Peer::Local);
        assert_eq!(of("127.0.0.1", Some("nonsense")), Peer::Local);
        assert_eq!(Peer::of_request(Some(ip("192.0.2.2")), ip("192.0.2.2"), Some("192.0.2.1")), one);
    }

    #[test]
    fn one_ipv6_network_is_one_place() {
        assert_eq!(Peer::of(ip("2001:db8:1:2::1")), Peer::of(ip("2001:db8:1:2:ffff::9")));
        assert_ne!(Peer::of(ip("2001:db8:1:2::1")), Peer::of(ip("2001:db8:1:3::1")));
        assert_eq!(Peer::of(ip("::ffff:192.0.2.1")), Peer::of(ip("192.0.2.1")));
    }

    #[test]
    fn one_place_that_sends_flat_out_waits_and_the_others_do_not() {
        let mut peers = Peers::default();
        let sent = (0..1_000).filter(|_| peers.post(Peer::V4(1), 60, 5).is_ok()).count();
        assert_eq!(sent, 60);
        assert_eq!(peers.post(Peer::V4(1), 60, 5), Err(1_000));
        assert_eq!(peers.post(Peer::V4(2), 60, 5), Ok(()));
        assert_eq!(peers.post(Peer::V4(1), 60, 1_005), Ok(()));
    }

    #[test]
    fn a_place_that_causes_refusals_waits() {
        let mut peers = Peers::default();
        for _ in 0..REFUSALS_PER_MINUTE {
            assert_eq!(peers.refused_wait_ms(Peer::V4(1), 0), 0);
            peers.refused(Peer::V4(1), 0);
        }
        assert_eq!(peers.refused_wait_ms(Peer::V4(1), 0), 3_000);
        assert_eq!(peers.refused_wait_ms(Peer::V4(2), 0), 0);
    }

    #[test]
    fn what_is_remembered_of_places_is_bounded_and_the_quiet_are_forgotten() {
        let mut peers = Peers::default();
        for address in 0..u32::try_from(MAX_PEERS).unwrap() + 10 {
            let _ = peers.post(Peer::V4(address), 60, 0);
        }
        assert_eq!(peers.seen.len(), MAX_PEERS);
        assert!(peers.others.is_some());
        peers.post(Peer::V4(u32::MAX), 60, 60_000).unwrap();
        assert_eq!(peers.seen.len(), 1);
    }
}
