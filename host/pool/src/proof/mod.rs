//! Whose key: how an LP proves that an account at an exchange wants to be paid at an address, and what follows.
//!
//! A registration proves nothing, since anybody can write an address beside a key that he has seen. A signed request
//! proves nothing either: its signature does not bind an address, and other pools hold copies. What neither a copy nor
//! a key can do is place an order. So the pool names the last digits of an amount or a price, and the account shows an
//! order that has them.
//!
//! This knows no exchange, no database and no clock. Digests and times come in.

mod demand;
mod standing;

pub use demand::{
    CLOCKS_APART_MS, Demand, DemandError, LEAST_DEVIATION_E8, LEAST_DIGITS, MAX_DECIMALS, MOST_DIGITS,
    ProofClaim, ShownBy, ShownOrder,
};
pub use standing::{AddressStanding, NextAddress, NotPaid, ProofStep, ProofTerms};
