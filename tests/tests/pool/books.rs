//! Whether the books of a pool add up.

use std::collections::BTreeMap;

use alp_store::Store;

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
