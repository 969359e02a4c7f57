//! Every call of the store behind an endpoint, a submission, a round, a payout or the loops, and what it sends.

use std::sync::atomic::Ordering;

use alp_store::{
    Acquired, Claim, CreditEntry, EntryOf, Lease, NewCorrection, NewEntry, NewPayout, PayoutChange,
    PayoutDebit, PayoutOutput, Published, RecordHead, Recorded, Refusal, Refused, RoundRecord, Sample, Store,
    UsedRequest, Uses,
};

use crate::told::Told;
use crate::{FIRST_ROUND, Old, ROUND_SECONDS, ROUNDS};

/// The round that is open.
const NOW: u64 = FIRST_ROUND + ROUNDS * ROUND_SECONDS;

/// How many entries the record has.
const RECORDS: u64 = 3_000;

pub(crate) async fn lead(store: &Store) -> Lease {
    let digest = store.begin_configuration("{}").await.unwrap();
    match store.acquire_lease("rounds", "test", 3_600_000, &digest).await.unwrap() {
        Acquired::Granted(lease) => lease,
        held @ Acquired::HeldBy { .. } => panic!("{held:?}"),
    }
}

/// The name of each call, with its statements.
pub(crate) async fn all(old: &Old, told: &Told) -> Vec<(&'static str, Vec<String>)> {
    let lease = lead(&old.store).await;
    told.take();
    let mut calls = reads(old, told).await;
    calls.extend(pages(old, told).await);
    calls.extend(submission(old, told).await);
    calls.extend(round(old, told, &lease).await);
    calls.extend(payouts(old, told, &lease).await);
    calls.extend(loops(old, told, &lease).await);
    calls
}

async fn reads(old: &Old, told: &Told) -> Vec<(&'static str, Vec<String>)> {
    let store = &old.store;
    let mut calls = Vec::new();
    store.orders_of("alice", 100).await.unwrap().unwrap();
    calls.push(("/<user>/orders", told.take()));
    store.stats_of("alice").await.unwrap().unwrap();
    store.owed_to("alice").await.unwrap().unwrap();
    store.payouts_of("alice", 100).await.unwrap().unwrap();
    store.find_lp("exchange", "alice").await.unwrap().unwrap();
    calls.push(("/<user>/stats, /v1/payouts/<user>, /v1/lps/<user>", told.take()));
    store.pool_status().await.unwrap();
    store.payout_schedule().await.unwrap();
    calls.push(("/status", told.take()));
    store.record_head().await.unwrap();
    store.oldest_record().await.unwrap();
    store.packed_entry(EntryOf::Number(RECORDS)).await.unwrap();
    store.packed_entry(EntryOf::Round(FIRST_ROUND)).await.unwrap();
    store.forgotten_entry(EntryOf::Round(FIRST_ROUND)).await.unwrap();
    store.recorded_rounds(FIRST_ROUND, 100).await.unwrap();
    calls.push(("/head, /records, /rounds", told.take()));
    calls
}

/// What statements, the pages of the older protocol and those of addresses ask.
async fn pages(old: &Old, told: &Told) -> Vec<(&'static str, Vec<String>)> {
    let store = &old.store;
    let mut calls = Vec::new();
    let lp_id = store.accounts_of("alice").await.unwrap()[0].lp_id;
    store.credited_until(&[lp_id], &[NOW, NOW - 86_400]).await.unwrap();
    store.forgotten_credits(lp_id).await.unwrap();
    store.published_before(lp_id, NOW * 1000).await.unwrap();
    assert!(!store.published_changes(lp_id, 0, NOW * 1000).await.unwrap().is_empty());
    calls.push(("/v1/statements/<user>", told.take()));
    store.credited_rounds(lp_id, "btc", 0, 10).await.unwrap();
    store.shown_by("alice", (FIRST_ROUND, NOW), 100).await.unwrap();
    let refusal = Refusal { at_ms: NOW * 1000, who_acts: "bot".to_owned(), sentence: "no".to_owned() };
    let (unit, rejected) = ("btc".to_owned(), vec![(NOW, 1)]);
    store.add_refused(&[Refused { lp_id, unit, rejected, refusals: vec![refusal] }]).await.unwrap();
    assert!(!store.became(lp_id, NOW - 60 * ROUND_SECONDS).await.unwrap().is_empty());
    store.forget_rejections(1).await.unwrap();
    store.registrations_of("alice").await.unwrap();
    store.openings_of(&[lp_id]).await.unwrap();
    calls.push(("what was shown", told.take()));
    store.newest_address(lp_id).await.unwrap();
    store.newest_addresses(0, 10).await.unwrap();
    store.address_history(lp_id).await.unwrap();
    store.challenges_of(lp_id).await.unwrap();
    store.challenged_lps().await.unwrap();
    store.open_challenge(1).await.unwrap();
    store.forget_lapsed_challenges(10).await.unwrap();
    calls.push(("addresses and challenges", told.take()));
    calls
}

