//! Products, quotients and inverses, for exchanges that state amounts in the quote currency or list a market the
//! other way round.

use super::{Decimal, DecimalError, MAX_DIGITS};

/// Prices that had to be inverted have this many decimals, as the exchanges' own have.
const INVERSE_DECIMALS: u32 = 8;

impl Decimal<'_> {
    /// The exact product.
    ///
    /// ```
    /// # use alp_adapter::Decimal;
    /// let (amount, price) = (Decimal::parse("0.5").unwrap(), Decimal::parse("431.05").unwrap());
    /// assert_eq!(amount.times(&price).unwrap().to_string(), "215.525");
    /// ```
    ///
    /// # Errors
    /// If it has more digits than can be kept.
    pub fn times(&self, other: &Decimal<'_>) -> Result<Decimal<'static>, DecimalError> {
        let ((one, scale), (two, other_scale)) = (self.trimmed(), other.trimmed());
        let units = one.checked_mul(two).ok_or(DecimalError::TooLong)?;
        let scale = scale.saturating_add(other_scale);
        if scale > MAX_DIGITS {
            Err(DecimalError::TooLong)
        } else {
            Ok(Decimal { written: None, units, scale })
        }
    }

    /// The quotient, cut towards less to this many decimals: an amount that is divided out is never said to be
    /// larger than it is.
    ///
    /// ```
    /// # use alp_adapter::Decimal;
    /// let (quote, price) = (Decimal::parse("0.2").unwrap(), Decimal::parse("0.3").unwrap());
    /// assert_eq!(quote.divided_by(&price, 8).unwrap().to_string(), "0.66666666");
    /// ```
    ///
    /// # Errors
    /// If the divisor is not above zero, or if more digits are needed than can be kept.
    pub fn divided_by(&self, divisor: &Decimal<'_>, decimals: u32) -> Result<Decimal<'static>, DecimalError> {
        if !divisor.is_positive() {
            return Err(DecimalError::NoDivisor);
        }
        let ((units, scale), (divisor, divisor_scale)) = (self.trimmed(), divisor.trimmed());
        let raise = decimals.checked_add(divisor_scale).ok_or(DecimalError::TooLong)?;
        let quotient = match raise.checked_sub(scale) {
            Some(places) => long_division(units, divisor, places),
            None => cut_division(units, divisor, scale.saturating_sub(raise)),
        };
        let units = quotient.ok_or(DecimalError::TooLong)?;
        if decimals > MAX_DIGITS {
            return Err(DecimalError::TooLong);
        }
        Ok(Decimal { written: None, units, scale: decimals })
    }

    /// One divided by it, rounded half up to eight decimals: the price of a market that is listed the other way
    /// round.
    ///
    /// # Errors
    /// As [`Decimal::divided_by`].
    pub fn inverse(&self) -> Result<Decimal<'static>, DecimalError> {
        let one = Decimal { written: None, units: 1, scale: 0 };
        // The first digit that is cut decides by itself: the rest of the digits only takes it further from half.
        let longer = one.divided_by(self, INVERSE_DECIMALS + 1)?;
        let units = longer.units.checked_add(5).ok_or(DecimalError::TooLong)?.div_euclid(10);
        Ok(Decimal { written: None, units, scale: INVERSE_DECIMALS })
    }

    /// Units and scale without zeros at the end, so that products and quotients have room.
    fn trimmed(&self) -> (i128, u32) {
        let (mut units, mut scale) = (self.units, self.scale);
        while scale > 0 && units % 10 == 0 {
            units /= 10;
            scale -= 1;
        }
        (units, scale)
    }
}

/// `units * 10^places / divisor`, floored, one decimal digit at a time: the dividend may be longer than any
/// integer.
fn long_division(units: i128, divisor: i128, places: u32) -> Option<i128> {
    let mut quotient = units.checked_div_euclid(divisor)?;
    let mut rest = units.checked_rem_euclid(divisor)?;
    for _ in 0..places {
        rest = rest.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest.checked_div(divisor)?)?;
        rest = rest.checked_rem(divisor)?;
    }
    Some(quotient)
}

