//! `alp payouts correct`: the operator corrects what an LP is owed, in public.

use std::fmt;

use alp_record::chain::SignedCoins;
use alp_store::{Lease, NewCorrection, Store};
use serde::{Deserialize, Serialize};

use crate::record::{PublishError, Publisher};

/// Longest name of who corrects, and longest reason, in bytes: both are published for good.
const MAX_TEXT: usize = 256;

/// What is corrected.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectCommand {
    /// The exchange at which the LP is registered.
    pub exchange: String,
    /// Its API key.
    pub user: String,
    /// By how much, in coins: a decimal, with a minus sign if it takes away.
    pub amount: String,
    /// Who corrects it.
    pub who: String,
    /// Why.
    pub why: String,
}

impl fmt::Debug for CorrectCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { exchange, user: _, amount, who, why } = self;
        f.debug_struct("CorrectCommand")
            .field("exchange", exchange)
            .field("amount", amount)
            .field("who", who)
            .field("why", why)
            .finish_non_exhaustive()
    }
}

/// Corrects what an LP is owed, and publishes it: one transaction, or nothing. A sentence.
///
/// # Errors
/// A sentence that says why not.
pub async fn correct(
    store: &Store,
    publisher: &Publisher,
    lease: Option<&Lease>,
    command: CorrectCommand,
) -> Result<String, String> {
    let CorrectCommand { exchange, user, amount, who, why } = command;
    let lease = lease.ok_or("another server leads: give the command there")?;
    let amount_e8 = match SignedCoins::parse(&amount) {
        Some(SignedCoins(0)) => return Err("a correction by nothing corrects nothing".to_owned()),
        Some(SignedCoins(e8)) => e8,
        None => return Err("the amount is coins with up to eight decimal places, such as -0.5".to_owned()),
    };
    for (what, text) in [("--who", &who), ("--why", &why)] {
        if text.trim().is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
            return Err(format!("{what} is one line of 1 to {MAX_TEXT} bytes: it is published"));
        }
    }
    let failed = |error: PublishError| error.to_string();
    let lp = store.find_lp(&exchange, &user).await.map_err(|error| error.to_string())?;
    let lp = lp.ok_or_else(|| format!("this API key is not registered on {exchange}"))?;
    publisher.catch_up(store, lease).await.map_err(failed)?;
    let correction = &NewCorrection { lp_id: lp.lp_id, amount_e8, who, why };
    let body = publisher.correction_body(store, correction).await.map_err(failed)?;
    let write = |entry| async move { Ok(store.publish_correction(lease, correction, &entry).await?) };
    let header = publisher.publish::<PublishError, _>(store, body, write).await.map_err(failed)?;
    match header {
        Some(header) => {
            let amount = SignedCoins(amount_e8);
            Ok(format!("corrected by {amount}; entry {} of the record tells of it", header.number))
        }
        None => Err("nothing was corrected".to_owned()),
    }
}
