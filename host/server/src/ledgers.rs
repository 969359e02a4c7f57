//! The pool's ledgers of what was used once and of whose orders are whose, as a submission meets them.
//! Each rule is elsewhere (`freshness`, `ownership`); this says in which order, and in which words.

use alp_record::judged::OrderRecord;
use alp_sandbox::types::{Started, Submission};
use alp_store::{Placed, Sample, StoreError, Submitted, Uses};

use crate::app::{App, InForce};
use crate::config::{ExchangeConfig, GrantConfig};
use crate::exchange::{Refusal, Verified, WhoActs};
use crate::freshness::{NotSent, Repetition, SignedRequests};
use crate::ownership::{OwnOrders, Owners, Showing};
use crate::submissions::store_refusal;
use crate::turns::Turn;

/// How long challenges are kept that lapsed, in milliseconds: longer than the hour in which they are counted.
const CHALLENGES_KEPT_MS: u64 = 86_400_000;

/// Waits until the requests of the same key before this one are answered.
///
/// # Errors
/// [`Refusal`] for the bot.
pub async fn in_turn<'a>(app: &'a App, settings: &ExchangeConfig, lp_id: i64) -> Result<Turn<'a>, Refusal> {
    let turn = app.turns.enter(lp_id, settings.call_timeout).await;
    turn.map_err(|no_turn| Refusal::new(WhoActs::Bot, no_turn.to_string()))
}

/// Lets signed requests out once.
///
/// # Errors
/// [`Refusal`] if one was there before.
pub async fn let_out(
    app: &App,
    settings: &ExchangeConfig,
    grant: &GrantConfig,
    lp_id: i64,
    submission: &Submission,
    started: &Started,
) -> Result<Uses, Refusal> {
    let signed = SignedRequests {
        lp_id,
        freshness: &started.freshness,
        sign: &submission.sign,
        lifetime: &grant.lifetime,
        accept_repeatable: settings.accept_repeatable_requests,
        now_ms: submission.now_ms,
    };
    app.freshness.send(&app.store, signed).await.map_err(|not_sent| match not_sent {
        NotSent::Repetition(repetition) => Refusal::new(WhoActs::Bot, repetition.to_string()),
        NotSent::Store(error) => store_refusal(&error),
    })
}

/// Uses up what the exchange took without a sample: the submission was refused for another reason.
pub async fn use_up(app: &App, lp_id: i64, uses: Uses) {
    if uses.is_empty() {
        return;
    }
    if let Err(error) = app.store.use_up(lp_id, uses).await {
        // In memory it is used up all the same.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what a request used up could not be written"
        );
    }
}

/// Stores a sample with what its requests use up.
///
/// # Errors
/// [`Refusal`] if another server was faster with the same or with a later one, or if the database fails.
pub async fn store_once(app: &App, sample: Sample, uses: Uses) -> Result<Placed, Refusal> {
    let (lp_id, rising) = (sample.lp_id, uses.rising);
    let submitted = app.store.submit_once(sample, uses).await.map_err(|error| store_refusal(&error))?;
    if let Submitted::Placed(placed) = submitted {
        return Ok(placed);
    }
    app.freshness.read_again(lp_id);
    let highest = app.store.highest_rising(lp_id).await.map_err(|error| store_refusal(&error))?;
    let repetition = match (rising, highest) {
        (Some((number, _)), Some(highest)) if number <= highest => {
            Repetition::NotRising { number, highest, seconds: false }
        }
        (_, _) => Repetition::Repeated,
    };
    Err(Refusal::new(WhoActs::Bot, repetition.to_string()))
}

/// Leaves only those orders that are the LP's own.
///
/// # Errors
/// [`Refusal`] if there are orders and all of them are others'.
pub async fn own_orders(
    app: &App,
    in_force: &InForce,
    whose: (&str, &str, i64),
    verified: &Verified,
    records: Vec<OrderRecord>,
) -> Result<OwnOrders, Refusal> {
    let showing = showing(app, in_force, whose, verified)?;
    let orders = app.owners.claim(&app.store, showing, records).await;
    let orders = orders.map_err(|error| store_refusal(&error))?;
    match orders.foreign_sentence() {
        Some(sentence) if orders.own.is_empty() => Err(Refusal::new(WhoActs::Bot, sentence)),
        Some(_) | None => Ok(orders),
    }
}

/// Tells whose orders these are, and changes nothing.
///
/// # Errors
/// [`Refusal`].
pub async fn whose_orders(
    app: &App,
    in_force: &InForce,
    whose: (&str, &str, i64),
    verified: &Verified,
    records: Vec<OrderRecord>,
) -> Result<OwnOrders, Refusal> {
    let showing = showing(app, in_force, whose, verified)?;
    Owners::look(&app.store, showing, records).await.map_err(|error| store_refusal(&error))
}

fn showing<'a>(
    app: &App,
    in_force: &InForce,
    (exchange, unit, lp_id): (&'a str, &'a str, i64),
    verified: &'a Verified,
) -> Result<Showing<'a>, Refusal> {
    let grant = in_force.config.exchanges.get(exchange).and_then(|settings| settings.grant.as_ref());
    let Some(grant) = grant else {
        return Err(Refusal::new(WhoActs::Bot, format!("{exchange} is not supported")));
    };
    let round_seconds = u64::from(in_force.config.pool.round.seconds());
    let now_s = app.now_ms() / 1_000;
    Ok(Showing {
        exchange,
        unit,
        lp_id,
        scope: grant.order_ids,
        account: verified.list.account.as_deref(),
        round_start: now_s.saturating_sub(now_s.checked_rem(round_seconds).unwrap_or(0)),
        round_seconds,
        lapses_after: in_force.config.pool.owner_lapses_after_rounds,
    })
}

/// Forgets what can neither be used nor owned any more, and is older than every sample that can still be shown. Some
/// thousands at a time, which is more than comes in a round.
///
/// # Errors
/// [`StoreError`]; what is left is forgotten later.
pub async fn forget(app: &App) -> Result<(), StoreError> {
    let now_ms = app.store.clock_ms().await?;
    let round_seconds = u64::from(app.in_force.load().config.pool.round.seconds());
    app.store.forget_lapsed_challenges(now_ms.saturating_sub(CHALLENGES_KEPT_MS)).await?;
    let oldest_shown = app.store.oldest_sample().await?.unwrap_or(u64::MAX);
    app.store.forget_expired_requests(now_ms.min(oldest_shown.saturating_mul(1_000))).await?;
    // A round later than they are free, so that one who claims at the same moment finds them.
    let free = (now_ms / 1_000).saturating_sub(round_seconds.saturating_mul(2));
    app.store.forget_lapsed_owners(free.min(oldest_shown)).await?;
    let told = round_seconds.saturating_mul(crate::why_not::ROUNDS);
    app.store.forget_rejections((now_ms / 1_000).saturating_sub(told.saturating_mul(2))).await?;
    Ok(())
}
