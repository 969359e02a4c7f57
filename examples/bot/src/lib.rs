//! A liquidity provider's bot, as an example: it signs "which orders do I have open" for its exchange, hands
//! that to a pool every minute, and takes its orders back when the pool no longer credits them.
//! It knows no exchange's signature, which is the adapter's part, and nothing of how a pool pays.

mod bot;
mod component;
pub mod config;
mod error_chain;
mod events;
mod form;
mod http;
mod nonce;
mod pool;
mod prove;
mod random;
pub mod receipts;
mod secret;
mod signer;
pub mod simulated;
mod trader;

pub use bot::{Bot, DEFAULT_SILENCE_MS, MAX_STOP_MS, Settings};
pub use component::{Account, ComponentSigner, MissingParameter};
pub use error_chain::chain;
pub use events::{Counts, EVENT_CAPACITY, Event};
pub use form::MinimalRates;
pub use http::{AnswerError, MAX_ANSWER_BYTES};
pub use nonce::{Clock, NonceKind, Nonces, system_clock};
pub use pool::{
    AskedChallenge, Confirmation, HTTP_TIMEOUT_MS, Identity, MAX_MESSAGE_LENGTH, PoolAnswer, PoolClient,
};
pub use prove::{ProofOrders, ProveError, Prover};
pub use random::{Random, generator};
pub use secret::Secret;
pub use signer::{SignError, Signed, Signer, Value};
pub use trader::{NoOrders, Trader};
