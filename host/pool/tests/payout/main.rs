//! Payouts: what is planned, and what may follow from what a wallet says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod planning;
mod states;
