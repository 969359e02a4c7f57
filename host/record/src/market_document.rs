//! The rules of a market as a document, in either version of its form: what is kept with every submission that was
//! judged by them. It knows no file of the operator's.
//!
//! Plain rules are written in the first version, as ever, so that their ids stay what they were. Whatever else is set
//! makes a document of the second. Every number with decimals is a text; what is not set is not written.

use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_cost::FixedCostRule;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::engines::spread_weighted::SpreadWeightedRule;
use alp_pool::engines::uniform_auction::UniformAuctionRule;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, SideEngine};
use alp_pool::evidence::{Looks, Rule};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::rate::Rate;
use alp_pool::terms::{RankNumber, Side};
use serde::{Deserialize, Serialize};

use crate::market_terms::{CommonRules, MarketTerms, SideRule};
use crate::terms_document::{
    self, SideDocument, TermsDocumentError, damaged, read_terms, terms_of, write_terms,
};

/// Version of the form that has everything.
const VERSION: u32 = 2;

/// Writes the rules of a market as their document: the same rules, the same bytes.
#[must_use]
pub fn write_market(base: &str, quote: &str, reverse: bool, market: &MarketTerms) -> String {
    if market.is_plain() {
        return write_terms(base, quote, reverse, market.judged_by());
    }
    let document = MarketDocument {
        version: VERSION,
        base: base.to_owned(),
        quote: quote.to_owned(),
        reverse,
        engine: EngineDocument::of(market),
        counting: CountingDocument::of(market.rules().counting()),
        unpaid: UnpaidDocument::of(market.rules().unpaid()),
        looks: LooksDocument {
            slices: market.looks().slices(),
            evidence: market.looks().rule().name().to_owned(),
            by_time: market.looks().by_time(),
        },
    };
    // Texts, numbers and lists have no way to fail to be written.
    serde_json::to_string(&document).unwrap_or_default()
}

