//! What open orders are worth, and what liquidity earns in a day: figures for showing, by which nothing is credited.

use crate::money::{Amount, Coins};
use crate::price::{PoolPrice, Price};
use crate::rate::Rate;
use crate::round::RoundLength;
use crate::terms::Side;
use crate::wide::{self, Overflow, wide};

/// What stands behind an open order, in the base currency, at the pool's price. An ask offers the base currency itself:
/// its amount. A bid offers amount · limit of the quote currency, which is divided by the price, in one division that is
/// floored to 1e-18.
///
/// # Errors
/// [`Overflow`] for what exceeds 2^128 of 1e-18, as a bid far above any price may.
pub fn worth_of(side: Side, amount: Amount, limit: Price, price: PoolPrice) -> Result<Amount, Overflow> {
    match side {
        Side::Ask => Ok(amount),
        Side::Bid => {
            let (numerator, denominator) = price.parts();
            let offered = wide::product(&[wide(amount.e18()), wide(limit.e18())], "worth")?;
            let divisor = wide::product(&[wide(numerator.e18()), wide(Price::ONE.e18())], "worth")?;
            let units = wide::mul_div(offered, wide(denominator.e18()), divisor, "worth")?;
            u128::try_from(units).map(Amount::from_e18).map_err(|_| Overflow("worth"))
        }
    }
}

/// What a coin of liquidity would earn in a day of rounds like this one: reward · day / length / provided, in one
/// division that is floored to 1e-18; at most [`Rate::MAX`]. None where nothing was provided.
///
/// # Errors
/// [`Overflow`], which the bounds of coins rule out.
pub fn daily_rate(reward: Coins, provided: Amount, length: RoundLength) -> Result<Option<Rate>, Overflow> {
    /// 1e-18 coins in 1e-8 coins.
    const UNIT_E18: u128 = 10_000_000_000;
    if provided == Amount::ZERO {
        return Ok(None);
    }
    let day = u128::from(RoundLength::DAY.seconds());
    let factors = [u128::from(reward.e8()), UNIT_E18, day, Price::ONE.e18()].map(wide);
    let divisor = wide::product(&[u128::from(length.seconds()), provided.e18()].map(wide), "daily rate")?;
    let units = wide::product(&factors, "daily rate")?.checked_div(divisor).ok_or(Overflow("daily rate"))?;
    Ok(Some(Rate::at_most(units)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(side: Side, amount: &str, limit: &str, price: PoolPrice) -> Result<String, Overflow> {
        let (amount, limit) = (Amount::parse(amount).unwrap(), Price::parse(limit).unwrap());
        worth_of(side, amount, limit, price).map(|worth| worth.to_string())
    }

    #[test]
    fn an_ask_is_worth_what_it_offers_and_a_bid_what_its_money_buys_at_the_pools_price() {
        let price = PoolPrice::direct(Price::parse("0.004").unwrap());
        assert_eq!(worth(Side::Ask, "900", "0.005", price).unwrap(), "900");
        assert_eq!(worth(Side::Bid, "300", "0.00398", price).unwrap(), "298.5");
        assert_eq!(worth(Side::Bid, "300", "0.004", price).unwrap(), "300");
        // A third: 1 · 1 / 3, floored; and with the price upside down 1 · 1 · 3, exactly.
        let three = PoolPrice::direct(Price::parse("3").unwrap());
        assert_eq!(worth(Side::Bid, "1", "1", three).unwrap(), "0.333333333333333333");
        assert_eq!(worth(Side::Bid, "1", "1", three.inverted()).unwrap(), "3");
    }

    #[test]
    fn what_no_number_holds_is_refused_and_nothing_wraps() {
        let tiny = PoolPrice::fraction(Price::parse("1e-18").unwrap(), Price::parse("1e12").unwrap());
        assert!(worth(Side::Bid, "1e15", "1e12", tiny).is_err());
        assert_eq!(worth(Side::Bid, "1e15", "1e12", tiny.inverted()).unwrap(), "0.001");
    }

    #[test]
    fn a_rate_is_the_rounds_reward_scaled_to_a_day_and_floored() {
        let rate = |reward: &str, provided: &str, seconds: u32| {
            let length = RoundLength::from_seconds(seconds).unwrap();
            let amount = Amount::parse_sum(provided).unwrap();
            let rate = daily_rate(Coins::parse(reward).unwrap(), amount, length).unwrap();
            rate.map(|rate| rate.to_string())
        };
        assert_eq!(rate("0.01", "1000", 60).unwrap(), "0.0144");
        assert_eq!(rate("0.01", "1000", 86_400).unwrap(), "0.00001");
        assert_eq!(rate("0.00000001", "0.7", 60).unwrap(), "0.000020571428571428");
        assert_eq!(rate("1", "0", 60), None);
        assert_eq!(rate("100000000", "1e-18", 1).unwrap(), "1000");
        assert_eq!(rate("0", "5", 60).unwrap(), "0");
    }
}