async fn submission(old: &Old, told: &Told) -> Vec<(&'static str, Vec<String>)> {
    let store = &old.store;
    let mut calls = Vec::new();
    store.register("exchange", "dave", "Bdave", "btc").await.unwrap();
    store.register("exchange", "alice", "Balice", "btc").await.unwrap();
    calls.push(("/register", told.take()));
    let lp_id = store.registered_lp("exchange", "alice", "btc").await.unwrap().unwrap();
    store.highest_rising(lp_id).await.unwrap();
    store.was_used(lp_id, "digest").await.unwrap();
    let identities = vec!["id 1".to_owned(), "id 2".to_owned()];
    let (exchange, unit) = ("exchange".to_owned(), "btc".to_owned());
    let claim = Claim { exchange, unit, lp_id, identities, held_rounds: 60 };
    store.are_foreign(&claim, NOW).await.unwrap();
    store.claim_orders(claim).await.unwrap();
    store.newest_orders(lp_id, "btc", [NOW, NOW - ROUND_SECONDS]).await.unwrap();
    let requests = vec![UsedRequest { digest: "digest".to_owned(), expires_at_ms: Some(1) }];
    let uses = Uses { rising: Some((7, 7)), requests };
    store.submit_once(sample(lp_id, &old.terms_id), uses).await.unwrap();
    store.opening(lp_id).await.unwrap();
    store.give_openings(&[(lp_id, "nonce".to_owned())]).await.unwrap();
    calls.push(("/liquidity", told.take()));
    calls
}

async fn round(old: &Old, told: &Told, lease: &Lease) -> Vec<(&'static str, Vec<String>)> {
    let store = &old.store;
    old.now_ms.store((NOW + ROUND_SECONDS) * 1000, Ordering::SeqCst);
    told.take();
    store.unfinished_rounds((NOW + ROUND_SECONDS) * 1000).await.unwrap();
    store.newest_of_kind("epoch").await.unwrap();
    store.close_round(lease, NOW).await.unwrap();
    store.samples(NOW).await.unwrap();
    store.samples_since(NOW - ROUND_SECONDS, 5).await.unwrap();
    store.terms(&old.terms_id).await.unwrap();
    store.openings_of_round(NOW).await.unwrap();
    store.statistics_before(NOW).await.unwrap();
    let credits = (1..=3).map(|lp_id| CreditEntry {
        lp_id,
        unit: "btc".to_owned(),
        provided: "1".to_owned(),
        amount_e8: 5,
        detail: "{}".to_owned(),
    });
    let (credits, statistics) = (credits.collect(), "{}".to_owned());
    let record = RoundRecord { round_start: NOW, credits, statistics, reward_e8: 15, paid_e8: 15 };
    let recorded = store.publish_round(lease, &record, &entry(RECORDS, Some(NOW), "round")).await.unwrap();
    assert_eq!(recorded, Recorded::Recorded);
    vec![("a round", told.take())]
}

