//! What waits after a takeover: telling it, and giving it to the address that the operator names.

use std::fmt::Write;

use alp_pool::address::AddressRules;
use alp_pool::money::Coins;
use alp_store::{Entered, ImportHold, NewLp, RegisterOutcome, Store};

use super::TakeoverFault;
use super::entering::{correction, sign_all};
use crate::record::{MAX_ATTEMPTS, PublishError, Publisher};
use crate::rounds::coins_from;

/// Everything that waits or waited, as a table. API keys are not shown.
///
/// # Errors
/// [`TakeoverFault`].
pub async fn list_holds(store: &Store) -> Result<String, TakeoverFault> {
    let mut text = String::new();
    for ImportHold { hold_no, hold, released } in store.import_holds().await? {
        let owed = coins_from(hold.amount_e8).unwrap_or(Coins::ZERO);
        let state = if released { "released" } else { "waits" };
        let _ = writeln!(
            text,
            "{hold_no:>4}  {state:<8}  {owed:>16}  {}  {}",
            hold.exchange,
            hold.units.join(" ")
        );
        for address in &hold.addresses {
            let _ = writeln!(text, "      {}", address.escape_debug());
        }
        let _ = writeln!(text, "      {}", hold.why);
    }
    if text.is_empty() {
        text.push_str("nothing waits\n");
    }
    Ok(text)
}

/// Registers the key of a hold under an address, and gives it what waits. A sentence.
///
/// # Errors
/// [`TakeoverFault`]: also if the address is wrong, or the key is registered under another one.
pub async fn release_hold(
    store: &Store,
    publisher: &Publisher,
    hold_no: u64,
    address: &str,
    rules: &AddressRules,
) -> Result<String, TakeoverFault> {
    let refused = |why: String| Err(TakeoverFault::NoSuchHold(why));
    let holds = store.import_holds().await?;
    let Some(ImportHold { hold, .. }) =
        holds.into_iter().find(|hold| hold.hold_no == hold_no && !hold.released)
    else {
        return refused(format!("no hold {hold_no} waits; `alp import holds` lists them"));
    };
    if let Err(error) = rules.check(address) {
        return refused(format!("{address:?} is no address that can be paid: {error}"));
    }
    let lp =
        NewLp { exchange: hold.exchange, user: hold.user, address: address.to_owned(), units: hold.units };
    let lp_id = match store.register_all(std::slice::from_ref(&lp)).await?.pop() {
        Some(RegisterOutcome::Registered { lp_id } | RegisterOutcome::AlreadyRegistered { lp_id }) => lp_id,
        Some(RegisterOutcome::OtherAddress { address }) => {
            return refused(format!("its key is registered under {address} by now: release it to that one"));
        }
        None => return refused("it has no units".to_owned()),
    };
    let why = format!("released from what was taken over from ALP-Server, hold {hold_no}");
    let owed = coins_from(hold.amount_e8).unwrap_or(Coins::ZERO);
    let mut bodies = Vec::new();
    if hold.amount_e8 > 0 {
        bodies.push(correction(store, publisher, (lp_id, &lp.user), hold.amount_e8, &why).await?);
    }
    for _ in 0..MAX_ATTEMPTS {
        let record = sign_all(store, publisher, &bodies).await?;
        match store.release_hold(hold_no, lp_id, &why, &record).await? {
            Entered::HeadMoved => {}
            Entered::Entered => {
                return Ok(format!("{owed} are owed to {address} now, and paid with the next payout"));
            }
            Entered::Before | Entered::Other => {
                return refused(format!("hold {hold_no} was released meanwhile"));
            }
        }
    }
    Err(PublishError::HeadMoves.into())
}
