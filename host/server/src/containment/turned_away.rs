//! Why a submission is not taken at this moment, in words: until when, and who acts.
//! It knows no LP by name, so nothing secret can stand in a sentence.

use super::breaker::Blocked;
use super::keys::KeyWait;
use crate::exchange::{Refusal, WhoActs};

/// Why a submission has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnedAway {
    /// The adapter failed.
    Adapter(Blocked),
    /// The exchange failed.
    Exchange(Blocked),
    /// The exchange wants fewer requests.
    Throttled {
        /// Whether of everybody, or of this LP alone.
        everybody: bool,
        /// How long to wait, in milliseconds.
        wait_ms: u64,
    },
    /// The key.
    Key(KeyWait),
    /// The address it came from caused too many refusals.
    Place {
        /// How long to wait, in milliseconds.
        wait_ms: u64,
    },
    /// The exchange was asked as often as it may be.
    Budget {
        /// How long to wait, in milliseconds.
        wait_ms: u64,
    },
}

impl TurnedAway {
    /// The sentence for the bot.
    #[must_use]
    pub fn refusal(self, exchange: &str) -> Refusal {
        let who = match self {
            Self::Adapter(_) => WhoActs::Operator,
            Self::Exchange(_) | Self::Throttled { .. } | Self::Budget { .. } => WhoActs::Exchange,
            Self::Key(_) | Self::Place { .. } => WhoActs::Bot,
        };
        Refusal::new(who, self.sentence(exchange))
    }

    fn sentence(self, exchange: &str) -> String {
        match self {
            Self::Adapter(Blocked::ForOne { faults, wait_ms }) => format!(
                "the adapter of {exchange} failed {faults} times in a row on submissions of this key; the pool's \
                 operator can see why; {}",
                again(wait_ms)
            ),
            Self::Adapter(Blocked::ForAll { wait_ms }) => format!(
                "the adapter of {exchange} keeps failing and is out of service; the pool's operator must act; {}",
                again(wait_ms)
            ),
            Self::Exchange(Blocked::ForOne { faults, wait_ms }) => format!(
                "{exchange} failed {faults} times in a row on submissions of this key and is not asked now; {}",
                again(wait_ms)
            ),
            Self::Exchange(Blocked::ForAll { wait_ms }) => {
                format!("{exchange} keeps failing and is not asked now; {}", again(wait_ms))
            }
            Self::Throttled { everybody, wait_ms } => {
                let whom = if everybody { "from the pool" } else { "of this key" };
                format!("{exchange} wants fewer requests {whom}; {}", again(wait_ms))
            }
            Self::Key(KeyWait::Refused { times, wait_ms }) => format!(
                "{exchange} refused this key {times} times in a row and is not asked now: check the key, its secret \
                 and the bot's clock; {}",
                again(wait_ms)
            ),
            Self::Key(KeyWait::TooMany { per_minute, wait_ms }) => format!(
                "too many submissions of this key: {per_minute} a minute are taken; {}",
                again(wait_ms)
            ),
            Self::Place { wait_ms } => format!(
                "{exchange} refused too many submissions from this address and is not asked now; {}",
                again(wait_ms)
            ),
            Self::Budget { wait_ms } => format!(
                "the pool asks {exchange} as often as it may, and keys without a recent sample come last; {}",
                again(wait_ms)
            ),
        }
    }
}

/// How a wait is said: in whole seconds, rounded up, and never as none.
#[must_use]
pub fn again(wait_ms: u64) -> String {
    format!("try again in {} s", wait_ms.div_ceil(1000).max(1))
}
