//! The second protocol: what its clients send and read, and the faults of its first server.

mod bot;
mod client;
mod forms;
mod pages;
mod recorded;
mod submitting;

use alp_tests::{Settings, TEST_EXCHANGE};

/// The market `btc` shared by the auction of the first pools, at the figures of their worked examples: a target of 1000
/// and a quarter of a per cent a day.
const AUCTION: &str = "engine = \"auction_tllp\"\nrate = 0.0025\ntarget = 1000\ntolerance = 0.01\n";

/// The section that serves the protocol below the usual prefix and on a listener of its own.
const SERVED: &str = "[tllp]\nlisten = \"127.0.0.1:0\"\n";

/// The usual pool, with the protocol served.
fn served() -> Settings {
    let mut settings = Settings::default();
    settings.sections.push_str(SERVED);
    settings
}

/// A pool with the market `btc` alone, which has these rules, with the protocol served.
fn served_with(rules: &str) -> Settings {
    let (top, _) = TEST_EXCHANGE.split_once("[units.btc]").unwrap();
    let mut settings = served();
    settings.exchanges[0].1 = format!("{top}[units.btc]\n{rules}");
    settings
}
