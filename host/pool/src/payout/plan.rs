//! From what is owed to the outputs of transactions.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::apportion::apportion;
use crate::credit::LpId;
use crate::money::Coins;
use crate::proof::NotPaid;
use crate::wide::Overflow;

/// Most LPs that are planned for at once: ten times the largest pool the project measures itself against.
pub const MAX_OWED: usize = 100_000;

/// What the wallet can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletTerms {
    unit: Coins,
    smallest_output: Coins,
    most_outputs: usize,
}

impl WalletTerms {
    /// The smallest unit of the wallet's currency (Nu: 0.0001), the smallest output that its network relays, and the
    /// most outputs of one transaction.
    ///
    /// # Errors
    /// [`PlanError`] says which cannot be.
    pub fn new(unit: Coins, smallest_output: Coins, most_outputs: usize) -> Result<Self, PlanError> {
        if unit == Coins::ZERO {
            return Err(PlanError::NoUnit);
        }
        if most_outputs == 0 {
            return Err(PlanError::NoOutputs);
        }
        Ok(Self { unit, smallest_output, most_outputs })
    }

    /// The smallest unit.
    #[must_use]
    pub fn unit(&self) -> Coins {
        self.unit
    }

    /// What is left of an amount in whole units, floored: what is below a unit stays owed.
    #[must_use]
    pub fn floor(&self, coins: Coins) -> Coins {
        let below = coins.e8().checked_rem(self.unit.e8()).and_then(Coins::from_e8).unwrap_or(Coins::ZERO);
        coins.minus(below).unwrap_or(Coins::ZERO)
    }
}

/// Who bears the fee of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeeBearer {
    /// The pool: an LP gets what it is owed.
    Pool,
    /// Each address: this much is taken from what it is owed before it is paid, whatever the transaction then costs.
    /// It is fixed beforehand, so that the ledger never waits for a transaction to know what was charged.
    Address(Coins),
}

/// The operator's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutTerms {
    /// The least that an address is paid.
    pub minimum: Coins,
    /// Who bears the fee.
    pub fee: FeeBearer,
    /// Above this an address is paid only once the operator has approved.
    pub hold_above: Option<Coins>,
    /// The most that all payouts of a day may come to.
    pub daily_ceiling: Option<Coins>,
}

/// What is owed to one LP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The LP.
    pub lp: LpId,
    /// Its payout address.
    pub address: String,
    /// What it is owed and what is reserved for no payout.
    pub coins: Coins,
    /// Whether the operator approved the address whatever it is owed.
    pub approved: bool,
    /// Why the address is not to be paid now, if that is so: the wallet refused it.
    pub refused_by_wallet: bool,
    /// Why this LP is not to be paid now, if that is so: of its address something is to be proven first, or waited for.
    pub not_paid: Option<NotPaid>,
}

/// What an LP's balance goes down by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debit {
    /// The LP.
    pub lp: LpId,
    /// What it is paid.
    pub paid: Coins,
    /// What it is charged as its part of the fee.
    pub fee: Coins,
}

/// One output of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Where to.
    pub address: String,
    /// How much: whole units of the wallet.
    pub coins: Coins,
    /// Whose it is. What is paid adds up to `coins`.
    pub debits: Vec<Debit>,
}

/// One payout: one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPayout {
    /// Its outputs, by address.
    pub outputs: Vec<Output>,
    /// Their sum.
    pub total: Coins,
}

/// Why an address is not paid though it is owed enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldBecause {
    /// It is owed more than is paid without approval.
    NeedsApproval,
    /// The wallet refused it.
    RefusedByWallet,
    /// What may be paid in a day is used up.
    DailyCeiling,
    /// Of the address of this LP something is to be proven first, or waited for. Others with the same address are paid.
    Address(LpId, NotPaid),
}

/// An address that is not paid now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The address.
    pub address: String,
    /// What would be paid.
    pub coins: Coins,
    /// Why it is not.
    pub because: HeldBecause,
}

/// What is to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The payouts.
    pub payouts: Vec<PlannedPayout>,
    /// What the operator should know of.
    pub held_back: Vec<HeldBack>,
}

