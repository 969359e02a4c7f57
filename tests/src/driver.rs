//! Replays fixtures through a component: what the SDK's runner drives, run in the sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_adapter::NonceKind;
use alp_adapter::testing::{
    Answer, Ask, Begun, Driver, Failure, Http, Message, Next, SeenOrder, SigningAsk, Value,
};
use alp_sandbox::types::{self, Fault, Field, Market, Member, Method, Scalar, SignQuery, Step, Submission};
use alp_sandbox::{Adapter, CallError};
use alp_server::exchange::prepare;
use tokio::runtime::Runtime;

/// Drives a component. Each request is held against what it declares, by the pool's own check.
pub struct ComponentDriver {
    adapter: Arc<Adapter>,
    runtime: Runtime,
}

impl ComponentDriver {
    /// Drives the component of an exchange's adapter.
    pub fn new(exchange: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let adapter = runtime.block_on(crate::adapter(exchange));
        Self { adapter, runtime }
    }

    fn next(&self, ask: &Ask, step: Step) -> Result<Next, Failure> {
        match step {
            Step::Send(pending) => Ok(Next::Send(self.http(ask, &pending.request)?, pending.state)),
            Step::LookUp(look_up) => Ok(Next::LookUp(self.http(ask, &look_up.request)?, look_up.state)),
            Step::Orders(list) => Ok(Next::Orders(list.orders.into_iter().map(seen).collect())),
        }
    }

    fn http(&self, ask: &Ask, request: &types::Request) -> Result<Http, Failure> {
        // As if the operator had configured what the adapter has as its own: not every one of them is https.
        let description = self.adapter.description();
        let endpoint = match ask.endpoint.as_deref().unwrap_or(&description.origin) {
            // Recorded calls of software that many run say `<host>` for the host.
            placeholder if placeholder.contains('<') => "https://an-exchange.example",
            endpoint => endpoint,
        };
        let prepared = prepare(description, Some(endpoint), request)
            .map_err(|breach| Failure { kind: "not granted".to_owned(), message: breach.to_string() })?;
        Ok(Http {
            method: match prepared.method {
                Method::Get => "GET".to_owned(),
                Method::Post => "POST".to_owned(),
            },
            url: prepared.url.as_str().to_owned(),
            headers: prepared.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            body: prepared.body,
        })
    }
}

impl Driver for ComponentDriver {
    fn nonce_kind(&self) -> NonceKind {
        match self.adapter.description().nonce {
            types::NonceKind::None => NonceKind::None,
            types::NonceKind::Seconds => NonceKind::Seconds,
            types::NonceKind::Milliseconds => NonceKind::Milliseconds,
            types::NonceKind::Microseconds => NonceKind::Microseconds,
            types::NonceKind::Uuid => NonceKind::Uuid,
            types::NonceKind::Hex => NonceKind::Hex,
        }
    }

    fn origin(&self) -> String {
        self.adapter.description().origin.clone()
    }

    fn sign(&self, ask: &SigningAsk) -> Result<Message, Failure> {
        let query = SignQuery {
            user: ask.ask.user.clone(),
            secret: ask.secret.clone(),
            parameters: fields(&ask.credential_parameters),
            market: market(&ask.ask),
            endpoint: ask.ask.endpoint.clone(),
            now_ms: ask.ask.now_ms,
            nonce: ask.nonce.clone(),
            extras: Vec::new(),
        };
        let signed = answered(self.runtime.block_on(self.adapter.sign(&query)))?;
        let members = signed.members.into_iter().map(|member| {
            let value = match member.value {
                Scalar::Text(text) => Value::Text(text),
                Scalar::Number(text) => Value::Number(text),
            };
            (member.name, value)
        });
        Ok(Message { members: members.collect(), sign: signed.sign })
    }

    fn start(&self, ask: &Ask, message: &Message) -> Result<Begun, Failure> {
        let started = answered(self.runtime.block_on(self.adapter.start(&submission(ask, message))))?;
        let (signed, freshness) = (started.signed, started.freshness.len());
        Ok(Begun { next: self.next(ask, started.step)?, signed, freshness })
    }

    fn resume(&self, ask: &Ask, message: &Message, state: &[u8], answer: &Answer) -> Result<Next, Failure> {
        let reply = types::Reply {
            status: answer.status,
            headers: fields(&answer.headers),
            body: answer.body.clone(),
        };
        let submission = submission(ask, message);
        let step = answered(self.runtime.block_on(self.adapter.resume(&submission, state, &reply)))?;
        self.next(ask, step)
    }
}

fn answered<T>(answer: Result<Result<T, Fault>, CallError>) -> Result<T, Failure> {
    match answer {
        Ok(answer) => answer.map_err(failure),
        Err(error) => Err(Failure { kind: "broken".to_owned(), message: error.to_string() }),
    }
}

fn submission(ask: &Ask, message: &Message) -> Submission {
    let members = message.members.iter().map(|(name, value)| {
        let value = match value {
            Value::Text(text) => Scalar::Text(text.clone()),
            Value::Number(text) => Scalar::Number(text.clone()),
        };
        Member { name: name.clone(), value }
    });
    Submission {
        user: ask.user.clone(),
        members: members.collect(),
        sign: message.sign.clone(),
        market: market(ask),
        endpoint: ask.endpoint.clone(),
        now_ms: ask.now_ms,
        explain: true,
        extras: Vec::new(),
    }
}

fn market(ask: &Ask) -> Market {
    Market { base: ask.base.clone(), quote: ask.quote.clone(), parameters: fields(&ask.market_parameters) }
}

fn fields(pairs: &BTreeMap<String, String>) -> Vec<Field> {
    pairs.iter().map(|(name, value)| Field { name: name.clone(), value: value.clone() }).collect()
}

fn seen(order: types::Order) -> SeenOrder {
    let side = match order.side {
        types::Side::Bid => "bid",
        types::Side::Ask => "ask",
    };
    SeenOrder {
        id: order.id,
        side: side.to_owned(),
        price: order.price,
        amount: order.amount,
        opened_ms: order.opened_ms,
    }
}

fn failure(fault: Fault) -> Failure {
    let (kind, message) = match fault {
        Fault::Unusable(message) => ("unusable", message),
        Fault::Refused(message) => ("refused", message),
        Fault::Throttled(throttle) => ("throttled", throttle.message),
        Fault::Unavailable(message) => ("unavailable", message),
        Fault::Unreadable(message) => ("unreadable", message),
        Fault::Misconfigured(message) => ("misconfigured", message),
        Fault::Other(other) => ("other", other.message),
    };
    Failure { kind: kind.to_owned(), message }
}
