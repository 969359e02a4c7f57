//! Replays a folder of fixtures against an adapter: natively, or as the component that was built from it.
//!
//! A folder holds `cases.json` (replies and the orders in them, [`Case`]) and one or more `request*.json` (whole
//! signed calls, [`SignedCall`]). [`replay`] checks that signing a call gives its `req` and `sign`, that starting
//! with them gives its HTTP request byte for byte, and that each reply gives the orders expected of it. Where an
//! operator has to configure markets, `markets.json` says how (`{"NBT/BTC": {"id": "7"}}`); where an adapter
//! looks something public up, `look_up.json` is the reply.
//!
//! What is driven is a [`Driver`]: [`Native`] for an adapter that is linked in, the host's own for a component.
//! It deals in the plain types of this module only.

mod driver;
mod fixture;
mod native;
mod replay;
mod submissions;
mod token;

pub use driver::{Answer, Ask, Begun, Driver, Failure, Message, Next, SigningAsk};
pub use fixture::{Case, Folder, Http, Posted, SeenOrder, SignedCall, Value};
pub use native::{Native, submission};
pub use replay::{
    Replayed, begin_case, check_case, check_sign, check_start, compare, past_look_ups, replay,
    replay_recorded, sign_first_call, signing_ask,
};
pub use submissions::{Submissions, orders_of, pending_of};
