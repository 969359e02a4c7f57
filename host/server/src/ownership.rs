//! One order, one owner: what makes two orders the same, and whose they are.
//! It knows neither how orders are judged nor what they earn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use alp_record::judged::OrderRecord;
use alp_sandbox::types::OrderIdScope;
use alp_store::{Claim, Owned, Store, StoreError};
use sha2::{Digest, Sha256};

/// The longest identity that is kept as it is, in bytes; ids of exchanges have forty at most.
const MAX_IDENTITY: usize = 200;

/// Most markets of LPs in memory, about 150 bytes for each order. Beyond it the memory starts afresh, from the database.
const MAX_REMEMBERED: usize = 16_384;

/// Most orders of an LP on a market that are remembered; whoever has more is looked up each time.
const MAX_REMEMBERED_ORDERS: usize = 256;

/// How many ids of foreign orders are told.
const MAX_TOLD: usize = 5;

/// The longest id that is told, in characters.
const MAX_TOLD_ID: usize = 64;

/// Whose orders these are said to be.
#[derive(Debug, Clone, Copy)]
pub struct Showing<'a> {
    /// The exchange.
    pub exchange: &'a str,
    /// The unit, which stands for the market.
    pub unit: &'a str,
    /// The LP that shows them.
    pub lp_id: i64,
    /// Among which orders an id is unique.
    pub scope: OrderIdScope,
    /// The account's own id, where the reply has it.
    pub account: Option<&'a str>,
    /// The round of this moment, in Unix seconds.
    pub round_start: u64,
    /// The length of a round, in seconds.
    pub round_seconds: u64,
    /// After how many rounds an order that was not seen is free.
    pub lapses_after: u64,
}

/// An LP's orders, without those of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnOrders {
    /// Its own, each with the time at which the pool first saw it.
    pub own: Vec<OrderRecord>,
    /// The ids of the others.
    pub foreign: Vec<String>,
}

impl OwnOrders {
    /// What the bot is told of foreign orders: `2 of 5 belong to another registration: 7, 8`.
    #[must_use]
    pub fn foreign_sentence(&self) -> Option<String> {
        let (foreign, all) = (self.foreign.len(), self.foreign.len().saturating_add(self.own.len()));
        let mut ids: Vec<String> =
            self.foreign.iter().take(MAX_TOLD).map(|id| alp_sandbox::clean_text(id, MAX_TOLD_ID)).collect();
        if foreign > MAX_TOLD {
            ids.push("..".to_owned());
        }
        let belong = if foreign == 1 { "belongs" } else { "belong" };
        let sentence = format!("{foreign} of {all} {belong} to another registration: {}", ids.join(", "));
        (foreign > 0).then_some(sentence)
    }
}

/// What is known of orders without asking the database.
#[derive(Debug, Default)]
pub struct Owners(Mutex<BTreeMap<(i64, String), BTreeMap<String, Known>>>);

/// An order of the LP under which it stands.
#[derive(Debug, Clone, Copy)]
struct Known {
    owned: Owned,
    claimed_in: u64,
}

impl Owners {
    /// Claims the orders that an LP shows. Most are known to be its own: those are claimed again only when a quarter of
    /// the time is over after which they lapse, and are held for that much longer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim(
        &self,
        store: &Store,
        showing: Showing<'_>,
        records: Vec<OrderRecord>,
    ) -> Result<OwnOrders, StoreError> {
        let pause = showing.lapses_after / 4;
        let identities: Vec<String> = records.iter().map(|record| identity(showing, record)).collect();
        let mut known = self.known(showing, pause);
        let unknown = identities.iter().filter(|identity| !known.contains_key(*identity)).cloned();
        let claim = Claim {
            exchange: showing.exchange.to_owned(),
            unit: showing.unit.to_owned(),
            lp_id: showing.lp_id,
            identities: unknown.collect(),
            held_rounds: showing.lapses_after.saturating_add(pause),
        };
        if !claim.identities.is_empty() {
            let asked = claim.identities.clone();
            for (identity, owned) in asked.into_iter().zip(store.claim_orders(claim).await?) {
                if let Some(owned) = owned {
                    known.insert(identity, Known { owned, claimed_in: showing.round_start });
                }
            }
        }
        let mut orders = OwnOrders { own: Vec::new(), foreign: Vec::new() };
        for (record, identity) in records.into_iter().zip(&identities) {
            match known.get(identity) {
                Some(known) => {
                    let first_seen_ms = Some(known.owned.first_seen_ms);
                    orders.own.push(OrderRecord { first_seen_ms, ..record });
                }
                None => orders.foreign.push(record.id),
            }
        }
        let shown: BTreeSet<&String> = identities.iter().collect();
        known.retain(|identity, _| shown.contains(identity));
        self.remember(showing, known);
        Ok(orders)
    }

    /// The same without claiming anything.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn look(
        store: &Store,
        showing: Showing<'_>,
        records: Vec<OrderRecord>,
    ) -> Result<OwnOrders, StoreError> {
        let claim = Claim {
            exchange: showing.exchange.to_owned(),
            unit: showing.unit.to_owned(),
            lp_id: showing.lp_id,
            identities: records.iter().map(|record| identity(showing, record)).collect(),
            held_rounds: 0,
        };
        let foreign = store.are_foreign(&claim, showing.round_start).await?;
        let mut orders = OwnOrders { own: Vec::new(), foreign: Vec::new() };
        for (record, foreign) in records.into_iter().zip(foreign) {
            if foreign { orders.foreign.push(record.id) } else { orders.own.push(record) }
        }
        Ok(orders)
    }

    fn known(&self, showing: Showing<'_>, pause: u64) -> BTreeMap<String, Known> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.get(&(showing.lp_id, showing.unit.to_owned())).cloned().unwrap_or_default();
        let pause_s = pause.saturating_mul(showing.round_seconds);
        let holds = |known: &Known| {
            showing.round_start <= known.claimed_in.saturating_add(pause_s)
                && showing.round_start < known.owned.lapses_round
        };
        known.into_iter().filter(|(_, known)| holds(known)).collect()
    }

    fn remember(&self, showing: Showing<'_>, known: BTreeMap<String, Known>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (showing.lp_id, showing.unit.to_owned());
        if all.len() >= MAX_REMEMBERED {
            all.clear();
        }
        if known.len() <= MAX_REMEMBERED_ORDERS {
            all.insert(key, known);
        } else {
            all.remove(&key);
        }
    }
}

