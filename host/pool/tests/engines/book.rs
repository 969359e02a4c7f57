//! Short ways to write rules and a book.

use alp_pool::credit::LpId;
use alp_pool::engines::auction_tllp::{Highest, TllpRule};
use alp_pool::engines::book::{Book, BookOrder};
use alp_pool::engines::counting::Counting;
use alp_pool::engines::fixed_cost::FixedCostRule;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::pot::MarketShare;
use alp_pool::engines::sigmoid::SigmoidRule;
use alp_pool::engines::spread_weighted::SpreadWeightedRule;
use alp_pool::engines::uniform_auction::UniformAuctionRule;
use alp_pool::engines::unpaid::{PerSide, Unpaid};
use alp_pool::engines::{MarketEngine, MarketRules, SideEngine, share_market};
use alp_pool::money::{Amount, Coins, Ratio};
use alp_pool::rate::Rate;
use alp_pool::round::{Round, RoundLength};
use alp_pool::terms::{Fill, RankNumber, RankTerms, Side, SideTerms, Terms};

pub(crate) fn coins(text: &str) -> Coins {
    Coins::parse(text).unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    Amount::parse(text).unwrap()
}

pub(crate) fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

pub(crate) fn ratio(text: &str) -> Ratio {
    Ratio::parse(text).unwrap()
}

pub(crate) fn tllp(highest: &str, target: &str) -> SideEngine {
    SideEngine::AuctionTllp(TllpRule::new(Highest::Rate(rate(highest)), amount(target)).unwrap())
}

pub(crate) fn tllp_cost(daily: &str, target: &str) -> SideEngine {
    SideEngine::AuctionTllp(TllpRule::new(Highest::DailyCost(coins(daily)), amount(target)).unwrap())
}

pub(crate) fn fixed_cost(daily: &str) -> SideEngine {
    SideEngine::FixedCost(FixedCostRule::new(coins(daily)).unwrap())
}

pub(crate) fn sigmoid(per_day: &str, target: &str, width: &str) -> SideEngine {
    SideEngine::Sigmoid(SigmoidRule::new(rate(per_day), amount(target), amount(width)).unwrap())
}

pub(crate) fn uniform(highest: &str, target: &str) -> SideEngine {
    SideEngine::UniformAuction(UniformAuctionRule::new(rate(highest), amount(target)).unwrap())
}

pub(crate) fn spread(daily: &str, tolerance: &str, power: u32) -> SideEngine {
    SideEngine::SpreadWeighted(SpreadWeightedRule::new(coins(daily), ratio(tolerance), power).unwrap())
}

pub(crate) fn both(engine: &SideEngine) -> MarketEngine {
    MarketEngine::PerSide { ask: engine.clone(), bid: engine.clone() }
}

/// Two ranks of 0.01 and 0.5, by the ratios of ask side, first ask rank and first bid rank, in per cent.
pub(crate) fn terms(reward: &str, target: &str, fill: Fill, parts: [u32; 3]) -> Terms {
    let part = |percent: u32| ratio(&format!("{percent}e-2"));
    let side = |whole: u32, first: u32| {
        let rank = |number, percent, tolerance| RankTerms {
            number: RankNumber(number),
            ratio: part(percent),
            tolerance: ratio(tolerance),
        };
        SideTerms::new(part(whole), vec![rank(1, first, "0.01"), rank(2, 100 - first, "0.5")]).unwrap()
    };
    let [ask, first_ask, first_bid] = parts;
    Terms::new(coins(reward), amount(target), fill, side(ask, first_ask), side(100 - ask, first_bid)).unwrap()
}

pub(crate) fn fixed_pot(terms: Terms) -> MarketEngine {
    MarketEngine::FixedPot(FixedPotRule::new(terms, Targets::OfMarket).unwrap())
}

/// With every option off.
pub(crate) fn plain(engine: MarketEngine) -> MarketRules {
    MarketRules::new(engine, Counting::default(), Unpaid::Drop).unwrap()
}

/// An ask in the first rank, at the price itself.
pub(crate) fn ask(lp: i64, id: &str, shown: &str, min_rate: Option<&str>) -> BookOrder {
    BookOrder {
        lp: LpId(lp),
        id: id.to_owned(),
        side: Side::Ask,
        amount: amount(shown),
        rank: Some(RankNumber(1)),
        deviation_e8: 0,
        min_rate: min_rate.map(rate),
        age_s: None,
    }
}

pub(crate) fn bid(lp: i64, id: &str, shown: &str) -> BookOrder {
    BookOrder { side: Side::Bid, ..ask(lp, id, shown, None) }
}

pub(crate) const MINUTE: Round = Round { start_s: 1_760_054_400, length: RoundLength::MINUTE };

pub(crate) fn day() -> Round {
    Round { start_s: 1_760_054_400, length: RoundLength::from_seconds(86_400).unwrap() }
}

/// Shares a round that was looked at once.
pub(crate) fn share(rules: &MarketRules, orders: Vec<BookOrder>, round: Round) -> MarketShare {
    share_market(rules, &Book::new(1, orders).unwrap(), round, PerSide::default()).unwrap()
}

pub(crate) fn credit(share: &MarketShare, lp: i64) -> u64 {
    share.credits.iter().find(|credit| credit.lp == LpId(lp)).map_or(0, |credit| credit.credit.e8())
}

pub(crate) fn credit_text(share: &MarketShare, lp: i64) -> String {
    Coins::from_e8(credit(share, lp)).unwrap().to_string()
}
