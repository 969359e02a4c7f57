//! What LPs showed, and the rounds that a pool makes of it under whichever rules: the same rules that judge, cut into
//! slices, note ages and carry over, written down once more.

use std::collections::BTreeMap;

use alp_pool::engines::SideEngine;
use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_cost::FixedCostRule;
use alp_pool::engines::fixed_pot::Targets;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::engines::spread_weighted::SpreadWeightedRule;
use alp_pool::engines::uniform_auction::UniformAuctionRule;
use alp_pool::engines::unpaid::Unpaid;
use alp_pool::evidence::{Looks, Rule, Span};
use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::rate::Rate;
use alp_pool::round::RoundLength;
use alp_pool::terms::Side;
use alp_record::chain::{LpSamples, Opening, PriceQuotes, RoundBody, RoundInputs, StoredOrders, round_body};
use alp_record::judged::{Carried, OrderRecord, PriceRecord, to_json};
use alp_record::{CommonRules, MarketTerms, SideRule, carry_on, id_of, write_market};
use proptest::prelude::*;

use crate::books::{ROUND, opening, pseudonym, terms};

/// Most LPs of a random book.
const LPS: u8 = 4;

/// An order as it is shown: its id, whether it is an ask, its distance from 1 in 1e-4, its amount.
pub(crate) type ShownOrder = (u8, bool, u8, u32);

/// What an LP showed at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) lp: u8,
    /// The second of its round.
    pub(crate) second: u64,
    pub(crate) rate: Option<u8>,
    pub(crate) orders: Vec<ShownOrder>,
}

/// A round: how many rounds after the one before, whether the price moved, and what was shown.
#[derive(Debug, Clone)]
pub(crate) struct ShownRound {
    pub(crate) after: u64,
    pub(crate) moved: bool,
    pub(crate) shown: Vec<Shown>,
}

pub(crate) fn rounds() -> impl Strategy<Value = Vec<ShownRound>> {
    let order = (0_u8..4, any::<bool>(), 0_u8..250, prop_oneof![1_u32..2_000, Just(500)]);
    let shown =
        (1..=LPS, 0_u64..60, prop::option::weighted(0.3, 0_u8..20), prop::collection::vec(order, 0..5))
            .prop_map(|(lp, second, rate, mut orders)| {
                orders.sort_by_key(|order| order.0);
                orders.dedup_by_key(|order| order.0);
                Shown { lp, second, rate, orders }
            });
    let round =
        (prop_oneof![4 => Just(1_u64), 1 => Just(2)], any::<bool>(), prop::collection::vec(shown, 1..14))
            .prop_map(|(after, moved, shown)| ShownRound { after, moved, shown });
    prop::collection::vec(round, 1..5)
}

/// Two rounds in which two LPs show the same ask in the first and in the last slice.
pub(crate) fn steady() -> Vec<ShownRound> {
    let shown = |lp, second| Shown { lp, second, rate: None, orders: vec![(1, true, 0, 400)] };
    let round = || ShownRound {
        after: 1,
        moved: false,
        shown: vec![shown(1, 5), shown(1, 55), shown(2, 5), shown(2, 55)],
    };
    vec![round(), round()]
}

