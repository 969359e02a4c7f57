//! The states of a payout, and what may follow what.
//!
//! The one rule above all: *a payout whose outcome is not known is never made again.* Silence is not refusal, and
//! neither is "not found": a call may still be queued in the wallet, or its process be paused.
//!
//! ```text
//!              ┌──────── refused before commit ────────► Void
//! Reserved ─► Calling ─┬─ accepted ──────────► Sent ─► Paid      plain: one `sendmany`
//!                      └─ anything else ─► Calling: looked up, and resolved by a person if not found
//!
//! Reserved ─► Prepared ─► Calling ─┬─ accepted ─► Sent ─► Paid   prepared: signed first, repeated freely
//!                 └─ dropped ─► Void  └─ anything else ─► broadcast again
//! ```

use crate::money::Coins;

/// How a payout is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The wallet builds, signs and sends in one call. Its comment is all to know it by.
    Plain,
    /// The transaction is signed and stored first: to send it again is harmless, and its id is known beforehand.
    Prepared,
    /// A person pays by hand, and tells the transaction's id.
    Manual,
}

/// How far a payout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Its coins are taken from the balances.
    Reserved,
    /// Its transaction is signed and stored; nothing was sent.
    Prepared,
    /// The wallet is called, or was, and the outcome is not known.
    Calling,
    /// The wallet has the transaction.
    Sent,
    /// It has enough confirmations.
    Paid,
    /// Nothing was sent, and its coins are owed again.
    Void,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 6] =
        [Self::Reserved, Self::Prepared, Self::Calling, Self::Sent, Self::Paid, Self::Void];

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Prepared => "prepared",
            Self::Calling => "calling",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Void => "void",
        }
    }

    /// The stage of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Whether a payout may go from here to there. Nothing leads out of `Paid` and `Void`, and out of `Calling`
    /// nothing leads to `Void` but a refusal by the wallet before it committed, or a person. A payout goes from
    /// `Reserved` to `Sent` where the ledger was put back from before the call.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Reserved => matches!(next, Self::Prepared | Self::Calling | Self::Sent | Self::Void),
            Self::Prepared => matches!(next, Self::Calling | Self::Void),
            Self::Calling => matches!(next, Self::Sent | Self::Void),
            Self::Sent => matches!(next, Self::Paid),
            Self::Paid | Self::Void => false,
        }
    }
}

/// An error code of a wallet's JSON-RPC, or the HTTP status where there was no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalCode {
    /// The member `code` of the error.
    Rpc(i64),
    /// The status of an answer that held no error in JSON.
    Http(u16),
}

/// Whether a wallet of the Bitcoin family raises this error *before* it commits a transaction, so that nothing was
/// sent: −3 wrong type, −5 invalid address, −6 insufficient funds, −8 invalid parameter, −13 locked, −28 starting up,
/// and 401 or 403 before any call is looked at. All else, −4 and −1 among them, may come after the commit.
#[must_use]
pub fn refuses_before_commit(code: RefusalCode) -> bool {
    match code {
        RefusalCode::Rpc(code) => matches!(code, -3 | -5 | -6 | -8 | -13 | -28),
        RefusalCode::Http(status) => matches!(status, 401 | 403),
    }
}

/// What came of `sendmany`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallResult {
    /// The id of the transaction.
    Accepted(String),
    /// An error, well-formed.
    Refused(RefusalCode),
    /// No answer, half an answer, or one that makes no sense.
    Silence,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The payout has this transaction.
    Sent {
        /// Its id.
        txid: String,
    },
    /// It has enough confirmations.
    Paid,
    /// Nothing was sent: give the coins back to the balances.
    Void,
    /// Send the stored transaction, again if need be.
    Broadcast,
    /// Nothing for now; look again later.
    Wait,
    /// All payouts stop, and the operator is told why.
    Stop(Why),
}

