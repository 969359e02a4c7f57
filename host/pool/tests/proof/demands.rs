//! Which orders meet a challenge.

use alp_pool::decimal::format_units;
use alp_pool::money::Amount;
use alp_pool::price::Price;
use alp_pool::proof::{
    CLOCKS_APART_MS, Demand, DemandError, LEAST_DEVIATION_E8, MAX_DECIMALS, ProofClaim, ShownBy, ShownOrder,
};
use proptest::prelude::*;

const ISSUED_MS: u64 = 1_760_000_000_000;

/// An order far from the price, first seen the moment after.
fn order(amount: &str, price: &str) -> ShownOrder {
    ShownOrder {
        price: Price::parse(price).unwrap(),
        amount: Amount::parse(amount).unwrap(),
        deviation_e8: LEAST_DEVIATION_E8,
        first_seen_ms: ISSUED_MS + 1,
        opened_ms: None,
    }
}

fn by_amount(decimals: u32, digits: &str) -> Demand {
    Demand::read(ShownBy::Amount, decimals, digits).unwrap()
}

fn is_met(demand: &Demand, order: &ShownOrder) -> bool {
    demand.is_met_by(order, ISSUED_MS)
}

#[test]
fn an_order_meets_the_digits_at_its_decimals_whatever_stands_before_and_however_it_is_written() {
    let demand = by_amount(4, "030201");
    for amount in ["3.0201", "103.0201", "703.02010", "703.020100000"] {
        assert!(is_met(&demand, &order(amount, "1")), "{amount}");
    }
    for amount in ["3.020", "3.02011", "30.201", "13.0201", "3.0202", "0.30201"] {
        assert!(!is_met(&demand, &order(amount, "1")), "{amount}");
    }
    let demand = Demand::read(ShownBy::Price, 8, "00000009").unwrap();
    assert!(is_met(&demand, &order("5", "7.00000009")));
    assert!(!is_met(&demand, &order("7.00000009", "5")), "the price was named, not the amount");
    assert_eq!(
        (demand.smallest().as_str(), by_amount(4, "030201").smallest().as_str()),
        ("0.00000009", "3.0201")
    );
}

#[test]
fn an_order_near_the_price_or_from_before_the_challenge_does_not_count() {
    let demand = by_amount(8, "12345678");
    let good = order("5.12345678", "1");
    assert!(is_met(&demand, &good));
    assert!(!is_met(&demand, &ShownOrder { deviation_e8: LEAST_DEVIATION_E8 - 1, ..good }));
    assert!(!is_met(&demand, &ShownOrder { first_seen_ms: ISSUED_MS - 1, ..good }));
    let opened = |ms| ShownOrder { opened_ms: Some(ms), ..good };
    assert!(is_met(&demand, &opened(ISSUED_MS + 5)));
    assert!(is_met(&demand, &opened(ISSUED_MS - CLOCKS_APART_MS)), "the exchange's clock may be behind");
    assert!(!is_met(&demand, &opened(ISSUED_MS - CLOCKS_APART_MS - 1)));
}

#[test]
fn what_is_no_demand_is_not_read_as_one() {
    for (decimals, digits) in
        [(8, "1234567"), (8, "12345670"), (4, "12345"), (4, "+12345"), (4, ""), (6, "12345x")]
    {
        assert_eq!(Demand::read(ShownBy::Amount, decimals, digits), Err(DemandError::Digits), "{digits}");
    }
    assert_eq!(Demand::new(ShownBy::Price, MAX_DECIMALS + 1, &[7; 32]), Err(DemandError::Decimals(19)));
}

#[test]
fn a_claim_of_another_pool_key_address_or_salt_is_another_message() {
    let claim = ProofClaim {
        pool: "pool",
        exchange: "x",
        unit: "btc",
        api_key: "key",
        address: "B1",
        by: ShownBy::Amount,
        decimals: 8,
        salt: "",
    };
    let others = [
        ProofClaim { pool: "poo", ..claim },
        ProofClaim { exchange: "xb", unit: "tc", ..claim },
        ProofClaim { api_key: "keyB", address: "1", ..claim },
        ProofClaim { address: "B2", ..claim },
        ProofClaim { by: ShownBy::Price, ..claim },
        ProofClaim { decimals: 7, ..claim },
        ProofClaim { salt: "00", ..claim },
    ];
    for other in others {
        assert_ne!(other.message(), claim.message());
    }
}

proptest! {
    #[test]
    fn whatever_the_digest_there_is_an_order_that_meets_the_demand_and_it_is_kept_as_it_is(
        digest in any::<[u8; 32]>(), decimals in 0..=MAX_DECIMALS, more in 0_u64..1_000, amount in any::<bool>()
    ) {
        let by = if amount { ShownBy::Amount } else { ShownBy::Price };
        let demand = Demand::new(by, decimals, &digest).unwrap();
        prop_assert_eq!(Demand::read(by, decimals, &demand.digits()), Ok(demand));
        prop_assert!((900_000..=90_000_000).contains(&demand.space()));
        let step = 10_u128.pow(u32::try_from(demand.digits().len()).unwrap());
        let number = u128::from(more) * step + demand.digits().parse::<u128>().unwrap();
        let text = format_units(number, decimals);
        let shown = if amount { order(&text, "1") } else { order("1", &text) };
        prop_assert!(is_met(&demand, &shown), "{} ends in {} at {} decimals", text, demand.digits(), decimals);
    }

    #[test]
    fn an_order_that_was_not_made_for_it_meets_one_demand_of_its_space_at_most(
        digest in any::<[u8; 32]>(), decimals in 0..=12_u32, number in 1_u64..1_000_000_000_000_000
    ) {
        let text = format_units(u128::from(number), decimals);
        let demand = Demand::new(ShownBy::Amount, decimals, &digest).unwrap();
        let step = 10_u64.pow(u32::try_from(demand.digits().len()).unwrap());
        let only = number % step == demand.digits().parse::<u64>().unwrap();
        prop_assert_eq!(is_met(&demand, &order(&text, "1")), only);
    }

    #[test]
    fn round_numbers_never_meet_a_demand(digest in any::<[u8; 32]>(), decimals in 0..=8_u32, tens in 1_u64..1_000_000) {
        let text = format_units(u128::from(tens) * 10, decimals);
        let demand = Demand::new(ShownBy::Amount, decimals, &digest).unwrap();
        prop_assert!(!is_met(&demand, &order(&text, "1")), "{}", text);
    }
}