/// What makes two orders of one market the same. Where ids are unique only within an account and the reply does not
/// say which account it is, side, price and time of opening stand in for it: a partial fill changes none of them.
fn identity(showing: Showing<'_>, record: &OrderRecord) -> String {
    let identity = match (showing.scope, showing.account) {
        (OrderIdScope::Exchange, _) => format!("id {}", record.id),
        (OrderIdScope::Account, Some(account)) => {
            format!("account {} {account} {}", account.len(), record.id)
        }
        (OrderIdScope::Account, None) => {
            let opened = record.opened_ms.map(|ms| ms.to_string()).unwrap_or_default();
            format!("order {} {} {opened} {}", record.side, record.price, record.id)
        }
    };
    if identity.len() <= MAX_IDENTITY && !identity.chars().any(char::is_control) {
        return identity;
    }
    let digest = Sha256::digest(identity.as_bytes());
    format!("sha256 {}", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scope: OrderIdScope, account: Option<&str>, price: &str, amount: &str) -> String {
        let record = OrderRecord {
            id: "7".to_owned(),
            side: "ask".into(),
            price: price.into(),
            amount: amount.into(),
            rank: None,
            deviation: "0".into(),
            tolerance: "1".into(),
            opened_ms: Some(5),
            closed_ms: None,
            first_seen_ms: None,
        };
        let (exchange, unit, lp_id) = ("x", "btc", 1);
        let (round_start, round_seconds, lapses_after) = (0, 60, 60);
        let showing =
            Showing { exchange, unit, lp_id, scope, account, round_start, round_seconds, lapses_after };
        identity(showing, &record)
    }

    #[test]
    fn where_ids_are_unique_on_the_exchange_nothing_but_the_id_counts() {
        let exchange = || OrderIdScope::Exchange;
        assert_eq!(of(exchange(), None, "1", "5"), of(exchange(), Some("a"), "2", "4"));
    }

    #[test]
    fn where_ids_are_unique_within_an_account_its_own_id_is_part_of_the_identity() {
        let account = || OrderIdScope::Account;
        assert_eq!(of(account(), Some("a"), "1", "5"), of(account(), Some("a"), "2", "4"));
        assert_ne!(of(account(), Some("a"), "1", "5"), of(account(), Some("b"), "1", "5"));
        assert_ne!(of(account(), Some("1 7"), "1", "5"), of(account(), Some("1"), "1", "5"));
    }

    #[test]
    fn where_the_account_is_not_told_a_partial_fill_keeps_the_identity_and_another_price_does_not() {
        let account = || OrderIdScope::Account;
        assert_eq!(of(account(), None, "1", "5"), of(account(), None, "1", "4"));
        assert_ne!(of(account(), None, "1", "5"), of(account(), None, "2", "5"));
    }

    #[test]
    fn a_long_or_strange_id_is_kept_as_a_digest() {
        let long = of(OrderIdScope::Account, Some(&"a".repeat(300)), "1", "5");
        assert!(long.starts_with("sha256 ") && long.len() < MAX_IDENTITY, "{long}");
        assert!(of(OrderIdScope::Account, Some("a\0b"), "1", "5").starts_with("sha256 "));
    }
}
