//! Whose key: challenges, the orders that meet them, and what an operator may say about addresses.
//! The rules are `alp_pool::proof`'s; this asks, looks and writes down.

mod ask;
mod command;
mod notice;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use alp_pool::proof::AddressStanding;
use alp_pool::proof::NextAddress;
use alp_store::{AddressRecord, Store};
use ring::hmac;

pub(crate) use ask::{Asked, ask};
pub use command::LpsCommand;
pub(crate) use command::obey;
pub(crate) use notice::{SeenOrder, notice, seen_orders};

/// How long it is taken for known which LPs have open challenges, in milliseconds: another server's challenge is noticed
/// with the submission after that.
const KNOWN_FOR_MS: u64 = 1_000;

/// How many characters of an address are shown at either end to whoever knows the key: enough for the owner to know it
/// by, and too few to pay to or to look up.
const SHOWN_ENDS: usize = 4;

/// Which LPs have open challenges, so that the submissions of all others cost nothing.
#[derive(Debug, Default)]
pub struct OpenChallenges(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// None if it has to be read.
    read_at_ms: Option<u64>,
    lps: BTreeSet<i64>,
}

impl OpenChallenges {
    /// Whether an LP has an open challenge, as far as is known. A database that does not answer is not waited for: the
    /// submission itself is not about this.
    pub(crate) async fn has(&self, store: &Store, lp_id: i64, now_ms: u64) -> bool {
        {
            let mut known = self.locked();
            let fresh = known.read_at_ms.is_some_and(|at_ms| now_ms.abs_diff(at_ms) < KNOWN_FOR_MS);
            if fresh {
                return known.lps.contains(&lp_id);
            }
            // One reads; others go by what was known until it has.
            known.read_at_ms = Some(now_ms);
        }
        match store.challenged_lps().await {
            Ok(lps) => self.locked().lps = lps,
            Err(error) => tracing::warn!(%error, "the open challenges could not be read"),
        }
        self.locked().lps.contains(&lp_id)
    }

    /// Reads them again the next time.
    pub(crate) fn read_again(&self) {
        self.locked().read_at_ms = None;
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What holds of an LP's address after what happened to it last.
#[must_use]
pub(crate) fn standing_after(registered: &str, newest: Option<&AddressRecord>) -> AddressStanding {
    let Some(newest) = newest else { return AddressStanding::registered(registered) };
    let next = newest
        .next
        .as_ref()
        .map(|(address, from_ms)| NextAddress { address: address.clone(), from_ms: *from_ms });
    AddressStanding { address: newest.address.clone(), proven: newest.proven, next }
}

/// An address as it is shown to whoever knows the key.
#[must_use]
pub(crate) fn shortened(address: &str) -> String {
    let letters: Vec<char> = address.chars().collect();
    let ends = letters.first_chunk::<SHOWN_ENDS>().zip(letters.last_chunk::<SHOWN_ENDS>());
    match ends {
        Some((first, last)) if letters.len() > 3 * SHOWN_ENDS => {
            first.iter().chain(&['.', '.']).chain(last).collect()
        }
        Some(_) | None => "..".to_owned(),
    }
}

/// A keyed digest in hexadecimal.
fn keyed(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut digest = [0; 32];
    for (byte, of_tag) in digest.iter_mut().zip(tag.as_ref()) {
        *byte = *of_tag;
    }
    digest
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_its_ends_are_shown() {
        assert_eq!(shortened("BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96"), "BMJ2..hd96");
        for short in ["", "B", "BMJ2PJ1TNMwn"] {
            assert_eq!(shortened(short), "..");
        }
    }
}
