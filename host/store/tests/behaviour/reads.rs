//! What the endpoints are told.

use alp_store::{
    Credit, CreditedSample, Forgot, LastCredit, Lp, MAX_CREDITED_PAGES, MAX_USER_SAMPLES, PoolStatus, RegisteredAt,
    Sample, UserRound, UserStats,
};

use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore, entry};
use super::open_for_test;

#[tokio::test]
async fn the_status_shows_the_newest_credited_round_and_counts_registrations() {
    let Some(test) = open_for_test().await else { return };
    let empty = PoolStatus { last_credit: None, number_of_users: 0 };
    assert_eq!(test.store.pool_status().await.unwrap(), empty);
    let lp_id = test.lp("alice", "btc").await;
    test.lp("alice", "ppc").await;
    test.lp_on("poloniex", "alice", "btc").await;
    test.credit(FIRST_ROUND + ROUND_SECONDS, vec![entry(lp_id, "btc", 10)]).await;
    // A late round is credited after a newer one and does not take its place.
    test.credit(FIRST_ROUND, vec![entry(lp_id, "btc", 5)]).await;
    let last_credit = LastCredit {
        round_start: FIRST_ROUND + ROUND_SECONDS,
        credited_at_ms: (FIRST_ROUND + 2 * ROUND_SECONDS) * 1000,
        reward_e8: 10,
        paid_e8: 10,
        statistics: format!(r#"{{"round":{}}}"#, FIRST_ROUND + ROUND_SECONDS),
    };
    let expected = PoolStatus { last_credit: Some(last_credit), number_of_users: 3 };
    assert_eq!(test.store.pool_status().await.unwrap(), expected);
}

#[tokio::test]
async fn an_unknown_key_has_neither_orders_nor_statistics() {
    let Some(test) = open_for_test().await else { return };
    test.lp("alice", "btc").await;
    assert_eq!(test.store.orders_of("mallory", 100).await.unwrap(), None);
    assert_eq!(test.store.stats_of("mallory").await.unwrap(), None);
    assert_eq!(test.store.stats_of("a\0b").await.unwrap(), None);
    assert_eq!(test.store.orders_of("a\0b", 100).await.unwrap(), None);
    assert_eq!(test.store.orders_of("alice", 100).await.unwrap(), Some(Vec::new()));
    let nothing = UserStats { total_e8: 0, current_e8: 0, history: Vec::new() };
    assert_eq!(test.store.stats_of("alice").await.unwrap(), Some(nothing));
}

#[tokio::test]
async fn orders_show_all_exchanges_newest_first_each_with_what_it_earned() {
    let Some(test) = open_for_test().await else { return };
    let bittrex = test.lp("alice", "btc").await;
    let poloniex = test.lp_on("poloniex", "alice", "btc").await;
    let bob = test.lp("bob", "btc").await;
    test.submit(bittrex, "btc", 1, "old").await;
    test.submit(poloniex, "btc", 1, "unpaid").await;
    test.submit(bob, "btc", 1, "not hers").await;
    test.credit(FIRST_ROUND, vec![entry(bittrex, "btc", 5), entry(bob, "btc", 6)]).await;
    test.submit(bittrex, "btc", 2, "new").await;

    let samples = test.store.orders_of("alice", 100).await.unwrap().unwrap();
    let seen: Vec<_> = samples
        .iter()
        .map(|sample| (sample.round_start, sample.exchange.as_str(), sample.round.is_some()))
        .collect();
    let next = FIRST_ROUND + ROUND_SECONDS;
    assert_eq!(
        seen,
        [(next, "bittrex", false), (FIRST_ROUND, "poloniex", true), (FIRST_ROUND, "bittrex", true)]
    );
    assert_eq!(samples[0].orders, r#"["new-0","new-1"]"#);
    assert_eq!(samples[0].credit, None);
    assert_eq!(samples[1].credit, None);
    let credit =
        Credit { provided: "100.5".to_owned(), amount_e8: 5, detail: Some(r#"{"amount_e8":5}"#.to_owned()) };
    assert_eq!(samples[2].credit, Some(credit));
}

#[tokio::test]
async fn pb_32_no_more_samples_are_read_than_the_orders_asked_for_need() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    for round in 0..MAX_USER_SAMPLES + 5 {
        test.set_clock(FIRST_ROUND + round * ROUND_SECONDS);
        test.submit(lp_id, "btc", if round % 2 == 0 { 0 } else { 40 }, "x").await;
    }
    let samples = test.store.orders_of("alice", 100).await.unwrap().unwrap();
    // The newest is empty; three with orders, and the empty ones between, make 120.
    assert_eq!(samples.iter().map(|sample| sample.order_count).collect::<Vec<_>>(), [0, 40, 0, 40, 0, 40]);
    assert_eq!(test.store.orders_of("alice", 0).await.unwrap().unwrap(), []);
    let all = test.store.orders_of("alice", u64::MAX).await.unwrap().unwrap();
    assert_eq!(all.len(), 100);
}

#[tokio::test]
async fn statistics_add_up_exchanges_and_units_and_keep_fifty_rounds() {
    let Some(test) = open_for_test().await else { return };
    let bittrex = test.lp("alice", "btc").await;
    test.lp("alice", "ppc").await;
    let poloniex = test.lp_on("poloniex", "alice", "btc").await;
    let bob = test.lp("bob", "btc").await;
    let at = |round: u64| FIRST_ROUND + round * ROUND_SECONDS;
    for round in 0..60 {
        let credits = vec![
            entry(bittrex, "btc", 1),
            entry(bittrex, "ppc", 20),
            entry(poloniex, "btc", 300),
            entry(bob, "btc", 5000),
        ];
        test.credit(at(round), credits).await;
    }
    let stats = test.store.stats_of("alice").await.unwrap().unwrap();
    assert_eq!(stats.total_e8, 60 * 321);
    assert_eq!(stats.current_e8, 321);
    assert_eq!(stats.history.len(), 50);
    let newest = UserRound {
        round_start: at(59),
        round_seconds: ROUND_SECONDS,
        provided: vec!["100.5".to_owned(); 3],
        amount_e8: 321,
    };
    assert_eq!(stats.history[0], newest);
    assert_eq!(stats.history[49].round_start, at(10));

    // Who was not in the newest round earns nothing at the moment.
    test.credit(at(60), vec![entry(bob, "btc", 1)]).await;
    let stats = test.store.stats_of("alice").await.unwrap().unwrap();
    assert_eq!((stats.total_e8, stats.current_e8), (60 * 321, 0));
    assert_eq!(stats.history[0].round_start, at(59));
}

#[tokio::test]
async fn what_a_user_showed_is_told_of_the_rounds_asked_for_and_of_no_more_orders_than_that() {
    let Some(test) = open_for_test().await else { return };
    let bittrex = test.lp("alice", "btc").await;
    let poloniex = test.lp_on("poloniex", "alice", "btc").await;
    let bob = test.lp("bob", "btc").await;
    let at = |round: u64| FIRST_ROUND + round * ROUND_SECONDS;
    for round in 0..4 {
        test.set_clock(at(round));
        test.submit(bittrex, "btc", 2, &format!("r{round}")).await;
        test.submit(poloniex, "btc", 1, "p").await;
        test.submit(bob, "btc", 1, "not hers").await;
    }
    let rounds = async |span, most| {
        let shown = test.store.shown_by("alice", span, most).await.unwrap();
        shown.iter().map(|sample| (sample.round_start, sample.orders.clone())).collect::<Vec<_>>()
    };
    let (hers, other) = (r#"["r2-0","r2-1"]"#.to_owned(), r#"["p-0"]"#.to_owned());
    assert_eq!(rounds((at(2), at(2)), 100).await, [(at(2), other), (at(2), hers)]);
    assert_eq!(rounds((at(0), at(3)), 100).await.len(), 8);
    assert_eq!(rounds((at(0), at(3)), 6).await.iter().map(|shown| shown.0).min(), Some(at(2)));
    assert_eq!(rounds((at(0), at(3)), 2).await, []);
    assert_eq!(test.store.shown_by("mallory", (0, at(3)), 100).await.unwrap(), []);
}

/// Three rounds of six LPs, submitted and credited forwards or backwards.
async fn told(backwards: bool) -> Option<TestStore> {
    let test = open_for_test().await?;
    let mut lps = Vec::new();
    for exchange in ["bittrex", "poloniex"] {
        for user in ["alice", "bob", "carol"] {
            lps.push(test.lp_on(exchange, user, "btc").await);
        }
    }
    if backwards {
        lps.reverse();
    }
    for round in 0..3 {
        let round_start = FIRST_ROUND + round * ROUND_SECONDS;
        test.set_clock(round_start);
        let mut credits = Vec::new();
        for lp_id in &lps {
            test.submit(*lp_id, "btc", 1, &format!("{lp_id}")).await;
            credits.push(entry(*lp_id, "btc", 100 * lp_id));
        }
        test.credit(round_start, credits).await;
    }
    Some(test)
}

#[tokio::test]
async fn nothing_that_is_read_depends_on_the_order_in_which_it_was_written() {
    let (Some(forwards), Some(backwards)) = (told(false).await, told(true).await) else { return };
    for round in 0..3 {
        let round_start = FIRST_ROUND + round * ROUND_SECONDS;
        let samples = forwards.store.samples(round_start).await.unwrap();
        assert_eq!(samples.len(), 6);
        assert_eq!(samples, backwards.store.samples(round_start).await.unwrap());
    }
    for user in ["alice", "bob", "carol"] {
        let orders = forwards.store.orders_of(user, 100).await.unwrap();
        assert_eq!(orders.as_ref().unwrap().len(), 6);
        assert_eq!(orders, backwards.store.orders_of(user, 100).await.unwrap());
        let stats = forwards.store.stats_of(user).await.unwrap();
        assert_eq!(stats, backwards.store.stats_of(user).await.unwrap());
    }
    let balances = forwards.store.balances(0, 100).await.unwrap();
    assert_eq!(balances, backwards.store.balances(0, 100).await.unwrap());
    let status = forwards.store.pool_status().await.unwrap();
    assert_eq!(status, backwards.store.pool_status().await.unwrap());
}

#[tokio::test]
async fn pb_30_forgetting_orders_leaves_totals_history_and_unfinished_rounds_alone() {
    let Some(test) = told(false).await else { return };
    let lp_id = test.store.find_lp("bittrex", "alice").await.unwrap().unwrap().lp_id;
    let unfinished = FIRST_ROUND + 3 * ROUND_SECONDS;
    assert_eq!(test.submit(lp_id, "btc", 1, "waits").await, unfinished);
    let stats = test.store.stats_of("alice").await.unwrap();

    // Six samples of each round, and as many accounts. The last round before the one that waits stays.
    let forget = || test.store.forget_orders(&test.lease, FIRST_ROUND + 9000, 7);
    assert_eq!(forget().await.unwrap(), Forgot { rows: 14, more: true });
    assert_eq!(forget().await.unwrap(), Forgot { rows: 10, more: false });
    assert_eq!(forget().await.unwrap(), Forgot::default());
    assert_eq!(test.store.stats_of("alice").await.unwrap(), stats);
    let left = test.store.orders_of("alice", 100).await.unwrap().unwrap();
    let (starts, before) = (left.iter().map(|sample| sample.round_start), unfinished - ROUND_SECONDS);
    assert_eq!(starts.collect::<Vec<_>>(), [unfinished, before, before]);
}

#[tokio::test]
async fn terms_are_kept_once_and_named_by_their_hash() {
    let Some(test) = open_for_test().await else { return };
    let first = test.store.record_terms("abc").await.unwrap();
    assert_eq!(first, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(test.store.record_terms("abc").await.unwrap(), first);
    assert_eq!(test.store.terms(&first).await.unwrap().as_deref(), Some("abc"));
    assert_eq!(test.store.terms("nothing").await.unwrap(), None);
}

#[tokio::test]
async fn a_key_is_told_every_exchange_that_it_is_registered_at() {
    let Some(test) = open_for_test().await else { return };
    let poloniex = test.lp_on("poloniex", "alice", "btc").await;
    let bittrex = test.lp("alice", "ppc").await;
    test.lp("alice", "btc").await;
    test.lp("bob", "eur").await;
    let found = test.store.registrations_of("alice").await.unwrap();
    let units = |units: &[&str]| units.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [("bittrex", bittrex, units(&["btc", "ppc"])), ("poloniex", poloniex, units(&["btc"]))];
    let expected = expected.map(|(exchange, lp_id, units)| RegisteredAt {
        exchange: exchange.to_owned(),
        lp: Lp { lp_id, address: "Balice".to_owned(), units },
    });
    assert_eq!(found, expected);
    for nobody in ["mallory", "a\0b"] {
        assert_eq!(test.store.registrations_of(nobody).await.unwrap(), []);
    }
}

#[tokio::test]
async fn credited_rounds_come_newest_first_with_what_was_shown_last_and_page_by_page() {
    let Some(test) = open_for_test().await else { return };
    let lp_id = test.lp("alice", "btc").await;
    test.lp("alice", "ppc").await;
    let second = FIRST_ROUND + ROUND_SECONDS;
    for (at, mark) in [(FIRST_ROUND, "early"), (FIRST_ROUND + 30, "late")] {
        test.set_clock(at);
        let sample = Sample { slices: 2, ..test.sample(lp_id, "btc", 1, mark) };
        test.store.submit(sample).await.unwrap();
    }
    test.credit(FIRST_ROUND, vec![entry(lp_id, "btc", 5), entry(lp_id, "ppc", 2)]).await;
    test.credit(second, vec![entry(lp_id, "btc", 7)]).await;
    let page = async |page, rounds| test.store.credited_rounds(lp_id, "btc", page, rounds).await.unwrap();
    let all = page(0, 10).await;
    let newest = CreditedSample {
        round_start: second,
        amount_e8: 7,
        balance_e8: 14,
        slices: 0,
        orders: None,
        detail: Some(r#"{"amount_e8":7}"#.to_owned()),
    };
    assert_eq!(all[0], newest, "a round without a sample of its own says so");
    let before = (all[1].round_start, all[1].amount_e8, all[1].balance_e8, all[1].slices);
    assert_eq!(before, (FIRST_ROUND, 5, 5, 2));
    assert_eq!(all[1].orders.as_deref(), Some(r#"["late-0"]"#));
    assert_eq!(all.len(), 2);
    assert_eq!(page(0, 1).await, all[..1]);
    assert_eq!(page(1, 1).await, all[1..]);
    for empty in [page(2, 1).await, page(MAX_CREDITED_PAGES, 1).await] {
        assert_eq!(empty, []);
    }
    assert_eq!(test.store.credited_rounds(lp_id, "a\0b", 0, 10).await.unwrap(), []);
}
