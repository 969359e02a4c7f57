//! The section `[grant]` of an exchange's file: what the operator allows the exchange's adapter.
//!
//! It is the operator's own copy of what an adapter declared when it was looked at. What is not in it is not sent,
//! whatever an adapter says later.

use std::collections::BTreeSet;
use std::fmt::Display;

use alp_kit::{BODY_KINDS, BOUND_PARTS, METHODS, NONCE_KINDS, ORDER_ID_SCOPES, UNLIMITED, UNTIL_NEXT_NONCE};
use alp_sandbox::types::{
    Binding, BodyKind, Call, Description, Lifetime, NonceKind, OrderIdScope, Parameter, Place,
};
use alp_sandbox::{check_description, check_origin};

use super::section::Section;

/// Most calls of one grant: as many as an adapter may declare.
const MAX_CALLS: usize = 16;

/// Most builds that are pinned at a time: the one that serves, its successor, and some to go back to.
const MAX_PINS: usize = 32;

/// A SHA-256 in hex.
const SHA256_DIGITS: usize = 64;

/// What the operator allows an exchange's adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantConfig {
    /// Which builds of the adapter may serve.
    pub builds: Builds,
    /// Where its requests go, unless the exchange's `endpoint` names another place. Empty for exchange software that
    /// many run.
    pub origin: String,
    /// How long a signed request can be used.
    pub lifetime: Lifetime,
    /// What kind of nonce a signature needs.
    pub nonce: NonceKind,
    /// Whether the exchange accepts a signed request once only.
    pub single_use: bool,
    /// Among which orders an order's id is unique.
    pub order_ids: OrderIdScope,
    /// What the signature fixes.
    pub binds: Binding,
    /// The calls that may be made.
    pub calls: Vec<Call>,
}

/// Which builds of an adapter may serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Builds {
    /// These, by their SHA-256 in lower-case hex.
    Pinned(BTreeSet<String>),
    /// Any that stays within the grant: the operator consents to changes that nobody has looked at.
    Any,
    /// The operator does not say, which is enough in a test pool: any.
    Unsaid,
}

pub(super) fn read_grant(top: &Section<'_, '_>) -> Option<GrantConfig> {
    let section = top.section("grant")?;
    let builds = read_builds(&section);
    let origin = section.text("origin", Some(""));
    if let Some(Err(wrong)) = origin.as_ref().filter(|origin| !origin.is_empty()).map(|o| check_origin(o)) {
        section.fault("origin", format!("is not right: {wrong}"));
    }
    let number_or_word = format!(
        "a number of milliseconds, \"{UNTIL_NEXT_NONCE}\" or \"{UNLIMITED}\", as `inspect` prints it"
    );
    let lifetime = section.whole_or_text("lifetime_ms", &number_or_word).and_then(|text| {
        let lifetime = match text.as_str() {
            UNTIL_NEXT_NONCE => Some(Lifetime::UntilNextNonce),
            UNLIMITED => Some(Lifetime::Unlimited),
            number => number.parse().ok().map(Lifetime::Milliseconds),
        };
        if lifetime.is_none() {
            section.fault("lifetime_ms", format!("must be {number_or_word}"));
        }
        lifetime
    });
    let nonce = word(&section, "nonce", None, &NONCE_KINDS);
    let single_use = section.needed_flag("single_use");
    let order_ids = word(&section, "order_ids", None, &ORDER_ID_SCOPES);
    let binds = read_binds(&section);
    let calls = read_calls(&section);
    section.finish();
    Some(GrantConfig {
        builds: builds?,
        origin: origin?,
        lifetime: lifetime?,
        nonce: nonce?,
        single_use: single_use?,
        order_ids: order_ids?,
        binds: binds?,
        calls: calls?,
    })
}

fn read_builds(section: &Section<'_, '_>) -> Option<Builds> {
    let any = section.flag("any_build", false)?;
    let pins = section.texts_of("sha256")?;
    match (any, pins.is_empty()) {
        (true, true) => return Some(Builds::Any),
        (false, true) => return Some(Builds::Unsaid),
        (true, false) => {
            section.fault("any_build", "contradicts sha256: either these builds may serve, or any");
            return None;
        }
        (false, false) => {}
    }
    let digits =
        |pin: &String| pin.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if pins.len() > MAX_PINS || !pins.iter().all(|pin| pin.len() == SHA256_DIGITS && digits(pin)) {
        section.fault(
            "sha256",
            format!("must be {SHA256_DIGITS} hexadecimal digits in lower case, or a list of at most {MAX_PINS} such"),
        );
        return None;
    }
    Some(Builds::Pinned(pins.into_iter().collect()))
}

