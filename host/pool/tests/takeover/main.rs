//! What an ALP-Server owes: random books with its faults in them, against what was earned.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod doubles;
mod owing;
mod sent;
