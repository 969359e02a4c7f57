//! Whether the books of a pool add up: the ledger in itself, and the published record with it.

use std::collections::BTreeMap;

use alp_record::chain::{Digest, Opening, PoolKey, Verified, Verifier};
use alp_server::record::unpack;
use alp_store::{EntryOf, Store};

/// The key that signs the record of a pool under test.
pub(crate) fn key() -> PoolKey {
    PoolKey::from_seed(&[42; 32]).unwrap()
}

/// What the wallet sent is what was taken from balances and not given back, and each balance is the sum of its entries.
pub(crate) async fn assert_books(store: &Store, sent: &BTreeMap<String, u64>) {
    let mut taken: BTreeMap<String, i64> = BTreeMap::new();
    for lp in store.owing(0, 100).await.unwrap() {
        let entries = store.ledger_of(lp.lp_id, 0).await.unwrap();
        let sum: i64 = entries.iter().map(|entry| entry.amount_e8).sum();
        assert_eq!(lp.credited_e8 + sum, lp.owed_e8);
        let paid = entries.iter().filter(|entry| entry.kind.starts_with("payout"));
        *taken.entry(lp.address).or_insert(0) -= paid.map(|entry| entry.amount_e8).sum::<i64>();
    }
    taken.retain(|_, e8| *e8 != 0);
    let sent: BTreeMap<String, i64> =
        sent.iter().map(|(address, e8)| (address.clone(), i64::try_from(*e8).unwrap())).collect();
    assert_eq!(taken, sent);
}

/// The published record, checked from its first entry on: nothing is wrong in it.
pub(crate) async fn verified(store: &Store) -> Verified {
    let mut verifier = Verifier::new(Some(key().public()));
    let head = store.record_head().await.unwrap().unwrap();
    for number in 0..=head.number {
        let (_, packed) = store.packed_entry(EntryOf::Number(number)).await.unwrap().unwrap();
        verifier.push(&unpack(&packed).unwrap());
    }
    let verified = verifier.finish();
    assert_eq!(verified.findings, []);
    verified
}

/// The record says of each LP what the ledger says: what it is owed, and what payouts under way took that were not sent
/// yet.
pub(crate) async fn assert_record_is_the_ledger(store: &Store) {
    let mut reserved: BTreeMap<i64, i64> = BTreeMap::new();
    for payout in store.newest_payouts(1_000).await.unwrap() {
        if ["reserved", "prepared", "calling"].contains(&payout.stage.as_str()) {
            for entry in store.ledger_of_payout(payout.payout_id).await.unwrap() {
                *reserved.entry(entry.lp_id).or_insert(0) -= entry.amount_e8;
            }
        }
    }
    let (verified, owing) = (verified(store).await, store.owing(0, 100).await.unwrap());
    let pool = verified.head.unwrap().pool;
    let lp_ids: Vec<i64> = owing.iter().map(|lp| lp.lp_id).collect();
    let pseudonyms: BTreeMap<i64, Digest> = store
        .openings_of(&lp_ids)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|lp| {
            let opening = Opening::parse(&lp.nonce?).unwrap();
            Some((lp.lp_id, opening.pseudonym(&pool, &lp.api_key)))
        })
        .collect();
    for lp in &owing {
        let balance = pseudonyms.get(&lp.lp_id).and_then(|pseudonym| verified.balances.get(pseudonym));
        let balance = balance.copied().unwrap_or_default();
        assert_eq!(balance.credited_e8, i128::from(lp.credited_e8));
        let reserved_e8 = reserved.get(&lp.lp_id).copied().unwrap_or(0);
        assert_eq!(balance.owed_e8(), i128::from(lp.owed_e8 + reserved_e8), "LP {}", lp.lp_id);
    }
    assert!(verified.balances.len() <= owing.len(), "nobody else stands in the record");
}
