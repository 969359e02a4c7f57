//! The pool's published record: a chain of signed entries from which anybody can recompute every credit.
//! It does not know where entries are kept or served, and it cannot tell whether an order ever existed.
//!
//! An entry is three lines of JSON: a [`Header`], the [`Body`] that the header names by its digest, and the
//! [`Signature`] over the header. Headers are linked by their digests, so that nothing can be changed, dropped or
//! slipped in later; each carries the root of a tree over the LPs, so that one LP's part can be shown without the rest.

mod body;
mod books;
mod canonical;
mod comparison;
mod digest;
mod entry;
mod merkle;
mod pseudonym;
mod receipt;
mod replay;
mod round;
mod signed_coins;
mod statement;
mod statement_text;
mod verify;

pub use body::{
    Body, CarryForward, Correction, EpochStart, LpAmount, LpRound, PayoutEntry, PayoutShare, PriceQuotes,
    Quote, RoundBody, RoundCredit, SampleEntry, TermsEntry,
};
pub use books::{BookedCredit, CreditDifference, credit_differences, stated_sums};
pub use comparison::{BothSums, Comparison, ComparisonError, Line, MAX_LINES, MAX_PARTS, MarketSums, Part};
pub use digest::Digest;
pub use entry::{Entry, EntryError, Header, MAX_ENTRY_BYTES, PoolKey, PublicKey, Signature, VERSION};
pub use merkle::{InclusionProof, Step};
pub use pseudonym::{NONCE_BYTES, Opening, order_commitment};
pub use receipt::{Receipt, SignedReceipt};
pub use replay::{JudgedMarket, OtherRules, Replacements, Replay, ReplayError};
pub use round::{LpSamples, RoundInputs, StoredOrders, round_body};
pub use signed_coins::SignedCoins;
pub use statement::{
    CorrectionLine, CreditsLine, MAX_STATEMENT_BYTES, PayoutLine, STATEMENT_VERSION, SignedStatement,
    Statement, StatementAccount, StatementError, StatementHead, StatementLine,
};
pub use statement_text::{TextForm, read_text_form, sign_text_form};
pub use verify::{
    Balance, CheckedEntry, Finding, MAX_CARRIED_LPS, OwedByRecord, StatementCheck, TooMuchOwed, Verified,
    Verifier, prove_equivocation, verify_proof,
};
