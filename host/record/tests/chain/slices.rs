//! A market that is cut into slices, held against the round before, and shared by an engine of each side.

use std::collections::BTreeMap;

use alp_pool::engines::SideEngine;
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_cost::FixedCostRule;
use alp_pool::engines::uniform_auction::UniformAuctionRule;
use alp_pool::engines::unpaid::Unpaid;
use alp_pool::evidence::{Looks, Rule};
use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::rate::Rate;
use alp_pool::round::RoundLength;
use alp_pool::terms::Side;
use alp_record::chain::{
    Body, Digest, EpochStart, LpSamples, Opening, RoundBody, RoundInputs, StoredOrders, Verifier, round_body,
};
use alp_record::judged::{Carried, CreditDetail, OrderRecord, PriceRecord, to_json};
use alp_record::{CommonRules, Computed, MarketTerms, SideRule, id_of, read_market, write_market};

use crate::books::{ROUND, key, opening, prices, pseudonym, signed};

/// Six slices, each end of which an order has to be seen at; a coin a minute for asks, carried over while nobody is there.
fn market() -> MarketTerms {
    let tolerance = Ratio::parse("0.01").unwrap();
    let engine = || SideEngine::FixedCost(FixedCostRule::new(Coins::parse("1440").unwrap()).unwrap());
    let side = || SideRule { engine: engine(), tolerance };
    let common = CommonRules {
        counting: Counting::default().with_min_order(Amount::parse("1").unwrap()).unwrap(),
        unpaid: Unpaid::carry_over(Coins::parse("5").unwrap()).unwrap(),
        looks: Looks::new(6, Rule::Interval, true).unwrap(),
    };
    MarketTerms::per_side(side(), side(), common).unwrap()
}

/// An auction on both sides.
fn auction() -> MarketTerms {
    let rule = UniformAuctionRule::new(Rate::parse("0.1").unwrap(), Amount::parse("100").unwrap()).unwrap();
    let tolerance = Ratio::parse("0.01").unwrap();
    let side = || SideRule { engine: SideEngine::UniformAuction(rule.clone()), tolerance };
    MarketTerms::per_side(side(), side(), CommonRules::plain()).unwrap()
}

/// An ask of an LP at a second of its round, in a slice.
struct Shown {
    lp: u8,
    second: u64,
    id: &'static str,
    amount: &'static str,
    rate: Option<&'static str>,
}

fn shown(lp: u8, second: u64, id: &'static str, amount: &'static str) -> Shown {
    Shown { lp, second, id, amount, rate: None }
}

fn orders(market: &MarketTerms, shown: &Shown) -> String {
    let price = PoolPrice::direct(Price::parse("1").unwrap());
    let order = ReportedOrder { id: shown.id, side: Side::Ask, price: "1", amount: shown.amount };
    let judged = judge_orders([order], market.judged_by(), price).unwrap();
    to_json(&judged.iter().map(|order| OrderRecord::new(order, None)).collect::<Vec<_>>())
}

