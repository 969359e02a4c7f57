//! Wallets that break off, refuse, lie and forget.

use alp_pool::payout::Method;
use alp_server::payouts::{DAY_MS, Outcome, PayoutCommand};
use alp_tests::{WalletDouble, WalletFault};

use super::bench::{Bench, Database, coins};

const LPS: [(&str, &str, i64); 2] = [("a", "Ba", 500_000_000), ("b", "Bb", 300_000_000)];

async fn bench(method: Method) -> (WalletDouble, Bench) {
    let wallet = WalletDouble::start().await;
    let bench = Bench::open(Database::Sqlite, method, wallet.origin(), &LPS).await.unwrap();
    bench.begin().await;
    wallet.set(bench.now_ms() / 1000, "1000");
    (wallet, bench)
}

/// Lets blocks come until nothing moves.
async fn settle(wallet: &WalletDouble, bench: &Bench) -> Outcome {
    for _ in 0..4 {
        bench.run_on().await;
        wallet.mine(1);
    }
    bench.run_on().await
}

async fn assert_paid_once(wallet: &WalletDouble, bench: &Bench, what: &str) {
    let paid: Vec<u64> = wallet.paid().into_values().collect();
    assert_eq!(paid, [499_000_000, 299_000_000], "{what}");
    bench.assert_books(&wallet.paid()).await;
    assert!(bench.store.open_payouts().await.unwrap().is_empty(), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_call_that_was_done_and_whose_answer_is_lost_or_wrong_pays_once() {
    let faults = [
        WalletFault::DropInside,
        WalletFault::DropAfter,
        WalletFault::DoneThenCode(-4),
        WalletFault::DoneThenCode(-1),
        WalletFault::DoneThenStatus(500),
        WalletFault::DoneThenStatus(503),
        WalletFault::DoneThenNonsense,
    ];
    for (method, call) in [(Method::Plain, "sendmany"), (Method::Prepared, "sendrawtransaction")] {
        for fault in &faults {
            let (wallet, bench) = bench(method).await;
            wallet.fail(call, fault.clone());
            settle(&wallet, &bench).await;
            assert_paid_once(&wallet, &bench, &format!("{call} {fault:?}")).await;
            assert!(bench.store.alarms().await.unwrap().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_call_of_a_prepared_payout_may_break_off_anywhere() {
    let calls = ["getbalance", "createrawtransaction", "fundrawtransaction", "signrawtransactionwithwallet"];
    let more = ["decoderawtransaction", "lockunspent", "listsinceblock", "listlockunspent", "getwalletinfo"];
    for call in calls.iter().chain(&more) {
        for fault in [WalletFault::DropBefore, WalletFault::DropInside, WalletFault::DropAfter] {
            let (wallet, bench) = bench(Method::Prepared).await;
            wallet.fail(call, fault.clone());
            settle(&wallet, &bench).await;
            assert_paid_once(&wallet, &bench, &format!("{call} {fault:?}")).await;
            assert!(wallet.locked() <= 1, "coins stay locked after {call} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_sendmany_that_is_not_found_stops_payouts_until_a_person_decides() {
    let (wallet, bench) = bench(Method::Plain).await;
    wallet.fail("sendmany", WalletFault::DropBefore);
    let stopped = settle(&wallet, &bench).await;
    assert!(matches!(&stopped, Outcome::Stopped(why) if why.contains("does not find it")), "{stopped:?}");
    bench.pass(3 * DAY_MS);
    assert!(matches!(settle(&wallet, &bench).await, Outcome::Stopped(_)));
    assert_eq!(
        wallet.calls().iter().filter(|call| *call == "sendmany").count(),
        1,
        "it is never called again"
    );
    let shown = bench.order(PayoutCommand::Show { id: 1 }).await.unwrap();
    assert!(shown.contains("not found in the wallet"), "{shown}");
    bench.order(PayoutCommand::Resolve { id: 1, txid: None }).await.unwrap();
    settle(&wallet, &bench).await;
    assert_paid_once(&wallet, &bench, "after it was resolved").await;
    assert_eq!(bench.stages().await, ["void", "paid"]);
}

#[tokio::test]
async fn what_the_wallet_has_cannot_be_called_unsent() {
    let (wallet, bench) = bench(Method::Plain).await;
    wallet.fail("sendmany", WalletFault::DropAfter);
    wallet.fail("listsinceblock", WalletFault::Code(-1));
    let payer = bench.payer(alp_server::payouts::FailAt::default());
    while !bench.stages().await.contains(&"calling".to_owned()) {
        payer.step(&bench.lease, bench.now_ms()).await.unwrap();
    }
    bench.pass(3_600_000);
    let refused = bench.order(PayoutCommand::Resolve { id: 1, txid: None }).await;
    assert!(matches!(&refused, Err(why) if why.contains("it was sent")), "{refused:?}");
    settle(&wallet, &bench).await;
    assert_paid_once(&wallet, &bench, "found").await;
}

#[tokio::test]
async fn a_written_list_of_refusals_gives_the_coins_back_and_pays_later() {
    for code in [-6, -13, -28] {
        let (wallet, bench) = bench(Method::Plain).await;
        wallet.fail("sendmany", WalletFault::Code(code));
        bench.run_on().await;
        assert_eq!(bench.stages().await, ["void"], "{code}");
        assert_eq!(bench.owed().await, [500_000_000, 300_000_000]);
        bench.pass(120_000);
        settle(&wallet, &bench).await;
        assert_paid_once(&wallet, &bench, "later").await;
    }
}

#[tokio::test]
async fn pb_07_one_address_that_the_wallet_refuses_is_held_and_the_others_are_paid() {
    for method in [Method::Plain, Method::Prepared] {
        let (wallet, bench) = bench(method).await;
        wallet.refuse("Ba");
        settle(&wallet, &bench).await;
        assert_eq!(wallet.paid().into_iter().collect::<Vec<_>>(), [("Bb".to_owned(), 299_000_000)]);
        bench.assert_books(&wallet.paid()).await;
        assert_eq!(bench.owed().await[0], 500_000_000, "what is held stays owed");
        let held = bench.store.address_marks().await.unwrap();
        assert!(held.iter().any(|mark| mark.address == "Ba" && mark.held), "{held:?}");
    }
}

#[tokio::test]
async fn pb_05_a_wallet_that_is_away_or_locked_or_empty_is_asked_again() {
    for (call, fault, words) in [
        ("listsinceblock", WalletFault::DropBefore, "broke the connection off"),
        ("listsinceblock", WalletFault::DoneThenStatus(401), "name or the password"),
        ("listsinceblock", WalletFault::Code(-28), "still starting"),
        ("signrawtransactionwithwallet", WalletFault::Code(-13), "locked"),
    ] {
        let (wallet, bench) = bench(Method::Prepared).await;
        wallet.fail(call, fault);
        let hindered = bench.run_on().await;
        assert!(matches!(&hindered, Outcome::Hindered(why) if why.contains(words)), "{hindered:?}");
        assert_eq!(bench.store.alarms().await.unwrap().len(), 1);
        settle(&wallet, &bench).await;
        assert_paid_once(&wallet, &bench, words).await;
        assert!(bench.store.alarms().await.unwrap().is_empty());
    }
    let (wallet, bench) = bench(Method::Prepared).await;
    wallet.set(bench.now_ms() / 1000, "7.97");
    let low = bench.run_on().await;
    assert!(matches!(&low, Outcome::Hindered(why) if why.contains("hot wallet holds 7.97")), "{low:?}");
    wallet.set(bench.now_ms() / 1000, "1000");
    settle(&wallet, &bench).await;
    assert_paid_once(&wallet, &bench, "filled").await;
}

#[tokio::test]
async fn a_payout_that_the_ledger_does_not_know_stops_payouts_until_it_is_adopted() {
    let (wallet, bench) = bench(Method::Plain).await;
    let txid = wallet.send("Ba", "5.00000000", "alp:test:9:d");
    let rent = wallet.send("Bx", "1.00000000", "rent");
    let stopped = bench.run_on().await;
    assert!(matches!(&stopped, Outcome::Stopped(why) if why.contains(&txid)), "{stopped:?}");
    assert!(bench.order(PayoutCommand::Adopt { txid: rent, foreign: false }).await.is_err());
    bench.order(PayoutCommand::Adopt { txid, foreign: false }).await.unwrap();
    assert_eq!(bench.owed().await, [0, 300_000_000]);
    settle(&wallet, &bench).await;
    let paid: Vec<(String, u64)> = wallet.paid().into_iter().take(2).collect();
    assert_eq!(paid, [("Ba".to_owned(), 500_000_000), ("Bb".to_owned(), 299_000_000)]);
}

#[tokio::test]
async fn what_was_never_sent_waits_while_nobody_knows_a_transaction_and_is_planned_anew_once_it_is_adopted() {
    for stage in ["reserved", "prepared"] {
        let (wallet, bench) = bench(Method::Prepared).await;
        bench.until(stage).await;
        let txid = wallet.send("Ba", "4.99000000", "");
        let stopped = bench.run_on().await;
        assert!(matches!(&stopped, Outcome::Stopped(why) if why.contains(&txid)), "{stopped:?}");
        assert_eq!(bench.stages().await, [stage]);
        let said = bench.order(PayoutCommand::Adopt { txid, foreign: false }).await.unwrap();
        assert!(said.contains("payout 1 was not sent"), "{said}");
        settle(&wallet, &bench).await;
        assert_paid_once(&wallet, &bench, stage).await;
    }
}

#[tokio::test]
async fn a_payout_that_is_reserved_and_that_the_wallet_has_is_sent_and_not_made() {
    let (wallet, bench) = bench(Method::Plain).await;
    bench.until("reserved").await;
    let comment = bench.store.payout(1).await.unwrap().unwrap().comment;
    let txid = wallet.send_all(&[("Ba", "4.99000000"), ("Bb", "2.99000000")], &comment);
    let refused = bench.order(PayoutCommand::Resolve { id: 1, txid: None }).await.unwrap_err();
    assert!(refused.contains(&txid), "{refused}");
    settle(&wallet, &bench).await;
    assert_paid_once(&wallet, &bench, "found by its comment").await;
    assert!(!wallet.calls().contains(&"sendmany".to_owned()));
}

#[tokio::test]
async fn a_wallet_that_forgot_the_last_payout_makes_no_other() {
    let (wallet, bench) = bench(Method::Plain).await;
    settle(&wallet, &bench).await;
    assert_paid_once(&wallet, &bench, "the first").await;
    wallet.forget_all();
    bench.pass(DAY_MS);
    let stopped = bench.run_on().await;
    assert!(matches!(&stopped, Outcome::Stopped(why) if why.contains("no longer finds")), "{stopped:?}");
}

#[tokio::test]
async fn an_address_above_the_limit_is_paid_once_it_is_approved() {
    let wallet = WalletDouble::start().await;
    let mut bench = Bench::open(Database::Sqlite, Method::Prepared, wallet.origin(), &LPS).await.unwrap();
    bench.config.terms.hold_above = Some(coins("4"));
    bench.begin().await;
    settle(&wallet, &bench).await;
    assert_eq!(wallet.paid().into_keys().collect::<Vec<_>>(), ["Bb"]);
    assert_eq!(bench.store.alarms().await.unwrap()[0].kind, "approval");
    let approve = PayoutCommand::Approve { address: "Ba".into(), up_to: "5".into() };
    bench.order(approve).await.unwrap();
    bench.pass(DAY_MS);
    settle(&wallet, &bench).await;
    assert_paid_once(&wallet, &bench, "approved").await;
}

#[tokio::test]
async fn payouts_by_hand_are_written_to_a_file_and_end_with_the_operators_word() {
    let bench = Bench::open(Database::Sqlite, Method::Manual, "", &LPS).await.unwrap();
    bench.begin().await;
    assert_eq!(bench.run_on().await, Outcome::Waiting);
    let file = std::fs::read_to_string(bench.folder().join("payouts/payout-1.csv")).unwrap();
    assert_eq!(file, "address,amount\nBa,4.99\nBb,2.99\n");
    let txid = "ab".repeat(32);
    bench.order(PayoutCommand::Sent { id: 1, txid: txid.clone() }).await.unwrap();
    assert!(bench.order(PayoutCommand::Sent { id: 1, txid }).await.is_err());
    bench.run_on().await;
    assert_eq!(bench.stages().await, ["paid"]);
}
