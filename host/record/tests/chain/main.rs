//! The published record: what it holds, and what verifying it finds.

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
mod slices;
mod statements;
mod tampering;
mod verifying;