async fn payouts(old: &Old, told: &Told, lease: &Lease) -> Vec<(&'static str, Vec<String>)> {
    let store = &old.store;
    store.open_payouts().await.unwrap();
    store.last_paid_payout().await.unwrap();
    store.newest_payouts(10).await.unwrap();
    store.paid_out_since(NOW * 1000).await.unwrap();
    store.known_in_ledger("a transaction", "a comment").await.unwrap();
    store.ledger_of(1, 0).await.unwrap();
    let debits = vec![PayoutDebit { lp_id: 1, paid_e8: 9, fee_e8: 1 }];
    let outputs = vec![PayoutOutput { address: "Balice".to_owned(), amount_e8: 9, debits }];
    let (method, comment_head, digest) = ("plain".to_owned(), "alp:test".to_owned(), "d".to_owned());
    let payout = NewPayout { method, comment_head, digest, outputs };
    let ids = store.reserve_payouts(lease, 7, std::slice::from_ref(&payout)).await.unwrap();
    store.ledger_of_payout(ids[0]).await.unwrap();
    store.payout_events(ids[0]).await.unwrap();
    store.void_payout(lease, ids[0], "reserved", 9, "x").await.unwrap();
    store.correct(lease, 1, 5, "x").await.unwrap();
    let mut calls = vec![("payouts", told.take())];
    let payout = NewPayout { comment_head: "alp:again".to_owned(), ..payout };
    let id = store.reserve_payouts(lease, 8, &[payout]).await.unwrap()[0];
    let change = PayoutChange { txid: "t".to_owned(), note: "x".to_owned(), ..PayoutChange::default() };
    let sent =
        store.publish_payout(lease, id, "reserved", &change, &entry(RECORDS + 1, None, "payout")).await;
    assert_eq!(sent.unwrap(), Published::Published);
    let correction = NewCorrection { lp_id: 1, amount_e8: 5, who: "x".to_owned(), why: "x".to_owned() };
    let corrected =
        store.publish_correction(lease, &correction, &entry(RECORDS + 2, None, "correction")).await;
    assert_eq!(corrected.unwrap(), Published::Published);
    store.unpublished().await.unwrap();
    store.free_payout_id(None).await.unwrap();
    calls.push(("what is published of payouts and corrections", told.take()));
    calls
}

async fn loops(old: &Old, told: &Told, lease: &Lease) -> Vec<(&'static str, Vec<String>)> {
    let store = &old.store;
    let mut calls = Vec::new();
    store.gaps(NOW * 1000, 60).await.unwrap();
    store.forget_expired_requests(1).await.unwrap();
    store.oldest_sample().await.unwrap();
    store.forget_lapsed_owners(1).await.unwrap();
    calls.push(("the loop of rounds", told.take()));
    let carried = [entry(RECORDS + 3, None, "carry_forward"), entry(RECORDS + 4, None, "carry_forward_part")];
    store.append_entries(lease, &carried).await.unwrap();
    store.newest_carried(NOW * 1000).await.unwrap();
    store.forget_records(lease, RECORDS + 3, 10).await.unwrap();
    store.forget_orders(lease, FIRST_ROUND + 20 * ROUND_SECONDS, 50).await.unwrap();
    store.carry_credits(lease, FIRST_ROUND + 20 * ROUND_SECONDS, 50).await.unwrap();
    calls.push(("retention", told.take()));
    calls
}

fn sample(lp_id: i64, terms_id: &str) -> Sample {
    Sample {
        lp_id,
        unit: "btc".to_owned(),
        price: "{}".to_owned(),
        terms_id: terms_id.to_owned(),
        adapter_sha256: "a".repeat(64),
        reply_sha256: "b".repeat(64),
        maybe_truncated: false,
        slices: 1,
        ask_rate: None,
        bid_rate: None,
        orders: "[]".to_owned(),
        order_count: 0,
    }
}

fn entry(number: u64, round_start: Option<u64>, kind: &str) -> NewEntry {
    NewEntry {
        head: RecordHead {
            number,
            epoch: 1,
            round_start,
            digest: format!("digest-{number}"),
            header: "header".to_owned(),
            signature: "signature".to_owned(),
            at_ms: number,
        },
        previous: number.checked_sub(1).map(|before| format!("digest-{before}")),
        kind: kind.to_owned(),
        packed: vec![1],
    }
}