/// Plans payouts. `paid_today` is what payouts of this day came to so far.
///
/// An LP that is not to be paid is left out with all that it is owed, and holds nobody else up. The others that share an
/// address share its output. An address is paid what its LPs are owed, less the fee where it bears
/// it, floored to the wallet's unit; what flooring leaves stays owed. The output is split among its LPs in proportion
/// to what each is owed, by largest remainders, and so is the fee: nobody's debit exceeds what is owed to it.
///
/// The result depends on what is owed alone, not on the order in which it is given.
///
/// # Errors
/// [`PlanError`].
pub fn plan(
    owed: &[Owed],
    terms: &PayoutTerms,
    wallet: &WalletTerms,
    paid_today: Coins,
) -> Result<Plan, PlanError> {
    if owed.len() > MAX_OWED {
        return Err(PlanError::TooMany(owed.len()));
    }
    let mut plan = Plan { held_back: left_out(owed), ..Plan::default() };
    let mut by_address: BTreeMap<&str, Vec<&Owed>> = BTreeMap::new();
    for lp in owed.iter().filter(|lp| lp.not_paid.is_none()) {
        by_address.entry(&lp.address).or_default().push(lp);
    }
    let mut outputs = Vec::new();
    let mut today = paid_today;
    for (address, mut lps) in by_address {
        lps.sort_unstable_by_key(|lp| lp.lp);
        if lps.iter().zip(lps.iter().skip(1)).any(|(one, next)| one.lp == next.lp) {
            return Err(PlanError::Twice);
        }
        let Some(output) = output(address, &lps, terms, wallet)? else { continue };
        let with_this = today.plus(output.coins)?;
        let because = held_because(&lps, &output, terms, with_this);
        if let Some(because) = because {
            plan.held_back.push(HeldBack { address: output.address, coins: output.coins, because });
            continue;
        }
        today = with_this;
        outputs.push(output);
    }
    for batch in outputs.chunks(wallet.most_outputs) {
        let total = Coins::sum(batch.iter().map(|output| output.coins))?;
        plan.payouts.push(PlannedPayout { outputs: batch.to_vec(), total });
    }
    Ok(plan)
}

/// LPs that are not to be paid, in their order.
fn left_out(owed: &[Owed]) -> Vec<HeldBack> {
    let mut left_out: Vec<(LpId, HeldBack)> = Vec::new();
    for lp in owed {
        if let Some(not_paid) = lp.not_paid {
            let (address, because) = (lp.address.clone(), HeldBecause::Address(lp.lp, not_paid));
            left_out.push((lp.lp, HeldBack { address, coins: lp.coins, because }));
        }
    }
    left_out.sort_by_key(|(lp, _)| *lp);
    left_out.into_iter().map(|(_, held)| held).collect()
}

fn held_because(
    lps: &[&Owed],
    output: &Output,
    terms: &PayoutTerms,
    with_this: Coins,
) -> Option<HeldBecause> {
    if lps.iter().any(|lp| lp.refused_by_wallet) {
        return Some(HeldBecause::RefusedByWallet);
    }
    let approved = lps.iter().all(|lp| lp.approved);
    if !approved && terms.hold_above.is_some_and(|limit| output.coins > limit) {
        return Some(HeldBecause::NeedsApproval);
    }
    terms.daily_ceiling.filter(|ceiling| with_this > *ceiling).map(|_| HeldBecause::DailyCeiling)
}

/// The output of one address, if there is enough for one.
fn output(
    address: &str,
    lps: &[&Owed],
    terms: &PayoutTerms,
    wallet: &WalletTerms,
) -> Result<Option<Output>, PlanError> {
    let owed = Coins::sum(lps.iter().map(|lp| lp.coins))?;
    let fee = match terms.fee {
        FeeBearer::Pool => Coins::ZERO,
        FeeBearer::Address(fee) => fee,
    };
    let coins = wallet.floor(owed.minus(fee).unwrap_or(Coins::ZERO));
    if coins == Coins::ZERO || coins < wallet.smallest_output || coins < terms.minimum {
        return Ok(None);
    }
    let weights: Vec<u128> = lps.iter().map(|lp| u128::from(lp.coins.e8())).collect();
    // Both together first, so that the sum of an LP's two parts stays within what it is owed; then what of it is fee.
    let taken = coins.plus(fee)?;
    let parts = apportion(taken.e8(), &weights)?;
    let part_weights: Vec<u128> = parts.iter().map(|part| u128::from(*part)).collect();
    let fees = apportion(fee.e8(), &part_weights)?;
    let mut debits = Vec::with_capacity(lps.len());
    for ((lp, part), fee) in lps.iter().zip(parts).zip(fees) {
        let paid = part.checked_sub(fee).and_then(Coins::from_e8).ok_or(Overflow("debit"))?;
        let fee = Coins::from_e8(fee).ok_or(Overflow("fee"))?;
        if part > 0 {
            debits.push(Debit { lp: lp.lp, paid, fee });
        }
    }
    Ok(Some(Output { address: address.to_owned(), coins, debits }))
}

/// Why no payouts can be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PlanError {
    /// A unit of nothing.
    #[error("the wallet's smallest unit is zero: 0.00000001 is the least that is right")]
    NoUnit,
    /// Transactions of nothing.
    #[error("a transaction may have no output at all: 1 is the least that is right")]
    NoOutputs,
    /// More LPs than are planned for at once.
    #[error("{0} LPs are owed something: at most {MAX_OWED} are planned for at once")]
    TooMany(usize),
    /// One LP stands twice under one address.
    #[error("an LP is listed twice")]
    Twice,
    /// A sum left its range.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}
