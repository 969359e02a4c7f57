//! Payouts: who is paid how much by which transaction, and what may follow from what the wallet says.
//!
//! It knows no wallet, no database and no clock. It plans, and it decides: a payout moves from state to state by
//! these functions alone, so that what is never done can be read here and tested here.

mod plan;
mod state;

pub use plan::{
    Debit, FeeBearer, HeldBack, HeldBecause, MAX_OWED, Output, Owed, PayoutTerms, Plan, PlanError,
    PlannedPayout, WalletTerms, plan,
};
pub use state::{
    Broadcast, CallResult, Conflict, Evidence, Method, Next, RefusalCode, Stage, Standing, Why,
    after_broadcast, after_call, refuses_before_commit, review,
};
