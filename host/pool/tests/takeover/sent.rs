//! What the wallet sent and nobody recorded.

use std::collections::{BTreeMap, BTreeSet};

use alp_pool::money::Coins;
use alp_pool::takeover::{Hold, HoldWhy, OwedLp, Owing, SentTransaction, compare, subtract};
use proptest::prelude::*;

fn e8(units: u64) -> Coins {
    Coins::from_e8(units).unwrap()
}

fn sent(txid: &str, time_s: i64, outputs: &[(&str, u64)]) -> SentTransaction {
    let outputs = outputs.iter().map(|(address, units)| ((*address).to_owned(), e8(*units))).collect();
    SentTransaction { txid: txid.to_owned(), time_s, outputs }
}

fn lp(key: &str, address: &str, owed: u64) -> OwedLp {
    let (exchange, units) = ("bter".to_owned(), BTreeSet::from(["btc".to_owned()]));
    OwedLp { key: key.to_owned(), exchange, address: address.to_owned(), units, owed: e8(owed) }
}

fn hold(addresses: &[&str], owed: u64) -> Hold {
    let addresses: BTreeSet<String> = addresses.iter().map(|address| (*address).to_owned()).collect();
    let (key, exchange, units) = ("h".to_owned(), "bter".to_owned(), BTreeSet::new());
    Hold { key, exchange, units, why: HoldWhy::SeveralAddresses(2), addresses, owed: e8(owed) }
}

#[test]
fn pb_04_what_came_after_the_recorded_payout_is_told_with_its_outputs_to_lps() {
    let transactions = vec![
        sent("before", 900, &[("A", 5)]),
        sent("twice", 1_200, &[("A", 7), ("change", 3)]),
        sent("recorded", 1_010, &[("A", 5), ("B", 6)]),
        sent("others", 1_300, &[("shop", 9)]),
    ];
    let comparison = compare(transactions, &BTreeSet::from(["A", "B"]), Some(1_000));
    assert_eq!(comparison.recorded.as_ref().map(|sent| sent.txid.as_str()), Some("recorded"));
    assert_eq!(comparison.unrecorded, [sent("twice", 1_200, &[("A", 7)])]);
    assert_eq!(comparison.all, ["before", "recorded", "twice"]);
}

#[test]
fn pb_04_where_no_payout_was_ever_recorded_every_one_is_unrecorded() {
    let comparison = compare(vec![sent("one", 5, &[("A", 7)])], &BTreeSet::from(["A"]), None);
    assert_eq!((comparison.recorded, comparison.unrecorded.len()), (None, 1));
}

#[test]
fn what_was_sent_to_both_addresses_of_a_held_key_is_taken_off_once() {
    let mut owing = Owing { holds: vec![hold(&["A", "B"], 10)], ..Owing::default() };
    let overpaid = subtract(&mut owing, &BTreeMap::from([("A", e8(6)), ("B", e8(6))]));
    assert_eq!((owing.holds[0].owed, overpaid.len()), (e8(4), 0));
}

#[test]
fn what_was_sent_beyond_what_is_owed_is_told_and_owed_by_nobody() {
    let mut owing = Owing { lps: vec![lp("a", "A", 3), lp("b", "A", 4)], ..Owing::default() };
    let overpaid = subtract(&mut owing, &BTreeMap::from([("A", e8(9))]));
    assert!(owing.lps.iter().all(|lp| lp.owed == Coins::ZERO));
    assert_eq!((overpaid[0].address.as_str(), overpaid[0].by), ("A", e8(2)));
}

proptest! {
    #[test]
    fn for_lps_with_one_address_owed_and_sent_add_up(
        owed in prop::collection::vec((0usize..3, 0u64..1_000), 0..8),
        sent in prop::collection::vec((0usize..3, 1u64..2_000), 0..4),
    ) {
        let addresses = ["A", "B", "C"];
        let lps: Vec<OwedLp> = owed.iter().enumerate().map(|(n, (a, units))| lp(&n.to_string(), addresses[*a], *units)).collect();
        let mut owing = Owing { lps, ..Owing::default() };
        let mut paid: BTreeMap<&str, Coins> = BTreeMap::new();
        for (a, units) in &sent {
            let sum = paid.entry(addresses[*a]).or_default();
            *sum = sum.plus(e8(*units)).unwrap();
        }
        let overpaid = subtract(&mut owing, &paid);
        for address in addresses {
            let before: u64 = owed.iter().filter(|(a, _)| addresses[*a] == address).map(|(_, units)| units).sum();
            let after: u64 = owing.lps.iter().filter(|lp| lp.address == address).map(|lp| lp.owed.e8()).sum();
            let sent = paid.get(address).map_or(0, |coins| coins.e8());
            let beyond: u64 = overpaid.iter().filter(|over| over.address == address).map(|over| over.by.e8()).sum();
            prop_assert_eq!(before + beyond, after + sent);
        }
    }
}
