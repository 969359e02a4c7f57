//! What a challenge demands, and which orders meet it.
//!
//! The side is free, and so are the size and the price otherwise, as long as the order stands far from the price. So it
//! costs nothing: a sell order above the price and a buy order below it cannot be hit there. And so the orders that an
//! LP keeps anyway do not meet a challenge that a stranger asked for: they stand where they earn. Of those that do not,
//! only what is new since the challenge counts, and each has one chance in [`Demand::space`]: in 900 000 with six
//! digits, in 90 000 000 with eight.

use thiserror::Error;

use crate::money::{AMOUNT_SCALE, Amount};
use crate::price::Price;

/// The fewest digits that are named. With four decimals, the fewest that exchanges of small coins carry, an amount of
/// less than a hundred can still have them.
pub const LEAST_DIGITS: u32 = 6;

/// The most digits that are named: with eight decimals all of them stand behind the point, so that any size will do.
pub const MOST_DIGITS: u32 = 8;

/// Most decimals of a number that can be named: what amounts and prices are counted in.
pub const MAX_DECIMALS: u32 = AMOUNT_SCALE;

/// How far from the pool's price the order has to be, in 1e-8: five per cent, several times as far as what is rewarded
/// as a rule, and near enough for exchanges that bound prices.
pub const LEAST_DEVIATION_E8: u32 = 5_000_000;

/// How far the clock of an exchange may be behind the pool's, in milliseconds, where it says when an order was opened.
/// Signed requests of the strictest exchanges live half as long.
pub const CLOCKS_APART_MS: u64 = 10_000;

/// Which number of an order carries the digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShownBy {
    /// What is left of it.
    Amount,
    /// Its limit price.
    Price,
}

impl ShownBy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Amount, Self::Price];

    /// `amount` or `price`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Amount => "amount",
            Self::Price => "price",
        }
    }

    /// What has this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shown| shown.name() == name)
    }
}

/// What is claimed: that this key wants to be paid at this address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProofClaim<'a> {
    /// The pool's own id, so that what is shown to one pool proves nothing to another.
    pub pool: &'a str,
    /// The exchange.
    pub exchange: &'a str,
    /// The unit, which stands for the market.
    pub unit: &'a str,
    /// The API key.
    pub api_key: &'a str,
    /// The address.
    pub address: &'a str,
    /// Which number carries the digits.
    pub by: ShownBy,
    /// How many decimals that number has at most.
    pub decimals: u32,
    /// What the asker contributed, in hexadecimal; empty if nothing.
    pub salt: &'a str,
}

impl ProofClaim<'_> {
    /// What is to be digested, with the challenge's own random bytes as the key. No two claims give the same bytes:
    /// each part has its length in front.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let decimals = self.decimals.to_string();
        let parts = [
            self.pool,
            self.exchange,
            self.unit,
            self.api_key,
            self.address,
            self.by.name(),
            &decimals,
            self.salt,
        ];
        let mut message = b"alp proof v1\n".to_vec();
        for part in parts {
            message.extend_from_slice(part.len().to_string().as_bytes());
            message.push(b' ');
            message.extend_from_slice(part.as_bytes());
        }
        message
    }
}

/// The digits that an order has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    by: ShownBy,
    decimals: u32,
    count: u32,
    number: u64,
}

/// An order of the LP, as an accepted submission showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownOrder {
    /// Its limit price.
    pub price: Price,
    /// What is left of it.
    pub amount: Amount,
    /// How far it is from the pool's price, in 1e-8.
    pub deviation_e8: u32,
    /// When the pool first saw it, in Unix milliseconds by the pool's clock.
    pub first_seen_ms: u64,
    /// When the exchange says it was opened, in Unix milliseconds by its clock.
    pub opened_ms: Option<u64>,
}

