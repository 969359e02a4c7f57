//! The reward rules of a market, as they stand in its section or in one of its changes.
//! It knows no file and no date.

use alp_pool::engines::EngineKind;
use alp_pool::engines::counting::{Counting, MAX_MATURING_S};
use alp_pool::engines::fixed_pot::Targets;
use alp_pool::engines::rule_error::RuleError;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::evidence::{Looks, MOST_SLICES, Rule};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::rate::Rate;
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};
use alp_record::{CommonRules, MarketTerms};

use super::section::Section;
use super::side_engine::read_side_rule;

/// Most orders of an LP that a limit may name: more than any exchange lists.
const MOST_ORDERS: u64 = 100_000;

/// Reads the rules. Every fault is found; nothing is read if there is one.
pub(super) fn read_market(section: &Section<'_, '_>) -> Option<MarketTerms> {
    let common = read_common(section);
    let engine = section.optional_text("engine");
    let (ask, bid) = (section.section("ask"), section.section("bid"));
    let own = |side: &Option<Section<'_, '_>>| side.as_ref().and_then(|side| side.optional_text("engine"));
    let names = [own(&ask), own(&bid)].map(|own| own.or_else(|| engine.clone()));
    let fixed_pot = EngineKind::FixedPot.name();
    let is_fixed_pot = names.iter().all(|name| name.as_ref().is_none_or(|name| name == fixed_pot));
    let read = if is_fixed_pot {
        read_fixed_pot(section, ask.as_ref(), bid.as_ref(), common)
    } else {
        let [of_ask, of_bid] = names;
        let ask = read_side_rule(section, "ask", ask.as_ref(), of_ask.as_deref());
        let bid = read_side_rule(section, "bid", bid.as_ref(), of_bid.as_deref());
        Some(MarketTerms::per_side(ask?, bid?, common?))
    };
    match read? {
        Ok(terms) => Some(terms),
        Err(error) => {
            section.fault("", error.to_string());
            None
        }
    }
}

/// What may stand beside every engine.
fn read_common(section: &Section<'_, '_>) -> Option<CommonRules> {
    let slices = section.whole("slices", 1, 1..=u64::from(MOST_SLICES));
    let usual = if slices.is_some_and(|slices| slices > 1) { Rule::Interval } else { Rule::Last };
    let evidence = section.text("evidence", Some(usual.name())).and_then(|text| {
        let rule = Rule::from_name(&text);
        if rule.is_none() {
            section.fault("evidence", "must be \"last\" or \"interval\"");
        }
        rule
    });
    let by_time = section.flag("by_time", false);
    let counting = read_counting(section);
    let unpaid = read_unpaid(section);
    let slices = u32::try_from(slices?).ok()?;
    let looks = Looks::new(slices, evidence?, by_time?).ok()?;
    Some(CommonRules { counting: counting?, unpaid: unpaid?, looks })
}

fn read_counting(section: &Section<'_, '_>) -> Option<Counting> {
    let mut counting = Counting::default();
    let max_orders = section.optional_whole("max_orders", 1..=MOST_ORDERS);
    let max_orders = max_orders.map(|most| most.and_then(|most| usize::try_from(most).ok()));
    let maturing = section.optional_whole("maturing_seconds", 1..=MAX_MATURING_S);
    let min_order = section.optional_decimal("min_order", Amount::parse);
    let cap = section.optional_decimal("cap", Rate::parse);
    // Each is tried whatever became of the others, so that all faults are found.
    let right = [
        set(section, "min_order", min_order, &mut counting, Counting::with_min_order),
        set(section, "max_orders", max_orders, &mut counting, Counting::with_max_orders),
        set(section, "maturing_seconds", maturing, &mut counting, Counting::with_maturing),
        set(section, "cap", cap, &mut counting, Counting::with_cap),
    ];
    right.into_iter().all(|right| right).then_some(counting)
}

/// Sets one option, if it was given. False if it is faulty.
fn set<T>(
    section: &Section<'_, '_>,
    key: &str,
    read: Option<Option<T>>,
    counting: &mut Counting,
    with: impl Fn(Counting, T) -> Result<Counting, RuleError>,
) -> bool {
    let Some(read) = read else { return false };
    let Some(value) = read else { return true };
    match with(counting.clone(), value) {
        Ok(changed) => {
            *counting = changed;
            true
        }
        Err(error) => {
            section.fault(key, error.to_string());
            false
        }
    }
}

fn read_unpaid(section: &Section<'_, '_>) -> Option<Unpaid> {
    let rule = section.text("unpaid", Some(Unpaid::Drop.name()))?;
    match rule.as_str() {
        "drop" => Some(Unpaid::Drop),
        "move" => Some(Unpaid::OtherSide),
        "carry" => match Unpaid::carry_over(section.decimal("carry_limit", None, Coins::parse)?) {
            Ok(unpaid) => Some(unpaid),
            Err(error) => {
                section.fault("carry_limit", error.to_string());
                None
            }
        },
        _ => {
            section.fault("unpaid", "must be \"drop\", \"carry\" or \"move\"");
            None
        }
    }
}

