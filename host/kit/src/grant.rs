//! The lines by which an operator grants an adapter what it declares: the section `[grant]` of an exchange's file.
//! It knows how they are written; how they are read and held against an adapter, the server knows.

use alp_sandbox::types::{
    Binding, BodyKind, Call, Description, Lifetime, Method, NonceKind, OrderIdScope, Parameter, Place,
};

/// Kinds of nonces, by the words that the lines and the pool's own pages use.
pub const NONCE_KINDS: [(NonceKind, &str); 6] = [
    (NonceKind::None, "none"),
    (NonceKind::Seconds, "seconds"),
    (NonceKind::Milliseconds, "milliseconds"),
    (NonceKind::Microseconds, "microseconds"),
    (NonceKind::Uuid, "uuid"),
    (NonceKind::Hex, "hex"),
];

/// Among which orders an id is unique, by its word.
pub const ORDER_ID_SCOPES: [(OrderIdScope, &str); 2] =
    [(OrderIdScope::Exchange, "exchange"), (OrderIdScope::Account, "account")];

/// What a signature can fix, each part by its word.
pub const BOUND_PARTS: [(Binding, &str); 5] = [
    (Binding::METHOD, "method"),
    (Binding::HOST, "host"),
    (Binding::PATH, "path"),
    (Binding::PARAMETERS, "parameters"),
    (Binding::MARKET, "market"),
];

/// Methods, by their names.
pub const METHODS: [(Method, &str); 2] = [(Method::Get, "GET"), (Method::Post, "POST")];

/// Kinds of bodies, by their words.
pub const BODY_KINDS: [(BodyKind, &str); 3] =
    [(BodyKind::None, "none"), (BodyKind::Form, "form"), (BodyKind::Text, "text")];

/// The word for a request that can be used until the key is used with a larger nonce.
pub const UNTIL_NEXT_NONCE: &str = "until-next-nonce";

/// The word for a request that can be used for ever.
pub const UNLIMITED: &str = "unlimited";

/// The section `[grant]` that grants exactly what the description declares, to the component with this SHA-256 in
/// hex and to no other. It goes at the end of the exchange's file, as it stands.
#[must_use]
pub fn grant_lines(description: &Description, sha256: &str) -> String {
    let mut text = format!("[grant]\nsha256 = {}\n", quoted(sha256));
    if !description.origin.is_empty() {
        text.push_str(&format!("origin = {}\n", quoted(&description.origin)));
    }
    let lifetime = match description.lifetime {
        Lifetime::Milliseconds(ms) => ms.to_string(),
        Lifetime::UntilNextNonce => quoted(UNTIL_NEXT_NONCE),
        Lifetime::Unlimited => quoted(UNLIMITED),
    };
    text.push_str(&format!("lifetime_ms = {lifetime}\n"));
    text.push_str(&format!("nonce = {}\n", quoted(word_of(&NONCE_KINDS, &description.nonce))));
    text.push_str(&format!("single_use = {}\n", description.single_use));
    text.push_str(&format!("order_ids = {}\n", quoted(word_of(&ORDER_ID_SCOPES, &description.order_ids))));
    text.push_str(&format!("binds = {}\n", list(bound_words(description.binds).into_iter().map(quoted))));
    for call in &description.calls {
        text.push_str(&call_lines(call));
    }
    text
}

/// The words of what a signature fixes.
#[must_use]
pub fn bound_words(binds: Binding) -> Vec<&'static str> {
    BOUND_PARTS.into_iter().filter(|(part, _)| binds & *part == *part).map(|(_, word)| word).collect()
}

/// The word of a value among the words of its kind.
#[must_use]
pub fn word_of<T: PartialEq>(words: &[(T, &'static str)], value: &T) -> &'static str {
    words.iter().find(|(known, _)| known == value).map_or("", |(_, word)| *word)
}

fn call_lines(call: &Call) -> String {
    let mut text = format!("\n[[grant.calls]]\nname = {}\nsigned = {}\n", quoted(&call.name), call.signed);
    text.push_str(&format!("method = {}\n", quoted(word_of(&METHODS, &call.method))));
    if let Some(origin) = &call.origin {
        text.push_str(&format!("origin = {}\n", quoted(origin)));
    }
    text.push_str(&format!("path = {}\n", quoted(&call.path)));
    let placed = |place: Place| call.parameters.iter().filter(move |parameter| parameter.place == place);
    let lists = [
        ("query", placed(Place::Query).map(parameter).collect::<Vec<_>>()),
        ("form", placed(Place::Form).map(parameter).collect()),
        ("headers", call.headers.iter().map(|name| quoted(name)).collect()),
        ("reply_headers", call.reply_headers.iter().map(|name| quoted(name)).collect()),
    ];
    for (key, items) in lists.into_iter().filter(|(_, items)| !items.is_empty()) {
        text.push_str(&format!("{key} = {}\n", list(items.into_iter())));
    }
    if call.body != BodyKind::None {
        text.push_str(&format!("body = {}\n", quoted(word_of(&BODY_KINDS, &call.body))));
    }
    text
}

/// A parameter as a text: its name, and its value where it has only one.
fn parameter(parameter: &Parameter) -> String {
    match &parameter.fixed {
        Some(fixed) => quoted(&format!("{}={fixed}", parameter.name)),
        None => quoted(&parameter.name),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// A text in TOML's quotes. What a description holds here is printable ASCII: the sandbox refuses anything else.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
