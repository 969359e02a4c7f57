//! A round that credits each LP exactly what a test wants, run and published as a pool runs its rounds.

use alp_pool::judge::{ReportedOrder, judge_orders};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};
use alp_record::judged::{OrderRecord, PriceRecord, to_json};
use alp_record::{id_of, write_terms};
use alp_server::payouts::FailAt;
use alp_server::record::SharedPublisher;
use alp_server::rounds::{RoundOutcome, run_round};
use alp_store::{Lease, RegisterOutcome, Sample, Store};

/// All of the reward goes to offers to sell, by their amounts; as much is offered as the target wants.
fn terms(per_minute: Coins, target: Coins) -> Terms {
    let ratio = |text| Ratio::parse(text).unwrap();
    let rank = || RankTerms { number: RankNumber(1), ratio: ratio("1"), tolerance: ratio("0.1") };
    let side = |share| SideTerms::new(ratio(share), vec![rank()]).unwrap();
    let target = Amount::parse(&target.to_string()).unwrap();
    Terms::new(per_minute, target, Fill::PerRank, side("1"), side("0")).unwrap()
}

/// Registers LPs by key and address, and takes samples by which each is credited so much, in 1e-8, for a round of so many
/// seconds, of which a minute has a whole number.
pub(crate) async fn take_samples(store: &Store, round_seconds: i64, lps: &[(&str, &str, i64)]) {
    let coins = |e8: i64| Coins::from_e8(u64::try_from(e8).unwrap()).unwrap();
    let reward_e8: i64 = lps.iter().map(|(_, _, amount_e8)| amount_e8).sum();
    let terms = terms(coins(reward_e8 * 60 / round_seconds), coins(reward_e8));
    let document = write_terms("NBT", "BTC", false, &terms);
    store.record_terms(&document).await.unwrap();
    let price = PoolPrice::direct(Price::parse("1").unwrap());
    for (key, address, amount_e8) in lps {
        let registered = store.register("exchange", key, address, "btc").await.unwrap();
        let RegisterOutcome::Registered { lp_id } = registered else { panic!("{registered:?}") };
        let amount = coins(*amount_e8).to_string();
        let reported = [ReportedOrder { id: key, side: Side::Ask, price: "1", amount: &amount }];
        let judged = judge_orders(reported, &terms, price).unwrap();
        let orders: Vec<OrderRecord> = judged.iter().map(|order| OrderRecord::new(order, None)).collect();
        let sample = Sample {
            lp_id,
            unit: "btc".to_owned(),
            price: to_json(&PriceRecord::new(price)),
            terms_id: id_of(&document),
            adapter_sha256: "a".repeat(64),
            reply_sha256: "b".repeat(64),
            slices: 1,
            ask_rate: None,
            bid_rate: None,
            maybe_truncated: false,
            orders: to_json(&orders),
            order_count: 1,
        };
        store.submit(sample).await.unwrap();
    }
}

/// Runs the round, once it has ended.
pub(crate) async fn run(
    store: &Store,
    publisher: &SharedPublisher,
    lease: &Lease,
    start: u64,
    lps: &[(&str, &str, i64)],
) {
    let outcome = run_round(store, publisher, lease, start, &FailAt::default()).await.unwrap();
    let paid: i64 = lps.iter().map(|(_, _, amount_e8)| amount_e8).sum();
    let RoundOutcome::Credited { credits, paid: credited } = outcome else { panic!("{outcome:?}") };
    assert_eq!((credits, credited.e8()), (lps.len(), u64::try_from(paid).unwrap()));
}