type Read<T> = Option<Result<T, alp_record::MarketTermsError>>;

fn read_fixed_pot(
    section: &Section<'_, '_>,
    ask: Option<&Section<'_, '_>>,
    bid: Option<&Section<'_, '_>>,
    common: Option<CommonRules>,
) -> Read<MarketTerms> {
    let reward = section.decimal("reward", None, Coins::parse);
    let fill = section.text("fills_target", Some(Fill::PerRank.name())).and_then(|text| {
        let fill = [Fill::PerRank, Fill::Paid, Fill::All].into_iter().find(|fill| fill.name() == text);
        if fill.is_none() {
            section.fault("fills_target", "must be \"per_rank\", \"paid\" or \"all\"");
        }
        fill
    });
    let mut own = OwnTargets::default();
    let asks = read_side(section, Side::Ask, ask, &mut own);
    let bids = read_side(section, Side::Bid, bid, &mut own);
    let targets = own.read(section);
    // Where sides or ranks have targets, the market's is what they come to, and need not be said.
    let target = if own.is_empty() || section.has("target") {
        section.decimal("target", None, Amount::parse)
    } else {
        Amount::sum(own.amounts()).ok()
    };
    let terms = Terms::new(reward?, target?, fill?, asks?, bids?);
    let (targets, common) = (targets?, common?);
    match terms {
        Ok(terms) => Some(MarketTerms::fixed_pot(terms, targets, common)),
        Err(error) => Some(Err(error.into())),
    }
}

/// Targets that sides or ranks have of their own.
#[derive(Default)]
struct OwnTargets {
    sides: Vec<(Side, Amount)>,
    ranks: Vec<(Side, RankNumber, Amount)>,
}

impl OwnTargets {
    fn is_empty(&self) -> bool {
        self.sides.is_empty() && self.ranks.is_empty()
    }

    fn amounts(&self) -> impl Iterator<Item = Amount> {
        let sides = self.sides.iter().map(|(_, target)| *target);
        sides.chain(self.ranks.iter().map(|(_, _, target)| *target))
    }

    fn read(&self, section: &Section<'_, '_>) -> Option<Targets> {
        let of_side = |side| self.sides.iter().find(|(of, _)| *of == side).map(|(_, target)| *target);
        match (self.sides.is_empty(), self.ranks.is_empty()) {
            (true, true) => Some(Targets::OfMarket),
            (true, false) => Some(Targets::OfRanks(self.ranks.clone())),
            (false, false) => {
                section.fault(
                    "",
                    "has targets for sides and for ranks: give one of the two targets of their own",
                );
                None
            }
            (false, true) => match (of_side(Side::Ask), of_side(Side::Bid)) {
                (Some(ask), Some(bid)) => Some(Targets::OfSides(PerSide { ask, bid })),
                (found, _) => {
                    let missing = if found.is_some() { Side::Bid } else { Side::Ask };
                    let key = format!("{}.target", missing.name());
                    section.fault(&key, "is missing: the other side has a target, so this one needs one too");
                    None
                }
            },
        }
    }
}

fn read_side(
    market: &Section<'_, '_>,
    side: Side,
    section: Option<&Section<'_, '_>>,
    own: &mut OwnTargets,
) -> Option<SideTerms> {
    let name = side.name();
    let Some(section) = section else {
        market.fault(name, format!("is missing: write a section {name} with a ratio and at least rank_1"));
        return None;
    };
    let ratio = section.decimal("ratio", None, Ratio::parse);
    let target = section.optional_decimal("target", Amount::parse);
    own.sides.extend(target.flatten().map(|target| (side, target)));
    let mut ranks = Vec::new();
    let mut complete = target.is_some();
    for (name, rank) in section.other_sections() {
        let number = name.strip_prefix("rank_").and_then(|number| number.parse::<u8>().ok());
        if number.is_none_or(|number| number == 0 || name != format!("rank_{number}")) {
            rank.fault("", "must be called rank_1, rank_2 and so on");
        }
        let ratio = rank.decimal("ratio", None, Ratio::parse);
        let tolerance = rank.decimal("tolerance", Some(Ratio::ONE), Ratio::parse);
        let target = rank.optional_decimal("target", Amount::parse);
        rank.finish();
        match (number, ratio, tolerance, target) {
            (Some(number), Some(ratio), Some(tolerance), Some(target)) => {
                own.ranks.extend(target.map(|target| (side, RankNumber(number), target)));
                ranks.push(RankTerms { number: RankNumber(number), ratio, tolerance });
            }
            (_, _, _, _) => complete = false,
        }
    }
    section.finish();
    let ratio = ratio?;
    if !complete {
        return None;
    }
    match SideTerms::new(ratio, ranks) {
        Ok(side) => Some(side),
        Err(error) => {
            section.fault("", error.to_string());
            None
        }
    }
}
