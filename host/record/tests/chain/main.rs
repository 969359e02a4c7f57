//! The published record: what it holds, and what verifying it finds.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test may fail loudly"
)]

mod books;
mod replaying;
mod shown;
mod slices;
mod tampering;
mod verifying;
