//! Noticing that an accepted submission shows what a challenge demands.

use alp_pool::money::Amount;
use alp_pool::price::Price;
use alp_pool::proof::{Demand, ProofStep, ShownBy, ShownOrder};
use alp_record::judged::OrderRecord;
use alp_store::{Challenge, Met, NewAddressRecord, StoreError};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::{shortened, standing_after};
use crate::app::{App, InForce};

/// The header by which the answer to a submission says that it met a challenge.
pub(crate) const PROOF: HeaderName = HeaderName::from_static("alp-proof");

/// How often it is tried to write what follows, if other servers write at the same time.
const ATTEMPTS: usize = 3;

/// An order of the LP, with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenOrder {
    id: String,
    order: ShownOrder,
}

/// What an accepted submission proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noticed {
    /// A sentence for the bot.
    pub(crate) sentence: String,
}

impl Noticed {
    /// The header for the answer.
    pub(crate) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&self.sentence) {
            headers.insert(PROOF, value);
        }
        headers
    }
}

/// What is looked at of the LP's own orders. Those without a time at which they were first seen count for nothing.
pub(crate) fn seen_orders(records: &[OrderRecord]) -> Vec<SeenOrder> {
    let seen = |record: &OrderRecord| {
        let order = ShownOrder {
            price: Price::parse(&record.price).ok()?,
            amount: Amount::parse(&record.amount).ok()?,
            deviation_e8: alp_pool::money::Ratio::parse(&record.deviation).ok()?.e8(),
            first_seen_ms: record.first_seen_ms?,
            opened_ms: record.opened_ms,
        };
        Some(SeenOrder { id: record.id.clone(), order })
    };
    records.iter().filter_map(seen).collect()
}

/// Looks whether orders that were just stored meet a challenge, and writes down what follows. What fails here fails for
/// the proof alone: the submission stands, and the next one shows the same order.
pub(crate) async fn notice(
    app: &App,
    in_force: &InForce,
    whose: (&str, &str, &str),
    lp_id: i64,
    seen: &[SeenOrder],
) -> Option<Noticed> {
    if seen.is_empty() {
        return None;
    }
    let noticed = first_met(app, in_force, whose, lp_id, seen).await;
    noticed.unwrap_or_else(|error| {
        tracing::error!(lp = lp_id, error = &error as &dyn std::error::Error, "a proof could not be written");
        None
    })
}

async fn first_met(
    app: &App,
    in_force: &InForce,
    (exchange, unit, user): (&str, &str, &str),
    lp_id: i64,
    seen: &[SeenOrder],
) -> Result<Option<Noticed>, StoreError> {
    for challenge in app.store.challenges_of(lp_id).await? {
        let by = ShownBy::from_name(&challenge.shown_by);
        let demand = by.and_then(|by| Demand::read(by, challenge.decimals, &challenge.digits).ok());
        let Some(demand) = demand.filter(|_| challenge.unit == unit) else { continue };
        let met = seen.iter().find(|seen| demand.is_met_by(&seen.order, challenge.issued_at_ms));
        let Some(met) = met else { continue };
        let Some(lp) = app.store.find_lp(exchange, user).await? else { continue };
        if let Some(noticed) = prove(app, in_force, &lp.address, &challenge, &met.id).await? {
            return Ok(Some(noticed));
        }
    }
    Ok(None)
}

/// Writes what follows from a challenge that was met. None if another server did, or it has just lapsed.
async fn prove(
    app: &App,
    in_force: &InForce,
    registered: &str,
    challenge: &Challenge,
    order_id: &str,
) -> Result<Option<Noticed>, StoreError> {
    let (id, lp_id) = (challenge.challenge_id, challenge.lp_id);
    for _ in 0..ATTEMPTS {
        let newest = app.store.newest_address(lp_id).await?;
        let now_ms = app.store.clock_ms().await?;
        let before = newest.as_ref().map_or(0, |newest| newest.change_no);
        let standing = standing_after(registered, newest.as_ref());
        let (after, step) =
            standing.after_proof(&challenge.address, in_force.config.pool.proof.terms, now_ms);
        let address = shortened(&challenge.address);
        let next = after.next.as_ref().map(|next| (next.address.clone(), next.from_ms));
        let from_s = next.as_ref().map_or(0, |(_, from_ms)| from_ms / 1_000);
        let (kind, sentence) = match step {
            ProofStep::Proven => ("proven", format!("{address} is proven")),
            ProofStep::Withdrawn => {
                ("withdrawn", format!("{address} is proven, and no other address replaces it"))
            }
            ProofStep::Begun => (
                "begun",
                format!("{address} is proven: it is paid from {from_s} on, and nothing is paid before"),
            ),
            ProofStep::Nothing => (
                "",
                format!(
                    "{address} was proven before: it is paid from {from_s} on, and nothing is paid before"
                ),
            ),
        };
        let why = format!("order {order_id} met challenge {id}");
        let follows =
            NewAddressRecord { lp_id, kind, address: after.address, proven: after.proven, next, why };
        let follows = (step != ProofStep::Nothing).then_some(&follows);
        match app.store.meet_challenge(id, before, follows).await? {
            Met::Done => {
                app.challenges.read_again();
                tracing::warn!(lp = lp_id, challenge = id, "an address is proven: {sentence}");
                return Ok(Some(Noticed { sentence }));
            }
            Met::NotOpen => return Ok(None),
            Met::Changed => {}
        }
    }
    Ok(None)
}
