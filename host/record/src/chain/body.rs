//! What an entry says: a round, or whatever else changes what LPs are owed.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use crate::judged::{Carried, OrderRecord, PriceRecord, RoundStatistics, is_zero};

/// The content of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// The chain begins, or goes on after the database was restored.
    Epoch(EpochStart),
    /// A round that was credited.
    Round(Box<RoundBody>),
    /// What an LP is owed was corrected by hand.
    Correction(Correction),
    /// A payout was made.
    Payout(PayoutEntry),
    /// What the entries before came to; they may be forgotten after this.
    CarryForward(CarryForward),
}

/// Why an epoch begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochStart {
    /// A sentence.
    pub reason: String,
    /// The digest of the last header that was published before; nothing for the first epoch.
    pub last_published: Digest,
    /// The start of the newest round that was published before, in Unix seconds; 0 for none. This epoch has no round
    /// up to it, so that no published round is signed twice.
    pub last_round: u64,
}

/// A round: its rules, its prices, what each LP showed and what each was credited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundBody {
    /// Start, in Unix seconds.
    pub start: u64,
    /// Length in seconds.
    pub seconds: u32,
    /// Every set of reward rules that anything was judged by, in full.
    pub terms: Vec<TermsEntry>,
    /// The prices in force, with the quotes they came from.
    pub prices: Vec<PriceQuotes>,
    /// What all markets together could pay, in coins.
    pub reward: String,
    /// What they paid, in coins.
    pub paid: String,
    /// What the round before carried over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carried: Vec<Carried>,
    /// Totals and pots.
    pub statistics: RoundStatistics,
    /// The LPs, in the order in which remainders are shared among equals.
    pub lps: Vec<LpRound>,
}

/// Reward rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TermsEntry {
    /// The digest of the document.
    pub id: Digest,
    /// The document.
    pub document: String,
}

/// A price that was in force, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceQuotes {
    /// The unit.
    pub unit: String,
    /// The price, a decimal: coins' price in the unit, before a market's `reverse`.
    pub price: String,
    /// When it was fetched, in Unix milliseconds; 0 for a price that the operator fixed.
    pub at_ms: u64,
    /// What each feed said. The price is their median. Empty for a price that the operator fixed.
    pub quotes: Vec<Quote>,
}

/// What one feed said.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The feed, by its host.
    pub source: String,
    /// The price, a decimal.
    pub price: String,
}

/// One LP in a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpRound {
    /// The LP's pseudonym.
    pub lp: Digest,
    /// What it showed at the end of the round before, where the rules hold a round against it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<SampleEntry>,
    /// What it showed, in each market by rising slice.
    pub samples: Vec<SampleEntry>,
    /// What it was credited.
    pub credits: Vec<RoundCredit>,
}

/// What an LP showed in one market, as it was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleEntry {
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The slice of the round that it stands for, counted from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slice: u64,
    /// When it was taken, in Unix milliseconds.
    pub at_ms: u64,
    /// The reward rules it was judged by.
    pub terms: Digest,
    /// The SHA-256 of the adapter that read the reply.
    pub adapter: String,
    /// The SHA-256 of the exchange's reply.
    pub reply: String,
    /// Whether the exchange may have cut its list off.
    pub maybe_truncated: bool,
    /// The least that the LP asks for each coin a day on offers to sell: a decimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_rate: Option<String>,
    /// The same on offers to buy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid_rate: Option<String>,
    /// The price it was judged by.
    pub price: PriceRecord,
    /// The orders. Their ids are commitments.
    pub orders: Vec<OrderRecord>,
}

/// What an LP was credited for one market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundCredit {
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The liquidity provided.
    pub provided: String,
    /// In coins.
    pub amount: String,
    /// What each order of the last sample earned, in the sample's order.
    pub orders: Vec<CompactString>,
    /// What orders earned that were not in the last sample any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<CompactString>,
}

/// A correction by the operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Correction {
    /// Whose.
    pub lp: Digest,
    /// By how much, in whole 1e-8 of the coin; negative takes away.
    pub amount_e8: i64,
    /// Who corrected it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// A payout that was sent. A second entry of the same payout, without LPs, says that another transaction made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutEntry {
    /// The payout's id.
    pub payout: String,
    /// The id of its transaction.
    pub txid: String,
    /// What each LP's balance went down by. LPs who share an address stand here each with its own part.
    pub lps: Vec<PayoutShare>,
}

/// What a payout took from one LP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutShare {
    /// The LP's pseudonym.
    pub lp: Digest,
    /// What its balance went down by, the fee within, in whole 1e-8 of the coin.
    pub amount_e8: i64,
    /// The part of it that was charged as a fee, in whole 1e-8 of the coin. It was fixed beforehand, whatever the
    /// transaction cost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fee_e8: i64,
}

/// What entries before came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarryForward {
    /// Why.
    pub why: String,
    /// Which of several entries this is that follow each other and carry forward together, counted from 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub part: u32,
    /// How many these are.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parts: u32,
    /// Each LP's balance before the first of these entries, if it is not zero.
    pub lps: Vec<LpAmount>,
}

const fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde wants")]
const fn is_one(number: &u32) -> bool {
    *number == 1
}

/// An amount of one LP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LpAmount {
    /// The LP's pseudonym.
    pub lp: Digest,
    /// In whole 1e-8 of the coin.
    pub amount_e8: i64,
}

impl Body {
    /// The body as it is written.
    #[must_use]
    pub fn line(&self) -> String {
        line(self)
    }

    /// The LPs that the body is about, in its order.
    #[must_use]
    pub fn lps(&self) -> Vec<Digest> {
        match self {
            Self::Epoch(_) => Vec::new(),
            Self::Round(round) => round.lps.iter().map(|lp| lp.lp).collect(),
            Self::Correction(correction) => vec![correction.lp],
            Self::Payout(payout) => payout.lps.iter().map(|lp| lp.lp).collect(),
            Self::CarryForward(forward) => forward.lps.iter().map(|lp| lp.lp).collect(),
        }
    }

    /// Each LP's part as it stands in the body, in the order of [`Body::lps`]: the leaves of the tree.
    pub(crate) fn leaves(&self) -> Vec<String> {
        match self {
            Self::Epoch(_) => Vec::new(),
            Self::Round(round) => round.lps.iter().map(line).collect(),
            Self::Correction(correction) => vec![line(correction)],
            Self::Payout(payout) => payout.lps.iter().map(line).collect(),
            Self::CarryForward(forward) => forward.lps.iter().map(line).collect(),
        }
    }
}

/// Texts, numbers and lists have no way to fail to be written.
fn line<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
