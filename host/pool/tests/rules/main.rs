//! The reward rule: against worked cases, against a file of cases, and its promises on random books.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod book;
mod promises;
mod vectors;
mod worked_cases;
