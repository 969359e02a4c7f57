//! Payouts take from balances once, give back once, and move only from where they are.

use alp_store::{
    AddressMark, AdoptedPayout, Foreign, NewPayout, PayoutChange, PayoutDebit, PayoutOutput, Published, StoreError,
};

use super::open_for_test;
use crate::support::{FIRST_ROUND, ROUND_SECONDS, TestStore, after, began, entry, lead};

pub(super) fn output(address: &str, debits: &[(i64, i64, i64)]) -> PayoutOutput {
    let debits: Vec<PayoutDebit> = debits
        .iter()
        .map(|&(lp_id, paid_e8, fee_e8)| PayoutDebit { lp_id, paid_e8, fee_e8 })
        .collect();
    let amount_e8 = debits.iter().map(|debit| debit.paid_e8).sum();
    PayoutOutput { address: address.to_owned(), amount_e8, debits }
}

pub(super) fn payout(outputs: Vec<PayoutOutput>) -> NewPayout {
    NewPayout { method: "plain".into(), comment_head: "alp:test".into(), digest: "d1".into(), outputs }
}

pub(super) fn note(text: &str) -> PayoutChange {
    PayoutChange { note: text.to_owned(), ..PayoutChange::default() }
}

pub(super) fn txid(text: &str) -> PayoutChange {
    PayoutChange { txid: text.to_owned(), ..note("accepted") }
}

pub(super) async fn owed_e8(test: &TestStore, lp_id: i64) -> i64 {
    test.store.owing(lp_id - 1, 1).await.unwrap()[0].owed_e8
}

/// Two LPs, credited 1000 and 500.
pub(super) async fn credited() -> Option<(TestStore, i64, i64)> {
    let test = open_for_test().await?;
    let (alice, bob) = (test.lp("alice", "btc").await, test.lp("bob", "btc").await);
    test.credit(FIRST_ROUND, vec![entry(alice, "btc", 1000), entry(bob, "btc", 500)]).await;
    Some((test, alice, bob))
}

#[tokio::test]
async fn a_reservation_takes_from_balances_and_a_credit_still_adds_to_them() {
    let Some((test, alice, bob)) = credited().await else { return };
    let new = payout(vec![output("Ba", &[(alice, 900, 10)]), output("Bb", &[(bob, 500, 0)])]);
    let ids = test.store.reserve_payouts(&test.lease, 7, &[new]).await.unwrap();
    assert_eq!((owed_e8(&test, alice).await, owed_e8(&test, bob).await), (90, 0));
    test.credit(FIRST_ROUND + ROUND_SECONDS, vec![entry(alice, "btc", 5)]).await;
    assert_eq!(owed_e8(&test, alice).await, 95);
    assert_eq!(test.store.owed_to("alice").await.unwrap(), Some(95));
    assert_eq!(test.balance_e8(alice).await, 1005, "what was credited stays what it is");
    let open = test.store.open_payouts().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].comment, format!("alp:test:{}:d1", ids[0]));
    assert_eq!(open[0].outputs, [("Ba".to_owned(), 900), ("Bb".to_owned(), 500)]);
    assert_eq!(test.store.payout_schedule().await.unwrap().unwrap().last_slot_ms, 7);
    assert_eq!(test.store.paid_out_since(0).await.unwrap(), 1400);
    let entries = test.store.ledger_of(alice, 0).await.unwrap();
    let seen: Vec<_> = entries.iter().map(|entry| (entry.kind.as_str(), entry.amount_e8, entry.total_e8)).collect();
    assert_eq!(seen, [("payout", -900, -900), ("fee", -10, -910)]);
}

#[tokio::test]
async fn more_than_is_owed_is_refused_whole() {
    let Some((test, alice, bob)) = credited().await else { return };
    let both = [payout(vec![output("Bb", &[(bob, 500, 0)])]), payout(vec![output("Ba", &[(alice, 991, 10)])])];
    let refused = test.store.reserve_payouts(&test.lease, 7, &both).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    assert_eq!((owed_e8(&test, alice).await, owed_e8(&test, bob).await), (1000, 500));
    assert!(test.store.open_payouts().await.unwrap().is_empty());
    let mut wrong = payout(vec![output("Ba", &[(alice, 10, 0)])]);
    wrong.outputs[0].amount_e8 = 11;
    assert!(test.store.reserve_payouts(&test.lease, 7, &[wrong]).await.is_err());
}

