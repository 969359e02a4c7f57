//! Payouts and corrections in the published record, whichever way they come about.

use alp_pool::payout::Method;
use alp_record::chain::{Body, Entry, PayoutEntry};
use alp_server::payouts::{CorrectCommand, Outcome, PayoutCommand, correct};
use alp_server::record::unpack;
use alp_store::EntryOf;
use alp_tests::WalletDouble;

use super::bench::{Bench, Database};

/// Two of three LPs share an address.
const LPS: [(&str, &str, i64); 3] =
    [("a1", "Ba", 500_000_000), ("a2", "Ba", 300_000_000), ("b", "Bb", 200_000_000)];

async fn paying(database: Database, method: Method) -> Option<(WalletDouble, Bench)> {
    let wallet = WalletDouble::start().await;
    let bench = Bench::open(database, method, wallet.origin(), &LPS).await?;
    wallet.set(bench.now_ms() / 1000, "1000");
    Some((wallet, bench))
}

/// The payouts of the record, in its order.
async fn payouts(bench: &Bench) -> Vec<PayoutEntry> {
    let head = bench.store.record_head().await.unwrap().unwrap();
    let mut payouts = Vec::new();
    for number in 0..=head.number {
        let (_, packed) = bench.store.packed_entry(EntryOf::Number(number)).await.unwrap().unwrap();
        if let Body::Payout(payout) = Entry::read(&unpack(&packed).unwrap()).unwrap().body {
            payouts.push(payout);
        }
    }
    payouts
}

async fn settle(wallet: &WalletDouble, bench: &Bench) {
    for _ in 0..5 {
        bench.run_on().await;
        wallet.mine(1);
    }
}

fn correction(user: &str, amount: &str) -> CorrectCommand {
    let (who, why) = ("the operator".to_owned(), "a missed round".to_owned());
    CorrectCommand {
        exchange: "exchange".to_owned(),
        user: user.to_owned(),
        amount: amount.to_owned(),
        who,
        why,
    }
}

