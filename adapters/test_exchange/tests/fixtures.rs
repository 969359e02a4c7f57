//! Replays the adapter's fixtures.

use std::path::{Path, PathBuf};

use alp_adapter::testing::{self, Native, Replayed};
use test_exchange::TestExchange;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn the_fixtures_give_their_requests_and_orders() {
    let replayed = testing::replay(&Native::<TestExchange>::new(), &folder()).unwrap();
    assert_eq!(replayed, Replayed { calls: 1, cases: 9, orders: 2 });
}