#[tokio::test]
async fn a_void_payout_gives_back_once_and_only_from_the_stage_it_is_in() {
    let Some((test, alice, _)) = credited().await else { return };
    let new = payout(vec![output("Ba", &[(alice, 900, 10)])]);
    test.store.approve(&test.lease, "Ba", 900).await.unwrap();
    let id = test.store.reserve_payouts(&test.lease, 7, &[new]).await.unwrap()[0];
    assert!(test.store.approvals().await.unwrap()[0].used);
    assert!(!test.store.void_payout(&test.lease, id, "calling", 9, "x").await.unwrap());
    assert_eq!(owed_e8(&test, alice).await, 90);
    assert!(test.store.void_payout(&test.lease, id, "reserved", 9, "refused").await.unwrap());
    assert!(!test.store.void_payout(&test.lease, id, "reserved", 9, "refused").await.unwrap());
    assert_eq!(owed_e8(&test, alice).await, 1000);
    assert_eq!(test.store.paid_out_since(0).await.unwrap(), 0);
    assert_eq!(test.store.payout_schedule().await.unwrap().unwrap().retry_at_ms, 9);
    assert!(!test.store.approvals().await.unwrap()[0].used, "what was approved may be used again");
    let kinds: Vec<String> =
        test.store.ledger_of_payout(id).await.unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["payout", "fee", "payout_returned", "fee_returned"]);
}

#[tokio::test]
async fn a_payout_moves_only_from_the_stage_it_is_in_and_keeps_what_is_known() {
    let Some((test, alice, _)) = credited().await else { return };
    let new = payout(vec![output("Ba", &[(alice, 900, 0)])]);
    let id = test.store.reserve_payouts(&test.lease, 7, &[new]).await.unwrap()[0];
    let move_it = |from, to, change| {
        let (store, lease) = (test.store.clone(), test.lease.clone());
        async move { store.move_payout(&lease, id, from, to, &change).await }
    };
    assert!(!move_it("calling", "paid", note("x")).await.unwrap());
    let block = PayoutChange { since_block: "b".into(), ..note("about to call") };
    assert!(move_it("reserved", "calling", block).await.unwrap());
    assert!(!move_it("reserved", "calling", note("again")).await.unwrap());
    assert!(move_it("calling", "sent", txid("t")).await.is_err(), "that it is sent is published with its entry");
    let entry = began(&test).await;
    let no_id = test.store.publish_payout(&test.lease, id, "calling", &note("no id"), &entry).await;
    assert!(no_id.is_err(), "sent without a transaction");
    let publish = |from, change, entry| {
        let (store, lease) = (test.store.clone(), test.lease.clone());
        async move { store.publish_payout(&lease, id, from, &change, &entry).await.unwrap() }
    };
    assert_eq!(publish("calling", txid("t"), entry.clone()).await, Published::Published);
    assert_eq!(publish("sent", txid("other"), after(&entry)).await, Published::Published);
    assert!(move_it("sent", "sent", txid("third")).await.is_err(), "and so is another transaction");
    assert!(move_it("sent", "sent", note("seen")).await.unwrap());
    assert!(test.store.known_in_ledger("other", "none").await.unwrap());
    assert!(!test.store.known_in_ledger("t", "none").await.unwrap());
    assert!(move_it("sent", "void", note("never")).await.is_err(), "void gives back: it is a call of its own");
    assert!(move_it("sent", "paid", note("6 confirmations")).await.unwrap());
    let paid = test.store.last_paid_payout().await.unwrap().unwrap();
    assert_eq!((paid.txid.as_str(), paid.since_block.as_str()), ("other", "b"));
    let stages: Vec<String> =
        test.store.payout_events(id).await.unwrap().into_iter().map(|event| event.stage).collect();
    assert_eq!(stages, ["reserved", "calling", "sent", "sent", "sent", "paid"]);
    let seen = test.store.payouts_of("alice", 10).await.unwrap().unwrap();
    assert_eq!((seen[0].paid_e8, seen[0].txid.as_str(), seen[0].stage.as_str()), (900, "other", "paid"));
    assert_eq!(test.store.payouts_of("nobody", 10).await.unwrap(), None);
}

