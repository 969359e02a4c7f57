//! Everything that is promised to the LPs of one market: by which ranks orders are judged, how they are looked at,
//! what counts, and how the reward is shared. It knows neither files nor the form in which rules are stored.

use alp_pool::Overflow;
use alp_pool::decimal::format_units;
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::rule_error::RuleError;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, SideEngine};
use alp_pool::evidence::{Looks, Rule};
use alp_pool::money::{Amount, COIN_SCALE, Coins, Ratio};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms, TermsError};
use thiserror::Error;

/// Minutes of a day: most engines state what they pay a day, the pool shows it a minute.
const MINUTES_OF_A_DAY: u64 = 1_440;

/// The rules of one market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketTerms {
    judged_by: Terms,
    rules: MarketRules,
    looks: Looks,
}

/// How one side of a market is shared where each has an engine of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideRule {
    /// The engine.
    pub engine: SideEngine,
    /// The largest deviation from the pool's price at which an order still counts.
    pub tolerance: Ratio,
}

/// What holds for every engine alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommonRules {
    /// What counts.
    pub counting: Counting,
    /// What becomes of a pot that nobody is in.
    pub unpaid: Unpaid,
    /// How a round is looked at.
    pub looks: Looks,
}

impl CommonRules {
    /// Nothing set: one look a round, everything counts, unpaid pots are dropped.
    #[must_use]
    pub fn plain() -> Self {
        Self { counting: Counting::default(), unpaid: Unpaid::Drop, looks: Looks::ONCE }
    }
}

impl MarketTerms {
    /// A fixed pot and nothing else.
    ///
    /// # Errors
    /// None: what could be wrong with targets is not there.
    pub fn plain(terms: Terms) -> Result<Self, MarketTermsError> {
        Self::fixed_pot(terms, Targets::OfMarket, CommonRules::plain())
    }

    /// A fixed pot.
    ///
    /// # Errors
    /// [`MarketTermsError`] says what does not fit together.
    pub fn fixed_pot(terms: Terms, targets: Targets, common: CommonRules) -> Result<Self, MarketTermsError> {
        let engine = MarketEngine::FixedPot(FixedPotRule::new(terms.clone(), targets)?);
        let rules = MarketRules::new(engine, common.counting, common.unpaid)?;
        Ok(Self { judged_by: terms, rules, looks: common.looks })
    }

    /// Each side by an engine of its own. Such a side has one rank, which reaches to its tolerance.
    ///
    /// # Errors
    /// [`MarketTermsError`] says what does not fit together.
    pub fn per_side(ask: SideRule, bid: SideRule, common: CommonRules) -> Result<Self, MarketTermsError> {
        let judged_by = shown_terms(&ask, &bid)?;
        let engine = MarketEngine::PerSide { ask: ask.engine, bid: bid.engine };
        let rules = MarketRules::new(engine, common.counting, common.unpaid)?;
        Ok(Self { judged_by, rules, looks: common.looks })
    }

    /// The ranks by which orders are judged, with the figures that are shown: where a market has no fixed pot, its
    /// reward is what its engines may pay a minute (floored), and a side's ratio is its part of that.
    #[must_use]
    pub fn judged_by(&self) -> &Terms {
        &self.judged_by
    }

    /// How it is shared.
    #[must_use]
    pub fn rules(&self) -> &MarketRules {
        &self.rules
    }

    /// How it is looked at.
    #[must_use]
    pub fn looks(&self) -> Looks {
        self.looks
    }

    /// The target that is shown: nothing where no side has one.
    #[must_use]
    pub fn target(&self) -> Amount {
        match self.rules.engine() {
            MarketEngine::FixedPot(rule) => rule.terms().target(),
            MarketEngine::PerSide { ask, bid } => {
                let targets = [ask, bid].into_iter().filter_map(SideEngine::target);
                // Two amounts never exceed the largest sum.
                Amount::sum(targets).unwrap_or(Amount::ZERO)
            }
        }
    }

    /// How far from the pool's price an order of this side still counts: the tolerance of its widest rank.
    #[must_use]
    pub fn tolerance(&self, side: Side) -> Ratio {
        self.judged_by.side(side).ranks().last().map_or(Ratio::ZERO, |rank| rank.tolerance)
    }

    /// Whether it is a fixed pot and nothing else, which has a shorter way to its credits.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let untouched = match self.rules.engine() {
            MarketEngine::FixedPot(rule) => *rule.targets() == Targets::OfMarket,
            MarketEngine::PerSide { .. } => false,
        };
        untouched
            && *self.rules.counting() == Counting::default()
            && self.rules.unpaid() == Unpaid::Drop
            && self.looks == Looks::ONCE
    }

    /// Whether a round has to be held against the one before it.
    #[must_use]
    pub fn needs_the_round_before(&self) -> bool {
        self.looks.rule() == Rule::Interval
    }

    /// Whether it matters since when an order has been seen.
    #[must_use]
    pub fn needs_first_sightings(&self) -> bool {
        self.rules.counting().maturing_s().is_some()
    }
}

fn shown_terms(ask: &SideRule, bid: &SideRule) -> Result<Terms, MarketTermsError> {
    let daily = PerSide { ask: ask.engine.daily_cost()?, bid: bid.engine.daily_cost()? };
    let both = daily.ask.plus(daily.bid)?;
    let per_minute = both.e8().checked_div(MINUTES_OF_A_DAY).and_then(Coins::from_e8);
    // The ask's part is floored, the bid has the rest.
    let whole = u128::from(Ratio::ONE.e8());
    let part = u128::from(daily.ask.e8()).saturating_mul(whole).checked_div(u128::from(both.e8()));
    let ask_ratio = part.unwrap_or(0).min(whole);
    let side = |e8: u128, tolerance: Ratio| {
        let ratio = Ratio::parse(&format_units(e8, COIN_SCALE)).unwrap_or(Ratio::ZERO);
        SideTerms::new(ratio, vec![RankTerms { number: RankNumber(1), ratio: Ratio::ONE, tolerance }])
    };
    let asks = side(ask_ratio, ask.tolerance)?;
    let bids = side(whole.saturating_sub(ask_ratio), bid.tolerance)?;
    // Ranks need terms, and terms a target, but engines of a side never look at this one.
    let target = Amount::parse("1").unwrap_or(Amount::ZERO);
    let per_minute = per_minute.ok_or(Overflow("reward"))?;
    Ok(Terms::new(per_minute, target, Fill::PerRank, asks, bids)?)
}

/// Why the rules of a market do not fit together. For the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MarketTermsError {
    /// An engine, or an option.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Ranks, ratios, the target.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// More is paid than is counted.
    #[error("may pay more than is counted: a lower rate, reward or target is right")]
    Overflow(#[from] Overflow),
}