/// `units / (divisor * 10^places)`, floored.
fn cut_division(units: i128, divisor: i128, places: u32) -> Option<i128> {
    match 10_i128.checked_pow(places).and_then(|factor| divisor.checked_mul(factor)) {
        Some(divisor) => units.checked_div_euclid(divisor),
        // The divisor is larger than any dividend.
        None => Some(if units < 0 { -1 } else { 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGEST: &str = "99999999999999999999999999999999999999";

    fn decimal(text: &str) -> Decimal<'_> {
        Decimal::parse(text).unwrap()
    }

    fn shown(result: Result<Decimal<'_>, DecimalError>) -> Result<String, DecimalError> {
        result.map(|decimal| decimal.to_string())
    }

    #[test]
    fn products_are_exact_and_those_that_cannot_be_are_refused() {
        let product = |one: &str, two: &str| shown(decimal(one).times(&decimal(two)));
        assert_eq!(product("1E-7", "430.0").unwrap(), "0.0000430");
        assert_eq!(product("0.10000000", "-0.30").unwrap(), "-0.03");
        assert_eq!(product("0", LARGEST).unwrap(), "0");
        assert_eq!(
            product("0.123456789012345678", "1.000000000000000001").unwrap(),
            "0.123456789012345678123456789012345678"
        );
        assert_eq!(product(LARGEST, "11"), Err(DecimalError::TooLong));
        assert_eq!(product("1e-20", "1e-19"), Err(DecimalError::TooLong));
    }

    #[test]
    fn quotients_are_cut_and_never_rounded_up() {
        let quotient = |one: &str, two: &str| shown(decimal(one).divided_by(&decimal(two), 8));
        assert_eq!(quotient("0.10000000", "0.00003").unwrap(), "3333.33333333");
        assert_eq!(quotient("1000000", "1500000000").unwrap(), "0.00066666");
        assert_eq!(quotient("0.11400000", "0.00228000").unwrap(), "50.00000000");
        assert_eq!(quotient("1", LARGEST).unwrap(), "0.00000000");
        assert_eq!(quotient("1e-38", "3").unwrap(), "0.00000000");
        assert_eq!(quotient("-1e-38", LARGEST).unwrap(), "-0.00000001");
        assert_eq!(quotient("-1", "3").unwrap(), "-0.33333334");
        // The dividend with its eight further places exceeds 128 bits; the quotient does not.
        assert_eq!(quotient("9999999999999999999999999999999999999", "3e9").unwrap().len(), 37);
    }

    #[test]
    fn a_quotient_that_is_not_to_be_had_is_refused() {
        let quotient =
            |one: &str, two: &str, decimals| decimal(one).divided_by(&decimal(two), decimals).err();
        assert_eq!(quotient("1", "0.00", 8), Some(DecimalError::NoDivisor));
        assert_eq!(quotient("1", "-2", 8), Some(DecimalError::NoDivisor));
        assert_eq!(quotient(LARGEST, "1", 8), Some(DecimalError::TooLong));
        assert_eq!(quotient("1", "3", 39), Some(DecimalError::TooLong));
        assert_eq!(quotient("1", "3", u32::MAX), Some(DecimalError::TooLong));
    }

    #[test]
    fn inverses_are_rounded_half_up() {
        let inverse = |text: &str| shown(decimal(text).inverse());
        assert_eq!(inverse("431.05").unwrap(), "0.00231992");
        assert_eq!(inverse("433.5").unwrap(), "0.00230681");
        // 1 / 64000000 is 0.000000015625, 1 / 200000000 exactly half of the last place.
        assert_eq!(inverse("64000000").unwrap(), "0.00000002");
        assert_eq!(inverse("200000000").unwrap(), "0.00000001");
        assert_eq!(inverse("200000001").unwrap(), "0.00000000");
        assert_eq!(inverse("0.00231").unwrap(), "432.90043290");
        assert_eq!(inverse("0"), Err(DecimalError::NoDivisor));
    }
}