/// A round that starts at `start`, of what was shown in it and at the end of the one before.
fn round(
    market: &MarketTerms,
    start: u64,
    before: &[Shown],
    now: &[Shown],
    carried: Vec<Carried>,
) -> (RoundBody, Computed) {
    let document = write_market("NBT", "USD", false, market);
    let id = id_of(&document);
    let documents = BTreeMap::from([(id.clone(), document)]);
    let price = to_json(&PriceRecord::new(PoolPrice::direct(Price::parse("1").unwrap())));
    let openings: Vec<Opening> = (1..=2).map(opening).collect();
    let texts = |list: &[Shown]| list.iter().map(|shown| orders(market, shown)).collect::<Vec<_>>();
    let (texts_before, texts_now) = (texts(before), texts(now));
    let samples = |lp, list: &'_ [Shown], round: u64, texts: &'_ [String]| {
        let ours = list.iter().zip(texts).filter(move |(shown, _)| shown.lp == lp);
        ours.map(|(shown, orders)| StoredOrders {
            exchange: "binance",
            unit: "usd",
            slice: u32::try_from(shown.second).unwrap() * market.looks().slices() / 60,
            at_ms: (round + shown.second) * 1000,
            ask_rate: shown.rate,
            bid_rate: None,
            terms_id: "",
            adapter: "aa",
            reply: "bb",
            maybe_truncated: false,
            price: "",
            orders: Box::leak(orders.clone().into_boxed_str()),
        })
        .collect::<Vec<StoredOrders<'static>>>()
    };
    let with_rules = |list: Vec<StoredOrders<'static>>| -> Vec<StoredOrders<'_>> {
        list.into_iter().map(|stored| StoredOrders { terms_id: &id, price: &price, ..stored }).collect()
    };
    let lps = (1_u8..=2).zip(&openings).map(|(lp, opening)| LpSamples {
        lp_id: i64::from(lp),
        pseudonym: pseudonym(lp),
        opening,
        samples: with_rules(samples(lp, now, start, &texts_now)),
        before: with_rules(samples(lp, before, start - 60, &texts_before)),
    });
    let lps = lps.filter(|lp| !lp.samples.is_empty()).collect();
    let inputs =
        RoundInputs { start, length: RoundLength::MINUTE, terms: &documents, prices: prices(), carried, lps };
    round_body(&inputs).unwrap()
}

fn credit(computed: &Computed, lp: i64) -> i64 {
    computed.credits.iter().filter(|credit| credit.lp_id == lp).map(|credit| credit.amount_e8).sum()
}

/// LP 1 shows one order all the time, LP 2 another one in each slice.
fn steady_and_flashing(last_only: bool) -> Vec<Shown> {
    let flashes = ["f0", "f1", "f2", "f3", "f4", "f5"];
    let slices = if last_only { 5..6 } else { 0..6 };
    let both = slices.flat_map(|slice| {
        let second = slice as u64 * 10 + 5;
        [shown(1, second, "steady", "100"), shown(2, second, flashes[slice], "100")]
    });
    both.collect()
}

/// Two rounds of this market beside each other.
fn two_rounds() -> (RoundBody, RoundBody) {
    let (first, _) = round(&market(), ROUND, &[], &steady_and_flashing(false), Vec::new());
    let carried = first.statistics.carried.clone();
    let before = steady_and_flashing(true);
    let (second, _) = round(&market(), ROUND + 60, &before, &steady_and_flashing(false), carried);
    (first, second)
}

fn findings(bodies: Vec<RoundBody>) -> Vec<String> {
    let mut all = vec![Body::Epoch(EpochStart {
        reason: "the pool begins".to_owned(),
        last_published: Digest::NOTHING,
        last_round: 0,
    })];
    all.extend(bodies.into_iter().map(|body| Body::Round(Box::new(body))));
    let mut verifier = Verifier::new(Some(key().public()));
    for entry in signed(&key(), all) {
        verifier.push(&entry.text());
    }
    verifier.finish().findings.into_iter().map(|finding| finding.to_string()).collect()
}

