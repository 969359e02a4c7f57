//! What a bot tells whoever watches it.

/// Events that wait to be read; those beyond are dropped and counted, since a bot must not wait for its
/// audience. At one event a turn this is four hours.
pub const EVENT_CAPACITY: usize = 256;

/// Something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The pool knows the key, now or from before.
    Registered,
    /// The pool does not want the key.
    RegistrationRefused {
        /// The pool's words.
        message: String,
    },
    /// The pool took a submission.
    Accepted {
        /// The pool's words.
        message: String,
    },
    /// The pool did not take a submission.
    Refused {
        /// The pool's words.
        message: String,
    },
    /// The pool did not answer, or not as a pool does. The bot waits for its next turn.
    Unreachable {
        /// Why.
        reason: String,
    },
    /// There was nothing to submit. The bot's owner must act.
    NotSigned {
        /// Why.
        reason: String,
    },
    /// Nothing was accepted for so long that the orders are taken back: they stand at risk without reward.
    Silent {
        /// For how long nothing was accepted, in milliseconds.
        for_ms: u64,
    },
    /// What the pool signed was not kept. The submission counts all the same.
    NotKept {
        /// Why.
        reason: String,
    },
    /// Placing, moving or cancelling orders failed. The bot tries again at its next look.
    NotTraded {
        /// Why.
        reason: String,
    },
}

/// How often what happened, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Submissions sent.
    pub sent: u64,
    /// Submissions the pool took.
    pub accepted: u64,
    /// Submissions the pool did not take.
    pub refused: u64,
    /// Submissions without a pool's answer.
    pub unanswered: u64,
    /// Receipts that were kept.
    pub receipts: u64,
    /// Events that nobody read in time.
    pub events_dropped: u64,
}
