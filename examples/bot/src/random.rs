//! Numbers that do not repeat.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The next number of a sequence that looks random. It makes nonces unique and spreads moves over time; it is
/// no source of secrets.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// SplitMix64 from this seed: the same seed, the same sequence.
pub fn generator(seed: u64) -> Random {
    /// The odd constant of SplitMix64, 2^64 divided by the golden ratio.
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let state = AtomicU64::new(seed);
    Arc::new(move || {
        let mut mixed = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_published_algorithm() {
        let random = generator(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random()).collect();
        assert_eq!(first, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }
}
