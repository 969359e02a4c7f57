//! One adapter of each family of replies, linked in and as a component, and the same reply of fifty orders for both.

use std::path::Path;

use alp_adapter::testing::{Native, sign_first_call, submission};
use alp_adapter::{Adapter, Reply, Scalar, Step, Submission};
use alp_sandbox::types as host;
use serde_json::Value;

/// Orders in every reply.
pub(crate) const ORDERS: usize = 50;

/// One family.
pub(crate) struct Family {
    /// The exchange.
    pub(crate) exchange: &'static str,
    /// What its replies are like.
    pub(crate) kind: &'static str,
    /// The call as the linked adapter takes it: reads a reply of [`ORDERS`] orders.
    pub(crate) native: Box<dyn Fn()>,
    /// The same as a component takes it.
    pub(crate) submission: host::Submission,
    /// The notes of the step before.
    pub(crate) state: Vec<u8>,
    /// The reply.
    pub(crate) reply: host::Reply,
}

/// All families.
pub(crate) fn families() -> Vec<Family> {
    vec![
        family::<binance::Binance>("binance", "array of objects", ""),
        family::<kraken::Kraken>("kraken", "object of objects", "/result/open"),
        family::<bitfinex::Bitfinex>("bitfinex", "arrays by position", ""),
        family::<coinbase_advanced::CoinbaseAdvanced>("coinbase_advanced", "nested objects", "/orders"),
        family::<bittrex::Bittrex>("bittrex", "historic", "/result"),
    ]
}

/// `at` is where in the reply its orders are.
fn family<A: Adapter + 'static>(exchange: &'static str, kind: &'static str, at: &str) -> Family {
    let fixtures = alp_tests::workspace().join("adapters").join(exchange).join("fixtures");
    let (ask, message) = sign_first_call(&Native::<A>::new(), &fixtures).unwrap();
    let mut submission = submission(&ask, &message);
    submission.explain = false;
    let Ok(started) = A::start(submission.clone()) else { panic!("{exchange} refuses") };
    let Step::Send(pending) = started.step else { panic!("{exchange} does not send") };
    let state = pending.state;
    let reply =
        Reply { status: 200, headers: Vec::new(), body: body::<A>(&fixtures, at, &submission, &state) };
    assert_eq!(count::<A>(&submission, &state, &reply.body), ORDERS, "{exchange}");
    Family {
        exchange,
        kind,
        submission: converted(&submission),
        state: state.clone(),
        reply: host::Reply { status: 200, headers: Vec::new(), body: reply.body.clone() },
        native: Box::new(move || {
            // The adapter owns its arguments, here as in a component.
            let step = A::resume(submission.clone(), state.clone(), reply.clone());
            std::hint::black_box(step.is_ok());
        }),
    }
}

/// The fixture's reply with [`ORDERS`] orders: those of its own that the adapter takes, over and over.
fn body<A: Adapter>(fixtures: &Path, at: &str, submission: &Submission, state: &[u8]) -> Vec<u8> {
    let text = std::fs::read(fixtures.join("open_orders.json")).unwrap();
    let mut reply: Value = serde_json::from_slice(&text).unwrap();
    let original = reply.pointer(at).unwrap().clone();
    let entries: Vec<Value> = match (original.as_array(), original.as_object()) {
        (Some(entries), _) => entries.clone(),
        (None, entries) => entries.unwrap().values().cloned().collect(),
    };
    let mut with = |orders: Vec<Value>| {
        *reply.pointer_mut(at).unwrap() = if original.is_array() {
            Value::Array(orders)
        } else {
            let name = |(number, order)| (format!("OAAAAA-AAAAA-{number:06}"), order);
            Value::Object(orders.into_iter().enumerate().map(name).collect())
        };
        serde_json::to_vec(&reply).unwrap()
    };
    let taken: Vec<Value> = entries
        .into_iter()
        .filter(|entry| count::<A>(submission, state, &with(vec![entry.clone()])) == 1)
        .collect();
    with(taken.iter().cycle().take(ORDERS).enumerate().map(renumbered).collect())
}

/// The order under an id of its own, where an adapter takes each id once: as long as the one before.
fn renumbered((number, order): (usize, &Value)) -> Value {
    let mut order = order.clone();
    if let Some(Value::String(id)) = order.get_mut("order_id") {
        let kept = id.len() - 4;
        id.replace_range(kept.., &format!("{number:04}"));
    }
    order
}

/// How many orders the adapter sees in a reply.
fn count<A: Adapter>(submission: &Submission, state: &[u8], body: &[u8]) -> usize {
    let reply = Reply { status: 200, headers: Vec::new(), body: body.to_vec() };
    match A::resume(submission.clone(), state.to_vec(), reply) {
        Ok(Step::Orders(list)) => list.orders.len(),
        Ok(Step::Send(_) | Step::LookUp(_)) | Err(_) => 0,
    }
}

fn converted(submission: &Submission) -> host::Submission {
    let fields = |fields: &[alp_adapter::Field]| {
        fields
            .iter()
            .map(|field| host::Field { name: field.name.clone(), value: field.value.clone() })
            .collect()
    };
    let members = submission.members.iter().map(|member| host::Member {
        name: member.name.clone(),
        value: match &member.value {
            Scalar::Text(text) => host::Scalar::Text(text.clone()),
            Scalar::Number(text) => host::Scalar::Number(text.clone()),
        },
    });
    host::Submission {
        user: submission.user.clone(),
        members: members.collect(),
        sign: submission.sign.clone(),
        market: host::Market {
            base: submission.market.base.clone(),
            quote: submission.market.quote.clone(),
            parameters: fields(&submission.market.parameters),
        },
        endpoint: submission.endpoint.clone(),
        now_ms: submission.now_ms,
        explain: false,
        extras: Vec::new(),
    }
}
