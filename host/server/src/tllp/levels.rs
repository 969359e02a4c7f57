//! What an LP's orders of a credited round earned, as the protocol shows it: of each side how much was paid and at which
//! rate a day, and how much was not.

use alp_pool::money::{Amount, Coins};
use alp_pool::rate::Rate;
use alp_pool::round::RoundLength;
use alp_pool::terms::Side;
use alp_record::judged::{CreditDetail, OrderRecord, RecordError, from_json};
use alp_store::CreditedSample;

use super::market::level;
use crate::wire::Tree;

/// One side of an LP's liquidity in a round, as it showed it last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SideLevels {
    /// What earned something.
    paid: Amount,
    /// What that earned, projected to a day: floored.
    paid_rate: Rate,
    /// What was within a rank and earned nothing.
    unpaid: Amount,
    /// What both together earned, projected to a day: floored.
    rate: Rate,
}

/// Both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Levels {
    ask: SideLevels,
    bid: SideLevels,
}

impl Levels {
    /// Reads a credited round. Without its sample or its account, which are not kept for ever, nothing is shown.
    pub(super) fn read(credited: &CreditedSample, round: RoundLength) -> Result<Self, RecordError> {
        let (Some(orders), Some(detail)) = (&credited.orders, &credited.detail) else {
            return Ok(Self::default());
        };
        let orders: Vec<OrderRecord> = from_json(orders, "a sample")?;
        let detail: CreditDetail = from_json(detail, "a credit")?;
        let of = |side| SideLevels::of(side, &orders, &detail, round);
        Ok(Self { ask: of(Side::Ask)?, bid: of(Side::Bid)? })
    }

    /// `[{amount, cost} × 3]` of a side: the original's two rates and what is paid none. Here one rate holds for
    /// everything that is paid, so the second level is empty.
    pub(super) fn shown(&self, side: Side) -> Tree {
        let SideLevels { paid, paid_rate, unpaid, .. } = *self.side(side);
        let empty = level(Amount::ZERO, Rate::ZERO);
        Tree::List(vec![level(paid, paid_rate), empty, level(unpaid, Rate::ZERO)])
    }

    /// The amounts of the three levels.
    pub(super) fn amounts(&self, side: Side) -> Tree {
        let SideLevels { paid, unpaid, .. } = *self.side(side);
        Tree::List([paid, Amount::ZERO, unpaid].map(Tree::number).to_vec())
    }

    /// `{ask, bid}`: what a coin of each side earned in the round, projected to a day.
    pub(super) fn rates(&self) -> Tree {
        Tree::object(Side::BOTH.map(|side| (side.name(), Tree::number(self.side(side).rate))))
    }

    fn side(&self, side: Side) -> &SideLevels {
        match side {
            Side::Ask => &self.ask,
            Side::Bid => &self.bid,
        }
    }
}

impl SideLevels {
    fn of(
        side: Side,
        orders: &[OrderRecord],
        detail: &CreditDetail,
        round: RoundLength,
    ) -> Result<Self, RecordError> {
        let (mut paid, mut unpaid, mut earned) = (Vec::new(), Vec::new(), Vec::new());
        let ranked = |order: &&OrderRecord| order.side == side.name() && order.rank.is_some();
        for (place, order) in orders.iter().enumerate().filter(|(_, order)| ranked(order)) {
            let amount = Amount::parse(&order.amount).map_err(|_| RecordError::Damaged("an amount"))?;
            let coins = detail.orders.get(place).map_or(Ok(Coins::ZERO), |coins| Coins::parse(coins));
            let coins = coins.map_err(|_| RecordError::Damaged("a credit"))?;
            if coins > Coins::ZERO {
                paid.push(amount)
            } else {
                unpaid.push(amount)
            }
            earned.push(coins);
        }
        let sum = |amounts: Vec<Amount>| Amount::sum(amounts).map_err(|_| RecordError::Damaged("an amount"));
        let (paid, unpaid) = (sum(paid)?, sum(unpaid)?);
        let earned = Coins::sum(earned).map_err(|_| RecordError::Damaged("a credit"))?;
        let both = sum(vec![paid, unpaid])?;
        let (paid_rate, rate) = (Rate::earned(earned, paid, round), Rate::earned(earned, both, round));
        Ok(Self { paid, paid_rate, unpaid, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_what_is_not_and_what_is_too_far_are_kept_apart() {
        let order = |side: &str, amount: &str, rank: &str| {
            format!(
                r#"{{"id":"a","side":"{side}","price":"1","amount":"{amount}","rank":{rank},"deviation":"0","tolerance":"0.01"}}"#
            )
        };
        let orders = [
            order("ask", "100", "1"),
            order("ask", "50", "1"),
            order("ask", "9", "null"),
            order("bid", "8", "1"),
        ];
        let credited = CreditedSample {
            round_start: 60,
            amount_e8: 0,
            balance_e8: 0,
            slices: 1,
            orders: Some(format!("[{}]", orders.join(","))),
            detail: Some(r#"{"orders":["0.001","0","0","0.00001"]}"#.to_owned()),
        };
        let levels = Levels::read(&credited, RoundLength::MINUTE).unwrap();
        let json = |tree: &Tree| serde_json::to_string(tree).unwrap();
        assert_eq!(
            json(&levels.shown(Side::Ask)),
            r#"[{"amount":100,"cost":0.0144},{"amount":0,"cost":0},{"amount":50,"cost":0}]"#
        );
        assert_eq!(json(&levels.amounts(Side::Bid)), "[8,0,0]");
        assert_eq!(json(&levels.rates()), r#"{"ask":0.0096,"bid":0.0018}"#);
        let forgotten = CreditedSample { orders: None, ..credited };
        assert_eq!(Levels::read(&forgotten, RoundLength::MINUTE).unwrap(), Levels::default());
    }
}
