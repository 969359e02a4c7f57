//! Two rounds beside each other: whether the later says of the earlier what that says of itself.

use std::collections::BTreeMap;

use alp_pool::evidence::Span;

use super::super::body::{LpRound, RoundBody, SampleEntry};
use super::super::digest::Digest;
use crate::market_document::read_market;
use crate::market_terms::MarketTerms;

/// Everything that `round` takes over from the round recorded `before` it, and should not, a sentence each.
pub(super) fn check(before: &RoundBody, round: &RoundBody) -> Vec<String> {
    let mut wrong = Vec::new();
    if before.statistics.carried != round.carried {
        wrong.push(format!("does not begin with what the round {} carried over", before.start));
    }
    let rules = rules(round);
    // Nothing is to be compared with the round before if no rules look at it and the round says nothing of it.
    let looks_back = rules.values().any(MarketTerms::needs_the_round_before);
    if !looks_back && round.lps.iter().all(|lp| lp.before.is_empty()) {
        return wrong;
    }
    let shown_before = shown_before(before, round);
    for lp in &round.lps {
        let shown = shown_before.get(&lp.lp).copied().unwrap_or_default();
        if let Some(stranger) = lp.before.iter().find(|sample| !shown.contains(sample)) {
            wrong.push(format!(
                "has a sample of {} of {} ms that is not in the round before",
                lp.lp, stranger.at_ms
            ));
        }
        let missing = needed(before, &rules, lp, shown).find(|sample| !lp.before.contains(sample));
        if let Some(missing) = missing {
            wrong.push(format!(
                "leaves out that {} showed orders at {} ms, at the end of the round before",
                lp.lp, missing.at_ms
            ));
        }
    }
    wrong
}

/// What each LP showed in the round before, if this one begins where that ended.
fn shown_before<'a>(before: &'a RoundBody, round: &RoundBody) -> BTreeMap<Digest, &'a [SampleEntry]> {
    let mut shown = BTreeMap::new();
    if before.start.saturating_add(u64::from(before.seconds)) == round.start {
        for lp in &before.lps {
            shown.entry(lp.lp).or_insert(lp.samples.as_slice());
        }
    }
    shown
}

/// The samples that an LP's markets are held against: the last of the last slice.
fn needed<'a>(
    before: &'a RoundBody,
    rules: &'a BTreeMap<Digest, MarketTerms>,
    lp: &'a LpRound,
    shown: &'a [SampleEntry],
) -> impl Iterator<Item = &'a SampleEntry> {
    let start_ms = before.start.saturating_mul(1_000);
    let length_ms = u64::from(before.seconds).saturating_mul(1_000);
    let span = Span { start_ms, end_ms: start_ms.saturating_add(length_ms) };
    shown.iter().filter(move |sample| {
        let Some(market) = rules_of(rules, lp, sample) else { return false };
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

/// The rules of a round by their digests. Those that cannot be read are found elsewhere.
fn rules(round: &RoundBody) -> BTreeMap<Digest, MarketTerms> {
    let mut rules = BTreeMap::new();
    for terms in &round.terms {
        if let Ok(market) = read_market(&terms.document) {
            rules.entry(terms.id).or_insert(market);
        }
    }
    rules
}

/// The rules of a sample's market in a round, if the LP has a sample there.
fn rules_of<'a>(
    rules: &'a BTreeMap<Digest, MarketTerms>,
    lp: &LpRound,
    of: &SampleEntry,
) -> Option<&'a MarketTerms> {
    let ours = |sample: &&SampleEntry| (&sample.exchange, &sample.unit) == (&of.exchange, &of.unit);
    let latest = lp.samples.iter().filter(ours).max_by_key(|sample| sample.at_ms)?;
    rules.get(&latest.terms)
}
