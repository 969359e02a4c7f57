//! Taking over what an ALP-Server owes: which of its unpaid credits count, to whom they belong, and what its wallet sent.
//!
//! It knows neither its database nor its wallet: rows and transactions are handed in, and what it returns says what is
//! owed and what the faults of that server had doubled. Rewards were kept there as binary floats; they are read as the
//! decimals that these floats are written as, cut at 1e-18, and added up exactly. Each LP's sum is rounded to 1e-8 once,
//! halves to even, and what all roundings came to is told.

mod doubles;
mod owing;
mod registered;
mod reward;
mod sent;

pub use doubles::{CreditRow, Doubled, Doubles, Fault, LpCredits, MAX_CREDITS_OF_ORDER, MAX_OWED_LPS, Tally};
pub use owing::{Hold, HoldWhy, OwedLp, Owing, TakeoverError, owing};
pub use registered::{Excess, KeyRegistrations, Multiples, Multiplied, RegistrationRow, Registrations};
pub use reward::{REWARD_SCALE, RewardError, read_reward, to_e8};
pub use sent::{Comparison, Overpaid, SentTransaction, compare, subtract};
