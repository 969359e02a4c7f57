//! An import is entered once and whole, and what waits is given once.

use alp_store::{Entered, NewEntry, NewHold, NewImport, NewLp, RecordHead, RegisterOutcome, StoreError};

use super::open_for_test;
use crate::support::TestStore;

fn lp(user: &str, address: &str, units: &[&str]) -> NewLp {
    NewLp {
        exchange: "bittrex".into(),
        user: user.into(),
        address: address.into(),
        units: units.iter().map(|unit| (*unit).to_owned()).collect(),
    }
}

fn hold(user: &str, amount_e8: i64) -> NewHold {
    NewHold {
        user: user.into(),
        exchange: "bittrex".into(),
        units: vec!["btc".into(), "ppc".into()],
        addresses: vec!["Bone".into(), "Bother".into()],
        amount_e8,
        why: "two addresses".into(),
    }
}

fn import(id: &str, balances: Vec<(i64, i64)>) -> NewImport {
    NewImport {
        import_id: id.into(),
        source: "alp-server".into(),
        report: "{}".into(),
        balances,
        why: "taken over".into(),
        holds: vec![hold("waiting", 700)],
        foreign: vec!["t1".into(), "t2".into(), "t1".into()],
        beside_others: false,
        record: Vec::new(),
    }
}

fn entry(number: u64, previous: Option<&str>) -> NewEntry {
    let head = RecordHead {
        number,
        epoch: 1,
        round_start: None,
        digest: format!("d{number}"),
        header: "{}".into(),
        signature: "{}".into(),
        at_ms: 1,
    };
    NewEntry { head, previous: previous.map(ToOwned::to_owned), kind: "correction".into(), packed: vec![1] }
}

async fn owed_e8(test: &TestStore) -> Vec<i64> {
    test.store.owing(0, 100).await.unwrap().iter().map(|lp| lp.owed_e8).collect()
}

async fn registered(test: &TestStore, lps: &[NewLp]) -> Vec<i64> {
    let outcomes = test.store.register_all(lps).await.unwrap();
    let lp_id = |outcome| match outcome {
        RegisterOutcome::Registered { lp_id } | RegisterOutcome::AlreadyRegistered { lp_id } => lp_id,
        RegisterOutcome::OtherAddress { address } => panic!("{address}"),
    };
    outcomes.into_iter().map(lp_id).collect()
}

#[tokio::test]
async fn lps_are_registered_for_all_their_units_and_keep_the_address_they_have() {
    let Some(test) = open_for_test().await else { return };
    let ids = registered(&test, &[lp("alice", "Ba", &["btc", "ppc"]), lp("bob", "Bb", &["btc"])]).await;
    assert_eq!(ids, [1, 2]);
    assert_eq!(registered(&test, &[lp("alice", "Ba", &["btc"])]).await, [1]);
    let other = test.store.register_all(&[lp("alice", "Bx", &["usd"])]).await.unwrap();
    assert_eq!(other, [RegisterOutcome::OtherAddress { address: "Ba".into() }]);
    assert_eq!(test.store.find_lp("bittrex", "alice").await.unwrap().unwrap().units, ["btc", "ppc"]);
}

#[tokio::test]
async fn an_import_is_entered_once() {
    let Some(test) = open_for_test().await else { return };
    let ids = registered(&test, &[lp("alice", "Ba", &["btc"]), lp("bob", "Bb", &["btc"])]).await;
    let balances = vec![(ids[0], 500), (ids[1], 300)];
    assert_eq!(test.store.enter_import(&import("one", balances.clone())).await.unwrap(), Entered::Entered);
    assert_eq!(owed_e8(&test).await, [500, 300]);
    let ledger = test.store.ledger_of(ids[0], 0).await.unwrap();
    assert_eq!((ledger.len(), ledger[0].kind.as_str(), ledger[0].why.as_str()), (1, "correction", "taken over"));
    assert!(test.store.known_in_ledger("t1", "").await.unwrap());

    assert_eq!(test.store.enter_import(&import("one", balances.clone())).await.unwrap(), Entered::Before);
    assert_eq!(test.store.enter_import(&import("two", balances.clone())).await.unwrap(), Entered::Other);
    assert_eq!(owed_e8(&test).await, [500, 300]);
    let beside = NewImport { beside_others: true, ..import("two", balances) };
    assert_eq!(test.store.enter_import(&beside).await.unwrap(), Entered::Entered);
    assert_eq!(owed_e8(&test).await, [1000, 600]);
    assert_eq!(test.store.imports().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_import_whose_record_comes_too_late_leaves_no_trace() {
    let Some(test) = open_for_test().await else { return };
    let ids = registered(&test, &[lp("alice", "Ba", &["btc"])]).await;
    test.store.begin_record(&entry(0, None)).await.unwrap();
    let late = NewImport { record: vec![entry(1, Some("other"))], ..import("one", vec![(ids[0], 500)]) };
    assert_eq!(test.store.enter_import(&late).await.unwrap(), Entered::HeadMoved);
    assert_eq!((owed_e8(&test).await, test.store.imports().await.unwrap().len()), (vec![0], 0));
    let record = vec![entry(1, Some("d0")), entry(2, Some("d1"))];
    let right = NewImport { record, ..import("one", vec![(ids[0], 500)]) };
    assert_eq!(test.store.enter_import(&right).await.unwrap(), Entered::Entered);
    assert_eq!(test.store.record_head().await.unwrap().unwrap().number, 2);
}

#[tokio::test]
async fn what_waits_is_in_no_balance_and_is_given_once() {
    let Some(test) = open_for_test().await else { return };
    assert_eq!(test.store.enter_import(&import("one", Vec::new())).await.unwrap(), Entered::Entered);
    let holds = test.store.import_holds().await.unwrap();
    assert_eq!((holds.len(), holds[0].hold_no, holds[0].released), (1, 1, false));
    assert!(holds[0].hold == hold("waiting", 700));
    assert!(owed_e8(&test).await.is_empty());

    let ids = registered(&test, &[lp("waiting", "Bone", &["btc"])]).await;
    assert_eq!(test.store.release_hold(1, ids[0], "said so", &[]).await.unwrap(), Entered::Entered);
    assert_eq!(test.store.release_hold(1, ids[0], "said so", &[]).await.unwrap(), Entered::Before);
    assert_eq!(test.store.release_hold(9, ids[0], "said so", &[]).await.unwrap(), Entered::Before);
    assert_eq!(owed_e8(&test).await, [700]);
    assert!(test.store.import_holds().await.unwrap()[0].released);
}

#[tokio::test]
async fn a_balance_that_is_not_above_zero_is_refused() {
    let Some(test) = open_for_test().await else { return };
    let refused = test.store.enter_import(&import("one", vec![(1, 0)])).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
}
