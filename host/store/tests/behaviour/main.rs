//! What the store promises, told once and run on every database: `sqlite::` and `postgres::` are the same files,
//! and differ in where `open_for_test` puts its store. `files` holds what only a file can promise, and
//! `cluster` what only a server can.
#![cfg(test)]
#![allow(clippy::duplicate_mod, reason = "the same tests run on each database")]

mod cluster;
mod files;
mod support;

/// One suite on one database. A store is `None` where the database is not installed; then the test says that it
/// is skipped.
macro_rules! suite {
    ($database:ident, $open:ident) => {
        #[path = "."]
        mod $database {
            use crate::support::$open as open_for_test;

            mod configuration;
            mod durability;
            mod freshness;
            mod imports;
            mod leases;
            mod ledger;
            mod payouts;
            mod proof;
            mod published;
            mod reads;
            mod records;
            mod refusals;
            mod registration;
            mod restored;
            mod retention;
            mod rounds;
            mod samples;
            mod schema;
            mod servers;
            mod side_by_side;
            mod slices;
        }
    };
}

suite!(sqlite, open_on_sqlite);
suite!(postgres, open_on_postgres);