#[test]
fn every_rule_of_a_market_reads_back_from_its_document() {
    for market in [market(), auction()] {
        let document = write_market("NBT", "USD", true, &market);
        assert!(
            document.starts_with(r#"{"version":2,"base":"NBT","quote":"USD","reverse":true,"#),
            "{document}"
        );
        assert_eq!(read_market(&document).unwrap(), market);
        assert_eq!(write_market("NBT", "USD", true, &read_market(&document).unwrap()), document);
        let newer = document.replace("\"version\":2", "\"version\":3");
        assert!(read_market(&newer).unwrap_err().to_string().contains("version 3"));
    }
}

#[test]
fn an_order_that_is_new_in_every_slice_earns_nothing_beside_one_that_stays() {
    let (_, first) = round(&market(), ROUND, &[], &steady_and_flashing(false), Vec::new());
    assert_eq!((credit(&first, 1), credit(&first, 2)), (100_000_000, 0));
    let detail = &first.credits[0].detail;
    assert_eq!(*detail, CreditDetail { orders: vec!["1".into()], earlier: vec![] });
    // Seen at both ends of five of six slices, and of all six once the round before is known.
    assert_eq!(first.credits[0].provided, "83.333333333333333333");
    let (_, second) =
        round(&market(), ROUND + 60, &steady_and_flashing(true), &steady_and_flashing(false), Vec::new());
    assert_eq!(second.credits[0].provided, "100");
}

#[test]
fn what_an_order_earned_that_is_gone_at_the_end_is_told_apart() {
    let gone = [shown(1, 5, "a", "100"), shown(1, 15, "a", "100"), shown(1, 55, "b", "100")];
    let (body, computed) = round(&market(), ROUND, &[], &gone, Vec::new());
    let detail = &computed.credits[0].detail;
    assert_eq!(*detail, CreditDetail { orders: vec!["0".into()], earlier: vec!["1".into()] });
    assert_eq!(body.lps[0].credits[0].earlier, ["1"]);
}

#[test]
fn what_found_nobody_is_carried_to_the_next_round_and_paid_there() {
    let (first, _) = two_rounds();
    let carried =
        Carried { exchange: "binance".into(), unit: "usd".into(), ask: "0".into(), bid: "1".into() };
    assert_eq!(first.statistics.carried, [carried]);
    // The asks of the first round find nobody, since nothing is seen twice.
    let once = [shown(1, 5, "a", "100")];
    let (alone, computed) = round(&market(), ROUND, &[], &once, Vec::new());
    assert_eq!(credit(&computed, 1), 0);
    let twice = [shown(1, 5, "a", "100"), shown(1, 15, "a", "100")];
    let (_, computed) = round(&market(), ROUND + 60, &[], &twice, alone.statistics.carried);
    assert_eq!(credit(&computed, 1), 200_000_000);
}

#[test]
fn an_auction_pays_nobody_below_the_rate_that_the_lp_asks() {
    let asking = |rate| [shown(1, 5, "a", "60"), Shown { rate, ..shown(2, 5, "b", "60") }];
    let (body, computed) = round(&auction(), ROUND, &[], &asking(Some("0.05")), Vec::new());
    // 60 wholly and 40 of 60 in part, all at 0.05 a day.
    assert_eq!((credit(&computed, 1), credit(&computed, 2)), (208_333, 138_889));
    assert_eq!(body.lps[1].samples[0].ask_rate.as_deref(), Some("0.05"));
    let (_, computed) = round(&auction(), ROUND, &[], &asking(Some("0.2")), Vec::new());
    assert_eq!((credit(&computed, 1), credit(&computed, 2)), (416_666, 0));
    assert_eq!(findings(vec![body]), [] as [String; 0]);
}

#[test]
fn a_record_with_slices_is_found_right() {
    let (first, second) = two_rounds();
    assert_eq!(findings(vec![first, second.clone()]), [] as [String; 0]);
    assert_eq!(findings(vec![second]), [] as [String; 0], "one round is verified by itself");
}

#[test]
fn a_slice_that_is_not_that_of_its_time_is_found() {
    let (mut first, _) = two_rounds();
    first.lps[0].samples[2].slice = 4;
    let found = findings(vec![first]);
    assert!(found[0].contains("stands for slice 4, not for 2"), "{found:?}");
}

#[test]
fn a_round_that_leaves_out_or_makes_up_what_was_before_it_is_found() {
    let (first, second) = two_rounds();
    let mut without = second.clone();
    without.lps[0].before.clear();
    let found = findings(vec![first.clone(), without]);
    assert!(found.iter().any(|what| what.contains("leaves out that")), "{found:?}");
    let mut other = second.clone();
    other.lps[0].before[0].at_ms += 1;
    let found = findings(vec![first.clone(), other]);
    assert!(found.iter().any(|what| what.contains("that is not in the round before")), "{found:?}");
    let mut richer = second;
    richer.carried[0].bid = "4".to_owned();
    let found = findings(vec![first, richer]);
    assert!(found.iter().any(|what| what.contains("does not begin with what the round")), "{found:?}");
}
