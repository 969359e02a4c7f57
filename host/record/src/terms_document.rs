//! Plain reward rules of a market as a document: what is kept with every submission that was judged by them.
//! It knows the first version of the form, which has a fixed pot and nothing else.

use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The document's members, in the order in which they are written: the same rules, the same bytes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    base: String,
    quote: String,
    reverse: bool,
    reward_per_minute: String,
    target: String,
    fills_target: String,
    ask: SideDocument,
    bid: SideDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SideDocument {
    ratio: String,
    ranks: Vec<RankDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankDocument {
    rank: u8,
    ratio: String,
    tolerance: String,
}

/// Version of the form of plain rules.
pub(crate) const VERSION: u32 = 1;

/// Writes plain rules of a market (a fixed pot, nothing else set) as their document: the same rules, the same bytes.
#[must_use]
pub fn write_terms(base: &str, quote: &str, reverse: bool, terms: &Terms) -> String {
    let document = Document {
        version: VERSION,
        base: base.to_owned(),
        quote: quote.to_owned(),
        reverse,
        reward_per_minute: terms.reward_per_minute().to_string(),
        target: terms.target().to_string(),
        fills_target: terms.fill().name().to_owned(),
        ask: SideDocument::of(terms.side(Side::Ask)),
        bid: SideDocument::of(terms.side(Side::Bid)),
    };
    // Texts, numbers and lists have no way to fail to be written.
    serde_json::to_string(&document).unwrap_or_default()
}

/// The id of a document: its SHA-256 in lower-case hexadecimal.
#[must_use]
pub fn id_of(document: &str) -> String {
    Sha256::digest(document.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a market trades, and how its exchange quotes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pair {
    /// The currency that is provided.
    pub base: String,
    /// The currency it is priced in.
    pub quote: String,
    /// Whether the exchange quotes units for a coin while the price says coins for a unit.
    pub reverse: bool,
}

/// Reads what a document's rules are for.
///
/// # Errors
/// [`TermsDocumentError`] if it is no document of rules.
pub fn read_pair(document: &str) -> Result<Pair, TermsDocumentError> {
    Ok(serde_json::from_str(document)?)
}

/// Reads plain rules back from their document.
///
/// # Errors
/// [`TermsDocumentError`] if it is not one: then the database was changed by another hand, or by a newer version.
pub fn read_terms(document: &str) -> Result<Terms, TermsDocumentError> {
    let document: Document = serde_json::from_str(document)?;
    if document.version != VERSION {
        return Err(TermsDocumentError::Version(document.version));
    }
    terms_of(
        &document.reward_per_minute,
        &document.target,
        &document.fills_target,
        (&document.ask, &document.bid),
    )
}

/// The terms of a fixed pot from the texts of a document.
pub(crate) fn terms_of(
    reward_per_minute: &str,
    target: &str,
    fills_target: &str,
    sides: (&SideDocument, &SideDocument),
) -> Result<Terms, TermsDocumentError> {
    let fill = [Fill::PerRank, Fill::Paid, Fill::All].into_iter().find(|fill| fill.name() == fills_target);
    Terms::new(
        Coins::parse(reward_per_minute).map_err(damaged)?,
        Amount::parse(target).map_err(damaged)?,
        fill.ok_or_else(|| TermsDocumentError::Number(format!("fills_target {fills_target}")))?,
        sides.0.read()?,
        sides.1.read()?,
    )
    .map_err(damaged)
}

/// The error of a value that no program of the pool writes.
pub(crate) fn damaged(error: impl std::fmt::Display) -> TermsDocumentError {
    TermsDocumentError::Number(error.to_string())
}

impl SideDocument {
    pub(crate) fn of(side: &SideTerms) -> Self {
        let ranks = side.ranks().iter().map(|rank| RankDocument {
            rank: rank.number.0,
            ratio: rank.ratio.to_string(),
            tolerance: rank.tolerance.to_string(),
        });
        Self { ratio: side.ratio().to_string(), ranks: ranks.collect() }
    }

    fn read(&self) -> Result<SideTerms, TermsDocumentError> {
        let mut ranks = Vec::new();
        for rank in &self.ranks {
            let ratio = Ratio::parse(&rank.ratio).map_err(damaged)?;
            let tolerance = Ratio::parse(&rank.tolerance).map_err(damaged)?;
            ranks.push(RankTerms { number: RankNumber(rank.rank), ratio, tolerance });
        }
        SideTerms::new(Ratio::parse(&self.ratio).map_err(damaged)?, ranks).map_err(damaged)
    }
}

/// Why a document holds no rules. The operator's: the database is damaged or from another version.
#[derive(Debug, Error)]
pub enum TermsDocumentError {
    /// Not a document of this form.
    #[error("the stored reward rules cannot be read")]
    Form(#[from] serde_json::Error),
    /// Another version's.
    #[error("the stored reward rules have version {0}, this program knows 1 and 2")]
    Version(u32),
    /// Something in it is off.
    #[error("the stored reward rules are damaged: {0}")]
    Number(String),
}
