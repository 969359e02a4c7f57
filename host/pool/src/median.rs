//! The median of several price feeds.

use crate::price::Price;
use crate::wide::{self, wide};

/// The middle price; of an even number the mean of the two in the middle, half to even in 1e-18. None of none.
#[must_use]
pub fn median(mut prices: Vec<Price>) -> Option<Price> {
    prices.sort_unstable();
    let middle = prices.len().checked_div(2)?;
    let upper = *prices.get(middle)?;
    if prices.len().checked_rem(2) == Some(1) {
        return Some(upper);
    }
    let lower = *prices.get(middle.checked_sub(1)?)?;
    let sum = lower.e18().checked_add(upper.e18())?;
    Price::from_e18(wide::div_half_even(wide(sum), wide(2), "median").ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn median_of(texts: &[&str]) -> Option<String> {
        median(texts.iter().map(|text| Price::parse(text).unwrap()).collect()).map(|price| price.to_string())
    }

    #[test]
    fn the_middle_one_counts_and_one_absurd_feed_changes_little() {
        assert_eq!(median_of(&["3", "1", "2"]).as_deref(), Some("2"));
        assert_eq!(median_of(&["0.0025", "900", "0.0026"]).as_deref(), Some("0.0026"));
        assert_eq!(median_of(&["0.0025"]).as_deref(), Some("0.0025"));
        assert_eq!(median_of(&[]), None);
    }

    #[test]
    fn an_even_number_takes_the_mean_of_the_middle_two() {
        assert_eq!(median_of(&["1", "4", "2", "100"]).as_deref(), Some("3"));
        assert_eq!(median_of(&["1", "2"]).as_deref(), Some("1.5"));
    }
}
