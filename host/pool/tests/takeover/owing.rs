//! Each sum goes to one right address or waits, and none is lost.

use std::collections::BTreeMap;

use alp_pool::address::AddressRules;
use alp_pool::money::Coins;
use alp_pool::takeover::{
    CreditRow, Doubles, HoldWhy, Multiplied, Owing, RegistrationRow, Registrations, Tally, owing,
};
use proptest::prelude::*;

const RIGHT: [&str; 2] = ["BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96", "Bdoa6XJzzfFrMgwysASZGmvSMoXGPmQD6R"];

fn registered(rows: &[(&str, &str, &str, &str)]) -> Registrations {
    let mut registrations = Registrations::default();
    for (key, address, exchange, unit) in rows {
        registrations.add(&RegistrationRow { key, too_long: false, address, exchange, unit }).unwrap();
    }
    registrations
}

fn owed(rows: &[(&str, &str, &str, &str)], credits: &[(&str, &str, &str, &str)]) -> Owing {
    let mut tally = Tally::default();
    for (key, exchange, unit, reward) in credits {
        let row =
            CreditRow { key, exchange, unit, order: None, order_row: None, at_s: 1, reward, paid: false };
        tally.add(&row).unwrap();
    }
    owing(&registered(rows), &tally.finish().unwrap(), Doubles::Drop, &AddressRules::nubits()).unwrap()
}

fn coins(text: &str) -> Coins {
    Coins::parse(text).unwrap()
}

#[test]
fn pb_01_a_key_that_is_registered_for_two_markets_is_owed_its_credits_once() {
    let rows = [("k", RIGHT[0], "bittrex", "btc"), ("k", RIGHT[0], "bittrex", "ppc")];
    let owing = owed(&rows, &[("k", "bittrex", "btc", "1")]);
    assert_eq!((owing.lps.len(), owing.lps[0].owed), (1, coins("1")));
    assert_eq!(owing.lps[0].units.len(), 2);
    let multiplied = registered(&rows).of("k").unwrap().multiplied();
    assert_eq!(multiplied, Multiplied { markets: 1, addresses: 0, repeated: 0 });
}

#[test]
fn pb_02_a_key_with_two_addresses_waits_and_neither_is_paid() {
    let rows = [("k", RIGHT[0], "bittrex", "btc"), ("k", RIGHT[1], "bter", "btc")];
    let owing = owed(&rows, &[("k", "bittrex", "btc", "4")]);
    assert!(owing.lps.is_empty());
    assert_eq!(owing.holds.iter().map(|hold| hold.owed).collect::<Vec<_>>(), [coins("4"), Coins::ZERO]);
    assert!(owing.holds.iter().all(|hold| hold.why == HoldWhy::SeveralAddresses(2)));
    assert_eq!(registered(&rows).of("k").unwrap().multiplied().addresses, 1);
}

#[test]
fn pb_03_rows_that_are_there_twice_change_nothing() {
    let rows = [("k", RIGHT[0], "bittrex", "btc"); 5];
    assert_eq!(owed(&rows, &[("k", "bittrex", "btc", "1")]).lps[0].owed, coins("1"));
    assert_eq!(registered(&rows).of("k").unwrap().multiplied().repeated, 4);
}

#[test]
fn pb_07_an_address_that_cannot_be_paid_holds_its_own_key_only() {
    let rows = [("k", "BMJ2PJ1TNMwnTYUo pQVxBrAPmmJjJjhd96", "bter", "btc"), ("l", RIGHT[0], "bter", "btc")];
    let owing = owed(&rows, &[("k", "bter", "btc", "1"), ("l", "bter", "btc", "2")]);
    assert!(matches!(owing.holds[0].why, HoldWhy::BadAddress(_)));
    assert_eq!(owing.lps[0].owed, coins("2"));
}

