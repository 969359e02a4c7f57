//! The exchange as a client sees it: real HTTP, real signatures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the whole crate is tests: a helper may fail loudly as a test may"
)]

mod behaviours;
mod client;
mod signatures;
mod trading;
