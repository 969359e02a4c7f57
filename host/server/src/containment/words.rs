//! How an exchange is contained at this moment, in words for LPs and operators. No LP is named.

use super::{Overview, State};

/// A sentence for each thing that is out of service or paused; none if all is well.
#[must_use]
pub fn sentences(overview: &Overview, now_ms: u64) -> Vec<String> {
    let mut sentences = Vec::new();
    sentences.extend(breaker("the adapter", "the operator must act", &overview.adapter, now_ms));
    sentences.extend(breaker("the exchange", "nothing but to wait", &overview.exchange, now_ms));
    if let Some(until_ms) = overview.throttled_until_ms {
        sentences.push(format!(
            "the exchange wants fewer requests and is left alone for {}",
            left(until_ms, now_ms)
        ));
    }
    sentences
}

/// What happened since the start, in one line.
#[must_use]
pub fn counts(overview: &Overview) -> String {
    let Overview { counts, with_standing, .. } = overview;
    format!(
        "{} accepted, {} refused, {} adapter faults, {} exchange faults, {} throttled, {} turned away; {with_standing} \
         LPs with a recent sample",
        counts.accepted,
        counts.refused,
        counts.adapter_faults,
        counts.exchange_faults,
        counts.throttled,
        counts.turned_away
    )
}

fn breaker(what: &str, who: &str, state: &State, now_ms: u64) -> Vec<String> {
    let mut sentences = Vec::new();
    match state.open_until_ms {
        Some(until_ms) if until_ms > now_ms => {
            let left = left(until_ms, now_ms);
            sentences.push(format!("{what} fails for several LPs and is out of service for {left}: {who}"));
        }
        Some(_) => {
            sentences.push(format!("{what} was out of service and is being tried by one LP at a time"))
        }
        None => {}
    }
    if state.lps_paused > 0 {
        sentences
            .push(format!("{what} fails for {} LPs alone, and each of them is paused", state.lps_paused));
    }
    sentences
}

fn left(until_ms: u64, now_ms: u64) -> String {
    format!("{} s", until_ms.saturating_sub(now_ms).div_ceil(1000))
}
