//! What entries come to for each LP, without checking them: what a pool carries forward of its own record.

use std::collections::BTreeMap;

use thiserror::Error;

use super::super::body::{Body, CarryForward, LpAmount};
use super::super::digest::Digest;
use super::round_check::credited;

/// The most LPs in an entry that carries balances forward: about ten megabytes. Of more LPs there are several entries.
pub const MAX_CARRIED_LPS: usize = 100_000;

/// What each LP is owed by the entries that were added, in whole 1e-8 of the coin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwedByRecord(BTreeMap<Digest, i128>);

/// A sum that no entry can hold. The operator's: no pool pays that much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("what an LP is owed by the record is beyond 63 bits")]
pub struct TooMuchOwed;

impl OwedByRecord {
    /// Adds what the next entry changes. An entry that carries balances forward takes the place of all before it.
    pub fn add(&mut self, body: &Body) {
        match body {
            Body::Epoch(_) => {}
            Body::Round(round) => {
                credited(round).into_iter().for_each(|(lp, amount)| self.change(lp, amount));
            }
            Body::Correction(correction) => self.change(correction.lp, i128::from(correction.amount_e8)),
            Body::Payout(payout) => {
                payout.lps.iter().for_each(|lp| self.change(lp.lp, -i128::from(lp.amount_e8)));
            }
            Body::CarryForward(forward) => {
                if forward.part == 1 {
                    self.0.clear();
                }
                forward.lps.iter().for_each(|lp| self.change(lp.lp, i128::from(lp.amount_e8)));
            }
        }
    }

    /// The entries that carry all of it forward, of at most `most_lps` LPs each: as a rule one. Who is owed nothing is
    /// left out.
    ///
    /// # Errors
    /// [`TooMuchOwed`].
    pub fn carry_forward(&self, why: &str, most_lps: usize) -> Result<Vec<Body>, TooMuchOwed> {
        let owed = self.0.iter().filter(|(_, amount)| **amount != 0).map(|(lp, amount)| {
            Ok(LpAmount { lp: *lp, amount_e8: i64::try_from(*amount).map_err(|_| TooMuchOwed)? })
        });
        let owed = owed.collect::<Result<Vec<LpAmount>, TooMuchOwed>>()?;
        let mut pieces: Vec<Vec<LpAmount>> = owed.chunks(most_lps.max(1)).map(<[_]>::to_vec).collect();
        if pieces.is_empty() {
            pieces.push(Vec::new());
        }
        let parts = u32::try_from(pieces.len()).map_err(|_| TooMuchOwed)?;
        let carried = (1..)
            .zip(pieces)
            .map(|(part, lps)| Body::CarryForward(CarryForward { why: why.to_owned(), part, parts, lps }));
        Ok(carried.collect())
    }

    fn change(&mut self, lp: Digest, by: i128) {
        let owed = self.0.entry(lp).or_default();
        *owed = owed.saturating_add(by);
    }
}
