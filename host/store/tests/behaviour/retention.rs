//! Forgetting: rows go, and nothing that can still be asked for changes by a unit.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_store::{
    Appended, CarriedCredits, EntryOf, Forgot, NewEntry, NewPayout, PayoutDebit, PayoutOutput, RecordHead, StoreError,
};
use proptest::prelude::*;
use sqlx::Row;

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore, entry, lead};

const USERS: [&str; 4] = ["alice", "bob", "carol", "dave"];
const UNITS: [&str; 2] = ["btc", "usd"];

fn round(number: u64) -> u64 {
    FIRST_ROUND + number * ROUND_SECONDS
}

/// Everything about money that anybody can ask the store for.
async fn told(test: &TestStore) -> String {
    let mut told = format!("{:?}", test.store.balances(0, 100).await.unwrap());
    told.push_str(&format!("{:?}", test.store.owing(0, 100).await.unwrap()));
    told.push_str(&format!("{:?}", test.store.pool_status().await.unwrap()));
    for user in USERS {
        let stats = test.store.stats_of(user).await.unwrap();
        let sums = stats.map(|stats| (stats.total_e8, stats.current_e8));
        let payouts = test.store.payouts_of(user, 100).await.unwrap();
        told.push_str(&format!("{sums:?} {:?} {payouts:?}", test.store.owed_to(user).await.unwrap()));
    }
    told
}

/// What an audit adds up, row by row.
async fn assert_books(test: &TestStore) {
    let mut connection = test.connect().await;
    let mut number = async |sql: &'static str| {
        let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
        row.try_get::<i64, _>("number").unwrap()
    };
    let paid = number("SELECT CAST(COALESCE(SUM(paid_e8), 0) AS BIGINT) AS number FROM rounds").await;
    let left = number("SELECT CAST(COALESCE(SUM(amount_e8), 0) AS BIGINT) AS number FROM credits").await;
    let gone = number("SELECT CAST(COALESCE(SUM(amount_e8), 0) AS BIGINT) AS number FROM credits_carried").await;
    assert_eq!(left + gone, paid, "what rounds paid is in credits, or carried forward");
    let wrong = "SELECT COUNT(*) AS number FROM lps l WHERE \
         COALESCE((SELECT SUM(c.amount_e8) FROM credits c WHERE c.lp_id = l.lp_id), 0) + \
         COALESCE((SELECT SUM(d.amount_e8) FROM credits_carried d WHERE d.lp_id = l.lp_id), 0) <> \
         COALESCE((SELECT n.balance_e8 FROM credits n WHERE n.lp_id = l.lp_id ORDER BY n.entry_no DESC LIMIT 1), 0)";
    assert_eq!(number(wrong).await, 0, "each balance is the sum of what is left and what is carried forward");
    let incomplete = "SELECT COUNT(*) AS number FROM rounds r WHERE \
         COALESCE((SELECT SUM(c.amount_e8) FROM credits c WHERE c.round_start = r.round_start), 0) <> r.paid_e8 \
         AND NOT EXISTS (SELECT 1 FROM credits_carried d \
         WHERE d.first_round <= r.round_start AND d.last_round >= r.round_start)";
    assert_eq!(number(incomplete).await, 0, "a round of which nothing was deleted has all its credits");
}

async fn credits_left(test: &TestStore) -> i64 {
    let mut connection = test.connect().await;
    let row = sqlx::query("SELECT COUNT(*) AS number FROM credits").fetch_one(&mut connection).await.unwrap();
    row.try_get("number").unwrap()
}

/// Carries forward all that is old enough. How many calls that took.
async fn carry_all(test: &TestStore, before_round: u64, limit: u32) -> usize {
    for calls in 1..10_000 {
        if !test.store.carry_credits(&test.lease, before_round, limit).await.unwrap().more {
            return calls;
        }
    }
    panic!("there is always more");
}

