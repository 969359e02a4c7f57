//! `alp adapter inspect`: what a component is and what it may do.

use std::path::{Path, PathBuf};

use alp_sandbox::types::{
    BodyKind, Call, Description, Lifetime, Method, NonceKind, OrderIdScope, ParameterNeed, Place,
};
use alp_sandbox::{Adapter, LoadError, Sandbox};
use serde::Serialize;

use crate::check::sha256_hex;
use crate::grant::{bound_words, grant_lines};
use crate::imports::{CURES, imports, needs_cure};

/// What stands above the grant in a file to begin with.
const GRANT_COMMENT: &str = "\
# What this component may do, and no other: read it before you paste it. Another build waits until it is pinned too;
# any_build = true in place of sha256 takes whatever build comes, as long as it stays within these lines.
";

/// What `inspect` is told.
#[derive(Debug, clap::Args)]
pub struct InspectArguments {
    /// The component.
    #[arg(value_name = "FILE.wasm")]
    pub component: PathBuf,
    /// Write one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Write only the lines that grant the adapter what it declares, to be added to the exchange's file.
    #[arg(long, conflicts_with = "json")]
    pub grant: bool,
}

/// Everything there is to know of a file without calling an exchange.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    size_bytes: usize,
    sha256: String,
    imports: Vec<String>,
    /// Why a pool would not load it.
    pub(crate) refused: Option<String>,
    /// If it imports a function: how not to, by what it was built with.
    cure: Vec<&'static str>,
    adapter: Option<Shown>,
}

/// What the adapter says about itself, in words.
#[derive(Debug, Serialize)]
struct Shown {
    exchange: String,
    version: String,
    wit_version: String,
    /// How long loading took, most of it compiling, in milliseconds.
    load_ms: u64,
    origin: String,
    calls: Vec<ShownCall>,
    lifetime: String,
    nonce: &'static str,
    single_use: bool,
    replay: &'static str,
    signature_binds: Vec<&'static str>,
    order_ids: &'static str,
    market_parameters: Vec<Need>,
    credential_parameters: Vec<Need>,
    notes: Vec<String>,
    /// An `exchanges/<id>.toml` to begin with. It ends with the grant.
    configuration: String,
    /// The section `[grant]` by itself.
    grant: String,
}

#[derive(Debug, Serialize)]
struct ShownCall {
    name: String,
    signed: bool,
    request: String,
    parameters: Vec<String>,
    headers: Vec<String>,
    body: &'static str,
}

#[derive(Debug, Serialize)]
struct Need {
    name: String,
    purpose: String,
    optional: bool,
}

/// Loads the component and writes down what it is.
pub(crate) async fn inspect(sandbox: &Sandbox, component: Vec<u8>) -> Inspection {
    let (size_bytes, sha256, imports) = (component.len(), sha256_hex(&component), imports(&component));
    let loaded = sandbox.load(component).await;
    let (refused, adapter) = match loaded {
        Ok(adapter) => (None, Some(Shown::new(&adapter))),
        Err(error) => (Some(with_cause(&error)), None),
    };
    let cure = if refused.as_deref().is_some_and(|why| needs_cure(&imports, why)) { &CURES[..] } else { &[] };
    Inspection { size_bytes, sha256, imports, refused, cure: cure.to_vec(), adapter }
}

impl Inspection {
    /// Only the lines of the grant; none for a file that a pool would not load.
    pub(crate) fn grant(&self) -> Option<&str> {
        self.adapter.as_ref().map(|adapter| adapter.grant.as_str())
    }

    /// The same for people. `file` is only named.
    pub(crate) fn text(&self, file: &Path) -> String {
        let mut rows = Rows::default();
        rows.row("file", &file.display().to_string());
        rows.row("size", &format!("{} bytes", self.size_bytes));
        rows.row("sha256", &self.sha256);
        let imports = if self.imports.is_empty() { "nothing".to_owned() } else { self.imports.join(", ") };
        if let Some(refused) = &self.refused {
            rows.row("imports", &imports);
            rows.row("refused", refused);
            for cure in &self.cure {
                rows.row("cure", cure);
            }
            return rows.text;
        }
        rows.row("imports", &format!("{imports} (types only, no function)"));
        let Some(adapter) = &self.adapter else { return rows.text };
        rows.row("exchange", &format!("{}, adapter version {}", adapter.exchange, adapter.version));
        rows.row("contract", &format!("alp:exchange/adapter@{}", adapter.wit_version));
        let took = format!(
            "took {} ms here; a pool compiles a file once, then keeps what came of it",
            adapter.load_ms
        );
        rows.row("loading", &took);
        let none = "none of its own: the operator has to configure an endpoint";
        rows.row("origin", if adapter.origin.is_empty() { none } else { &adapter.origin });
        for call in &adapter.calls {
            let kind = if call.signed { "signed" } else { "public look-up" };
            rows.row("call", &format!("{} ({kind}): {}", call.name, call.request));
            rows.row("", &format!("parameters: {}", listed(&call.parameters)));
            rows.row("", &format!("headers: {}; body: {}", listed(&call.headers), call.body));
        }
        rows.row("lifetime", &adapter.lifetime);
        rows.row("nonce", adapter.nonce);
        rows.row("replay", adapter.replay);
        let binds: Vec<String> = adapter.signature_binds.iter().map(|part| (*part).to_owned()).collect();
        rows.row("signature", &format!("fixes: {}", listed(&binds)));
        rows.row("order ids", adapter.order_ids);
        rows.needs("market needs", &adapter.market_parameters);
        rows.needs("LP needs", &adapter.credential_parameters);
        for note in &adapter.notes {
            rows.row("note", note);
        }
        rows.text.push_str("\n# exchanges/");
        rows.text.push_str(&adapter.exchange);
        rows.text.push_str(".toml, to be filled in:\n\n");
        rows.text.push_str(&adapter.configuration);
        rows.text
    }
}

