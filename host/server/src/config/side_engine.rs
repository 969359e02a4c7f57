//! The engine of one side of a market, with its parameters: what the side's section does not say, the market's does.
//! It knows no fixed pot, which shares one reward between both sides.

use std::fmt::Display;

use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::fixed_cost::FixedCostRule;
use alp_pool::engines::rule_error::RuleError;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::engines::spread_weighted::{MAX_POWER, SpreadWeightedRule};
use alp_pool::engines::uniform_auction::UniformAuctionRule;
use alp_pool::engines::{EngineKind, SideEngine};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::rate::Rate;
use alp_record::SideRule;

use super::section::Section;

/// The keys of the engines.
const PARAMETERS: [&str; 5] = ["daily", "rate", "target", "width", "power"];

/// Reads the rule of a side whose engine has this name.
pub(super) fn read_side_rule(
    market: &Section<'_, '_>,
    name: &str,
    side: Option<&Section<'_, '_>>,
    engine: Option<&str>,
) -> Option<SideRule> {
    let keys = Keys { market, side };
    let kind = read_kind(market, name, engine);
    let tolerance = keys.decimal("tolerance", Ratio::parse);
    let made = kind.and_then(|kind| read_engine(&keys, kind, tolerance));
    if kind.is_none() {
        // Which of them belong to it nobody can say.
        PARAMETERS.into_iter().for_each(|key| keys.at(key).pass_over(key));
    }
    if let Some(side) = side {
        side.finish();
    }
    match made? {
        Ok(engine) => Some(SideRule { engine, tolerance: tolerance? }),
        Err(error) => {
            market.fault(name, error.to_string());
            None
        }
    }
}

fn read_kind(market: &Section<'_, '_>, name: &str, engine: Option<&str>) -> Option<EngineKind> {
    let names: Vec<String> = EngineKind::ALL.iter().map(|kind| format!("{:?}", kind.name())).collect();
    let key = format!("{name}.engine");
    match engine.map(EngineKind::from_name) {
        Some(Some(EngineKind::FixedPot)) => {
            let message = "is fixed_pot, which shares one reward between both sides: give it to the market as a \
                           whole, or give both sides another";
            market.fault(&key, message);
            None
        }
        Some(Some(kind)) => Some(kind),
        Some(None) => {
            market.fault(&key, format!("must be one of {}", names.join(", ")));
            None
        }
        None => {
            market.fault(
                &key,
                "is missing: the other side has an engine of its own, so this one needs one too",
            );
            None
        }
    }
}

fn read_engine(
    keys: &Keys<'_, '_, '_>,
    kind: EngineKind,
    tolerance: Option<Ratio>,
) -> Option<Result<SideEngine, RuleError>> {
    let daily = || keys.decimal("daily", Coins::parse);
    let rate = || keys.decimal("rate", Rate::parse);
    let target = || keys.decimal("target", Amount::parse);
    match kind {
        EngineKind::FixedPot => None,
        EngineKind::FixedCost => Some(FixedCostRule::new(daily()?).map(SideEngine::FixedCost)),
        EngineKind::UniformAuction => {
            let (rate, target) = (rate(), target());
            Some(UniformAuctionRule::new(rate?, target?).map(SideEngine::UniformAuction))
        }
        EngineKind::AuctionTllp => {
            // Its fixed-cost variant has a day's cost in place of a highest rate.
            let highest =
                if keys.has("daily") { daily().map(Highest::DailyCost) } else { rate().map(Highest::Rate) };
            let target = target();
            Some(TllpRule::new(highest?, target?).map(SideEngine::AuctionTllp))
        }
        EngineKind::Sigmoid => {
            let (rate, target) = (rate(), target());
            let width = keys.decimal("width", Amount::parse);
            Some(SigmoidRule::new(rate?, target?, width?).map(SideEngine::Sigmoid))
        }
        EngineKind::SpreadWeighted => {
            let daily = daily();
            let power = keys.at("power").whole("power", 1, 0..=u64::from(MAX_POWER));
            let power = u32::try_from(power?).ok()?;
            Some(SpreadWeightedRule::new(daily?, tolerance?, power).map(SideEngine::SpreadWeighted))
        }
    }
}

/// Where the keys of a side are looked for.
struct Keys<'s, 'a, 'i> {
    market: &'s Section<'a, 'i>,
    side: Option<&'s Section<'a, 'i>>,
}

impl<'s, 'a, 'i> Keys<'s, 'a, 'i> {
    /// The section that has the key, or the market's.
    fn at(&self, key: &str) -> &'s Section<'a, 'i> {
        self.side.filter(|side| side.has(key)).unwrap_or(self.market)
    }

    fn has(&self, key: &str) -> bool {
        self.at(key).has(key)
    }

    fn decimal<T, E: Display>(&self, key: &str, parse: impl Fn(&str) -> Result<T, E>) -> Option<T> {
        self.at(key).decimal(key, None, parse)
    }
}