fn payout(lp_id: i64, user: &str, paid_e8: i64) -> NewPayout {
    let debits = vec![PayoutDebit { lp_id, paid_e8, fee_e8: 0 }];
    let outputs = vec![PayoutOutput { address: format!("B{user}"), amount_e8: paid_e8, debits }];
    NewPayout { method: "plain".into(), comment_head: "alp:test".into(), digest: "d".into(), outputs }
}

#[tokio::test]
async fn pb_30_after_retention_the_totals_of_stats_are_unchanged_and_rows_are_gone() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.lp("alice", "usd").await;
    let gone = test.lp("bob", "btc").await;
    test.credit(round(0), vec![entry(gone, "btc", 77)]).await;
    for number in 1..=20 {
        let amount = i64::try_from(number).unwrap();
        test.credit(round(number), vec![entry(lp_id, "btc", amount), entry(lp_id, "usd", 1000 * amount)]).await;
    }
    let before = told(&test).await;
    assert_eq!(carry_all(&test, round(15), 7).await, 5);
    assert_eq!(told(&test).await, before);
    // Rounds 15 to 20 of alice, and of bob, who was credited once, the one that his balance stands in.
    assert_eq!(credits_left(&test).await, 12 + 1);
    let carried = |unit: &str, amount_e8| CarriedCredits {
        lp_id,
        unit: unit.to_owned(),
        entries: 14,
        amount_e8,
        first_round: round(1),
        last_round: round(14),
        last_entry_no: if unit == "btc" { 28 } else { 29 },
    };
    assert_eq!(test.store.carried_credits(0).await.unwrap(), [carried("btc", 105), carried("usd", 105_000)]);
    assert_books(&test).await;
    assert_eq!(test.store.carry_credits(&test.lease, round(15), 7).await.unwrap(), Forgot::default());

    // A second run adds to what is carried, and takes bob's as soon as he has a newer one.
    test.credit(round(21), vec![entry(gone, "btc", 5)]).await;
    test.credit(round(22), vec![entry(gone, "btc", 6)]).await;
    let before = told(&test).await;
    carry_all(&test, round(22), 1000).await;
    assert_eq!(told(&test).await, before);
    let sums: Vec<_> = test.store.carried_credits(0).await.unwrap();
    let sums: Vec<_> = sums.iter().map(|carried| (carried.lp_id, carried.entries, carried.amount_e8)).collect();
    assert_eq!(sums, [(lp_id, 20, 210), (lp_id, 19, 190_000), (gone, 2, 82)]);
    assert_books(&test).await;
}

#[tokio::test]
async fn a_credit_that_was_entered_late_waits_for_the_younger_ones_before_it() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for number in [1, 2, 0, 3, 4] {
        test.credit(round(number), vec![entry(lp_id, "btc", 10 + i64::try_from(number).unwrap())]).await;
    }
    let before = told(&test).await;
    let forgot = test.store.carry_credits(&test.lease, round(2), 10).await.unwrap();
    assert_eq!(forgot, Forgot { rows: 1, more: false });
    assert_eq!(test.store.carried_credits(0).await.unwrap()[0].amount_e8, 11);
    carry_all(&test, round(4), 10).await;
    assert_eq!(test.store.carried_credits(0).await.unwrap()[0].amount_e8, 11 + 12 + 10 + 13);
    assert_eq!(told(&test).await, before);
    assert_books(&test).await;
}