impl Shown {
    fn new(adapter: &Adapter) -> Self {
        let description = adapter.description();
        let needs = |needs: &[ParameterNeed]| needs.iter().map(Need::new).collect();
        let grant = grant_lines(description, adapter.sha256());
        Self {
            exchange: description.exchange.clone(),
            version: description.version.clone(),
            wit_version: adapter.wit_version().to_owned(),
            load_ms: adapter.load_ms(),
            origin: description.origin.clone(),
            calls: description.calls.iter().map(ShownCall::new).collect(),
            lifetime: match description.lifetime {
                Lifetime::Milliseconds(ms) => format!("a signed request can be used for {ms} ms"),
                Lifetime::UntilNextNonce => {
                    "a signed request can be used until the key is used with a larger nonce".to_owned()
                }
                Lifetime::Unlimited => "a signed request can be used for ever".to_owned(),
            },
            nonce: nonce_words(description.nonce),
            single_use: description.single_use,
            replay: if description.single_use {
                "the exchange takes a signed request once only"
            } else {
                "a signed request can be used again while it lives"
            },
            signature_binds: bound_words(description.binds),
            order_ids: match description.order_ids {
                OrderIdScope::Exchange => "unique among all orders of the exchange",
                OrderIdScope::Account => "unique among the orders of one account",
            },
            market_parameters: needs(&description.market_parameters),
            credential_parameters: needs(&description.credential_parameters),
            notes: description.notes.clone(),
            configuration: format!("{}\n{GRANT_COMMENT}{grant}", configuration(description)),
            grant,
        }
    }
}

impl ShownCall {
    fn new(call: &Call) -> Self {
        let method = match call.method {
            Method::Get => "GET",
            Method::Post => "POST",
        };
        let origin = call.origin.as_deref().unwrap_or_default();
        let parameters = call.parameters.iter().map(|parameter| {
            let place = match parameter.place {
                Place::Query => "query",
                Place::Form => "form",
            };
            match &parameter.fixed {
                Some(fixed) => format!("{}={fixed} ({place})", parameter.name),
                None => format!("{} ({place})", parameter.name),
            }
        });
        Self {
            name: call.name.clone(),
            signed: call.signed,
            request: format!("{method} {origin}{}", call.path),
            parameters: parameters.collect(),
            headers: call.headers.clone(),
            body: match call.body {
                BodyKind::None => "none",
                BodyKind::Form => "form",
                BodyKind::Text => "text",
            },
        }
    }
}

impl Need {
    fn new(need: &ParameterNeed) -> Self {
        Self { name: need.name.clone(), purpose: need.purpose.clone(), optional: need.optional }
    }
}

/// Lines of a name and its value.
#[derive(Default)]
struct Rows {
    text: String,
}

impl Rows {
    fn row(&mut self, name: &str, value: &str) {
        self.text.push_str(&format!("{name:<13} {value}\n"));
    }

    fn needs(&mut self, name: &str, needs: &[Need]) {
        for need in needs {
            let optional = if need.optional { " (optional)" } else { "" };
            self.row(name, &format!("{}{optional}: {}", need.name, need.purpose));
        }
    }
}

/// A file for the operator that is right as it stands but for the numbers, which only the operator knows.
fn configuration(description: &Description) -> String {
    let mut text = String::new();
    if description.origin.is_empty() {
        text.push_str("# This software runs at many places: the one that is meant.\n");
        text.push_str("endpoint = \"https://exchange.example.com\"\n\n");
    }
    text.push_str("[units.btc]\n# base = \"NBT\"     # default: the pool's currency\n");
    text.push_str("# quote = \"BTC\"    # default: the unit's name in capitals\n");
    text.push_str("reward = 0.025     # what the market pays a minute when its target is filled\n");
    text.push_str("target = 2500      # the liquidity at which all of it is paid, in the base currency\n");
    if !description.market_parameters.is_empty() {
        text.push_str("\n[units.btc.parameters]\n");
    }
    for need in &description.market_parameters {
        let comment = if need.optional { "# " } else { "" };
        text.push_str(&format!("# {}\n{comment}\"{}\" = \"1\"\n", need.purpose, need.name));
    }
    for side in ["ask", "bid"] {
        text.push_str(&format!("\n[units.btc.{side}]\nratio = 0.5\n"));
        text.push_str("rank_1 = { ratio = 0.8, tolerance = 0.0105 }\n");
        text.push_str("rank_2 = { ratio = 0.2, tolerance = 0.05 }\n");
    }
    text
}

fn nonce_words(nonce: NonceKind) -> &'static str {
    match nonce {
        NonceKind::None => "none",
        NonceKind::Seconds => "Unix time in seconds, rising",
        NonceKind::Milliseconds => "Unix time in milliseconds, rising",
        NonceKind::Microseconds => "Unix time in microseconds, rising",
        NonceKind::Uuid => "a random UUID",
        NonceKind::Hex => "32 random hexadecimal digits",
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn with_cause(error: &LoadError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let text = error.to_string();
    if cause.is_empty() || text.contains(&cause) { text } else { format!("{text}: {cause}") }
}
