//! The sharing engines: against files of cases, against worked cases, and their promises on random books.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod alike;
mod book;
mod breaches;
mod evidence;
mod extremes;
mod options;
mod promises;
mod unpaid;
mod vectors;
mod worked_cases;
