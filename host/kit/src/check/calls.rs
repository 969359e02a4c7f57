//! Signed calls: `sign` against `request.json`, and back through `start`, which a stranger's message must not bend.

use std::collections::BTreeMap;

use alp_adapter::testing::{
    Ask, Driver, Failure, Message, Next, SignedCall, SigningAsk, Value, check_sign, check_start,
    past_look_ups, signing_ask,
};
use alp_sandbox::types::{Binding, Freshness, Lifetime, NonceKind};

use super::Scene;
use super::judge::{Tally, broken};
use super::report::Reporting;
use crate::driver::submission;

/// The bot's or the operator's fault: what a message that asks for the wrong thing has to end in.
const REFUSALS: [&str; 2] = ["unusable", "misconfigured"];

/// A currency that no exchange trades: ISO 4217 keeps both for tests.
const NO_BASE: &str = "XTS";
const NO_QUOTE: &str = "XXX";

/// Checks every `request*.json`.
pub(super) fn check(scene: &Scene<'_>, reporting: &mut Reporting<'_>) {
    let Scene { driver, own, folder, .. } = scene;
    for (file, call) in &folder.calls {
        let signing = signing_ask(*driver, own, call, &call.base, &call.quote);
        let sign = check_sign(*driver, own, call);
        if !call.is_signed_so() {
            reporting.skip(scene.named(&format!("sign {file}")), "an old form, for `start` alone");
        } else if reporting
            .add(scene.named(&format!("sign {file}")), said(sign, "the same req and signature"))
        {
            let again = || driver.sign(&signing).map_err(|failure| failure.kind);
            reporting.add(scene.named(&format!("sign {file} twice")), same_twice(again(), again()));
        }
        let start = check_start(*driver, own, call);
        let start = said(start, "the same HTTP request, made of declared parts only");
        if !reporting.add(scene.named(&format!("start {file}")), start) {
            continue;
        }
        let message = Message { members: call.req.clone(), sign: call.sign.clone() };
        let again = || shown(&driver.start(&signing.ask, &message).map(|begun| begun.next));
        reporting.add(scene.named(&format!("start {file} twice")), same_twice(again(), again()));
        reporting.add(scene.named(&format!("{file}: freshness")), freshness(scene, call, &signing.ask));
        reporting
            .add(scene.named(&format!("{file}: req in reverse")), reversed(scene, &signing.ask, &message));
        reporting
            .add(scene.named(&format!("{file}: a member too many")), unknown(scene, &signing.ask, &message));
        another_market(scene, file, &signing, &message, reporting);
        let hostile = hostile_messages(scene, &signing.ask, &message);
        reporting.add(scene.named(&format!("{file}: hostile submissions")), hostile);
    }
}

/// A market other than this, with what the operator would have to configure for it; `None` if that is unknown.
pub(super) fn other_market(scene: &Scene<'_>, ask: &Ask) -> Option<Ask> {
    let described = &scene.driver.adapter().description().market_parameters;
    let this = format!("{}/{}", ask.base, ask.quote);
    let another = |base: &str, quote: &str, parameters: &BTreeMap<String, String>| Ask {
        base: base.to_owned(),
        quote: quote.to_owned(),
        market_parameters: parameters.clone(),
        ..ask.clone()
    };
    if described.iter().all(|need| need.optional) && ask.market_parameters.is_empty() {
        return Some(another(NO_BASE, NO_QUOTE, &BTreeMap::new()));
    }
    let (name, parameters) = scene.own.markets.iter().find(|(name, _)| **name != this)?;
    let (base, quote) = name.split_once('/')?;
    Some(another(base, quote, parameters))
}

pub(super) fn same_twice<T: PartialEq>(one: T, other: T) -> Result<String, String> {
    if one == other {
        Ok("the same answer".to_owned())
    } else {
        Err("the same arguments gave another answer the second time".to_owned())
    }
}

/// An answer as text, to be compared: the types themselves do not compare.
pub(super) fn shown(next: &Result<Next, Failure>) -> String {
    format!("{next:?}")
}

fn said(result: Result<(), String>, detail: &str) -> Result<String, String> {
    result.map(|()| detail.to_owned())
}

/// What `start` says about how long the request lives has to fit what `describe` says of all requests.
fn freshness(scene: &Scene<'_>, call: &SignedCall, ask: &Ask) -> Result<String, String> {
    let message = Message { members: call.req.clone(), sign: call.sign.clone() };
    let description = scene.driver.adapter().description();
    let submission = submission(ask, &message);
    let started = scene.driver.start_raw(&submission).map_err(|failure| failure.message)?;
    if started.freshness.is_empty() {
        return Err("`start` has no entry on freshness for the signed request".to_owned());
    }
    let counts = !matches!(description.nonce, NonceKind::None | NonceKind::Uuid | NonceKind::Hex);
    for Freshness { nonce, rising, expires_ms } in &started.freshness {
        if description.single_use && nonce.is_none() && call.is_signed_so() {
            return Err("the exchange takes a request once, but `start` shows no nonce".to_owned());
        }
        if counts && rising.is_none() && call.is_signed_so() {
            return Err("the nonce is a number, but `start` shows none that rises".to_owned());
        }
        let latest = match description.lifetime {
            Lifetime::Milliseconds(lifetime) => call.signed_at_ms.saturating_add(lifetime),
            Lifetime::UntilNextNonce | Lifetime::Unlimited => continue,
        };
        match expires_ms {
            Some(expires) if *expires <= latest => {}
            Some(expires) => return Err(format!("it expires at {expires}, after describe's {latest}")),
            None => return Err("requests live for a time, but `start` does not say until when".to_owned()),
        }
    }
    Ok(format!("{} signed request(s), as `describe` says", started.freshness.len()))
}

