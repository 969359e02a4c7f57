//! An exchange to practise on: a real HTTP server with accounts, signed requests, nonces and open orders.
//! It knows no pool and no adapter: what a signature has to be is written here a second time, on purpose.
//!
//! Orders rest until they are cancelled or the operator of the simulation fills them; nothing is matched and
//! no balance is kept, since a pool only ever sees open orders.

mod behaviour;
mod books;
mod decimal;
mod decoys;
mod exchanges;
mod handle;
mod protocol;
mod refusal;
mod server;
mod test_exchange;

pub use behaviour::Behaviour;
pub use books::{
    MAX_ACCOUNTS, MAX_MARKETS, MAX_NAME_LENGTH, MAX_ORDERS_PER_ACCOUNT, Market, NewOrder, Order, Side,
};
pub use decimal::{Decimal, NotADecimal};
pub use exchanges::protocol_of;
pub use handle::{Handle, MAX_LOGGED_REQUESTS, RequestLine, RequestLog};
pub use protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
pub use refusal::{Fault, Refusal};
pub use server::{Clock, MAX_BODY_BYTES, Running, SHUTDOWN_GRACE_MS, SimulatedExchange};
pub use test_exchange::{TestExchange, WINDOW_MS};
