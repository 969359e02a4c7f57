//! One order, one owner: an order belongs to the LP that showed it first, until it was not seen for some rounds.
//! Knows nothing of what an order is, only the text that identifies it.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row};
use tokio::sync::oneshot;

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::rows::{check_name, count, runs, signed, statement};
use crate::writer::Job;
use crate::{Store, connection};

/// Most orders claimed at once: more than a list of the longest length kept can hold.
const MAX_CLAIMED: usize = 16_384;

/// An LP that shows orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The exchange.
    pub exchange: String,
    /// The unit, which stands for the market.
    pub unit: String,
    /// The LP.
    pub lp_id: i64,
    /// What identifies each order on that market.
    pub identities: Vec<String>,
    /// For how many rounds beyond this one the orders stay the LP's without being claimed again.
    pub held_rounds: u64,
}

/// An order that belongs to the LP that claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owned {
    /// When the LP first showed it, in Unix milliseconds by the database's clock.
    pub first_seen_ms: u64,
    /// The first round in which it is free unless it is claimed again before, in Unix seconds.
    pub lapses_round: u64,
}

impl Store {
    /// Claims orders for an LP. For each, in their order: that it is the LP's, durably, or `None` if it is another's.
    /// Of two LPs that claim the same order at the same time, by whichever servers, exactly one gets it.
    pub async fn claim_orders(&self, claim: Claim) -> Result<Vec<Option<Owned>>, StoreError> {
        check_name("exchange", &claim.exchange)?;
        check_name("unit", &claim.unit)?;
        if claim.identities.len() > MAX_CLAIMED {
            return Err(StoreError::invalid("the list of orders", "it is too long"));
        }
        for identity in &claim.identities {
            check_name("the identity of an order", identity)?;
        }
        let (answer, owned) = oneshot::channel();
        self.enqueue(Job::Claim(Box::new(claim), answer))?;
        owned.await.unwrap_or(Err(StoreError::Closed))
    }

    /// For each of these orders, whether it is another LP's in the round that starts then. Claims nothing.
    pub async fn are_foreign(&self, claim: &Claim, round_start: u64) -> Result<Vec<bool>, StoreError> {
        let round_start = signed("the time", round_start)?;
        let mut reader = connection(&self.shared.reader).await?;
        let mut foreign = Vec::with_capacity(claim.identities.len());
        for identity in claim.identities.iter().take(MAX_CLAIMED) {
            check_name("the identity of an order", identity)?;
            let row = sqlx::query(
                "SELECT lp_id FROM order_owners WHERE exchange = $1 AND unit = $2 AND identity = $3 \
                 AND lp_id <> $4 AND lapses_round > $5",
            )
            .bind(claim.exchange.as_str())
            .bind(claim.unit.as_str())
            .bind(identity.as_str())
            .bind(claim.lp_id)
            .bind(round_start);
            foreign.push(row.fetch_optional(&mut *reader).await?.is_some());
        }
        Ok(foreign)
    }

    /// Forgets owners whose orders are free in this round, a few thousand at a time. Returns how many.
    pub async fn forget_lapsed_owners(&self, round_start: u64) -> Result<u64, StoreError> {
        let delete = "DELETE FROM order_owners WHERE (exchange, unit, identity) IN \
                      (SELECT exchange, unit, identity FROM order_owners WHERE lapses_round < $1 \
                      ORDER BY lapses_round, exchange, unit, identity LIMIT $2)";
        self.forget_rows(delete, round_start).await
    }
}

/// What identifies an order in the whole pool.
type Key<'c> = (&'c str, &'c str, &'c str);

/// The first round in which each order is free, by order and by the LP that claims it.
type Wanted<'c> = BTreeMap<Key<'c>, (i64, u64)>;

