//! Entering into this pool's database: LPs first, and then balances, holds and the mark in one transaction.

use alp_pool::takeover::{Hold, OwedLp};
use alp_record::chain::{Body, Correction};
use alp_store::{Entered, IMPORTED_BY, NewEntry, NewHold, NewImport, NewLp, RegisterOutcome, Store};

use super::report::Report;
use super::{Found, TakeoverFault};
use crate::record::{Head, MAX_ATTEMPTS, Publisher};

/// What the imports are from.
const SOURCE: &str = "alp-server";

/// What is entered after the old server's role was taken.
pub(super) struct Entering {
    /// LP, key, and what is owed, in 1e-8, above zero.
    balances: Vec<(i64, String, i64)>,
    holds: Vec<NewHold>,
}

/// Registers everybody who has one right address. One who is registered here under another one waits.
pub(super) async fn register(store: &Store, found: &Found) -> Result<Entering, TakeoverFault> {
    let lps: Vec<NewLp> = found.owing.lps.iter().map(new_lp).collect();
    let outcomes = store.register_all(&lps).await?;
    let mut entering =
        Entering { balances: Vec::new(), holds: found.owing.holds.iter().map(new_hold).collect() };
    for (lp, outcome) in found.owing.lps.iter().zip(outcomes) {
        let amount_e8 = e8(lp.owed.e8());
        match outcome {
            RegisterOutcome::Registered { lp_id } | RegisterOutcome::AlreadyRegistered { lp_id } => {
                if amount_e8 > 0 {
                    entering.balances.push((lp_id, lp.key.clone(), amount_e8));
                }
            }
            RegisterOutcome::OtherAddress { address } => entering.holds.push(NewHold {
                user: lp.key.clone(),
                exchange: lp.exchange.clone(),
                units: lp.units.iter().cloned().collect(),
                addresses: vec![lp.address.clone()],
                amount_e8,
                why: format!(
                    "the key is registered here already, under {address}: say that address, or pay by hand"
                ),
            }),
        }
    }
    Ok(entering)
}

/// Enters the import, signed into the record for the head that is there.
pub(super) async fn enter(
    store: &Store,
    publisher: &Publisher,
    found: &Found,
    entering: Entering,
    report: &Report,
    beside_others: bool,
) -> Result<Entered, TakeoverFault> {
    let short = found.import_id.get(..12).unwrap_or(&found.import_id);
    let why = format!("taken over from ALP-Server, import {short}");
    let mut bodies = Vec::with_capacity(entering.balances.len());
    for (lp_id, key, amount_e8) in &entering.balances {
        bodies.push(correction(store, publisher, (*lp_id, key), *amount_e8, &why).await?);
    }
    let mut import = NewImport {
        import_id: found.import_id.clone(),
        source: SOURCE.to_owned(),
        report: report.json(),
        balances: entering.balances.iter().map(|(lp_id, _, amount_e8)| (*lp_id, *amount_e8)).collect(),
        why,
        holds: entering.holds,
        foreign: found.wallet.as_ref().map(|wallet| wallet.all.clone()).unwrap_or_default(),
        beside_others,
        record: Vec::new(),
    };
    for _ in 0..MAX_ATTEMPTS {
        import.record = sign_all(store, publisher, &bodies).await?;
        match store.enter_import(&import).await? {
            Entered::HeadMoved => {}
            entered @ (Entered::Entered | Entered::Before | Entered::Other) => return Ok(entered),
        }
    }
    Ok(Entered::HeadMoved)
}

/// The correction of an LP's balance as it is published.
pub(super) async fn correction(
    store: &Store,
    publisher: &Publisher,
    (lp_id, key): (i64, &str),
    amount_e8: i64,
    why: &str,
) -> Result<Body, TakeoverFault> {
    let lp = publisher.opening(store, lp_id).await?.pseudonym(publisher.pool(), key);
    Ok(Body::Correction(Correction { lp, amount_e8, who: IMPORTED_BY.to_owned(), why: why.to_owned() }))
}

/// Entries that follow the head that is there, each the one before.
pub(super) async fn sign_all(
    store: &Store,
    publisher: &Publisher,
    bodies: &[Body],
) -> Result<Vec<NewEntry>, TakeoverFault> {
    let mut head = publisher.read_head(store).await?;
    let at_ms = store.clock_ms().await?;
    let mut entries = Vec::with_capacity(bodies.len());
    for body in bodies {
        let signed = publisher.sign(&head, at_ms, body.clone());
        let (entry, new) = signed.map_err(crate::record::PublishError::from)?;
        head = Head { digest: entry.header.digest(), header: entry.header };
        entries.push(new);
    }
    Ok(entries)
}

fn new_lp(lp: &OwedLp) -> NewLp {
    NewLp {
        exchange: lp.exchange.clone(),
        user: lp.key.clone(),
        address: lp.address.clone(),
        units: lp.units.iter().cloned().collect(),
    }
}

fn new_hold(hold: &Hold) -> NewHold {
    NewHold {
        user: hold.key.clone(),
        exchange: hold.exchange.clone(),
        units: hold.units.iter().cloned().collect(),
        addresses: hold.addresses.iter().cloned().collect(),
        amount_e8: e8(hold.owed.e8()),
        why: hold.why.to_string(),
    }
}

/// Coins are below 2^63 units.
fn e8(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}
