//! The arithmetic of the pool: judging orders, and sharing a round's reward among those who showed them.
//!
//! No I/O, no clock, no randomness, no floats, no other crate of ours: same input, same credits, on any machine.

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::float_arithmetic,
        clippy::disallowed_types
    )
)]

pub mod address;
pub mod apportion;
pub mod audit;
pub mod credit;
pub mod decimal;
pub mod engines;
pub mod evidence;
pub mod judge;
pub mod median;
pub mod money;
pub mod payout;
pub mod pots;
pub mod price;
pub mod proof;
pub mod rate;
pub mod round;
pub mod schedule;
mod softplus;
pub mod takeover;
pub mod terms;
mod wide;
pub mod worth;

pub use wide::Overflow;
