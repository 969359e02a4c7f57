//! Cases: a reply, or several in turn, and the orders or the fault that must come of them.

use std::collections::BTreeMap;

use alp_adapter::testing::{
    Answer, Ask, Case, Driver, Message, Next, SeenOrder, begin_case, check_case, past_look_ups,
};

use super::Scene;
use super::calls::{same_twice, shown};
use super::report::Reporting;

/// A case that ended in orders: what hostile replies are made from.
pub(super) struct Good {
    pub(super) case: Case,
    pub(super) ask: Ask,
    pub(super) message: Message,
    /// The replies in turn, the last of which is the case's own.
    pub(super) answers: Vec<Answer>,
    pub(super) expected: Vec<SeenOrder>,
}

/// Checks every case; those that end in orders, if they are right, are returned.
pub(super) fn check(scene: &Scene<'_>, reporting: &mut Reporting<'_>) -> Vec<Good> {
    let mut good = Vec::new();
    for case in &scene.folder.cases {
        let shown_name = if case.file.is_empty() { "(start alone)" } else { &case.file };
        let name = scene.named(&format!("case {shown_name}"));
        let checked = check_case(scene.driver, scene.folder, scene.own, case);
        let is_error = case.expect == "error";
        let detail = checked.map(|orders| match (&case.fault, is_error) {
            (Some(kind), true) => format!("{kind}, as it should be"),
            (None, true) => "a fault, as it should be".to_owned(),
            (_, false) => format!("{orders} orders of {}/{}", case.base, case.quote),
        });
        if !reporting.add(name, detail) {
            continue;
        }
        reporting.report.cases = reporting.report.cases.saturating_add(1);
        if is_error {
            continue;
        }
        match begin(scene, case) {
            Ok(found) => good.push(found),
            Err(why) => {
                reporting.add(scene.named(&case.file), Err(why));
            }
        }
    }
    if !good.is_empty() {
        let outcomes = |good: &Good| walk(scene, good, good.answers.len()).map(|next| shown(&Ok(next)));
        let all = || good.iter().map(outcomes).collect::<Vec<_>>();
        reporting.add(scene.named("every case twice"), same_twice(all(), all()));
    }
    good
}

/// The step that comes after the first `count` replies of a case.
pub(super) fn walk(scene: &Scene<'_>, good: &Good, count: usize) -> Result<Next, String> {
    let Good { ask, message, .. } = good;
    let begun = scene.driver.start(ask, message).map(|begun| begun.next);
    let mut next = past_look_ups(scene.driver, scene.own, ask, message, begun);
    for answer in good.answers.iter().take(count) {
        let Ok(Next::Send(_, state)) = &next else { return Err("it does not ask for the reply".to_owned()) };
        let resumed = scene.driver.resume(ask, message, state, answer);
        next = past_look_ups(scene.driver, scene.own, ask, message, resumed);
    }
    next.map_err(|failure| format!("{}: {}", failure.kind, failure.message))
}

fn begin(scene: &Scene<'_>, case: &Case) -> Result<Good, String> {
    let (ask, message) = begin_case(scene.driver, scene.folder, scene.own, case)?;
    let mut answers = Vec::new();
    for file in &case.before {
        answers.push(Answer { status: 200, headers: BTreeMap::new(), body: scene.folder.body(file)? });
    }
    let (status, headers) = (case.status, case.headers.clone());
    answers.push(Answer { status, headers, body: scene.folder.body(&case.file)? });
    let expected = scene.folder.orders(&case.expect)?;
    Ok(Good { case: case.clone(), ask, message, answers, expected })
}
