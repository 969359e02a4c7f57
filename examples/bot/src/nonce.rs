//! Nonces: numbers that only rise, or texts that never repeat.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::random::Random;

/// The time, in Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The machine's own time.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// What an exchange wants as a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonceKind {
    /// Nothing.
    None,
    /// Unix time in seconds.
    Seconds,
    /// Unix time in milliseconds.
    Milliseconds,
    /// Unix time in microseconds.
    Microseconds,
    /// A random UUID in lower case, with hyphens.
    Uuid,
    /// Thirty-two random hexadecimal digits in lower case.
    Hex,
}

/// The one source of nonces of an API key. Whatever else uses the key has to draw from the same source, or the
/// exchange refuses one of the two.
pub struct Nonces {
    kind: NonceKind,
    last: Mutex<u64>,
    random: Random,
}

impl Nonces {
    /// A source of nonces of this kind.
    pub fn new(kind: NonceKind, random: Random) -> Self {
        Self { kind, last: Mutex::new(0), random }
    }

    /// The next nonce. One that is a time is the time given, or one more than the last if that is larger: it
    /// rises strictly even if the clock stands still or is set back.
    pub fn next(&self, now_ms: u64) -> String {
        match self.kind {
            NonceKind::None => String::new(),
            NonceKind::Seconds => self.rising(now_ms / 1_000),
            NonceKind::Milliseconds => self.rising(now_ms),
            NonceKind::Microseconds => self.rising(now_ms.saturating_mul(1_000)),
            NonceKind::Uuid => uuid(self.random_128()),
            NonceKind::Hex => format!("{:032x}", self.random_128()),
        }
    }

    fn rising(&self, time: u64) -> String {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = time.max(last.saturating_add(1));
        last.to_string()
    }

    fn random_128(&self) -> u128 {
        (u128::from((self.random)()) << 64) | u128::from((self.random)())
    }
}

/// A UUID of version 4, the random one: version and variant stand at their fixed places.
fn uuid(random: u128) -> String {
    let high = (random >> 64) & 0xffff_ffff_ffff_0fff | 0x4000;
    let low = random & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::generator;

    fn nonces(kind: NonceKind) -> Nonces {
        Nonces::new(kind, generator(1))
    }

    #[test]
    fn a_nonce_rises_though_the_clock_does_not() {
        let nonces = nonces(NonceKind::Milliseconds);
        let drawn: Vec<String> = [50, 50, 10, 60].map(|now_ms| nonces.next(now_ms)).into();
        assert_eq!(drawn, ["50", "51", "52", "60"]);
    }

    #[test]
    fn a_time_is_in_the_unit_asked_for() {
        for (kind, nonce) in [
            (NonceKind::None, ""),
            (NonceKind::Seconds, "1760000000"),
            (NonceKind::Milliseconds, "1760000000123"),
            (NonceKind::Microseconds, "1760000000123000"),
        ] {
            assert_eq!(nonces(kind).next(1_760_000_000_123), nonce);
        }
    }

    #[test]
    fn random_nonces_have_their_form_and_differ() {
        let uuids = nonces(NonceKind::Uuid);
        let (first, second) = (uuids.next(0), uuids.next(0));
        assert_ne!(first, second);
        let shape: String = first.chars().map(|c| if c == '-' { '-' } else { 'x' }).collect();
        assert_eq!(shape, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(first.chars().nth(14), Some('4'));
        assert!(first.chars().nth(19).is_some_and(|variant| "89ab".contains(variant)));
        let hex = nonces(NonceKind::Hex);
        let (first, second) = (hex.next(0), hex.next(0));
        assert_ne!(first, second);
        assert!(first.len() == 32 && first.chars().all(|c| c.is_ascii_hexdigit()));
    }
}
