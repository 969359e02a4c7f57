//! Replays `fixtures/`: every signed call in both directions, and every reply to its orders or its fault.

use std::path::Path;

use alp_adapter::testing::{self, Native};
use example_exchange::ExampleExchange;

#[test]
fn the_fixtures_give_their_requests_and_orders() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let replayed = testing::replay(&Native::<ExampleExchange>::new(), &folder).unwrap();
    // A folder that lost its cases must not pass.
    assert!(replayed.calls >= 1 && replayed.cases >= 4 && replayed.orders >= 2, "{replayed:?}");
}