/// Takes claims in their order: of two for an order that is free, the first counts.
pub(crate) async fn claim_in_order(
    on: &mut AnyConnection,
    dialect: Dialect,
    now_ms: u64,
    round_seconds: u64,
    claims: &[&Claim],
) -> Result<Vec<Vec<Option<Owned>>>, StoreError> {
    let now_s = now_ms / 1000;
    let round_start = now_s - now_s % round_seconds.max(1);
    let times = (signed("the time", now_ms)?, signed("the time", round_start)?);
    let mut owned = BTreeMap::new();
    for wave in waves(claims, round_start, round_seconds) {
        // In the order of keys, so that servers wait for each other in one order.
        let wanted: Vec<(Key<'_>, (i64, u64))> = wave.into_iter().collect();
        for run in runs(dialect, &wanted) {
            claim_run(on, times, run, &mut owned).await?;
        }
    }
    let of = |claim: &Claim, identity: &String| {
        let key = (claim.exchange.clone(), claim.unit.clone(), identity.clone());
        owned.get(&key).filter(|(lp_id, _)| *lp_id == claim.lp_id).map(|(_, owned)| *owned)
    };
    let all_of = |claim: &&Claim| claim.identities.iter().map(|identity| of(claim, identity)).collect();
    Ok(claims.iter().map(all_of).collect())
}

/// Each order once a wave: a second LP that claims it may be the one that has owned it all along.
fn waves<'c>(claims: &[&'c Claim], round_start: u64, round_seconds: u64) -> Vec<Wanted<'c>> {
    let mut waves: Vec<Wanted<'c>> = Vec::new();
    for claim in claims {
        let held = claim.held_rounds.saturating_add(1).saturating_mul(round_seconds);
        let wanted = (claim.lp_id, round_start.saturating_add(held));
        for identity in &claim.identities {
            let key = (claim.exchange.as_str(), claim.unit.as_str(), identity.as_str());
            let taken = |wave: &Wanted<'_>| wave.get(&key).is_some_and(|(lp_id, _)| *lp_id != claim.lp_id);
            match waves.iter_mut().find(|wave| !taken(wave)) {
                Some(wave) => drop(wave.insert(key, wanted)),
                None => waves.push(BTreeMap::from([(key, wanted)])),
            }
        }
    }
    waves
}

/// An order's key, and whose it is.
type OwnedOrders = BTreeMap<(String, String, String), (i64, Owned)>;

async fn claim_run(
    on: &mut AnyConnection,
    (now_ms, round_start): (i64, i64),
    run: &[(Key<'_>, (i64, u64))],
    owned: &mut OwnedOrders,
) -> Result<(), StoreError> {
    let mut upsert = sqlx::query(statement(CLAIM_HEAD, "($, $, $, $, $, $, $)", run.len(), CLAIM_TAIL));
    for ((exchange, unit, identity), (lp_id, lapses)) in run {
        upsert = upsert
            .bind(*exchange)
            .bind(*unit)
            .bind(*identity)
            .bind(lp_id)
            .bind(now_ms)
            .bind(round_start)
            .bind(signed("the time", *lapses)?);
    }
    for row in upsert.fetch_all(on).await? {
        let key: (String, String, String) =
            (row.try_get("exchange")?, row.try_get("unit")?, row.try_get("identity")?);
        let lp_id: i64 = row.try_get("lp_id")?;
        let (first_seen_ms, lapses_round) = (count(&row, "first_seen_ms")?, count(&row, "lapses_round")?);
        owned.insert(key, (lp_id, Owned { first_seen_ms, lapses_round }));
    }
    Ok(())
}

const CLAIM_HEAD: &str = "INSERT INTO order_owners (exchange, unit, identity, lp_id, first_seen_ms, \
     last_seen_round, lapses_round) VALUES";

/// An order that was free begins anew, also for the LP that had it.
const CLAIM_TAIL: &str = "ON CONFLICT (exchange, unit, identity) DO UPDATE SET \
     first_seen_ms = CASE WHEN order_owners.lapses_round > excluded.last_seen_round \
     THEN order_owners.first_seen_ms ELSE excluded.first_seen_ms END, \
     lp_id = excluded.lp_id, last_seen_round = excluded.last_seen_round, lapses_round = excluded.lapses_round \
     WHERE order_owners.lp_id = excluded.lp_id OR order_owners.lapses_round <= excluded.last_seen_round \
     RETURNING exchange, unit, identity, lp_id, first_seen_ms, lapses_round";
