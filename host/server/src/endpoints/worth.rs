//! Net worth over time: what an API key's orders on record were worth at the price of each round, beside its rewards.
//! It knows no database; where the figures stand in an answer is said by `stats`.

use std::collections::BTreeMap;

use alp_pool::money::{Amount, Coins};
use alp_pool::price::{PoolPrice, Price};
use alp_pool::worth::worth_of;
use alp_record::judged::{OrderRecord, PriceRecord, RecordError, from_json};
use alp_store::{ShownSample, UserRound};

/// Most orders that are valued for one answer: those of fifty rounds of four hundred. Rounds beyond show no worth.
pub(super) const MAX_VALUED_ORDERS: u64 = 20_000;

/// What the orders of a round were worth, in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Worth {
    /// What asks offer.
    pub(super) asks: Amount,
    /// What the money behind bids buys at the pool's price.
    pub(super) bids: Amount,
}

impl Worth {
    /// Asks, bids and rewards together. Nothing if that is beyond what is counted.
    pub(super) fn with_rewards(self, rewards: Coins) -> Option<Amount> {
        let rewards = Amount::parse_sum(&rewards.to_string()).ok()?;
        Amount::sum([self.asks, self.bids, rewards]).ok()
    }
}

/// The worth of what was shown in each round. A round with an order whose worth no number holds is left out.
///
/// # Errors
/// [`RecordError`] if the database was changed by another hand.
pub(super) fn by_round(samples: &[ShownSample]) -> Result<BTreeMap<u64, Worth>, RecordError> {
    let mut rounds: BTreeMap<u64, Option<Worth>> = BTreeMap::new();
    for sample in samples {
        let worth = rounds.entry(sample.round_start).or_insert(Some(Worth::default()));
        let of_sample = of_sample(sample)?;
        *worth = worth.zip(of_sample).and_then(|(all, of_sample)| {
            let asks = Amount::sum([all.asks, of_sample.asks]).ok()?;
            let bids = Amount::sum([all.bids, of_sample.bids]).ok()?;
            Some(Worth { asks, bids })
        });
    }
    Ok(rounds.into_iter().filter_map(|(round, worth)| Some((round, worth?))).collect())
}

/// The running total of rewards at the end of each round of the history, newest first, `total` being that of the newest.
pub(super) fn rewards_so_far(total: Coins, history: &[UserRound]) -> Result<Vec<Coins>, RecordError> {
    let mut so_far = total;
    let mut all = Vec::with_capacity(history.len());
    for round in history {
        all.push(so_far);
        let earned = crate::rounds::coins_from(round.amount_e8);
        so_far = earned.and_then(|earned| so_far.minus(earned)).ok_or(RecordError::Damaged("a credit"))?;
    }
    Ok(all)
}

fn of_sample(sample: &ShownSample) -> Result<Option<Worth>, RecordError> {
    let price: PriceRecord = from_json(&sample.price, "a price")?;
    let parse = |text: &str| Price::parse(text).map_err(|_| RecordError::Damaged("a price"));
    let price = PoolPrice::fraction(parse(&price.numerator)?, parse(&price.denominator)?);
    let orders: Vec<OrderRecord> = from_json(&sample.orders, "a sample")?;
    let mut worth = Worth::default();
    for order in &orders {
        let order = order.read()?;
        let sum = match order.side {
            alp_pool::terms::Side::Ask => &mut worth.asks,
            alp_pool::terms::Side::Bid => &mut worth.bids,
        };
        let of_order = worth_of(order.side, order.amount, order.price, price);
        match of_order.and_then(|of_order| Amount::sum([*sum, of_order])) {
            Ok(more) => *sum = more,
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(worth))
}
