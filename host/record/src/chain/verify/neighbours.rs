//! Two rounds beside each other: whether the later says of the earlier what that says of itself.

use alp_pool::evidence::Span;

use super::super::body::{LpRound, RoundBody, SampleEntry};
use crate::market_document::read_market;
use crate::market_terms::MarketTerms;

/// Everything that `round` takes over from the round recorded `before` it, and should not, a sentence each.
pub(super) fn check(before: &RoundBody, round: &RoundBody) -> Vec<String> {
    let mut wrong = Vec::new();
    if before.statistics.carried != round.carried {
        wrong.push(format!("does not begin with what the round {} carried over", before.start));
    }
    let adjacent = before.start.saturating_add(u64::from(before.seconds)) == round.start;
    for lp in &round.lps {
        let shown = before.lps.iter().find(|other| other.lp == lp.lp && adjacent);
        let shown = shown.map_or(&[][..], |other| other.samples.as_slice());
        if let Some(stranger) = lp.before.iter().find(|sample| !shown.contains(sample)) {
            wrong.push(format!(
                "has a sample of {} of {} ms that is not in the round before",
                lp.lp, stranger.at_ms
            ));
        }
        if let Some(missing) = needed(before, round, lp, shown).find(|sample| !lp.before.contains(sample)) {
            wrong.push(format!(
                "leaves out that {} showed orders at {} ms, at the end of the round before",
                lp.lp, missing.at_ms
            ));
        }
    }
    wrong
}

/// The samples that an LP's markets are held against: the last of the last slice.
fn needed<'a>(
    before: &'a RoundBody,
    round: &'a RoundBody,
    lp: &'a LpRound,
    shown: &'a [SampleEntry],
) -> impl Iterator<Item = &'a SampleEntry> {
    let start_ms = before.start.saturating_mul(1_000);
    let length_ms = u64::from(before.seconds).saturating_mul(1_000);
    let span = Span { start_ms, end_ms: start_ms.saturating_add(length_ms) };
    shown.iter().filter(move |sample| {
        let Some(market) = rules_of(round, lp, sample) else { return false };
        let looks = market.looks();
        let last_slice = looks.slices().saturating_sub(1);
        let newer = |other: &&SampleEntry| {
            (&other.exchange, &other.unit) == (&sample.exchange, &sample.unit) && other.at_ms > sample.at_ms
        };
        market.needs_the_round_before()
            && looks.slice_of(span, sample.at_ms) == last_slice
            && !shown.iter().any(|other| newer(&other))
    })
}

/// The rules of a sample's market in a round, if the LP has a sample there.
fn rules_of(round: &RoundBody, lp: &LpRound, of: &SampleEntry) -> Option<MarketTerms> {
    let ours = |sample: &&SampleEntry| (&sample.exchange, &sample.unit) == (&of.exchange, &of.unit);
    let latest = lp.samples.iter().filter(ours).max_by_key(|sample| sample.at_ms)?;
    let terms = round.terms.iter().find(|terms| terms.id == latest.terms)?;
    read_market(&terms.document).ok()
}
