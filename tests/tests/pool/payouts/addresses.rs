//! Payouts of LPs whose address changes.

use alp_pool::payout::Method;
use alp_server::payouts::{DAY_MS, Outcome, PayoutCommand};
use alp_store::{Issued, Met, NewAddressRecord, NewChallenge};
use alp_tests::WalletDouble;

use super::bench::{Bench, Database};

const LPS: [(&str, &str, i64); 3] =
    [("a", "Ba", 500_000_000), ("b", "Bb", 300_000_000), ("shares", "Ba", 200_000_000)];

/// Has the first LP prove the address `Bc`, which replaces `Ba` after so long.
async fn begin_change(bench: &Bench, after_ms: u64) {
    let new = NewChallenge {
        lp_id: 1,
        unit: "btc".into(),
        address: "Bc".into(),
        asked_from: String::new(),
        shown_by: "amount".into(),
        decimals: 8,
        nonce: String::new(),
        seal: String::new(),
        digits: "12345678".into(),
        lifetime_ms: 600_000,
        most: 1,
        window_ms: 1,
    };
    let Issued::Open { challenge, .. } = bench.store.issue_challenge(&new).await.unwrap() else { panic!() };
    let begun = NewAddressRecord {
        lp_id: 1,
        kind: "begun",
        address: "Ba".into(),
        proven: false,
        next: Some(("Bc".into(), bench.now_ms() + after_ms)),
        why: "an order showed it".into(),
    };
    let met = bench.store.meet_challenge(challenge.challenge_id, 0, Some(&begun)).await.unwrap();
    assert_eq!(met, Met::Done);
}

async fn settle(wallet: &WalletDouble, bench: &Bench) -> Outcome {
    for _ in 0..4 {
        bench.run_on().await;
        wallet.mine(1);
    }
    bench.run_on().await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_an_address_changes_the_others_are_paid_and_it_is_paid_at_the_new_one_afterwards() {
    for database in [Database::Sqlite, Database::Postgres] {
        let wallet = WalletDouble::start().await;
        let Some(bench) = Bench::open(database, Method::Prepared, wallet.origin(), &LPS).await else {
            continue;
        };
        bench.begin().await;
        wallet.set(bench.now_ms() / 1000, "1000");
        begin_change(&bench, DAY_MS).await;
        settle(&wallet, &bench).await;
        let paid: Vec<(String, u64)> = wallet.paid().into_iter().collect();
        assert_eq!(
            paid,
            [("Ba".into(), 199_000_000), ("Bb".into(), 299_000_000)],
            "also who shares the address"
        );
        let alarms = bench.store.alarms().await.unwrap();
        assert_eq!((alarms[0].kind.as_str(), alarms[0].subject.as_str()), ("address", "LP 1"));
        assert_eq!(bench.owed().await, [500_000_000, 0, 0]);
        bench.pass(DAY_MS);
        settle(&wallet, &bench).await;
        assert_eq!(wallet.paid().get("Bc"), Some(&499_000_000));
        assert_eq!(bench.owed().await, [0, 0, 0]);
        assert!(bench.store.alarms().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_transaction_to_a_former_address_is_taken_from_whoever_had_it_then() {
    let wallet = WalletDouble::start().await;
    let bench = Bench::open(Database::Sqlite, Method::Plain, wallet.origin(), &LPS[..2]).await.unwrap();
    bench.begin().await;
    wallet.set(bench.now_ms() / 1000, "1000");
    let txid = wallet.send("Ba", "3.00000000", "");
    begin_change(&bench, 1_000).await;
    bench.pass(10_000);
    let stopped = bench.run_on().await;
    assert!(matches!(&stopped, Outcome::Stopped(why) if why.contains(&txid)), "{stopped:?}");
    bench.order(PayoutCommand::Adopt { txid, foreign: false }).await.unwrap();
    assert_eq!(bench.owed().await, [200_000_000, 300_000_000]);
    settle(&wallet, &bench).await;
    assert_eq!(wallet.paid().get("Bc"), Some(&199_000_000), "the rest goes to the new one");
}
