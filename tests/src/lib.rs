//! The harness of the end-to-end tests: a whole pool in this process, real adapters, a real exchange over HTTP.
//! It knows no rule of the pool: what is right stands in the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is tests: a helper may fail loudly as a test may"
)]

mod addresses;
mod asking_guest;
mod components;
mod custodian_double;
mod database_link;
mod driver;
mod fake_server;
mod grants;
mod http;
mod litecoin;
mod lps;
mod pool;
mod processes;
mod raw_server;
mod settings;
mod signing;
mod stoppable_server;
mod torn_writes;
mod wait;
mod wallet_double;

pub use addresses::{address, address_of};
pub use asking_guest::AskingGuest;
pub use components::{
    adapter_names, another_build, compiler, component, profile_folder, put_in_place, workspace,
};
pub use custodian_double::{CustodianDouble, CustodianFault, GRANT_ADDRESS};
pub use database_link::{Cut, DatabaseLink};
pub use driver::component_driver;
pub use fake_server::FakeServer;
pub use grants::{grant_for_any_build, grant_of};
pub use http::{Answer, client, converse as converse_at, message_body};
pub use litecoin::Litecoin;
pub use lps::Lp;
pub use pool::{START_MS, START_S, TestPool};
pub use processes::{SHORT_ROUND_S, Server, SharedPool};
pub use raw_server::{Raw, RawServer};
pub use settings::{Settings, TEST_EXCHANGE, write_signing_key};
pub use signing::{adapter, sandbox, sign, sign_query};
pub use stoppable_server::{NamedPoint, Stop, StoppableServer, run_stoppable_server};
pub use torn_writes::DatabaseWrite;
pub use wait::{DEADLINE, wait_until};
pub use wallet_double::{WalletDouble, WalletFault, Within};
