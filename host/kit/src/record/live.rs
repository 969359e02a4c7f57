//! The one live call.

use alp_adapter::testing::{Failure, Message, SigningAsk};
use alp_sandbox::Adapter;
use alp_sandbox::types::{Fault, Reply, Step};

use super::RecordError;
use crate::driver::{failure, message, sign_query, submission};
use crate::wire::Wire;

/// Requests for one list of orders, as in the pool.
const MOST_REQUESTS: usize = 12;

/// What came of a live call.
pub(super) struct Seen {
    /// The signature that was sent.
    pub(super) sign: String,
    /// The members of `req` that were sent.
    pub(super) message: Message,
    /// The replies to signed requests, in turn.
    pub(super) replies: Vec<Reply>,
    /// The replies to public look-ups, in turn.
    pub(super) look_ups: Vec<Reply>,
}

/// Signs, and goes on until there are orders or a fault.
pub(super) async fn ask_exchange(
    adapter: &Adapter,
    wire: &dyn Wire,
    signing: &SigningAsk,
    tell: &impl Fn(&str),
) -> Result<Seen, RecordError> {
    let signed = adapter.sign(&sign_query(signing)).await?.map_err(|fault| faulty("sign", fault))?;
    let message = message(signed);
    let submission = submission(&signing.ask, &message);
    let started = adapter.start(&submission).await?.map_err(|fault| faulty("start", fault))?;
    let mut seen = Seen { sign: message.sign.clone(), message, replies: Vec::new(), look_ups: Vec::new() };
    let mut step = started.step;
    for _ in 0..=MOST_REQUESTS {
        let (request, state, is_look_up) = match step {
            Step::Orders(list) => {
                tell(&format!("the exchange shows {} orders", list.orders.len()));
                return Ok(seen);
            }
            Step::Send(pending) => (pending.request, pending.state, false),
            Step::LookUp(look_up) => (look_up.request, look_up.state, true),
        };
        tell(&format!("calling {}", request.call));
        let sent = wire.send(adapter.description(), signing.ask.endpoint.as_deref(), &request).await;
        let reply = sent.map_err(RecordError::Wire)?;
        tell(&format!("HTTP {}, {} bytes", reply.status, reply.body.len()));
        if is_look_up { &mut seen.look_ups } else { &mut seen.replies }.push(reply.clone());
        step = match adapter.resume(&submission, &state, &reply).await? {
            Ok(step) => step,
            Err(fault) => {
                let Failure { kind, message } = failure(fault);
                tell(&format!("the adapter reads it as a fault: {kind}: {message}"));
                return Ok(seen);
            }
        };
    }
    Err(RecordError::TooMany(MOST_REQUESTS))
}

fn faulty(function: &'static str, fault: Fault) -> RecordError {
    let Failure { kind, message } = failure(fault);
    RecordError::Fault { function, kind, message }
}
