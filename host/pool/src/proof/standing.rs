//! Which address an LP is paid at, and how that changes.
//!
//! ```text
//!                    ┌─ proof of it ─► proven, at once: no coin goes elsewhere
//! registered ────────┤
//! (unproven)         └─ proof of another ─► changing, for the notice ──┐
//!                                             ▲       │               ├─► the other one, proven
//! proven ──── proof of another ─► changing, for the delay ────────────┘
//!                                             └─ proof of the one in force, or the operator's stop: as before
//! ```
//!
//! While an address is changing, what is owed is held: paid at the old one it would be a squatter's gain if the account
//! is right, and at the new one a thief's gain if the account was taken over. What is reserved for a payout by then
//! stays with that payout.

/// How long changes take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofTerms {
    /// From the proof until a proven address replaces one that was not proven, in milliseconds.
    pub notice_ms: u64,
    /// From the proof until it replaces one that was proven, in milliseconds.
    pub delay_ms: u64,
}

/// An address that will be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextAddress {
    /// The address. It is proven.
    pub address: String,
    /// From when on, in Unix milliseconds.
    pub from_ms: u64,
}

/// What is known of an LP's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressStanding {
    /// The address in force.
    pub address: String,
    /// Whether the account proved it.
    pub proven: bool,
    /// The one that replaces it.
    pub next: Option<NextAddress>,
}

/// What a proof brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofStep {
    /// The address in force is proven now, and nothing was about to replace it.
    Proven,
    /// The address in force was proven again, and the one that was to replace it does not.
    Withdrawn,
    /// Another address will replace it.
    Begun,
    /// Nothing: that very address was about to replace it already, and comes into force no later and no earlier.
    Nothing,
}

/// Why nothing is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotPaid {
    /// Another address is about to replace the one in force.
    Changing,
    /// The address is not proven, and the operator demands it.
    NotProven,
}

impl AddressStanding {
    /// An address that was only registered.
    #[must_use]
    pub fn registered(address: impl Into<String>) -> Self {
        Self { address: address.into(), proven: false, next: None }
    }

    /// The same at this time: an address whose time has come is in force.
    #[must_use]
    pub fn at(self, now_ms: u64) -> Self {
        match self.next {
            Some(next) if next.from_ms <= now_ms => Self { address: next.address, proven: true, next: None },
            next => Self { next, ..self },
        }
    }

    /// What follows when the account proves an address at this time.
    #[must_use]
    pub fn after_proof(self, address: &str, terms: ProofTerms, now_ms: u64) -> (Self, ProofStep) {
        let now = self.at(now_ms);
        if now.address == address {
            let step = if now.next.is_some() { ProofStep::Withdrawn } else { ProofStep::Proven };
            return (Self { proven: true, next: None, ..now }, step);
        }
        if now.next.as_ref().is_some_and(|next| next.address == address) {
            return (now, ProofStep::Nothing);
        }
        let wait_ms = if now.proven { terms.delay_ms } else { terms.notice_ms };
        let next = NextAddress { address: address.to_owned(), from_ms: now_ms.saturating_add(wait_ms) };
        (Self { next: Some(next), ..now }, ProofStep::Begun)
    }

    /// What follows when the operator stops the change at this time. None if nothing is changing.
    #[must_use]
    pub fn after_stop(self, now_ms: u64) -> Option<Self> {
        let now = self.at(now_ms);
        now.next.is_some().then_some(Self { next: None, ..now })
    }

    /// Whether what is owed may be paid at the address in force. To be asked of the standing at the time of planning.
    ///
    /// # Errors
    /// [`NotPaid`].
    pub fn may_be_paid(&self, require_proof: bool) -> Result<(), NotPaid> {
        if self.next.is_some() {
            return Err(NotPaid::Changing);
        }
        if require_proof && !self.proven { Err(NotPaid::NotProven) } else { Ok(()) }
    }
}