/// Reads the rules of a market back from their document, whichever version it has.
///
/// # Errors
/// [`TermsDocumentError`] if it is not one: then the database was changed by another hand, or by a newer version.
pub fn read_market(document: &str) -> Result<MarketTerms, TermsDocumentError> {
    let Versioned { version } = serde_json::from_str(document)?;
    match version {
        terms_document::VERSION => MarketTerms::plain(read_terms(document)?).map_err(damaged),
        VERSION => serde_json::from_str::<MarketDocument>(document)?.read(),
        other => Err(TermsDocumentError::Version(other)),
    }
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

/// The members in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketDocument {
    version: u32,
    base: String,
    quote: String,
    reverse: bool,
    engine: EngineDocument,
    counting: CountingDocument,
    unpaid: UnpaidDocument,
    looks: LooksDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum EngineDocument {
    FixedPot {
        reward_per_minute: String,
        target: String,
        fills_target: String,
        ask: SideDocument,
        bid: SideDocument,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side_targets: Option<SideTargets>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rank_targets: Option<Vec<RankTarget>>,
    },
    PerSide {
        ask: SideRuleDocument,
        bid: SideRuleDocument,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SideTargets {
    ask: String,
    bid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RankTarget {
    side: String,
    rank: u8,
    target: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SideRuleDocument {
    tolerance: String,
    engine: SideEngineDocument,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum SideEngineDocument {
    AuctionTllp {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        daily: Option<String>,
        target: String,
    },
    FixedCost {
        daily: String,
    },
    Sigmoid {
        rate: String,
        target: String,
        width: String,
    },
    UniformAuction {
        rate: String,
        target: String,
    },
    SpreadWeighted {
        daily: String,
        power: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountingDocument {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_order: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_orders: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maturing_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cap: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnpaidDocument {
    rule: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LooksDocument {
    slices: u32,
    evidence: String,
    by_time: bool,
}

impl MarketDocument {
    fn read(&self) -> Result<MarketTerms, TermsDocumentError> {
        let rule = Rule::from_name(&self.looks.evidence)
            .ok_or_else(|| damaged(format!("evidence {}", self.looks.evidence)))?;
        let common = CommonRules {
            counting: self.counting.read()?,
            unpaid: self.unpaid.read()?,
            looks: Looks::new(self.looks.slices, rule, self.looks.by_time).map_err(damaged)?,
        };
        match &self.engine {
            EngineDocument::PerSide { ask, bid } => {
                MarketTerms::per_side(ask.read()?, bid.read()?, common).map_err(damaged)
            }
            EngineDocument::FixedPot {
                reward_per_minute,
                target,
                fills_target,
                ask,
                bid,
                side_targets,
                rank_targets,
            } => {
                let terms = terms_of(reward_per_minute, target, fills_target, (ask, bid))?;
                let targets = read_targets(side_targets.as_ref(), rank_targets.as_deref())?;
                MarketTerms::fixed_pot(terms, targets, common).map_err(damaged)
            }
        }
    }
}

impl EngineDocument {
    fn of(market: &MarketTerms) -> Self {
        let side = |engine, side| SideRuleDocument {
            tolerance: market.tolerance(side).to_string(),
            engine: SideEngineDocument::of(engine),
        };
        match market.rules().engine() {
            MarketEngine::FixedPot(rule) => Self::of_fixed_pot(rule),
            MarketEngine::PerSide { ask, bid } => {
                Self::PerSide { ask: side(ask, Side::Ask), bid: side(bid, Side::Bid) }
            }
        }
    }

    fn of_fixed_pot(rule: &FixedPotRule) -> Self {
        let terms = rule.terms();
        let (side_targets, rank_targets) = match rule.targets() {
            Targets::OfMarket => (None, None),
            Targets::OfSides(sides) => {
                (Some(SideTargets { ask: sides.ask.to_string(), bid: sides.bid.to_string() }), None)
            }
            Targets::OfRanks(list) => {
                let list = list.iter().map(|(side, rank, target)| RankTarget {
                    side: side.name().to_owned(),
                    rank: rank.0,
                    target: target.to_string(),
                });
                (None, Some(list.collect()))
            }
        };
        Self::FixedPot {
            reward_per_minute: terms.reward_per_minute().to_string(),
            target: terms.target().to_string(),
            fills_target: terms.fill().name().to_owned(),
            ask: SideDocument::of(terms.side(Side::Ask)),
            bid: SideDocument::of(terms.side(Side::Bid)),
            side_targets,
            rank_targets,
        }
    }
}

fn read_targets(
    sides: Option<&SideTargets>,
    ranks: Option<&[RankTarget]>,
) -> Result<Targets, TermsDocumentError> {
    let amount = |text: &str| Amount::parse(text).map_err(damaged);
    match (sides, ranks) {
        (None, None) => Ok(Targets::OfMarket),
        (Some(sides), None) => {
            Ok(Targets::OfSides(PerSide { ask: amount(&sides.ask)?, bid: amount(&sides.bid)? }))
        }
        (None, Some(ranks)) => {
            let mut list = Vec::new();
            for rank in ranks {
                let side = Side::BOTH.into_iter().find(|side| side.name() == rank.side);
                let side = side.ok_or_else(|| damaged(format!("side {}", rank.side)))?;
                list.push((side, RankNumber(rank.rank), amount(&rank.target)?));
            }
            Ok(Targets::OfRanks(list))
        }
        (Some(_), Some(_)) => Err(damaged("targets of sides and of ranks at once")),
    }
}

impl SideRuleDocument {
    fn read(&self) -> Result<SideRule, TermsDocumentError> {
        let tolerance = Ratio::parse(&self.tolerance).map_err(damaged)?;
        Ok(SideRule { engine: self.engine.read(tolerance)?, tolerance })
    }
}

impl SideEngineDocument {
    fn of(engine: &SideEngine) -> Self {
        match engine {
            SideEngine::AuctionTllp(rule) => {
                let (rate, daily) = match rule.highest() {
                    Highest::Rate(rate) => (Some(rate.to_string()), None),
                    Highest::DailyCost(daily) => (None, Some(daily.to_string())),
                };
                Self::AuctionTllp { rate, daily, target: rule.target().to_string() }
            }
            SideEngine::FixedCost(rule) => Self::FixedCost { daily: rule.daily().to_string() },
            SideEngine::Sigmoid(rule) => Self::Sigmoid {
                rate: rule.rate().to_string(),
                target: rule.target().to_string(),
                width: rule.width().to_string(),
            },
            SideEngine::UniformAuction(rule) => {
                Self::UniformAuction { rate: rule.highest().to_string(), target: rule.target().to_string() }
            }
            SideEngine::SpreadWeighted(rule) => {
                Self::SpreadWeighted { daily: rule.daily().to_string(), power: rule.power() }
            }
        }
    }

    fn read(&self, tolerance: Ratio) -> Result<SideEngine, TermsDocumentError> {
        let coins = |text: &str| Coins::parse(text).map_err(damaged);
        let amount = |text: &str| Amount::parse(text).map_err(damaged);
        let rate_of = |text: &str| Rate::parse(text).map_err(damaged);
        Ok(match self {
            Self::AuctionTllp { rate, daily, target } => {
                let highest = match (rate, daily) {
                    (Some(rate), None) => Highest::Rate(rate_of(rate)?),
                    (None, Some(daily)) => Highest::DailyCost(coins(daily)?),
                    (_, _) => return Err(damaged("an auction has a rate or a daily cost")),
                };
                SideEngine::AuctionTllp(TllpRule::new(highest, amount(target)?).map_err(damaged)?)
            }
            Self::FixedCost { daily } => {
                SideEngine::FixedCost(FixedCostRule::new(coins(daily)?).map_err(damaged)?)
            }
            Self::Sigmoid { rate, target, width } => {
                let rule = SigmoidRule::new(rate_of(rate)?, amount(target)?, amount(width)?);
                SideEngine::Sigmoid(rule.map_err(damaged)?)
            }
            Self::UniformAuction { rate, target } => {
                let rule = UniformAuctionRule::new(rate_of(rate)?, amount(target)?);
                SideEngine::UniformAuction(rule.map_err(damaged)?)
            }
            Self::SpreadWeighted { daily, power } => {
                let rule = SpreadWeightedRule::new(coins(daily)?, tolerance, *power);
                SideEngine::SpreadWeighted(rule.map_err(damaged)?)
            }
        })
    }
}

impl CountingDocument {
    fn of(counting: &Counting) -> Self {
        Self {
            min_order: counting.min_order().map(|least| least.to_string()),
            max_orders: counting.max_orders(),
            maturing_seconds: counting.maturing_s(),
            cap: counting.cap().map(|cap| cap.to_string()),
        }
    }

    fn read(&self) -> Result<Counting, TermsDocumentError> {
        let mut counting = Counting::default();
        if let Some(least) = &self.min_order {
            let least = Amount::parse(least).map_err(damaged)?;
            counting = counting.with_min_order(least).map_err(damaged)?;
        }
        if let Some(most) = self.max_orders {
            counting = counting.with_max_orders(most).map_err(damaged)?;
        }
        if let Some(seconds) = self.maturing_seconds {
            counting = counting.with_maturing(seconds).map_err(damaged)?;
        }
        if let Some(cap) = &self.cap {
            counting = counting.with_cap(Rate::parse(cap).map_err(damaged)?).map_err(damaged)?;
        }
        Ok(counting)
    }
}

impl UnpaidDocument {
    fn of(unpaid: Unpaid) -> Self {
        let limit = match unpaid {
            Unpaid::CarryOver { limit } => Some(limit.to_string()),
            Unpaid::Drop | Unpaid::OtherSide => None,
        };
        Self { rule: unpaid.name().to_owned(), limit }
    }

    fn read(&self) -> Result<Unpaid, TermsDocumentError> {
        match (self.rule.as_str(), &self.limit) {
            ("drop", None) => Ok(Unpaid::Drop),
            ("move", None) => Ok(Unpaid::OtherSide),
            ("carry", Some(limit)) => {
                Unpaid::carry_over(Coins::parse(limit).map_err(damaged)?).map_err(damaged)
            }
            (rule, _) => Err(damaged(format!("unpaid {rule}"))),
        }
    }
}
