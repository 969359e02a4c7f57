//! Runs hostile replies, and the one that is good but for another market.

use std::collections::BTreeMap;

use alp_adapter::testing::{Answer, Driver, Next, begin_case, past_look_ups};
use alp_sandbox::types::Binding;

use super::Scene;
use super::calls::other_market;
use super::cases::{Good, walk};
use super::hostile::{Family, Hostile, Rule, families, general};
use super::judge::{Tally, judge};
use super::report::Reporting;

/// What became of a family of hostile replies, over all good replies of a folder.
struct Found {
    name: String,
    possible: usize,
    tally: Tally,
    /// How many ended as they must not, and how the first of them did.
    wrong: Option<(usize, String)>,
}

/// Checks what becomes of hostile replies made from the good ones of a folder.
pub(super) fn check(scene: &Scene<'_>, good: &[Good], reporting: &mut Reporting<'_>) {
    if good.is_empty() {
        reporting.skip(scene.named("hostile replies"), "no case ends in orders, so there is no good reply");
        return;
    }
    let mut found: Vec<Found> = Vec::new();
    for good in good {
        for place in 0..good.answers.len() {
            run_all(scene, good, place, &mut found);
        }
    }
    run_look_up(scene, good, &mut found);
    for Found { name, possible, tally, wrong } in found {
        let total = tally.total();
        let sampled = if total < possible { format!(" (sampled from {possible})") } else { String::new() };
        let replies = &mut reporting.report.hostile_replies;
        let outcome = match wrong {
            None => {
                *replies = replies.saturating_add(total);
                Ok(format!("{total} replies{sampled}: {}", tally.words()))
            }
            Some((count, first)) => {
                Err(format!("{count} of {} replies; {first}", total.saturating_add(count)))
            }
        };
        reporting.add(scene.named(&format!("hostile: {name}")), outcome);
    }
    another_market(scene, good, reporting);
}

fn run_all(scene: &Scene<'_>, good: &Good, place: usize, found: &mut Vec<Found>) {
    let (Some(answer), Ok(Next::Send(_, state))) = (good.answers.get(place), walk(scene, good, place)) else {
        return;
    };
    let is_last = place.saturating_add(1) == good.answers.len();
    let resume = |hostile: &Hostile| {
        let resumed = scene.driver.resume(&good.ask, &good.message, &state, &reply(hostile));
        past_look_ups(scene.driver, scene.own, &good.ask, &good.message, resumed)
    };
    for family in families(&answer.body) {
        run(family, &good.case.file, found, |hostile| {
            // Orders that were expected of the last reply need not come of an earlier one. And where earlier pages
            // were read, their orders may stand although a later page fails.
            let is_later_page = place > 0 && matches!(hostile.rule, Rule::Fault(_));
            let rule = if is_later_page { Rule::Expected } else { hostile.rule };
            let rule = if is_last { rule } else { loosened(rule) };
            judge(rule, resume(hostile), &good.expected)
        });
    }
}

/// A public look-up that fails or lies ends like any other reply.
fn run_look_up(scene: &Scene<'_>, good: &[Good], found: &mut Vec<Found>) {
    let Some(good) = good.first() else { return };
    let Ok(begun) = scene.driver.start(&good.ask, &good.message) else { return };
    let Next::LookUp(_, state) = begun.next else { return };
    for family in general() {
        run(family, "look_up.json", found, |hostile| {
            let resumed = scene.driver.resume(&good.ask, &good.message, &state, &reply(hostile));
            judge(loosened(hostile.rule), resumed, &[])
        });
    }
}

fn run(
    family: Family<'_>,
    file: &str,
    found: &mut Vec<Found>,
    mut outcome: impl FnMut(&Hostile) -> Result<String, String>,
) {
    let index = found.iter().position(|found| found.name == family.name);
    let index = index.unwrap_or_else(|| {
        let name = family.name.to_owned();
        found.push(Found { name, possible: 0, tally: Tally::default(), wrong: None });
        found.len().saturating_sub(1)
    });
    let Some(entry) = found.get_mut(index) else { return };
    entry.possible = entry.possible.saturating_add(family.possible);
    for hostile in family.replies {
        match outcome(&hostile) {
            Ok(word) => entry.tally.count(&word),
            Err(why) => {
                let first = || (0, format!("{file}, {}: {why}", hostile.what));
                let (count, _) = entry.wrong.get_or_insert_with(first);
                *count = count.saturating_add(1);
            }
        }
    }
}

/// What a reply that is not the last may lead to: a fault need not come at once, but orders must be orders.
fn loosened(rule: Rule) -> Rule {
    match rule {
        Rule::Expected | Rule::WellFormed | Rule::Copies => Rule::WellFormed,
        Rule::Fault(kinds) => Rule::Fault(kinds),
    }
}

/// The good replies, where the pool asked for another market: none of their orders may count.
fn another_market(scene: &Scene<'_>, good: &[Good], reporting: &mut Reporting<'_>) {
    let name = scene.named("hostile: another market");
    let mut tally = Tally::default();
    for good in good.iter().filter(|good| !good.expected.is_empty()) {
        match ask_for_another(scene, good) {
            Ok(Some(word)) => tally.count(&word),
            Ok(None) => {
                reporting.skip(name, "a second market in markets.json would be needed");
                return;
            }
            Err(why) => {
                reporting.add(name, Err(format!("{}: {why}", good.case.file)));
                return;
            }
        }
    }
    reporting.report.hostile_replies = reporting.report.hostile_replies.saturating_add(tally.total());
    reporting.add(name, Ok(format!("{} replies: {}", tally.total(), tally.words())));
}

fn ask_for_another(scene: &Scene<'_>, good: &Good) -> Result<Option<String>, String> {
    let Some(other) = other_market(scene, &good.ask) else { return Ok(None) };
    let case = alp_adapter::testing::Case {
        base: other.base.clone(),
        quote: other.quote.clone(),
        ..good.case.clone()
    };
    let Ok((_, message)) = begin_case(scene.driver, scene.folder, scene.own, &case) else {
        return Ok(Some("not signed".to_owned()));
    };
    let (driver, own) = (scene.driver, scene.own);
    let mut next = driver.start(&other, &message).map(|begun| begun.next);
    next = past_look_ups(driver, own, &other, &message, next);
    for answer in &good.answers {
        let Ok(Next::Send(_, state)) = &next else { break };
        let resumed = driver.resume(&other, &message, state, answer);
        next = past_look_ups(driver, own, &other, &message, resumed);
    }
    let is_bound = driver.adapter().description().binds & Binding::MARKET == Binding::MARKET;
    match next {
        Ok(Next::Orders(orders)) if !orders.is_empty() && is_bound => {
            Ok(Some("taken, since the signature binds the market".to_owned()))
        }
        Ok(Next::Orders(orders)) if !orders.is_empty() => {
            Err(format!("{} orders of another market count for {}/{}", orders.len(), other.base, other.quote))
        }
        other => judge(Rule::WellFormed, other, &[]).map(Some),
    }
}

fn reply(hostile: &Hostile) -> Answer {
    let retry = (hostile.status == 429).then(|| ("retry-after".to_owned(), "7".to_owned()));
    let headers: BTreeMap<String, String> = retry.into_iter().collect();
    Answer { status: hostile.status, headers, body: hostile.body.clone() }
}