async fn corrected(bench: &Bench, user: &str, amount: &str) -> Result<String, String> {
    correct(&bench.store, &bench.publisher, Some(&bench.lease), correction(user, amount)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lps_who_share_an_address_each_have_their_own_part_in_the_record_with_its_fee() {
    for method in [Method::Plain, Method::Prepared] {
        let (wallet, bench) = paying(Database::Sqlite, method).await.unwrap();
        bench.begin().await;
        settle(&wallet, &bench).await;
        bench.assert_books(&wallet.paid()).await;
        let payouts = payouts(&bench).await;
        assert_eq!(payouts.len(), 1, "{payouts:?}");
        let mut shares: Vec<(i64, i64)> =
            payouts[0].lps.iter().map(|share| (share.amount_e8, share.fee_e8)).collect();
        shares.sort_unstable();
        let fees: i64 = shares.iter().map(|(_, fee)| fee).sum();
        assert_eq!(
            shares.iter().map(|(amount, _)| *amount).collect::<Vec<_>>(),
            [200_000_000, 300_000_000, 500_000_000]
        );
        assert_eq!(fees, 2_000_000, "one for each address");
        assert_eq!(payouts[0].txid.len(), 64);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payouts_made_by_hand_adopted_and_resolved_are_published_as_the_others_are() {
    let bench = Bench::open(Database::Sqlite, Method::Manual, "", &LPS).await.unwrap();
    bench.begin().await;
    bench.run_on().await;
    bench.assert_record_is_the_ledger().await;
    assert!(payouts(&bench).await.is_empty(), "nothing is published before it is sent");
    bench.order(PayoutCommand::Sent { id: 1, txid: "ab".repeat(32) }).await.unwrap();
    bench.run_on().await;
    assert_eq!(payouts(&bench).await[0].txid, "ab".repeat(32));
    bench.assert_record_is_the_ledger().await;

    let (wallet, bench) = paying(Database::Sqlite, Method::Plain).await.unwrap();
    let txid = wallet.send("Ba", "8.00000000", "alp:test:9:d");
    assert!(matches!(bench.run_on().await, Outcome::Stopped(_)));
    bench.order(PayoutCommand::Adopt { txid: txid.clone(), foreign: false }).await.unwrap();
    let published = payouts(&bench).await;
    assert_eq!((published[0].payout.as_str(), &published[0].txid, published[0].lps.len()), ("9", &txid, 2));
    bench.assert_record_is_the_ledger().await;

    // The operator finds that another transaction made it: that is published, and takes nothing again.
    let other = "cd".repeat(32);
    for txid in [other.clone(), other.clone(), txid.clone()] {
        bench.order(PayoutCommand::Resolve { id: 9, txid: Some(txid) }).await.unwrap();
    }
    let txids: Vec<String> = payouts(&bench).await.into_iter().map(|payout| payout.txid).collect();
    assert_eq!(txids, [txid.clone(), other, txid], "the same transaction again is nothing new");
    bench.assert_record_is_the_ledger().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adopted_payout_beyond_what_is_owed_is_said_and_found_and_a_correction_before_it_mends_that() {
    let (wallet, bench) = paying(Database::Sqlite, Method::Plain).await.unwrap();
    let txid = wallet.send("Bb", "3.00000000", "alp:test:9:d");
    bench.run_on().await;
    corrected(&bench, "b", "1").await.unwrap();
    bench.order(PayoutCommand::Adopt { txid, foreign: false }).await.unwrap();
    bench.assert_record_is_the_ledger().await;
    assert_eq!(bench.owed().await[2], 0);
    let txid = wallet.send("Bb", "0.50000000", "alp:test:10:d");
    bench.run_on().await;
    let said = bench.order(PayoutCommand::Adopt { txid, foreign: false }).await.unwrap();
    assert!(said.contains("got more than it was owed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn corrections_are_published_with_who_and_why_and_take_no_more_than_is_owed() {
    for database in [Database::Sqlite, Database::Postgres] {
        let Some((_, bench)) = paying(database, Method::Plain).await else { continue };
        corrected(&bench, "a1", "-1.5").await.unwrap();
        let said = corrected(&bench, "a1", "0.25").await.unwrap();
        assert_eq!(said, "corrected by 0.25; entry 3 of the record tells of it");
        assert_eq!(bench.owed().await[0], 375_000_000);
        bench.assert_record_is_the_ledger().await;
        let (_, packed) = bench.store.packed_entry(EntryOf::Number(2)).await.unwrap().unwrap();
        let text = unpack(&packed).unwrap();
        assert!(
            text.contains(r#""amount_e8":-150000000,"who":"the operator","why":"a missed round""#),
            "{text}"
        );
        for (user, amount, words) in [
            ("a1", "-4", "takes more than the LP is owed"),
            ("nobody", "1", "is not registered on exchange"),
            ("a1", "0", "corrects nothing"),
            ("a1", "much", "eight decimal places"),
        ] {
            let refused = corrected(&bench, user, amount).await.unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
        let two_lines = CorrectCommand { why: "one\ntwo".to_owned(), ..correction("a1", "1") };
        assert!(correct(&bench.store, &bench.publisher, Some(&bench.lease), two_lines).await.is_err());
        assert!(correct(&bench.store, &bench.publisher, None, correction("a1", "1")).await.is_err());
        bench.assert_record_is_the_ledger().await;
        assert!(!format!("{:?}", correction("a1", "1")).contains("a1"), "keys are shown to nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_corrections_that_meet_at_one_head_each_gets_an_entry_of_its_own() {
    for database in [Database::Sqlite, Database::Postgres] {
        let Some((_, bench)) = paying(database, Method::Plain).await else { continue };
        let one = || corrected(&bench, "a1", "0.5");
        let done = tokio::join!(one(), one(), one(), one(), one(), one());
        for said in [done.0, done.1, done.2, done.3, done.4, done.5] {
            assert!(said.is_ok(), "{said:?}");
        }
        assert_eq!(bench.owed().await[0], 800_000_000);
        assert_eq!(bench.store.record_head().await.unwrap().unwrap().number, 7);
        bench.assert_record_is_the_ledger().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_paid_and_corrected_before_there_were_entries_is_published_by_the_next_who_leads() {
    let lps = [("a1", "Ba", 500_000_000), ("b", "Bb", 200_000_000)];
    let mut bench = Bench::open(Database::Sqlite, Method::Manual, "", &lps).await.unwrap();
    bench.store.correct(&bench.lease, 1, 7, "imported").await.unwrap();
    bench.begin().await;
    assert_eq!(bench.run_on().await, Outcome::Waiting);
    // As a version left it that knew no such entries.
    let txid = "ab".repeat(32);
    bench.statement(&format!("UPDATE payouts SET stage = 'sent', txid = '{txid}'")).await;
    assert_eq!(
        bench.store.unpublished().await.unwrap().len(),
        1,
        "the correction was published with the first step"
    );
    bench.lead_again().await;
    bench.run_on().await;
    assert_eq!(bench.stages().await, ["paid"]);
    bench.assert_record_is_the_ledger().await;
    assert_eq!(payouts(&bench).await[0].txid, txid);
    // And once only.
    bench.lead_again().await;
    bench.run_on().await;
    assert_eq!(payouts(&bench).await.len(), 1);
    assert!(bench.store.unpublished().await.unwrap().is_empty());
}
