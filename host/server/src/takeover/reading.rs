//! Reading the old server's database into sums. Rows pass by one at a time.

use std::collections::BTreeMap;

use alp_pool::takeover::{CreditRow, LpCredits, RegistrationRow, Registrations, TakeoverError, Tally};
use alp_store::{AlpServerDatabase, Fingerprint, OldCredit, OldReader, OldUser, Unpaid};

use super::TakeoverFault;

/// After how many credits progress is told.
const TOLD_EVERY: u64 = 50_000;

/// What was read.
#[derive(Debug, Default)]
pub struct Source {
    /// Everybody who is registered.
    pub registrations: Registrations,
    /// Unpaid credits by key and exchange.
    pub credits: BTreeMap<(String, String), LpCredits>,
}

/// Reads all of it. `progress` is told how many credits were read so far.
pub(super) async fn read(
    old: &mut AlpServerDatabase,
    unpaid: Unpaid,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<(Source, Fingerprint), TakeoverFault> {
    let mut reader = Reader {
        registrations: Registrations::default(),
        tally: Tally::default(),
        read: 0,
        progress,
        fault: None,
    };
    let fingerprint = old.read(unpaid, &mut reader).await?;
    let Reader { registrations, tally, fault, .. } = reader;
    match (fingerprint, fault) {
        (Some(fingerprint), None) => Ok((Source { registrations, credits: tally.finish()? }, fingerprint)),
        (_, Some(fault)) => Err(fault.into()),
        (None, None) => Err(TakeoverFault::Changed),
    }
}

struct Reader<'p> {
    registrations: Registrations,
    tally: Tally,
    read: u64,
    progress: &'p mut (dyn FnMut(u64) + Send),
    fault: Option<TakeoverError>,
}

impl Reader<'_> {
    fn go_on(&mut self, taken: Result<(), TakeoverError>) -> bool {
        self.fault = taken.err();
        self.fault.is_none()
    }
}

impl OldReader for Reader<'_> {
    fn user(&mut self, user: &OldUser) -> bool {
        let OldUser { key, too_long, address, exchange, unit } = user;
        let row = RegistrationRow { key, too_long: *too_long, address, exchange, unit };
        let taken = self.registrations.add(&row);
        self.go_on(taken)
    }

    fn credit(&mut self, credit: &OldCredit) -> bool {
        self.read = self.read.saturating_add(1);
        if self.read.is_multiple_of(TOLD_EVERY) {
            (self.progress)(self.read);
        }
        let taken = self.tally.add(&CreditRow {
            key: &credit.key,
            exchange: &credit.exchange,
            unit: &credit.unit,
            order: credit.order.as_deref(),
            order_row: credit.order_row,
            at_s: credit.at_s,
            reward: &credit.reward,
            paid: credit.paid,
        });
        self.go_on(taken)
    }
}
