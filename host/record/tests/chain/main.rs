//! The published record: what it holds, and what verifying it finds.
//!
//! `ALP_TAMPERING_TABLE=FILE cargo test -p alp-record --test chain table::` also writes what was changed, with which
//! evidence, and what verifying said of it to a file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly"
)]

mod books;
mod carrying;
mod payouts;
mod replaying;
mod shown;
mod slices;
mod statements;
mod table;
mod tampering;
mod verifying;