#[tokio::test]
async fn one_who_wakes_up_late_can_neither_reserve_nor_move_nor_note() {
    let Some((test, alice, _)) = credited().await else { return };
    let new = [payout(vec![output("Ba", &[(alice, 900, 0)])])];
    let id = test.store.reserve_payouts(&test.lease, 7, &new).await.unwrap()[0];
    let second = test.another_server().await;
    test.store.release_lease(&test.lease).await.unwrap();
    lead(&second, "second").await;
    let late = |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::NotLeader { .. })), "{result:?}");
    late(test.store.reserve_payouts(&test.lease, 8, &new).await.map(|_| ()));
    late(test.store.move_payout(&test.lease, id, "reserved", "calling", &note("x")).await.map(|_| ()));
    late(test.store.void_payout(&test.lease, id, "reserved", 9, "x").await.map(|_| ()));
    let entry = began(&test).await;
    late(test.store.publish_payout(&test.lease, id, "reserved", &txid("t"), &entry).await.map(|_| ()));
    late(test.store.publish_sent_payout(&test.lease, id, &entry).await.map(|_| ()));
    late(test.store.approve(&test.lease, "Ba", 1).await);
    late(test.store.raise_alarm(&test.lease, "low", "wallet", "x").await.map(|_| ()));
    late(test.store.correct(&test.lease, alice, 1, "x").await);
    assert_eq!(owed_e8(&test, alice).await, 100);
}

#[tokio::test]
async fn what_the_operator_adopts_is_taken_even_from_who_is_owed_less() {
    let Some((test, alice, bob)) = credited().await else { return };
    let mut unknown = output("Bx", &[]);
    unknown.amount_e8 = 3;
    let adopted = AdoptedPayout {
        payout_id: test.store.free_payout_id(Some(17)).await.unwrap(),
        comment: "alp:test:17:d".into(),
        txid: "t17".into(),
        outputs: vec![output("Ba", &[(alice, 300, 0)]), output("Bb", &[(bob, 600, 0)]), unknown],
        why: "found in the wallet".into(),
    };
    let entry = began(&test).await;
    assert_eq!(test.store.adopt_payout(&test.lease, &adopted, &entry).await.unwrap(), Published::Published);
    assert_eq!((owed_e8(&test, alice).await, owed_e8(&test, bob).await), (700, -100));
    assert!(test.store.known_in_ledger("t17", "").await.unwrap());
    let again = test.store.adopt_payout(&test.lease, &adopted, &after(&entry)).await.unwrap();
    assert_eq!((again, test.store.free_payout_id(Some(17)).await.unwrap()), (Published::Unchanged, 18));
    let next = [payout(vec![output("Ba", &[(alice, 10, 0)])])];
    assert_eq!(test.store.reserve_payouts(&test.lease, 7, &next).await.unwrap(), [18]);
}

#[tokio::test]
async fn corrections_are_entries_and_take_no_more_than_is_owed() {
    let Some((test, alice, _)) = credited().await else { return };
    test.store.correct(&test.lease, alice, -400, "counted twice").await.unwrap();
    test.store.correct(&test.lease, alice, 50, "a missed round").await.unwrap();
    assert!(test.store.correct(&test.lease, alice, -651, "too much").await.is_err());
    assert_eq!(owed_e8(&test, alice).await, 650);
}

#[tokio::test]
async fn marks_alarms_and_foreign_transactions_are_kept_until_they_are_undone() {
    let Some(test) = open_for_test().await else { return };
    let mark = |held| AddressMark { address: "Ba".into(), held, why: "the wallet refuses it".into() };
    test.store.mark_address(&test.lease, &mark(false)).await.unwrap();
    test.store.mark_address(&test.lease, &mark(true)).await.unwrap();
    assert_eq!(test.store.address_marks().await.unwrap(), [mark(true)]);
    assert!(test.store.unmark_address(&test.lease, "Ba").await.unwrap());
    assert!(!test.store.unmark_address(&test.lease, "Ba").await.unwrap());
    assert!(test.store.raise_alarm(&test.lease, "low", "wallet", "fill it").await.unwrap());
    assert!(!test.store.raise_alarm(&test.lease, "low", "wallet", "fill it now").await.unwrap());
    assert_eq!(test.store.alarms().await.unwrap()[0].sentence, "fill it");
    assert!(test.store.clear_alarm(&test.lease, "low", "wallet").await.unwrap());
    assert!(test.store.alarms().await.unwrap().is_empty());
    let foreign = Foreign { txid: "f".into(), why: "rent".into() };
    assert!(test.store.note_foreign(&test.lease, &foreign).await.unwrap());
    assert!(test.store.known_in_ledger("f", "").await.unwrap());
    assert!(test.store.note_slot(&test.lease, 10).await.unwrap());
    assert!(!test.store.note_slot(&test.lease, 9).await.unwrap());
    test.store.approve(&test.lease, "Ba", 5).await.unwrap();
    test.store.approve(&test.lease, "Ba", 8).await.unwrap();
    assert_eq!(test.store.approvals().await.unwrap()[0].up_to_e8, 8);
}
