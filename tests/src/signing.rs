//! Signing, the way a bot does it: through the adapter's own component.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_sandbox::types::{Market, NonceKind, Scalar, SignQuery};
use alp_sandbox::{Adapter, Compiler, Limits, Sandbox};
use tokio::sync::{Mutex, OnceCell};

use crate::components::{cache, compiler, component};
use crate::http::message_body;
use crate::lps::Lp;

/// The sandbox that bots share.
pub async fn sandbox() -> &'static Sandbox {
    static SANDBOX: OnceCell<Sandbox> = OnceCell::const_new();
    let start = || async {
        let compiler = Compiler { program: compiler(), leading_args: Vec::new(), cache_dir: cache() };
        Sandbox::new(Limits::default(), compiler).unwrap()
    };
    SANDBOX.get_or_init(start).await
}

/// The adapter of an exchange, loaded once.
pub async fn adapter(exchange: &str) -> Arc<Adapter> {
    static ADAPTERS: Mutex<BTreeMap<String, Arc<Adapter>>> = Mutex::const_new(BTreeMap::new());
    let mut adapters = ADAPTERS.lock().await;
    if let Some(adapter) = adapters.get(exchange) {
        return Arc::clone(adapter);
    }
    let adapter = sandbox().await.load_file(&component(exchange)).await.unwrap();
    adapters.insert(exchange.to_owned(), Arc::clone(&adapter));
    adapter
}

/// The members `req` and `sign` of a message, as JSON.
pub async fn sign(lp: &Lp, exchange: &str, quote: &str, now_ms: u64, nonce: u64) -> (String, String) {
    let adapter = adapter(exchange).await;
    let nonce = match adapter.description().nonce {
        NonceKind::Milliseconds | NonceKind::Microseconds | NonceKind::Seconds => nonce.to_string(),
        NonceKind::None => String::new(),
        NonceKind::Uuid | NonceKind::Hex => panic!("no test needs a random nonce"),
    };
    let market = Market { base: "NBT".into(), quote: quote.into(), parameters: Vec::new() };
    let query = SignQuery {
        user: lp.key.clone(),
        secret: lp.secret.clone(),
        parameters: Vec::new(),
        market,
        endpoint: None,
        now_ms,
        nonce,
        extras: Vec::new(),
    };
    sign_query(exchange, &query).await
}

/// As [`sign`], from everything that an adapter may want to know.
pub async fn sign_query(exchange: &str, query: &SignQuery) -> (String, String) {
    let signed = adapter(exchange).await.sign(query).await.unwrap().unwrap();
    let members: Vec<(String, String)> = signed
        .members
        .into_iter()
        .map(|member| match member.value {
            Scalar::Text(text) => (member.name, serde_json::to_string(&text).unwrap()),
            Scalar::Number(number) => (member.name, number),
        })
        .collect();
    let members: Vec<(&str, &str)> =
        members.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    (message_body(&members), serde_json::to_string(&signed.sign).unwrap())
}
