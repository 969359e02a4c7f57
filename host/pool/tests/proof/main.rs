//! Proofs of addresses: which orders meet a challenge, and what follows from one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod demands;
mod standings;
