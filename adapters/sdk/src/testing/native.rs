//! Drives an adapter that is linked in.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::{Answer, Ask, Begun, Driver, Failure, Http, Message, Next, SeenOrder, SigningAsk, Value};
use crate::form::Form;
use crate::{
    Adapter, Body, BodyKind, Call, Description, Fault, Field, Market, Member, Method, NonceKind, Place,
    Reply, Request, Scalar, Side, SignQuery, Step, Submission,
};

/// The adapter `A`, called as a Rust type. Each request is held against what `describe` declares, as the host
/// would.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native<A>(PhantomData<A>);

impl<A: Adapter> Native<A> {
    /// Needs nothing.
    pub const fn new() -> Self {
        Native(PhantomData)
    }
}

impl<A: Adapter> Driver for Native<A> {
    fn nonce_kind(&self) -> NonceKind {
        A::describe().nonce
    }

    fn origin(&self) -> String {
        A::describe().origin
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
        let signed = A::sign(query).map_err(failure)?;
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
        let started = A::start(submission(ask, message)).map_err(failure)?;
        let (signed, freshness) = (started.signed, started.freshness.len());
        Ok(Begun { next: next(ask, started.step, &A::describe())?, signed, freshness })
    }

    fn resume(&self, ask: &Ask, message: &Message, state: &[u8], answer: &Answer) -> Result<Next, Failure> {
        let reply =
            Reply { status: answer.status, headers: fields(&answer.headers), body: answer.body.clone() };
        let step = A::resume(submission(ask, message), state.to_vec(), reply).map_err(failure)?;
        next(ask, step, &A::describe())
    }
}

/// The submission that the host would hand to `start`, with `explain`.
pub fn submission(ask: &Ask, message: &Message) -> Submission {
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

fn next(ask: &Ask, step: Step, description: &Description) -> Result<Next, Failure> {
    match step {
        Step::Send(pending) => Ok(Next::Send(http(ask, pending.request, description)?, pending.state)),
        Step::LookUp(look_up) => Ok(Next::LookUp(http(ask, look_up.request, description)?, look_up.state)),
        Step::Orders(list) => {
            let orders = list.orders.into_iter().map(|order| SeenOrder {
                id: order.id,
                side: match order.side {
                    Side::Bid => "bid".to_owned(),
                    Side::Ask => "ask".to_owned(),
                },
                price: order.price,
                amount: order.amount,
                opened_ms: order.opened_ms,
            });
            Ok(Next::Orders(orders.collect()))
        }
    }
}

fn hold_against(call: &Call, request: &Request) -> Result<(), Failure> {
    let form = match &request.body {
        Body::Form(form) => form.as_slice(),
        Body::None | Body::Text(_) => &[],
    };
    let body = match request.body {
        Body::None => BodyKind::None,
        Body::Form(_) => BodyKind::Form,
        Body::Text(_) => BodyKind::Text,
    };
    if call.method != request.method || call.body != body || !fits_template(&call.path, &request.path) {
        return Err(undeclared("the method, path or kind of body"));
    }
    let placed = request.query.iter().map(|field| (Place::Query, field));
    for (place, field) in placed.chain(form.iter().map(|field| (Place::Form, field))) {
        let declared = call.parameters.iter().any(|parameter| {
            let is_value = parameter.fixed.as_ref().is_none_or(|only| *only == field.value);
            parameter.name == field.name && parameter.place == place && is_value
        });
        if !declared {
            return Err(undeclared(&format!("the parameter `{}`", field.name)));
        }
    }
    match request
        .headers
        .iter()
        .find(|header| !call.headers.iter().any(|name| name.eq_ignore_ascii_case(&header.name)))
    {
        Some(header) => Err(undeclared(&format!("the header `{}`", header.name))),
        None => Ok(()),
    }
}

fn fits_template(template: &str, path: &str) -> bool {
    let Some((before, after)) = template.split_once("{}") else { return template == path };
    let is_inner = |char: char| char.is_ascii_alphanumeric() || "-_.:~".contains(char);
    path.strip_prefix(before).is_some_and(|rest| {
        let inner = rest.len() - rest.trim_start_matches(is_inner).len();
        (1..=inner).any(|end| rest.get(end..).is_some_and(|rest| fits_template(after, rest)))
    })
}

fn http(ask: &Ask, request: Request, description: &Description) -> Result<Http, Failure> {
    let call = description.calls.iter().find(|call| call.name == request.call);
    let call = call.ok_or_else(|| undeclared(&format!("the call `{}`", request.call)))?;
    hold_against(call, &request)?;
    let origin = call.origin.as_ref().or(ask.endpoint.as_ref()).unwrap_or(&description.origin);
    let text = |fields: Vec<Field>| {
        fields.iter().fold(Form::new(), |form, field| form.with_exact(&field.name, &field.value)).text()
    };
    let query = text(request.query);
    let mark = if query.is_empty() { "" } else { "?" };
    Ok(Http {
        method: match request.method {
            Method::Get => "GET".to_owned(),
            Method::Post => "POST".to_owned(),
        },
        url: format!("{origin}{}{mark}{query}", request.path),
        headers: request.headers.into_iter().map(|header| (header.name, header.value)).collect(),
        body: match request.body {
            Body::None => None,
            Body::Form(form) => Some(text(form)),
            Body::Text(text) => Some(text),
        },
    })
}

fn undeclared(what: &str) -> Failure {
    Failure { kind: "undeclared".to_owned(), message: format!("`describe` does not declare {what}") }
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