/// Why payouts stop until a person has looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// A payout may or may not have been sent.
    Uncertain,
    /// The wallet no longer finds a payout that was confirmed: it was restored, or is another one.
    HistoryLost,
    /// Another transaction spent what this one spends, and pays others.
    Conflict {
        /// The id of the other.
        txid: String,
    },
    /// The wallet knows a payout of this pool that the ledger does not.
    Unknown {
        /// The id of its transaction.
        txid: String,
    },
}

/// What follows from the outcome of `sendmany`.
#[must_use]
pub fn after_call(result: CallResult) -> Next {
    match result {
        CallResult::Accepted(txid) => Next::Sent { txid },
        CallResult::Refused(code) if refuses_before_commit(code) => Next::Void,
        CallResult::Refused(_) | CallResult::Silence => Next::Wait,
    }
}

/// What came of sending a transaction that was signed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broadcast {
    /// The wallet took it, or says that it had it already.
    Known,
    /// Anything else.
    Unclear,
}

/// What follows from sending a transaction that was signed before.
#[must_use]
pub fn after_broadcast(result: Broadcast, txid: &str) -> Next {
    match result {
        Broadcast::Known => Next::Sent { txid: txid.to_owned() },
        Broadcast::Unclear => Next::Wait,
    }
}

/// What the wallet's history says of one payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The transaction that was found for it: by its id where that is known, else by its comment, else by exactly its
    /// outputs.
    pub found: Option<Standing>,
    /// Another transaction that spends one of the same coins.
    pub conflict: Option<Conflict>,
    /// Whether the history was read back past the time of the call, over all accounts.
    pub complete: bool,
    /// Whether the last payout that was confirmed is still found in the same way. A wallet that was restored from a
    /// backup finds no comments: then "not found" says nothing.
    pub finds_the_last_paid: bool,
}

/// How a transaction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub txid: String,
    /// Its confirmations. Below zero: it conflicts with one that is confirmed.
    pub confirmations: i64,
}

/// A transaction that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The transaction.
    pub standing: Standing,
    /// Whether it has exactly the payout's outputs: then it *is* the payout, under another id.
    pub same_outputs: bool,
    /// The sum of what it pays the payout's addresses.
    pub pays: Coins,
}

/// What follows for a payout from what the wallet's history says. `needed` is the number of confirmations after which
/// a payout counts as paid.
#[must_use]
pub fn review(stage: Stage, method: Method, evidence: &Evidence, needed: u32) -> Next {
    match stage {
        Stage::Void | Stage::Paid => Next::Wait,
        Stage::Reserved if evidence.found.is_none() => Next::Wait,
        // The ledger is older than the wallet: it was put back from before the call.
        Stage::Reserved => review_called(stage, method, evidence, needed),
        Stage::Prepared => Next::Broadcast,
        Stage::Calling | Stage::Sent => review_called(stage, method, evidence, needed),
    }
}

fn review_called(stage: Stage, method: Method, evidence: &Evidence, needed: u32) -> Next {
    if let Some(found) = evidence.found.as_ref().filter(|found| found.confirmations >= 0) {
        let enough = found.confirmations >= i64::from(needed);
        return match stage {
            Stage::Sent if enough => Next::Paid,
            Stage::Sent if found.confirmations == 0 && method == Method::Prepared => Next::Broadcast,
            Stage::Sent => Next::Wait,
            Stage::Reserved | Stage::Prepared | Stage::Calling | Stage::Paid | Stage::Void => {
                Next::Sent { txid: found.txid.clone() }
            }
        };
    }
    if let Some(conflict) = evidence.conflict.as_ref().filter(|other| other.standing.confirmations >= 0) {
        let txid = conflict.standing.txid.clone();
        return if conflict.same_outputs { Next::Sent { txid } } else { Next::Stop(Why::Conflict { txid }) };
    }
    match method {
        // Whether it is in the wallet or not: sending the very same transaction again pays nobody twice.
        Method::Prepared => Next::Broadcast,
        Method::Plain | Method::Manual if !evidence.complete => Next::Wait,
        Method::Plain | Method::Manual if !evidence.finds_the_last_paid => Next::Stop(Why::HistoryLost),
        Method::Plain | Method::Manual => Next::Stop(Why::Uncertain),
    }
}
