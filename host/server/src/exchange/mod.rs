//! Talking to exchanges: what may be sent, the sending, and the way from a submission to a list of orders.

mod client;
mod gate;
mod grant;
mod verify;

pub use client::{ClientError, ExchangeClient, Timeouts};
pub use gate::{Gate, GateClosed, Gates};
pub use grant::{GrantBreach, Prepared, prepare};
pub use verify::{Refusal, Verification, Verified, WhoActs, verify};
