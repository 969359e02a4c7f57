//! What an operator may ask about the addresses of LPs, over the control socket.

use std::fmt::Write;

use alp_store::{AddressRecord, Lease, MAX_ADDRESSES_PAGE, NewAddressRecord, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::standing_after;
use crate::calendar::show_moment;

/// Longest reason that is kept with a stop, in characters.
const MAX_WHY: usize = 500;

/// What the operator may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LpsCommand {
    /// The addresses that are about to change, and how many are proven.
    List,
    /// Everything that happened to the address of an LP.
    History {
        /// The LP's number.
        lp: i64,
    },
    /// Stop the change of an LP's address.
    Stop {
        /// The LP's number.
        lp: i64,
        /// Why.
        why: String,
    },
}

/// Does what the operator asks. A sentence or a table.
///
/// # Errors
/// A sentence that says why not.
pub(crate) async fn obey(
    store: &Store,
    lease: Option<&Lease>,
    command: LpsCommand,
) -> Result<String, String> {
    let failed = |error: StoreError| error.to_string();
    match command {
        LpsCommand::List => list(store).await.map_err(failed),
        LpsCommand::History { lp } => history(store, lp).await.map_err(failed),
        LpsCommand::Stop { lp, why } => {
            stop(store, lease.ok_or("another server leads: give the command there")?, lp, &why).await
        }
    }
}

async fn list(store: &Store) -> Result<String, StoreError> {
    let now_ms = store.clock_ms().await?;
    let (mut text, mut proven, mut after) = (String::new(), 0_u64, 0);
    loop {
        let page = store.newest_addresses(after, MAX_ADDRESSES_PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.lp_id;
        for newest in &page {
            let standing = standing_after("", Some(newest)).at(now_ms);
            proven = proven.saturating_add(u64::from(standing.proven));
            if let Some(next) = &standing.next {
                let exchange = exchange_of(store, newest.lp_id).await?;
                let kind = if standing.proven { "proven" } else { "not proven" };
                let (lp, address, from) =
                    (newest.lp_id, &standing.address, show_moment(next.from_ms / 1_000));
                let _ =
                    writeln!(text, "LP {lp} {exchange} {address} ({kind}) -> {} from {from}", next.address);
            }
        }
    }
    if text.is_empty() {
        text.push_str("no address is about to change\n");
    }
    let _ = writeln!(text, "{proven} LPs have a proven address");
    Ok(text)
}

async fn exchange_of(store: &Store, lp_id: i64) -> Result<String, StoreError> {
    let lp = store.owing(lp_id.saturating_sub(1), 1).await?;
    Ok(lp.into_iter().next().map(|lp| lp.exchange).unwrap_or_default())
}

async fn history(store: &Store, lp: i64) -> Result<String, StoreError> {
    let records = store.address_history(lp).await?;
    if records.is_empty() {
        return Ok(format!("nothing happened to the address of LP {lp} since it registered"));
    }
    let mut text = String::new();
    for record in &records {
        let AddressRecord { kind, address, proven, why, at_ms, .. } = record;
        let shown = if *proven { "proven" } else { "not proven" };
        let next = record
            .next
            .as_ref()
            .map(|(next, from_ms)| format!(", {next} from {}", show_moment(from_ms / 1_000)));
        let (at, next) = (show_moment(at_ms / 1_000), next.unwrap_or_default());
        let _ = writeln!(text, "{at} {kind:<9} {address} ({shown}){next}: {why}");
    }
    Ok(text)
}

async fn stop(store: &Store, lease: &Lease, lp: i64, why: &str) -> Result<String, String> {
    let why: String = why.trim().chars().filter(|letter| !letter.is_control()).take(MAX_WHY).collect();
    if why.is_empty() {
        return Err("say why: it is kept with what happened to the address".to_owned());
    }
    let newest = store.newest_address(lp).await.map_err(|error| error.to_string())?;
    let now_ms = store.clock_ms().await.map_err(|error| error.to_string())?;
    let after = newest.as_ref().and_then(|newest| standing_after("", Some(newest)).after_stop(now_ms));
    let (Some(newest), Some(after)) = (newest, after) else {
        return Err(format!("the address of LP {lp} is not about to change"));
    };
    let stopped = NewAddressRecord {
        lp_id: lp,
        kind: "stopped",
        address: after.address.clone(),
        proven: after.proven,
        next: None,
        why,
    };
    let done = store.stop_address_change(lease, newest.change_no, &stopped).await;
    if !done.map_err(|error| error.to_string())? {
        return Err(format!("something happened to the address of LP {lp} meanwhile: look at it again"));
    }
    Ok(format!("LP {lp} stays with {}, and is paid there", after.address))
}