/// Rules of every kind.
pub(crate) fn every_kind() -> Vec<MarketTerms> {
    let amount = |text: &str| Amount::parse(text).unwrap();
    let rate = |text| Rate::parse(text).unwrap();
    let coins = |text| Coins::parse(text).unwrap();
    let side = |engine| SideRule { engine, tolerance: Ratio::parse("0.012").unwrap() };
    let both = |engine: SideEngine, common| {
        MarketTerms::per_side(side(engine.clone()), side(engine), common).unwrap()
    };
    let looks = |slices, rule, by_time| Looks::new(slices, rule, by_time).unwrap();
    let plain = CommonRules::plain;
    let choosy = Counting::default().with_min_order(amount("20")).unwrap().with_max_orders(2).unwrap();
    let carries = Unpaid::carry_over(coins("3")).unwrap();
    let pot = |target: &str| {
        let of = terms();
        let sides = (of.side(Side::Ask).clone(), of.side(Side::Bid).clone());
        let terms =
            alp_pool::terms::Terms::new(of.reward_per_minute(), amount(target), of.fill(), sides.0, sides.1);
        terms.unwrap()
    };
    let uniform = SideEngine::UniformAuction(UniformAuctionRule::new(rate("0.1"), amount("700")).unwrap());
    let fixed_cost = SideEngine::FixedCost(FixedCostRule::new(coins("14.4")).unwrap());
    let sigmoid = SideEngine::Sigmoid(SigmoidRule::new(rate("0.05"), amount("900"), amount("100")).unwrap());
    let tolerance = Ratio::parse("0.012").unwrap();
    let spread = SpreadWeightedRule::new(coins("14.4"), tolerance, 2).unwrap();
    let tllp = TllpRule::new(Highest::Rate(rate("0.08")), amount("600")).unwrap();
    let matures = Counting::default().with_maturing(300).unwrap();
    vec![
        MarketTerms::plain(pot("1000")).unwrap(),
        MarketTerms::plain(pot("2000")).unwrap(),
        MarketTerms::fixed_pot(
            pot("1000"),
            Targets::OfMarket,
            CommonRules { counting: choosy, unpaid: carries, ..plain() },
        )
        .unwrap(),
        both(uniform.clone(), plain()),
        both(fixed_cost, CommonRules { unpaid: carries, looks: looks(6, Rule::Interval, true), ..plain() }),
        both(sigmoid, CommonRules { looks: looks(3, Rule::Last, false), ..plain() }),
        both(
            SideEngine::SpreadWeighted(spread),
            CommonRules { counting: matures, looks: looks(6, Rule::Last, false), ..plain() },
        ),
        both(
            SideEngine::AuctionTllp(tllp),
            CommonRules { looks: looks(2, Rule::Interval, false), ..plain() },
        ),
    ]
}

/// What is left of each round under these rules: of each slice what each LP showed last in it.
pub(crate) fn kept(market: &MarketTerms, rounds: &[ShownRound]) -> Vec<ShownRound> {
    let of_round = |round: &ShownRound| {
        let mut last: BTreeMap<(u8, u64), Shown> = BTreeMap::new();
        for shown in &round.shown {
            let key = (shown.lp, slice_of(market, shown.second));
            if last.get(&key).is_none_or(|known| known.second <= shown.second) {
                last.insert(key, shown.clone());
            }
        }
        ShownRound { shown: last.into_values().collect(), ..round.clone() }
    };
    rounds.iter().map(of_round).collect()
}

/// The bodies that a pool with these rules records.
pub(crate) fn recorded(market: &MarketTerms, rounds: &[ShownRound]) -> Vec<RoundBody> {
    let mut bodies = Vec::new();
    let mut start = ROUND;
    let mut carried: Vec<Carried> = Vec::new();
    let mut before: BTreeMap<u8, Vec<Judged>> = BTreeMap::new();
    for round in &kept(market, rounds) {
        start += 60 * round.after;
        if round.after > 1 {
            before.clear();
        }
        let now = judged(market, start, round, &before);
        let body = body(market, (start, round.moved), &now, &before, carried);
        carried = body.statistics.carried.clone();
        before = now;
        bodies.push(body);
    }
    bodies
}

/// A sample as it is stored.
#[derive(Clone)]
struct Judged {
    slice: u64,
    at_ms: u64,
    rate: Option<String>,
    price: String,
    orders: Vec<OrderRecord>,
    json: String,
}

fn slice_of(market: &MarketTerms, second: u64) -> u64 {
    u64::from(market.looks().slice_of(Span { start_ms: 0, end_ms: 60_000 }, second * 1000))
}

fn price(moved: bool) -> PoolPrice {
    PoolPrice::direct(Price::parse(if moved { "1.005" } else { "1" }).unwrap())
}

