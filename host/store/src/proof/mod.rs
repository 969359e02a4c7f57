//! Proofs of addresses: what LPs were asked to show, and everything that happened to the addresses they are paid at.
//! Knows neither which order meets a challenge nor what follows from one: it writes what follows only if nothing
//! happened to the address since the caller looked.
//!
//! What happens to an address is written with the ledger's lock, as the reservation of payouts is: whoever was told
//! that an address changes sees no payout reserved for the old one afterwards.

mod addresses;
mod challenges;

pub use addresses::{AddressRecord, MAX_ADDRESSES_PAGE, Met, NewAddressRecord};
pub(crate) use addresses::{check_payable, is_address_of};
pub use challenges::{Challenge, Issued, NewChallenge};
