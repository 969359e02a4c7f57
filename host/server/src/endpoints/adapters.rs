//! `GET /adapters`: which adapters are there, what each may send, and how it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_kit::{METHODS, NONCE_KINDS, ORDER_ID_SCOPES, bound_words, word_of};
use alp_sandbox::types::{Call, Description, Lifetime};
use alp_sandbox::{Adapter, Entry, EntryState};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;
use crate::config::Config;
use crate::containment::sentences;
use crate::wire::{Tree, json};

pub(super) async fn show(State(app): State<Arc<App>>) -> Response {
    let in_force = app.in_force.load();
    let snapshot = app.adapters.snapshot();
    let mut adapters: Vec<Tree> =
        snapshot.entries().iter().map(|entry| shown(entry, &in_force.config, &app)).collect();
    let missing = in_force.config.exchanges.keys().filter(|exchange| snapshot.get(exchange).is_none());
    let refused = |exchange: &str| snapshot.entries().iter().any(|entry| entry.name == exchange);
    adapters.extend(missing.filter(|exchange| !refused(exchange)).map(|exchange| {
        Tree::object([("name", Tree::text(exchange.as_str())), ("state", Tree::text("missing"))])
    }));
    let body = Tree::object([("success", Tree::Flag(true)), ("message", Tree::List(adapters))]);
    json(StatusCode::OK, &body)
}

fn shown(entry: &Entry, config: &Config, app: &App) -> Tree {
    let settings = config.exchanges.get(&entry.name);
    let state = match entry.state {
        EntryState::Refused => "refused",
        EntryState::Loading => "loading: it takes long to compile, as those with an interpreter do",
        EntryState::Waiting if settings.is_none() => "waiting: its exchange is not configured",
        EntryState::Waiting => "waiting",
        EntryState::Leaving => "serving: its file is gone, and it goes too unless a successor comes",
        EntryState::Serving if entry.held.is_some() && entry.candidate.is_some() => {
            "serving: held by the operator to a version; the file in the plugins folder is another"
        }
        EntryState::Serving if entry.held.is_some() => "serving: held by the operator to a version",
        EntryState::Serving if entry.loading => "serving: a newer version of its file is being compiled",
        EntryState::Serving if entry.candidate.is_some() => "serving: the newer version of its file waits",
        EntryState::Serving if entry.last_error.is_some() => {
            "serving: the newer version of its file was refused"
        }
        EntryState::Serving => "serving",
    };
    let error = entry.last_error.as_ref().map_or(Tree::Null, Tree::text);
    let loaded = entry.loaded_at_ms.map_or(Tree::Null, Tree::whole);
    let file = entry.file.file_name().map(|name| name.to_string_lossy().into_owned());
    let mut members = BTreeMap::from([
        ("name".to_owned(), Tree::text(&entry.name)),
        ("file".to_owned(), file.map_or(Tree::Null, Tree::text)),
        ("state".to_owned(), Tree::text(state)),
        ("last_error".to_owned(), error),
        ("waits_because".to_owned(), entry.waits_because.as_ref().map_or(Tree::Null, Tree::text)),
        (
            "candidate_sha256".to_owned(),
            entry.candidate.as_ref().map_or(Tree::Null, |c| Tree::text(c.sha256())),
        ),
        ("held".to_owned(), entry.held.as_ref().map_or(Tree::Null, Tree::text)),
        (
            "shadow".to_owned(),
            app.lifecycle.shadows.of(&entry.name).map_or(Tree::Null, |shadow| shadow.shown()),
        ),
        ("loaded_at_ms".to_owned(), loaded),
    ]);
    // Only there if something is amiss: what works says nothing of itself.
    let contained = settings.and_then(|_| app.containment.overview(&entry.name));
    let contained = contained.map(|overview| sentences(&overview, app.now_ms())).unwrap_or_default();
    if !contained.is_empty() {
        let sentences = contained.into_iter().map(Tree::text).collect();
        members.insert("out_of_service".to_owned(), Tree::List(sentences));
    }
    if let Some(adapter) = entry.adapter.as_ref().or(entry.candidate.as_ref()) {
        let endpoint = settings.and_then(|settings| settings.endpoint.as_deref());
        describe(adapter, endpoint, &mut members);
    }
    Tree::Object(members)
}

fn describe(adapter: &Adapter, endpoint: Option<&str>, members: &mut BTreeMap<String, Tree>) {
    let description = adapter.description();
    let calls = description.calls.iter().map(|call| shown_call(description, endpoint, call));
    let more = [
        ("version", Tree::text(&description.version)),
        ("sha256", Tree::text(adapter.sha256())),
        ("size_bytes", Tree::whole(adapter.size_bytes())),
        ("wit_version", Tree::text(adapter.wit_version())),
        ("load_ms", Tree::whole(adapter.load_ms())),
        ("may_send", Tree::List(calls.collect())),
        ("signed_request_lives", lifetime(&description.lifetime)),
        ("nonce", Tree::text(word_of(&NONCE_KINDS, &description.nonce))),
        ("single_use", Tree::Flag(description.single_use)),
        ("signature_binds", Tree::List(bound_words(description.binds).into_iter().map(Tree::text).collect())),
        ("order_ids_unique_in", Tree::text(word_of(&ORDER_ID_SCOPES, &description.order_ids))),
        ("notes", Tree::List(description.notes.iter().map(Tree::text).collect())),
    ];
    members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
}

fn shown_call(description: &Description, endpoint: Option<&str>, call: &Call) -> Tree {
    let origin = call.origin.as_deref().or(endpoint).unwrap_or(&description.origin);
    let parameters = call.parameters.iter().map(|parameter| match &parameter.fixed {
        Some(value) => Tree::text(format!("{}={value}", parameter.name)),
        None => Tree::text(&parameter.name),
    });
    Tree::object([
        ("name", Tree::text(&call.name)),
        ("method", Tree::text(word_of(&METHODS, &call.method))),
        ("address", Tree::text(format!("{origin}{}", call.path))),
        ("parameters", Tree::List(parameters.collect())),
        ("headers", Tree::List(call.headers.iter().map(Tree::text).collect())),
        ("signed", Tree::Flag(call.signed)),
    ])
}

fn lifetime(lifetime: &Lifetime) -> Tree {
    Tree::text(match lifetime {
        Lifetime::Milliseconds(ms) => format!("{ms} ms"),
        Lifetime::UntilNextNonce => "until the key is used with a larger nonce".to_owned(),
        Lifetime::Unlimited => "for ever".to_owned(),
    })
}
