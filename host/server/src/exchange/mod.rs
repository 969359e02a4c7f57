//! Talking to exchanges: what may be sent, the sending, and the way from a submission to a list of orders.

mod breach;
mod client;
mod evidence;
mod gate;
mod grant;
mod granted;
mod verify;

pub use breach::GrantBreach;
pub use client::{ClientError, ExchangeClient, Timeouts};
pub use evidence::{UnseenOrder, UnseenOrders, check_ids};
pub use gate::{Gate, GateClosed, Gates};
pub use grant::{Prepared, prepare};
pub use granted::{Difference, Waits, covers, prepare_granted};
pub use verify::{Refusal, SignedReply, Verification, Verified, WhoActs, begin, verify};
