//! A published round held against the books of the pool that published it.

use std::collections::BTreeMap;
use std::fmt;

use alp_pool::money::Coins;

use super::body::RoundBody;
use super::digest::Digest;

/// A credit as it stands in the pool's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedCredit {
    /// The LP's pseudonym.
    pub lp: Digest,
    /// The exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The liquidity provided.
    pub provided: String,
    /// In 1e-8 of the coin.
    pub amount_e8: i64,
}

/// A credit that is not the same in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditDifference {
    /// The LP's pseudonym.
    pub lp: Digest,
    /// The market: exchange and unit.
    pub market: (String, String),
    /// What was published: provided and amount in coins; none if nothing was.
    pub published: Option<(String, String)>,
    /// What is in the ledger.
    pub booked: Option<(String, String)>,
}

/// The credits that are not the same in the published round and in the ledger, by pseudonym and market.
#[must_use]
pub fn credit_differences(round: &RoundBody, booked: &[BookedCredit]) -> Vec<CreditDifference> {
    let mut both: BTreeMap<_, (Option<_>, Option<_>)> = BTreeMap::new();
    for lp in &round.lps {
        for credit in &lp.credits {
            let market = (credit.exchange.clone(), credit.unit.clone());
            let published = (credit.provided.clone(), credit.amount.clone());
            both.entry((lp.lp, market)).or_default().0 = Some(published);
        }
    }
    for credit in booked {
        let market = (credit.exchange.clone(), credit.unit.clone());
        let amount = super::round::coins_text(credit.amount_e8);
        both.entry((credit.lp, market)).or_default().1 = Some((credit.provided.clone(), amount));
    }
    let differ = both.into_iter().filter(|(_, (published, booked))| published != booked);
    differ
        .map(|((lp, market), (published, booked))| CreditDifference { lp, market, published, booked })
        .collect()
}

/// What a published round states of its sums, in 1e-8: what it could pay and what it paid. None if they cannot be read.
#[must_use]
pub fn stated_sums(round: &RoundBody) -> Option<(i64, i64)> {
    let e8 = |text: &str| Coins::parse(text).ok().and_then(|coins| i64::try_from(coins.e8()).ok());
    Some((e8(&round.reward)?, e8(&round.paid)?))
}

impl fmt::Display for CreditDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |of: &Option<(String, String)>| match of {
            Some((provided, amount)) => format!("{amount} for {provided}"),
            None => "nothing".to_owned(),
        };
        let (exchange, unit) = &self.market;
        write!(
            f,
            "{} is credited {} on {exchange} {unit} in the ledger, and {} was published",
            self.lp,
            shown(&self.booked),
            shown(&self.published)
        )
    }
}