#[tokio::test]
async fn pb_34_orders_whose_credits_are_gone_are_told_without_them() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for number in 0..3 {
        test.set_clock(round(number));
        test.submit(lp_id, "btc", 1, "x").await;
        test.credit(round(number), vec![entry(lp_id, "btc", 5)]).await;
    }
    carry_all(&test, round(2), 10).await;
    let orders = test.store.orders_of("alice", 100).await.unwrap().unwrap();
    let seen: Vec<_> = orders.iter().map(|sample| (sample.round.is_some(), sample.credit.is_some())).collect();
    assert_eq!(seen, [(true, true), (true, false), (true, false)]);
    assert_eq!(test.store.forget_orders(&test.lease, round(2), 100).await.unwrap().rows, 4);
    assert_eq!(test.store.orders_of("alice", 100).await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_round_needs_that_is_not_credited_is_not_forgotten() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for number in 0..5 {
        test.set_clock(round(number));
        test.submit(lp_id, "btc", 1, "x").await;
        if number != 3 {
            test.credit(round(number), Vec::new()).await;
        }
    }
    let forgot = test.store.forget_orders(&test.lease, round(99), 100).await.unwrap();
    // Those of rounds 0, 1 and 4: round 3 waits, and may be held against round 2.
    assert_eq!(forgot, Forgot { rows: 3, more: false });
    for (number, left) in [(0, 0), (1, 0), (2, 1), (3, 1), (4, 0)] {
        assert_eq!(test.store.samples(round(number)).await.unwrap().len(), left, "round {number}");
    }
    test.credit(round(3), Vec::new()).await;
    assert_eq!(test.store.forget_orders(&test.lease, round(99), 1).await.unwrap(), Forgot { rows: 1, more: true });
    assert_eq!(test.store.forget_orders(&test.lease, round(99), 9).await.unwrap(), Forgot { rows: 1, more: false });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rounds_and_payouts_go_on_while_credits_are_carried_forward() {
    let Some(test) = open_for_test().await.map(Arc::new) else { return };
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    for number in 0..30 {
        test.credit(round(number), vec![entry(alice, "btc", 7), entry(bob, "btc", 11)]).await;
    }
    let second = test.another_server().await;
    let carries = {
        let (test, second) = (Arc::clone(&test), second.clone());
        tokio::spawn(async move {
            for number in 0..60 {
                second.carry_credits(&test.lease, round(number), 3).await.unwrap();
            }
        })
    };
    for number in 30..50 {
        test.credit(round(number), vec![entry(alice, "btc", 7), entry(bob, "btc", 11)]).await;
        let paid = [payout(bob, "bob", 11)];
        test.store.reserve_payouts(&test.lease, number, &paid).await.unwrap();
    }
    carries.await.unwrap();
    let owed: Vec<_> = test.store.owing(0, 10).await.unwrap();
    let owed: Vec<_> = owed.iter().map(|lp| (lp.credited_e8, lp.owed_e8)).collect();
    assert_eq!(owed, [(50 * 7, 50 * 7), (50 * 11, 30 * 11)]);
    assert_books(&test).await;
}

#[tokio::test]
async fn who_does_not_lead_forgets_nothing() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.submit(lp_id, "btc", 1, "x").await;
    for number in 0..3 {
        test.credit(round(number), vec![entry(lp_id, "btc", 5)]).await;
    }
    let second = test.another_server().await;
    test.store.release_lease(&test.lease).await.unwrap();
    lead(&second, "second").await;
    let late = |result: Result<Forgot, StoreError>| {
        assert!(matches!(result, Err(StoreError::NotLeader { .. })), "{result:?}");
    };
    late(test.store.carry_credits(&test.lease, round(9), 10).await);
    late(test.store.forget_orders(&test.lease, round(9), 10).await);
    late(test.store.forget_records(&test.lease, 1, 10).await);
    assert_eq!(credits_left(&test).await, 3);
    assert_eq!(test.store.samples(round(0)).await.unwrap().len(), 1);
}

/// The entry of this number and kind, made to follow the one before; about the round of its number if it is a round.
fn record_entry(number: u64, kind: &str) -> NewEntry {
    let text = format!("{kind} {number}");
    NewEntry {
        head: RecordHead {
            number,
            epoch: 1,
            round_start: (kind == "round").then(|| round(number)),
            digest: format!("digest-{number}"),
            header: text.clone(),
            signature: text.clone(),
            at_ms: number * 1000,
        },
        previous: number.checked_sub(1).map(|before| format!("digest-{before}")),
        kind: kind.to_owned(),
        packed: text.into_bytes(),
    }
}

