//! What the host still checks in an answer that has the right types: counts and lengths.

use crate::call::CallFailure;
use crate::limits::{Limits, TextLimits};
use crate::scrub::clean_text;
use crate::types::{
    Body, Fault, Field, Order, OrderList, OtherFault, Request, Signed, Started, Step, Throttle,
};

type Checked = Result<(), CallFailure>;

pub(crate) fn signed(signed: &mut Signed, limits: &Limits) -> Checked {
    at_most("members of req", signed.members.len(), limits.text.signed_requests)?;
    at_most("bytes of signature", signed.sign.len(), limits.text.request_bytes)
}

pub(crate) fn started(started: &mut Started, limits: &Limits) -> Checked {
    let text = &limits.text;
    at_most("entries on freshness", started.freshness.len(), text.signed_requests)?;
    at_most("signed texts", started.signed.len(), text.signed_requests)?;
    for freshness in &started.freshness {
        let length = freshness.nonce.as_ref().map_or(0, String::len);
        at_most("bytes of nonce", length, text.order_text_bytes)?;
    }
    step(&mut started.step, limits)
}

pub(crate) fn step(step: &mut Step, limits: &Limits) -> Checked {
    let text = &limits.text;
    match step {
        Step::Send(pending) => {
            at_most("bytes of state", pending.state.len(), text.state_bytes)?;
            request(&pending.request, text)
        }
        Step::LookUp(look_up) => {
            at_most("bytes of state", look_up.state.len(), text.state_bytes)?;
            request(&look_up.request, text)
        }
        Step::Orders(list) => orders(list, text),
    }
}

/// The fault with its texts cut and cleaned: they end up in logs and in replies to bots.
pub(crate) fn fault(fault: Fault, limits: &Limits) -> Fault {
    let clean = |text: String| clean_text(&text, limits.text.message_chars);
    match fault {
        Fault::Unusable(text) => Fault::Unusable(clean(text)),
        Fault::Refused(text) => Fault::Refused(clean(text)),
        Fault::Throttled(Throttle { message, retry_after_ms }) => {
            Fault::Throttled(Throttle { message: clean(message), retry_after_ms })
        }
        Fault::Unavailable(text) => Fault::Unavailable(clean(text)),
        Fault::Unreadable(text) => Fault::Unreadable(clean(text)),
        Fault::Misconfigured(text) => Fault::Misconfigured(clean(text)),
        Fault::Other(OtherFault { name, message }) => {
            Fault::Other(OtherFault { name: clean(name), message: clean(message) })
        }
    }
}

fn request(request: &Request, text: &TextLimits) -> Checked {
    at_most("query parameters", request.query.len(), text.fields)?;
    at_most("headers", request.headers.len(), text.fields)?;
    let body = match &request.body {
        Body::None => 0,
        Body::Form(fields) => {
            at_most("form parameters", fields.len(), text.fields)?;
            bytes(fields)
        }
        Body::Text(text) => text.len(),
    };
    let parts = [request.call.len(), request.path.len(), bytes(&request.query)];
    let all = parts.iter().fold(body, |sum, part| sum.saturating_add(*part));
    let all = all.saturating_add(bytes(&request.headers));
    at_most("bytes of request", all, text.request_bytes)
}

fn orders(list: &OrderList, text: &TextLimits) -> Checked {
    at_most("orders", list.orders.len(), text.orders)?;
    let account = list.account.as_ref().map_or(0, String::len);
    at_most("bytes of account id", account, text.order_text_bytes)?;
    list.orders.iter().try_for_each(|order| one_order(order, text))
}

fn one_order(order: &Order, text: &TextLimits) -> Checked {
    at_most("bytes of order id", order.id.len(), text.order_text_bytes)?;
    at_most("bytes of price", order.price.len(), text.order_text_bytes)?;
    at_most("bytes of amount", order.amount.len(), text.order_text_bytes)?;
    at_most("extras of an order", order.extras.len(), text.fields)
}

fn bytes(fields: &[Field]) -> usize {
    fields
        .iter()
        .fold(0, |sum: usize, field| sum.saturating_add(field.name.len()).saturating_add(field.value.len()))
}

fn at_most(what: &'static str, count: usize, limit: usize) -> Checked {
    if count > limit {
        return Err(CallFailure::TooMuch { what, count, limit });
    }
    Ok(())
}
