//! Replays the adapter's fixtures.

use std::path::{Path, PathBuf};

use alp_adapter::testing::{self, Native, Replayed};
use hitbtc::Hitbtc;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn the_fixtures_give_their_requests_and_orders() {
    let replayed = testing::replay(&Native::<Hitbtc>::new(), &folder()).unwrap();
    assert_eq!(replayed, Replayed { calls: 1, cases: 3, orders: 2 });
}

#[test]
fn the_recorded_replies_give_their_orders() {
    let replayed = testing::replay_recorded(&Native::<Hitbtc>::new(), "hitbtc", &folder()).unwrap();
    assert!(replayed.is_none_or(|replayed| replayed.orders > 2));
}
