//! The pool from end to end: real HTTP, real components, a real database, an exchange that checks signatures.
//!
//! A name that begins with `pb_` and a number answers the fault of that number that ALP-Server, the pool before
//! this one, was found to have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is tests: a helper may fail loudly as a test may"
)]

mod adapters;
mod architecture;
mod books;
mod bot_receipts;
mod check;
mod components;
mod concurrency;
mod configuration;
mod containment;
mod credited;
mod credits;
mod durability;
mod endpoints;
mod evidence;
mod exchange_faults;
mod exchanges;
mod freshness;
mod grants;
#[path = "../../../host/sandbox/tests/sandbox/guests.rs"]
#[allow(dead_code, reason = "the sandbox's tests need more of it")]
mod guests;
mod hostile;
mod injection;
mod judging;
mod keeping;
mod kept;
mod killed;
mod liquidityinfo;
mod logged;
mod messages;
mod network;
mod outbound;
mod owners;
mod paying;
mod payouts;
mod prices;
mod proof;
mod records;
mod registration;
mod reload;
mod retention;
mod rule_files;
mod rules;
mod several_servers;
mod simulate;
mod statements;
mod takeover;
mod tllp;
mod verify;
mod why_not;