/// Exchanges that do not care for the order get the same request; where it is signed, another or none.
fn reversed(scene: &Scene<'_>, ask: &Ask, message: &Message) -> Result<String, String> {
    let mut reversed = message.clone();
    reversed.members.reverse();
    let first = |message: &Message| scene.driver.start(ask, message).map(|begun| begun.next);
    match (first(&reversed), first(message)) {
        (Err(failure), _) if broken(&failure) => Err(failure.message),
        (Err(failure), _) if failure.kind == "unusable" => Ok("refused: the order is part of it".to_owned()),
        (Err(failure), _) => Err(format!("is {}, not unusable: {}", failure.kind, failure.message)),
        (there, back) if shown(&there) == shown(&back) => Ok("the same request".to_owned()),
        (Ok(_), _) => Ok("another request: the order is part of it".to_owned()),
    }
}

fn unknown(scene: &Scene<'_>, ask: &Ask, message: &Message) -> Result<String, String> {
    let mut unknown = message.clone();
    unknown.members.push(("undeclared".to_owned(), Value::Number("1".to_owned())));
    match scene.driver.start(ask, &unknown) {
        Err(failure) if failure.kind == "unusable" => Ok(failure.message),
        other => Err(format!("it must be refused as unusable: {}", shown(&other.map(|begun| begun.next)))),
    }
}

/// A request that was signed for one market must not count for another, if the signature tells.
fn another_market(
    scene: &Scene<'_>,
    file: &str,
    signing: &SigningAsk,
    message: &Message,
    reporting: &mut Reporting<'_>,
) {
    let name = scene.named(&format!("{file}: another market"));
    let Some(other) = other_market(scene, &signing.ask) else {
        reporting.skip(name, "a second market in markets.json would be needed");
        return;
    };
    let binds = scene.driver.adapter().description().binds;
    let started = scene.driver.start(&other, message).map(|begun| begun.next);
    let next = past_look_ups(scene.driver, scene.own, &other, message, started);
    reporting.add(
        name,
        match next {
            Err(failure) if REFUSALS.contains(&failure.kind.as_str()) => Ok(failure.message),
            Err(failure) => Err(format!("is {}: {}", failure.kind, failure.message)),
            Ok(_) if binds & Binding::MARKET != Binding::MARKET => {
                Ok("taken: the signature binds no market, so the reply has to be filtered".to_owned())
            }
            Ok(_) => Err(format!("a request signed for another market is taken for {}", other.base)),
        },
    );
}

/// Whatever a stranger writes, a granted request or a fault with a name comes of it.
fn hostile_messages(scene: &Scene<'_>, ask: &Ask, message: &Message) -> Result<String, String> {
    let long = "9".repeat(10_000);
    let texts = ["", " ", "x&a=1", "x#y", "x\r\nX-Injected: 1", "../../x", "\0", "ü", "%26a%3D1", &long];
    let numbers = ["0", "-1", "1.5", "1e3", "1E400", "18446744073709551616", &long];
    let mut values: Vec<Value> = texts.iter().map(|text| Value::Text((*text).to_owned())).collect();
    values.extend(numbers.iter().map(|number| Value::Number((*number).to_owned())));
    let mut tally = Tally::default();
    let mut try_one = |ask: &Ask, message: &Message, what: String| {
        let next = scene.driver.start(ask, message).map(|begun| begun.next);
        match next {
            Err(failure) if broken(&failure) => Err(format!("{what}: {}: {}", failure.kind, failure.message)),
            Err(failure) => {
                tally.count(&failure.kind);
                Ok(())
            }
            Ok(_) => {
                tally.count("granted");
                Ok(())
            }
        }
    };
    for index in 0..message.members.len() {
        for value in &values {
            let mut changed = message.clone();
            let Some(member) = changed.members.get_mut(index) else { continue };
            let what = format!("req.{} = {:.40}", member.0, value.as_str());
            member.1 = value.clone();
            try_one(ask, &changed, what)?;
        }
        let mut without = message.clone();
        let (name, _) = without.members.remove(index);
        try_one(ask, &without, format!("without req.{name}"))?;
    }
    for text in texts.iter().skip(1) {
        let user = Ask { user: (*text).to_owned(), ..ask.clone() };
        try_one(&user, message, format!("user = {text:.40}"))?;
        let sign = Message { sign: (*text).to_owned(), ..message.clone() };
        try_one(ask, &sign, format!("sign = {text:.40}"))?;
    }
    try_one(ask, &Message { members: Vec::new(), ..message.clone() }, "an empty req".to_owned())?;
    Ok(tally.words())
}