impl Demand {
    /// The demand that a digest gives. As many digits as there are decimals, within [`LEAST_DIGITS`] and
    /// [`MOST_DIGITS`]; the last one is not zero, so that a round number never meets it and the number has exactly so
    /// many decimals. All of them come from the first 16 bytes: what their remainder prefers is below 2^-100.
    ///
    /// # Errors
    /// [`DemandError::Decimals`].
    pub fn new(by: ShownBy, decimals: u32, digest: &[u8; 32]) -> Result<Self, DemandError> {
        if decimals > MAX_DECIMALS {
            return Err(DemandError::Decimals(decimals));
        }
        let count = decimals.clamp(LEAST_DIGITS, MOST_DIGITS);
        let [high, _] = digest.as_chunks::<16>().0 else { return Err(DemandError::Digits) };
        let drawn = u128::from_be_bytes(*high).checked_rem(u128::from(space(count)));
        let drawn = drawn.and_then(|drawn| u64::try_from(drawn).ok()).ok_or(DemandError::Digits)?;
        // Nine possible last digits, and whatever is left for those before.
        let (before, last) = (drawn.checked_div(9), drawn.checked_rem(9));
        let number = before
            .zip(last)
            .and_then(|(before, last)| before.checked_mul(10)?.checked_add(last)?.checked_add(1));
        Ok(Self { by, decimals, count, number: number.ok_or(DemandError::Digits)? })
    }

    /// Reads what was kept of a demand.
    ///
    /// # Errors
    /// [`DemandError`] if no demand has these digits.
    pub fn read(by: ShownBy, decimals: u32, digits: &str) -> Result<Self, DemandError> {
        if decimals > MAX_DECIMALS {
            return Err(DemandError::Decimals(decimals));
        }
        let count = decimals.clamp(LEAST_DIGITS, MOST_DIGITS);
        let right = u32::try_from(digits.len()) == Ok(count)
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.ends_with('0');
        let number = digits.parse().ok().filter(|_| right).ok_or(DemandError::Digits)?;
        Ok(Self { by, decimals, count, number })
    }

    /// Which number of the order carries the digits.
    #[must_use]
    pub fn by(&self) -> ShownBy {
        self.by
    }

    /// At how many decimals the number is read.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        self.decimals
    }

    /// The digits, zeros in front among them.
    #[must_use]
    pub fn digits(&self) -> String {
        let width = usize::try_from(self.count).unwrap_or(0);
        format!("{:0>width$}", self.number)
    }

    /// The smallest number that ends so, as a decimal text: any multiple of the next power of ten may be added.
    #[must_use]
    pub fn smallest(&self) -> String {
        crate::decimal::format_units(u128::from(self.number), self.decimals)
    }

    /// Of how many demands of its kind this is one: the chance of an order that is not meant for it is one in so many.
    #[must_use]
    pub fn space(&self) -> u64 {
        space(self.count)
    }

    /// Whether an order meets the demand of a challenge that was issued then: it carries the digits, stands far from
    /// the price, and was neither seen nor, as far as the exchange tells, opened before.
    #[must_use]
    pub fn is_met_by(&self, order: &ShownOrder, issued_at_ms: u64) -> bool {
        let number_e18 = match self.by {
            ShownBy::Amount => order.amount.e18(),
            ShownBy::Price => order.price.e18(),
        };
        let opened_since =
            order.opened_ms.is_none_or(|opened_ms| opened_ms.saturating_add(CLOCKS_APART_MS) >= issued_at_ms);
        order.first_seen_ms >= issued_at_ms
            && opened_since
            && order.deviation_e8 >= LEAST_DEVIATION_E8
            && self.ends(number_e18)
    }

    /// Whether a number of 1e-18 has no more decimals than those read, and ends in the digits. Nothing is rounded.
    fn ends(&self, number_e18: u128) -> bool {
        let below = AMOUNT_SCALE.checked_sub(self.decimals).and_then(|places| 10_u128.checked_pow(places));
        let above = 10_u128.checked_pow(self.count);
        let (Some(below), Some(above)) = (below, above) else { return false };
        number_e18.checked_rem(below) == Some(0)
            && number_e18.checked_div(below).and_then(|number| number.checked_rem(above))
                == Some(u128::from(self.number))
    }
}

/// How many numbers of so many digits there are whose last one is not zero.
fn space(count: u32) -> u64 {
    let before = count.checked_sub(1).and_then(|places| 10_u64.checked_pow(places)).unwrap_or(1);
    before.saturating_mul(9)
}

/// Why there is no such demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DemandError {
    /// More decimals than anything is counted in.
    #[error(
        "{0} decimals cannot be named: 0 to {MAX_DECIMALS} are right, as many as the exchange's orders carry"
    )]
    Decimals(u32),
    /// No demand has these digits.
    #[error("these are not the digits of a challenge")]
    Digits,
}
