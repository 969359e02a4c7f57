//! The pool's server: configuration, endpoints, the client that talks to exchanges, the loops.
//! It knows HTTP and time; how rewards are shared, how adapters run and how rows are kept it leaves to others.

pub mod admission;
pub mod app;
pub mod calendar;
pub mod check;
pub mod cli;
pub mod config;
pub mod containment;
pub mod control;
pub mod database;
mod endpoints;
pub mod exchange;
pub mod fail_at;
pub mod freshness;
pub mod kept;
pub mod leadership;
pub mod ledgers;
pub mod lifecycle;
pub mod liquidity_report;
pub mod look_ups;
pub mod loops;
pub mod message;
pub mod network;
mod overview;
pub mod ownership;
pub mod payouts;
mod prepared;
pub mod prices;
pub mod proof;
pub mod record;
mod registrations;
pub mod reward_cases;
pub mod rounds;
pub mod server;
mod service;
pub mod shadow;
mod sightings;
pub mod submissions;
pub mod takeover;
pub mod turns;
pub mod verify;
pub mod why_not;
mod wire;

pub use endpoints::router;