#[test]
fn pb_15_a_credit_on_an_exchange_the_key_is_not_registered_on_goes_to_its_one_address() {
    let owing = owed(&[("k", RIGHT[0], "bter", "btc")], &[("k", "bittrex", "ppc", "1")]);
    let bittrex = owing.lps.iter().find(|lp| lp.exchange == "bittrex").unwrap();
    assert_eq!((bittrex.address.as_str(), bittrex.owed), (RIGHT[0], coins("1")));
    assert!(bittrex.units.contains("ppc"));
}

#[test]
fn what_cannot_be_kept_or_read_waits_with_its_reason() {
    let long = "k".repeat(300);
    let rows = [("k", RIGHT[0], "bter", "btc"), ("", RIGHT[0], "bter", "btc"), ("n", RIGHT[0], "", "btc")];
    let credits = [
        ("k", "bter", "btc", "NaN"),
        ("k", "bter", "btc", "2"),
        (long.as_str(), "bter", "btc", "1"),
        ("x", "bter", "btc", "3"),
    ];
    let whys: Vec<HoldWhy> = owed(&rows, &credits).holds.into_iter().map(|hold| hold.why).collect();
    assert_eq!(
        whys,
        [HoldWhy::BadKey, HoldWhy::Unreadable(1), HoldWhy::BadKey, HoldWhy::BadName, HoldWhy::NotRegistered]
    );
}

#[test]
fn pb_01_02_03_what_would_have_been_paid_too_much_is_told_by_fault() {
    let rows = [
        ("k", RIGHT[0], "bittrex", "btc"),
        ("k", RIGHT[0], "bittrex", "ppc"),
        ("k", RIGHT[0], "bittrex", "ppc"),
        ("k", RIGHT[1], "bter", "btc"),
        ("l", RIGHT[0], "bter", "btc"),
    ];
    let mut tally = Tally::default();
    for (key, exchange) in [("k", "bittrex"), ("k", "bter"), ("l", "bter")] {
        let (unit, order, order_row) = ("btc", None, None);
        let row = CreditRow { key, exchange, unit, order, order_row, at_s: 1, reward: "2", paid: false };
        tally.add(&row).unwrap();
    }
    let multiples = registered(&rows).multiples(&tally.finish().unwrap());
    let four = 4_000_000_000_000_000_000;
    for excess in [multiples.markets, multiples.addresses, multiples.repeated] {
        assert_eq!((excess.keys, excess.e18), (1, four));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_owed_twice(
        rows in prop::collection::vec((0usize..4, 0usize..3, 0usize..3), 0..20),
        credits in prop::collection::vec((0usize..5, 0usize..3, 1u64..1_000_000_000), 0..40),
    ) {
        let (keys, exchanges) = (["a", "b", "c", "d", "e"], ["bter", "bittrex", "ccedk"]);
        let addresses = [RIGHT[0], RIGHT[1], "Bad"];
        let rows: Vec<_> = rows.iter().map(|(k, a, e)| (keys[*k], addresses[*a], exchanges[*e], "btc")).collect();
        let texts: Vec<_> = credits.iter().map(|(k, e, e8)| (keys[*k], exchanges[*e], format!("{e8}e-8"))).collect();
        let credited: Vec<_> = texts.iter().map(|(k, e, reward)| (*k, *e, "btc", reward.as_str())).collect();
        let owing = owed(&rows, &credited);
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, coins) in owing.lps.iter().map(|lp| (&lp.key, lp.owed)).chain(owing.holds.iter().map(|hold| (&hold.key, hold.owed))) {
            *sums.entry(key).or_default() += coins.e8();
        }
        let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, _, e8) in &credits {
            *expected.entry(keys[*key]).or_default() += e8;
        }
        sums.retain(|_, e8| *e8 > 0);
        prop_assert_eq!(sums, expected);
        prop_assert_eq!(owing.rounding_e18, 0);
        for lp in &owing.lps {
            prop_assert!(rows.iter().filter(|row| row.0 == lp.key).all(|row| row.1 == lp.address));
        }
    }
}