fn judged(
    market: &MarketTerms,
    start: u64,
    round: &ShownRound,
    before: &BTreeMap<u8, Vec<Judged>>,
) -> BTreeMap<u8, Vec<Judged>> {
    let mut all: BTreeMap<u8, Vec<Judged>> = BTreeMap::new();
    for shown in &round.shown {
        let texts: Vec<[String; 3]> = shown
            .orders
            .iter()
            .map(|(id, ask, distance, amount)| {
                let price = if *ask { 10_000 + u32::from(*distance) } else { 10_000 - u32::from(*distance) };
                [format!("{}-{id}", shown.lp), format!("{price}e-4"), format!("{amount}")]
            })
            .collect();
        let reported = texts.iter().zip(&shown.orders).map(|([id, price, amount], (_, ask, ..))| {
            let side = if *ask { Side::Ask } else { Side::Bid };
            ReportedOrder { id, side, price, amount }
        });
        let judged = judge_orders(reported, market.judged_by(), price(round.moved)).unwrap();
        let at_ms = (start + shown.second) * 1000;
        let opened = |place: usize| (place == 1).then_some(at_ms - 7_000);
        let mut orders: Vec<OrderRecord> =
            judged.iter().enumerate().map(|(place, order)| OrderRecord::new(order, opened(place))).collect();
        if market.needs_first_sightings() {
            let newest = all.get(&shown.lp).or(before.get(&shown.lp)).and_then(|list| list.last());
            let known = newest.map_or((&[][..], at_ms), |newest| (&newest.orders[..], newest.at_ms));
            carry_on(known.0, known.1, at_ms, &mut orders);
        }
        let rate = shown.rate.map(|cents| format!("{cents}e-2"));
        let (json, slice) = (to_json(&orders), slice_of(market, shown.second));
        let price = to_json(&PriceRecord::new(price(round.moved)));
        all.entry(shown.lp).or_default().push(Judged { slice, at_ms, rate, price, orders, json });
    }
    all
}

fn body(
    market: &MarketTerms,
    (start, moved): (u64, bool),
    now: &BTreeMap<u8, Vec<Judged>>,
    before: &BTreeMap<u8, Vec<Judged>>,
    carried: Vec<Carried>,
) -> RoundBody {
    let document = write_market("NBT", "USD", false, market);
    let id = id_of(&document);
    let documents = BTreeMap::from([(id.clone(), document)]);
    let openings: BTreeMap<u8, Opening> = now.keys().map(|lp| (*lp, opening(*lp))).collect();
    let last_slice = u64::from(market.looks().slices()) - 1;
    let needed = |lp: u8| {
        let newest = before.get(&lp).and_then(|list| list.last());
        newest.filter(|newest| market.needs_the_round_before() && newest.slice == last_slice)
    };
    let lps = now.iter().map(|(lp, samples)| LpSamples {
        lp_id: i64::from(*lp),
        pseudonym: pseudonym(*lp),
        opening: &openings[lp],
        samples: samples.iter().map(|judged| stored(judged, &id)).collect(),
        before: needed(*lp).into_iter().map(|judged| stored(judged, &id)).collect(),
    });
    let quotes = PriceQuotes {
        unit: "usd".to_owned(),
        price: price(moved).rounded().unwrap().to_string(),
        at_ms: 0,
        quotes: Vec::new(),
    };
    let inputs = RoundInputs {
        start,
        length: RoundLength::MINUTE,
        terms: &documents,
        prices: vec![quotes],
        carried,
        lps: lps.collect(),
    };
    round_body(&inputs).unwrap().0
}

fn stored<'a>(judged: &'a Judged, terms_id: &'a str) -> StoredOrders<'a> {
    StoredOrders {
        exchange: "binance",
        unit: "usd",
        slice: u32::try_from(judged.slice).unwrap(),
        at_ms: judged.at_ms,
        ask_rate: judged.rate.as_deref(),
        bid_rate: None,
        terms_id,
        adapter: "aa",
        reply: "bb",
        maybe_truncated: false,
        price: &judged.price,
        orders: &judged.json,
    }
}