fn read_binds(section: &Section<'_, '_>) -> Option<Binding> {
    let words = section.texts_of("binds")?;
    let mut binds = Binding::default();
    let mut right = true;
    for word in &words {
        match BOUND_PARTS.iter().find(|(_, known)| known == word) {
            Some((part, _)) => binds |= *part,
            None => right = false,
        }
    }
    if !right {
        section.fault("binds", format!("must be a list of {}", known_words(&BOUND_PARTS)));
    }
    right.then_some(binds)
}

fn read_calls(section: &Section<'_, '_>) -> Option<Vec<Call>> {
    let sections = section.list("calls");
    if sections.is_empty() || sections.len() > MAX_CALLS {
        section.fault("calls", format!("must be 1 to {MAX_CALLS} sections [[grant.calls]]"));
        return None;
    }
    let calls: Vec<Option<Call>> = sections.iter().map(read_call).collect();
    let calls: Vec<Call> = calls.into_iter().collect::<Option<_>>()?;
    let mut names = BTreeSet::new();
    for call in &calls {
        if !names.insert(call.name.as_str()) {
            section.fault("calls", format!("has two calls of the name {:?}", call.name));
            return None;
        }
    }
    Some(calls)
}

fn read_call(section: &Section<'_, '_>) -> Option<Call> {
    let name = section.text("name", None);
    let signed = section.needed_flag("signed");
    let method = word(section, "method", None, &METHODS);
    let origin = section.optional_text("origin");
    let path = section.text("path", None);
    let query = section.texts_of("query");
    let form = section.texts_of("form");
    let headers = section.texts_of("headers");
    let body = word(section, "body", Some(BodyKind::None), &BODY_KINDS);
    let reply_headers = section.texts_of("reply_headers");
    section.finish();
    let placed = |names: Vec<String>, place| names.into_iter().map(move |text| parameter(&text, place));
    let parameters = placed(query?, Place::Query).chain(placed(form?, Place::Form)).collect();
    let call = Call {
        name: name?,
        origin,
        method: method?,
        path: path?,
        parameters,
        headers: headers?,
        body: body?,
        signed: signed?,
        reply_headers: reply_headers?,
    };
    // What an adapter may not declare cannot be granted either.
    match check_description(description_of(call.clone())) {
        Ok(_) => Some(call),
        Err(wrong) => {
            section.fault("", format!("is no call that can be granted: {wrong}"));
            None
        }
    }
}

/// `name`, or `name=value` for a parameter with one value only.
fn parameter(text: &str, place: Place) -> Parameter {
    match text.split_once('=') {
        Some((name, fixed)) => Parameter { name: name.to_owned(), place, fixed: Some(fixed.to_owned()) },
        None => Parameter { name: text.to_owned(), place, fixed: None },
    }
}

/// A description with nothing in it but this call.
fn description_of(call: Call) -> Description {
    Description {
        exchange: "granted".to_owned(),
        version: "0".to_owned(),
        notes: Vec::new(),
        origin: String::new(),
        calls: vec![call],
        lifetime: Lifetime::Unlimited,
        nonce: NonceKind::None,
        single_use: false,
        binds: Binding::default(),
        order_ids: OrderIdScope::Exchange,
        market_parameters: Vec::new(),
        credential_parameters: Vec::new(),
        extras: Vec::new(),
    }
}

fn word<T: Copy>(
    section: &Section<'_, '_>,
    key: &str,
    default: Option<T>,
    words: &[(T, &'static str)],
) -> Option<T> {
    let unsaid = default.is_some();
    let text = section.text(key, unsaid.then_some(""))?;
    let found = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
    let found = found.or_else(|| default.filter(|_| text.is_empty()));
    if found.is_none() {
        section.fault(key, format!("must be one of {}", known_words(words)));
    }
    found
}

fn known_words<T>(words: &[(T, impl Display)]) -> String {
    words.iter().map(|(_, word)| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