async fn with_records() -> Option<TestStore> {
    let test = open_for_test().await?;
    let lp_id = test.lp("alice", "btc").await;
    test.store.begin_record(&record_entry(0, "epoch")).await.unwrap();
    for number in 1..=5 {
        test.credit(round(number), vec![entry(lp_id, "btc", 5)]).await;
        test.store.append_entry(&test.lease, &record_entry(number, "round")).await.unwrap();
    }
    let parts = [record_entry(6, "carry_forward"), record_entry(7, "carry_forward_part")];
    assert_eq!(test.store.append_entries(&test.lease, &parts).await.unwrap(), Appended::Appended);
    test.store.append_entry(&test.lease, &record_entry(8, "round")).await.unwrap();
    Some(test)
}

#[tokio::test]
async fn entries_go_only_below_one_that_carries_their_balances_forward() {
    let Some(test) = with_records().await else { return };
    for below in [5, 7, 8, 9] {
        let refused = test.store.forget_records(&test.lease, below, 10).await;
        assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{below}: {refused:?}");
    }
    assert_eq!(test.store.oldest_record().await.unwrap(), 0);
    assert_eq!(test.store.newest_carried(5_999).await.unwrap(), None);
    assert_eq!(test.store.newest_carried(9_000).await.unwrap(), Some((6, 6_000)));
    let stale = [record_entry(9, "carry_forward"), record_entry(9, "carry_forward_part")];
    assert_eq!(test.store.append_entries(&test.lease, &stale).await.unwrap(), Appended::HeadMoved);
    assert_eq!(test.store.record_head().await.unwrap().unwrap().number, 8, "all of them or none");
}

#[tokio::test]
async fn forgotten_entries_are_told_no_more_from_the_first_moment_and_go_little_by_little() {
    let Some(test) = with_records().await else { return };
    assert_eq!(test.store.forget_records(&test.lease, 6, 2).await.unwrap(), Forgot { rows: 2, more: true });
    for number in 0..6 {
        assert_eq!(test.store.packed_entry(EntryOf::Number(number)).await.unwrap(), None);
        assert_eq!(test.store.forgotten_entry(EntryOf::Number(number)).await.unwrap(), Some(6));
    }
    assert_eq!(test.store.packed_entry(EntryOf::Round(round(5))).await.unwrap(), None);
    assert_eq!(test.store.forgotten_entry(EntryOf::Round(round(5))).await.unwrap(), Some(6));
    assert_eq!(test.store.forgotten_entry(EntryOf::Round(round(70))).await.unwrap(), None);
    assert_eq!(test.store.forgotten_entry(EntryOf::Number(9)).await.unwrap(), None);
    let heads = test.store.recorded_rounds(0, 10).await.unwrap();
    assert_eq!(heads.iter().map(|head| head.number).collect::<Vec<_>>(), [8]);
    assert!(test.store.packed_entry(EntryOf::Number(6)).await.unwrap().is_some());

    let test = test.restart().await;
    assert_eq!(test.store.forget_records(&test.lease, 6, 9).await.unwrap(), Forgot { rows: 3, more: false });
    assert_eq!(test.store.forget_records(&test.lease, 6, 9).await.unwrap(), Forgot::default());
    // What the epoch began with is needed as long as it runs.
    assert_eq!(test.store.newest_of_kind("epoch").await.unwrap(), Some(b"epoch 0".to_vec()));
    assert_eq!(test.store.append_entry(&test.lease, &record_entry(9, "round")).await.unwrap(), Appended::Appended);
}

