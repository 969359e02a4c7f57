//! What the network shows against what it was told. Pure.

use std::collections::BTreeMap;

use super::lines::ending;
use super::{Line, NetworkAmount};

/// What the network shows of a custodian: buy first, sell second.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// By identifier, also those of others who use the same address.
    pub lines: BTreeMap<String, (NetworkAmount, NetworkAmount)>,
    /// The sum of them, as the network has it.
    pub sum: Option<(NetworkAmount, NetworkAmount)>,
}

/// Lines of this pool that the network still shows and that are told no more, such as those of a market that was taken out:
/// they become nothing.
#[must_use]
pub fn leftovers(shown: &Shown, pool: &str, lines: &[Line]) -> Vec<Line> {
    let ours = ending(pool);
    let old = shown.lines.iter().filter(|(identifier, amounts)| {
        let rank = identifier.rsplit_once(&ours).map(|(_, rank)| rank);
        let is_rank =
            rank.is_some_and(|rank| !rank.is_empty() && rank.bytes().all(|byte| byte.is_ascii_digit()));
        is_rank && **amounts != Default::default() && lines.iter().all(|line| line.identifier != **identifier)
    });
    let nothing = |identifier: &String| Line {
        identifier: identifier.clone(),
        buy: NetworkAmount::ZERO,
        sell: NetworkAmount::ZERO,
    };
    old.map(|(identifier, _)| nothing(identifier)).collect()
}

/// A sentence for each difference.
#[must_use]
pub fn differences(shown: &Shown, lines: &[Line]) -> Vec<String> {
    let mut differences = Vec::new();
    for Line { identifier, buy, sell } in lines {
        match shown.lines.get(identifier) {
            Some(amounts) if *amounts == (*buy, *sell) => {}
            Some((shown_buy, shown_sell)) => differences.push(format!(
                "{identifier} was told as {buy} to buy and {sell} to sell, and is shown as {shown_buy} and {shown_sell}"
            )),
            None => differences.push(format!(
                "{identifier} is not shown: was grant_address elected as a custodian, and not too long ago?"
            )),
        }
    }
    let all = shown.lines.values().try_fold((NetworkAmount::ZERO, NetworkAmount::ZERO), |sum, amounts| {
        Some((sum.0.plus(amounts.0)?, sum.1.plus(amounts.1)?))
    });
    // One that is not shown at all has been said above.
    if let (Some((buy, sell)), Some(all)) = (shown.sum, all)
        && all != (buy, sell)
    {
        differences.push(format!(
            "the network's sum for this custodian is {buy} to buy and {sell} to sell, and its lines add up to {} and {}",
            all.0, all.1
        ));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> NetworkAmount {
        NetworkAmount::floored(alp_pool::money::Amount::parse(text).unwrap())
    }

    fn line(identifier: &str, buy: &str, sell: &str) -> Line {
        Line { identifier: identifier.to_owned(), buy: amount(buy), sell: amount(sell) }
    }

    fn shown(lines: &[Line]) -> Shown {
        let lines = lines.iter().map(|line| (line.identifier.clone(), (line.buy, line.sell))).collect();
        Shown { lines, sum: None }
    }

    #[test]
    fn what_is_shown_as_it_was_told_differs_in_nothing() {
        let told = [line("1:NBTBTC:x:pool.rank_1", "1", "2"), line("2:NBTBTC:x:pool.rank_2", "0", "0")];
        let others = line("1:NBTBTC:x:another", "5", "5");
        let seen = Shown {
            sum: Some((amount("6"), amount("7"))),
            ..shown(&[told[0].clone(), told[1].clone(), others])
        };
        assert_eq!(differences(&seen, &told), Vec::<String>::new());
    }

    #[test]
    fn each_difference_is_a_sentence() {
        let told = [line("1:a:x:pool.rank_1", "1", "2"), line("1:b:x:pool.rank_1", "3", "4")];
        let seen = Shown {
            sum: Some((amount("9"), amount("2.5"))),
            ..shown(&[line("1:a:x:pool.rank_1", "1", "2.5")])
        };
        let found = differences(&seen, &told);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].contains("1.0000 to buy and 2.0000 to sell, and is shown as 1.0000 and 2.5000"));
        assert!(found[1].contains("1:b:x:pool.rank_1 is not shown"));
        assert!(found[2].contains("sum for this custodian is 9.0000"));
    }

    #[test]
    fn only_lines_of_this_pool_that_show_something_are_left_over() {
        let told = [line("1:a:x:pool.rank_1", "1", "2")];
        let seen = shown(&[
            line("1:a:x:pool.rank_1", "1", "2"),
            line("2:a:x:pool.rank_2", "0", "3"),
            line("3:a:x:pool.rank_3", "0", "0"),
            line("1:a:x:other.rank_1", "5", "5"),
            line("1:a:x:pool.rank_x", "5", "5"),
        ]);
        assert_eq!(leftovers(&seen, "pool", &told), [line("2:a:x:pool.rank_2", "0", "0")]);
    }
}
