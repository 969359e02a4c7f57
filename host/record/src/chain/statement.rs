//! Statements: what the pool signs to one of its people about all that changed what they are owed in a period.
//!
//! A statement knows no API key. It names the LP's pseudonym only to who has shown that it can open it; whoever has it
//! can then hold every line against the record.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::digest::Digest;
use super::entry::{PoolKey, PublicKey, Signature};
use super::signed_coins::SignedCoins;

/// The version of the form of statements.
pub const STATEMENT_VERSION: u32 = 1;

/// Largest statement that is read, in bytes: a year of daily lines of twenty-four exchanges takes about three million.
pub const MAX_STATEMENT_BYTES: usize = 16 * 1024 * 1024;

/// What stands before a statement when it is signed, so that the signature is good for nothing else.
const SIGNED_AS: &str = "alp statement v1 json\n";

/// Seconds of a day in UTC.
const DAY: u64 = 86_400;

/// What changed in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_VERSION`].
    pub version: u32,
    /// The pool's id.
    pub pool: String,
    /// The first second of the period: the start of a day in UTC, in Unix seconds.
    pub from: u64,
    /// The first second after it. A round counts on the day of its start.
    pub until: u64,
    /// When the statement was made, in Unix milliseconds by the database's clock.
    pub at_ms: u64,
    /// The newest entry of the record that the statement takes account of.
    pub head: StatementHead,
    /// The accounts: an API key has one on each exchange that it is registered for.
    pub accounts: Vec<StatementAccount>,
}

/// An entry of the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementHead {
    /// Its epoch.
    pub epoch: u64,
    /// Its number.
    pub number: u64,
    /// The digest of its header.
    pub digest: Digest,
}

/// What one LP is owed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementAccount {
    /// The exchange.
    pub exchange: String,
    /// The address that is paid when the statement is made; only its ends for who has not shown what opens the pseudonym.
    pub address: String,
    /// The LP's pseudonym in the record, for who has shown that it can open it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lp: Option<Digest>,
    /// What it was owed when the period began: credits + corrections − payouts, as the record has them. A payout that
    /// is under way and not sent yet is still owed.
    pub opening: SignedCoins,
    /// What changed it, in order of time.
    pub lines: Vec<StatementLine>,
    /// What it was owed when the period ended.
    pub closing: SignedCoins,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementLine {
    /// The credits of the rounds of a day.
    Credits(CreditsLine),
    /// A payout that was sent.
    Payout(PayoutLine),
    /// A correction by the operator.
    Correction(CorrectionLine),
}

/// The credits of all rounds that start on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditsLine {
    /// The start of the day in UTC, in Unix seconds.
    pub day: u64,
    /// Their sum, of the rounds whose entries are not above the statement's head.
    pub amount: SignedCoins,
}

/// A payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutLine {
    /// When its entry was made, in Unix milliseconds.
    pub at_ms: u64,
    /// The number of its entry.
    pub entry: u64,
    /// Its id.
    pub payout: String,
    /// The id of its transaction.
    pub txid: String,
    /// What was paid; below zero, as it is owed no more.
    pub amount: SignedCoins,
    /// What was charged beside it; below zero, or nothing.
    pub fee: SignedCoins,
}

/// A correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionLine {
    /// When its entry was made, in Unix milliseconds.
    pub at_ms: u64,
    /// The number of its entry.
    pub entry: u64,
    /// By how much.
    pub amount: SignedCoins,
    /// Who corrected it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// A statement with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedStatement {
    /// The statement.
    pub statement: Statement,
    /// The pool's signature over it.
    pub signature: Signature,
}

impl Statement {
    /// Signs it.
    #[must_use]
    pub fn sign(self, key: &PoolKey) -> SignedStatement {
        let signature = key.sign(SIGNED_AS, &self.line());
        SignedStatement { statement: self, signature }
    }

    /// What does not add up in it, a sentence each.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.from >= self.until {
            wrong.push("its period ends before it begins".to_owned());
        }
        for account in &self.accounts {
            let changes = account.lines.iter().map(StatementLine::change_e8);
            let sum = changes.fold(i128::from(account.opening.0), i128::saturating_add);
            if sum != i128::from(account.closing.0) {
                wrong.push(format!("the lines of {} do not lead to its closing balance", account.exchange));
            }
            for line in &account.lines {
                let at = line.at_s();
                if at < self.from || at >= self.until {
                    wrong.push(format!("a line of {} lies outside the period", account.exchange));
                }
            }
        }
        wrong
    }

    /// The statement as it is signed. Texts and numbers have no way to fail to be written.
    fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl StatementLine {
    /// What the balance changes by, in whole 1e-8.
    #[must_use]
    pub fn change_e8(&self) -> i128 {
        match self {
            Self::Credits(line) => line.amount.0.into(),
            Self::Payout(line) => i128::from(line.amount.0).saturating_add(line.fee.0.into()),
            Self::Correction(line) => line.amount.0.into(),
        }
    }

    /// When, in Unix seconds: credits at the last second of their day, as they are its sum.
    #[must_use]
    pub fn at_s(&self) -> u64 {
        match self {
            Self::Credits(line) => line.day.saturating_add(DAY.saturating_sub(1)),
            Self::Payout(PayoutLine { at_ms, .. }) | Self::Correction(CorrectionLine { at_ms, .. }) => {
                at_ms.checked_div(1_000).unwrap_or(0)
            }
        }
    }
}

impl SignedStatement {
    /// The statement as it is served: a line of JSON.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n", serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads a statement, and checks that it is written in the one way there is and that its signature is right.
    /// Whether the signing key is the pool's is for the caller to say.
    ///
    /// # Errors
    /// [`StatementError`] says what is not.
    pub fn read(text: &str) -> Result<(Self, PublicKey), StatementError> {
        if text.len() > MAX_STATEMENT_BYTES {
            return Err(StatementError::TooLarge);
        }
        let signed: Self = serde_json::from_str(text)?;
        if signed.statement.version != STATEMENT_VERSION {
            return Err(StatementError::Version(signed.statement.version));
        }
        if signed.text() != text {
            return Err(StatementError::NotCanonical);
        }
        let key = PublicKey::parse(&signed.signature.key).ok_or(StatementError::Signature)?;
        if !key.verifies(SIGNED_AS, &signed.statement.line(), &signed.signature) {
            return Err(StatementError::Signature);
        }
        Ok((signed, key))
    }
}

/// What is wrong with a statement.
#[derive(Debug, Error)]
pub enum StatementError {
    /// More bytes than are read.
    #[error("it is larger than {MAX_STATEMENT_BYTES} bytes")]
    TooLarge,
    /// Not the JSON that it has to be.
    #[error("it is no statement: {0}")]
    Form(#[from] serde_json::Error),
    /// Another version's.
    #[error("it has version {0}, and {STATEMENT_VERSION} is known")]
    Version(u32),
    /// Written in another way than the one there is.
    #[error("it is not written in the canonical form: something in it was changed")]
    NotCanonical,
    /// A text without the line that names its form, or without its signature.
    #[error("it is no statement: its first line does not name a form, or its last one holds no signature")]
    Lines,
    /// The signature does not fit.
    #[error("its signature is wrong: something in it was changed, or another key signed it")]
    Signature,
}
