//! The bot at work: a pool and an exchange over real HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is tests: a helper may fail loudly as a test may"
)]

mod component;
mod configuration;
mod fake_pool;
mod orders;
mod proving;
mod rounds;
mod scene;