/// Something that happens to a pool.
#[derive(Debug, Clone)]
enum Event {
    /// A round is credited: LP, unit and amount of each. Some are run late, after the next one.
    Round { late: bool, credits: Vec<(usize, usize, i64)> },
    /// An LP is paid so many hundredths of what it is owed.
    Payout(usize, i64),
    /// An LP's balance is corrected.
    Correction(usize, i64),
    /// What is older than so many rounds is forgotten, by so many numbers of the ledger at a time.
    Retention { age: u64, limit: u32 },
}

fn event() -> impl Strategy<Value = Event> {
    let amount = prop_oneof![0..50_i64, 0..5_000_000_000_000_i64];
    let credits = proptest::collection::vec((0..4_usize, 0..2_usize, amount), 0..8);
    prop_oneof![
        6 => (any::<bool>(), credits).prop_map(|(late, credits)| Event::Round { late, credits }),
        1 => (0..4_usize, 0..101_i64).prop_map(|(lp, share)| Event::Payout(lp, share)),
        1 => (0..4_usize, 1..1000_i64).prop_map(|(lp, amount)| Event::Correction(lp, amount)),
        2 => (0..9_u64, 1..9_u32).prop_map(|(age, limit)| Event::Retention { age, limit }),
    ]
}

async fn happen(test: &TestStore, events: Vec<Event>) {
    let mut lps = Vec::new();
    for user in USERS {
        for unit in UNITS {
            lps.push(test.lp(user, unit).await);
        }
    }
    lps.dedup();
    let (mut next, mut waits, mut credited) = (0_u64, None, [0_i64; USERS.len()]);
    for event in events {
        match event {
            Event::Round { late, credits } => {
                let by_key: BTreeMap<(usize, usize), i64> =
                    credits.iter().map(|(lp, unit, amount)| ((*lp, *unit), *amount)).collect();
                by_key.iter().for_each(|((lp, _), amount)| credited[*lp] += amount);
                let entries = by_key.iter().map(|((lp, unit), amount)| entry(lps[*lp], UNITS[*unit], *amount));
                let this = (round(next), entries.collect::<Vec<_>>());
                next += 1;
                if late && waits.is_none() {
                    waits = Some(this);
                    continue;
                }
                test.credit(this.0, this.1).await;
                if let Some((start, entries)) = waits.take() {
                    test.credit(start, entries).await;
                }
            }
            Event::Payout(lp, share) => {
                let owed = test.store.owing(lps[lp] - 1, 1).await.unwrap()[0].owed_e8;
                let paid = i64::try_from(i128::from(owed) * i128::from(share) / 100).unwrap();
                if paid > 0 {
                    let paid = [payout(lps[lp], USERS[lp], paid)];
                    test.store.reserve_payouts(&test.lease, next, &paid).await.unwrap();
                }
            }
            Event::Correction(lp, amount) => {
                test.store.correct(&test.lease, lps[lp], amount, "a test").await.unwrap();
            }
            Event::Retention { age, limit } => {
                let before = told(test).await;
                carry_all(test, round(next.saturating_sub(age)), limit).await;
                test.store.forget_orders(&test.lease, round(next.saturating_sub(age)), limit).await.unwrap();
                assert_eq!(told(test).await, before);
                assert_books(test).await;
            }
        }
    }
    if let Some((start, entries)) = waits {
        test.credit(start, entries).await;
    }
    assert_books(test).await;
    let balances: Vec<i64> = test.store.balances(0, 10).await.unwrap().iter().map(|lp| lp.balance_e8).collect();
    assert_eq!(balances, credited);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happened and whatever is forgotten when: balances, what is owed, what can be paid, and the totals of each
    /// user are the same before and after, to the last unit.
    #[test]
    fn forgetting_changes_no_balance_whatever_happened_before(
        events in proptest::collection::vec(event(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let Some(test) = open_for_test().await else { return };
            happen(&test, events).await;
            test.store.close().await;
        });
    }
}
