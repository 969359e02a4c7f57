//! A component as the fixtures' reader drives it: every call in the sandbox, every request held against the grant.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_adapter::NonceKind;
use alp_adapter::testing::{
    Answer, Ask, Begun, Driver, Failure, Http, Message, Next, SeenOrder, SigningAsk, Value,
};
use alp_sandbox::types::{self, Fault, Field, Market, Member, Scalar, SignQuery, Step, Submission};
use alp_sandbox::{Adapter, CallError, CallFailure};
use tokio::runtime::Handle;

use crate::wire::Wire;

/// The kind of a [`Failure`] that is no fault of the contract's: a trap, or an answer against the component model.
pub const TRAP: &str = "trap";

/// The kind of a [`Failure`] that is no fault of the contract's: a limit of the sandbox.
pub const LIMIT: &str = "limit";

/// The kind of a [`Failure`] that is no fault of the contract's: a request for what was never declared.
pub const NOT_GRANTED: &str = "not granted";

/// Stands where an operator's origin would, for recorded calls that say `<host>` for it.
pub(crate) const ANY_ORIGIN: &str = "https://an-exchange.example";

/// Drives a component. It blocks, so it belongs on a thread that may wait, never on one that runs async tasks.
#[derive(Clone)]
pub struct ComponentDriver {
    adapter: Arc<Adapter>,
    wire: Arc<dyn Wire>,
    runtime: Handle,
}

impl ComponentDriver {
    /// Drives `adapter` on the runtime behind `runtime`.
    #[must_use]
    pub fn new(adapter: Arc<Adapter>, wire: Arc<dyn Wire>, runtime: Handle) -> Self {
        Self { adapter, wire, runtime }
    }

    /// What it drives.
    #[must_use]
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// `start` as it is, for what the fixtures' reader does not look at.
    pub(crate) fn start_raw(&self, submission: &Submission) -> Result<types::Started, Failure> {
        answered(self.runtime.block_on(self.adapter.start(submission)))
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
            placeholder if placeholder.contains('<') => ANY_ORIGIN,
            endpoint => endpoint,
        };
        self.wire
            .prepare(description, Some(endpoint), request)
            .map_err(|message| Failure { kind: NOT_GRANTED.to_owned(), message })
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
        let query = sign_query(ask);
        let signed = answered(self.runtime.block_on(self.adapter.sign(&query)))?;
        Ok(message(signed))
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

/// What `sign` is asked.
pub(crate) fn sign_query(ask: &SigningAsk) -> SignQuery {
    SignQuery {
        user: ask.ask.user.clone(),
        secret: ask.secret.clone(),
        parameters: fields(&ask.credential_parameters),
        market: market(&ask.ask),
        endpoint: ask.ask.endpoint.clone(),
        now_ms: ask.ask.now_ms,
        nonce: ask.nonce.clone(),
        extras: Vec::new(),
    }
}

/// The submission that the pool would make of a client's message, with `explain`.
pub(crate) fn submission(ask: &Ask, message: &Message) -> Submission {
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

/// What a client would post.
pub(crate) fn message(signed: types::Signed) -> Message {
    let members = signed.members.into_iter().map(|member| {
        let value = match member.value {
            Scalar::Text(text) => Value::Text(text),
            Scalar::Number(text) => Value::Number(text),
        };
        (member.name, value)
    });
    Message { members: members.collect(), sign: signed.sign }
}

/// An order as fixtures write it.
pub(crate) fn seen(order: types::Order) -> SeenOrder {
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

/// A fault by the name of its case.
pub(crate) fn failure(fault: Fault) -> Failure {
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

fn answered<T>(answer: Result<Result<T, Fault>, CallError>) -> Result<T, Failure> {
    let error = match answer {
        Ok(answer) => return answer.map_err(failure),
        Err(error) => error,
    };
    let kind = match error.failure {
        CallFailure::Time { .. }
        | CallFailure::Memory { .. }
        | CallFailure::Table { .. }
        | CallFailure::Stack { .. }
        | CallFailure::AnswerSize { .. }
        | CallFailure::TooMuch { .. } => LIMIT,
        CallFailure::Trap(_) | CallFailure::Invalid(_) => TRAP,
    };
    Err(Failure { kind: kind.to_owned(), message: error.to_string() })
}

fn market(ask: &Ask) -> Market {
    Market { base: ask.base.clone(), quote: ask.quote.clone(), parameters: fields(&ask.market_parameters) }
}

fn fields(pairs: &BTreeMap<String, String>) -> Vec<Field> {
    pairs.iter().map(|(name, value)| Field { name: name.clone(), value: value.clone() }).collect()
}
