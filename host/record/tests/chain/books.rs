//! A small pool's record: three rounds of three LPs on two markets.

use std::collections::BTreeMap;

use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::round::RoundLength;
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};
use alp_record::chain::{
    Body, Digest, Entry, EpochStart, Header, LpSamples, Opening, PoolKey, PriceQuotes, Quote, Receipt,
    RoundBody, RoundInputs, SampleEntry, SignedReceipt, StoredOrders, round_body,
};
use alp_record::judged::{OrderRecord, PriceRecord, to_json};
use alp_record::{Computed, id_of, write_terms};

pub(crate) const POOL: &str = "c0ffee";
pub(crate) const ROUND: u64 = 1_760_000_040;

pub(crate) fn key() -> PoolKey {
    PoolKey::from_seed(&[42; 32]).unwrap()
}

pub(crate) fn opening(lp: u8) -> Opening {
    Opening::new([lp; 16])
}

pub(crate) fn pseudonym(lp: u8) -> Digest {
    opening(lp).pseudonym(POOL, &format!("key-{lp}"))
}

pub(crate) fn terms() -> Terms {
    let side = || {
        let rank = |number, ratio: &str, tolerance: &str| RankTerms {
            number: RankNumber(number),
            ratio: Ratio::parse(ratio).unwrap(),
            tolerance: Ratio::parse(tolerance).unwrap(),
        };
        SideTerms::new(Ratio::parse("0.5").unwrap(), vec![rank(1, "0.8", "0.01"), rank(2, "0.2", "0.1")])
            .unwrap()
    };
    let (reward, target) = (Coins::parse("0.025").unwrap(), Amount::parse("1000").unwrap());
    Terms::new(reward, target, Fill::PerRank, side(), side()).unwrap()
}

pub(crate) fn prices() -> Vec<PriceQuotes> {
    let quote = |source: &str, price: &str| Quote { source: source.to_owned(), price: price.to_owned() };
    vec![
        PriceQuotes {
            unit: "btc".to_owned(),
            price: "0.004".to_owned(),
            at_ms: 1,
            quotes: vec![quote("a", "0.0039"), quote("b", "0.004"), quote("c", "0.9")],
        },
        PriceQuotes { unit: "usd".to_owned(), price: "1".to_owned(), at_ms: 0, quotes: Vec::new() },
    ]
}

/// The orders of an LP as they were judged, their ids those of the exchange.
pub(crate) fn orders(lp: u8, price: &str) -> Vec<OrderRecord> {
    let ids = [format!("{lp}-1"), format!("{lp}-2"), format!("{lp}-3")];
    let near = if price == "1" { ["1.001", "0.95", "0.5"] } else { ["0.00401", "0.0038", "0.002"] };
    let amount = format!("{}", u32::from(lp) * 100 + 7);
    let reported = [
        ReportedOrder { id: &ids[0], side: Side::Ask, price: near[0], amount: &amount },
        ReportedOrder { id: &ids[1], side: Side::Bid, price: near[1], amount: "33.3" },
        ReportedOrder { id: &ids[2], side: Side::Bid, price: near[2], amount: "1" },
    ];
    let pool = PoolPrice::direct(Price::parse(price).unwrap());
    let judged = judge_orders(reported, &terms(), pool).unwrap();
    judged.iter().map(|order| OrderRecord::new(order, None)).collect()
}

/// The round that starts at `start`, of the LPs 1, 2 and 3 on two markets each.
pub(crate) fn round(start: u64) -> (RoundBody, Computed) {
    let document = write_terms("NBT", "BTC", false, &terms());
    let id = id_of(&document);
    let documents = BTreeMap::from([(id.clone(), document)]);
    let openings: Vec<Opening> = (1..=3).map(opening).collect();
    let shown: Vec<[(&str, String, String); 2]> = (1..=3)
        .map(|lp| {
            ["0.004", "1"].map(|price| {
                let unit = if price == "1" { "usd" } else { "btc" };
                let pool = PoolPrice::direct(Price::parse(price).unwrap());
                (unit, to_json(&orders(lp, price)), to_json(&PriceRecord::new(pool)))
            })
        })
        .collect();
    let lps = (1_u8..=3).zip(&openings).zip(&shown).map(|((lp, opening), shown)| LpSamples {
        lp_id: i64::from(lp) * 10,
        pseudonym: pseudonym(lp),
        opening,
        samples: shown
            .iter()
            .map(|(unit, orders, price)| StoredOrders {
                exchange: "binance",
                unit,
                slice: 0,
                at_ms: start * 1000 + 5_000,
                ask_rate: None,
                bid_rate: None,
                terms_id: &id,
                adapter: "aa",
                reply: "bb",
                maybe_truncated: false,
                price,
                orders,
            })
            .collect(),
        before: Vec::new(),
    });
    let inputs = RoundInputs {
        start,
        length: RoundLength::MINUTE,
        terms: &documents,
        prices: prices(),
        carried: Vec::new(),
        lps: lps.collect(),
    };
    round_body(&inputs).unwrap()
}

/// The chain: its beginning and three rounds.
pub(crate) fn chain() -> Vec<Entry> {
    let mut bodies = vec![Body::Epoch(EpochStart {
        reason: "the pool begins".to_owned(),
        last_published: Digest::NOTHING,
        last_round: 0,
    })];
    bodies.extend((0..3).map(|number| Body::Round(Box::new(round(ROUND + 60 * number).0))));
    signed(&key(), bodies)
}

/// Signs bodies as a chain.
pub(crate) fn signed(key: &PoolKey, bodies: Vec<Body>) -> Vec<Entry> {
    let mut last: Option<Header> = None;
    let mut entries = Vec::new();
    for (number, body) in (0_u64..).zip(bodies) {
        let entry = Entry::sign(key, POOL, 1, last.as_ref(), 1_760_000_000_000 + number, body);
        last = Some(entry.header.clone());
        entries.push(entry);
    }
    entries
}

/// The receipt for what LP 1 showed on btc in the first round.
pub(crate) fn receipt(entries: &[Entry]) -> SignedReceipt {
    let sample = sample(&entries[1]);
    Receipt {
        pool: POOL.to_owned(),
        lp: pseudonym(1),
        exchange: sample.exchange.clone(),
        unit: sample.unit.clone(),
        round: ROUND,
        at_ms: sample.at_ms,
        submission: Digest::of(&[b"the message"]),
        orders: Receipt::orders_digest(&sample.orders),
        epoch: 1,
        number: 0,
        head: entries[0].header.digest(),
    }
    .sign(&key())
}

fn sample(entry: &Entry) -> &SampleEntry {
    match &entry.body {
        Body::Round(round) => &round.lps[0].samples[0],
        _ => panic!("not a round"),
    }
}
