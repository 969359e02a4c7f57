//! What becomes of a message to `/liquidity`: checked, verified at the exchange, judged, stored.

use alp_record::judged::OrderRecord;
use alp_sandbox::types::{Field, Market};
use alp_store::{Placed, Sample, StoreError, Uses};
use axum::http::HeaderMap;

use crate::app::{App, InForce};
use crate::config::{ExchangeConfig, RulesConfig, UnitConfig};
use crate::containment::{Outcome, Peer};
use crate::exchange::{Refusal, Verified, WhoActs};
use crate::kept::KeptSubmission;
use crate::ledgers;
use crate::message::shown;
use crate::prepared::{Posted, Prepared};
use crate::proof::{SeenOrder, notice, seen_orders};
use crate::record::receipts::{AcceptedSubmission, receipt};
use crate::sightings::{SightingsError, note_first_sightings};
use crate::why_not::Ended;

/// What a bot is told when its orders were taken.
pub const SAVED: &str = "orders saved for validation";

/// What a bot is told when the exchange shows no orders of it.
pub const NO_ORDERS: &str = "no orders found";

/// What is answered to a submission that was stored.
#[derive(Debug)]
pub struct Accepted {
    /// The sentence.
    pub sentence: String,
    /// The receipt, if the pool gives any, and what was proven.
    pub headers: HeaderMap,
    /// The orders that are beyond every rank's tolerance, if there are any.
    pub far: Option<FarOrders>,
}

/// Orders that earn nothing, because they are too far from the pool's price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FarOrders {
    /// The id of the first of them.
    pub first_id: String,
    /// Whether no other orders were shown.
    pub all: bool,
}

impl FarOrders {
    fn among(orders: &[OrderRecord]) -> Option<Self> {
        let first = orders.iter().find(|order| order.rank.is_none())?;
        Some(Self { first_id: first.id.clone(), all: orders.iter().all(|order| order.rank.is_none()) })
    }
}

/// Takes a message to `/liquidity`. Answers with the sentence of success.
///
/// The checks run in the order of ALP-Server, so that a bot sees the same sentence for the same mistake. The orders
/// are judged once, when the exchange's reply is in, by the price and the rules in force at that moment.
///
/// # Errors
/// [`Refusal`] with the sentence for the bot; then nothing was stored and nothing replaced.
pub async fn submit(app: &App, body: &[u8], peer: Peer) -> Result<Accepted, Refusal> {
    submit_posted(app, Posted::read(body)?, body, peer).await
}

/// As [`submit`], for a message that was read before: the one way there is into a round, whatever the protocol.
/// `body` is what the bot sent, for its receipt.
pub(crate) async fn submit_posted(
    app: &App,
    posted: Posted,
    body: &[u8],
    peer: Peer,
) -> Result<Accepted, Refusal> {
    let in_force = app.in_force.load_full();
    let lp_id = posted.lp(app, &in_force).await?;
    let (unit, sign) = (posted.unit.clone(), posted.sign.clone());
    let told = take(app, &in_force, posted, body, (lp_id, peer)).await;
    let at_ms = app.now_ms();
    let round_start = in_force.config.pool.round.start_of(at_ms / 1_000);
    app.why_not.note(Ended { lp_id, unit: &unit, sign: &sign, at_ms, round_start }, &told);
    told
}

async fn take(
    app: &App,
    in_force: &InForce,
    posted: Posted,
    body: &[u8],
    (lp_id, peer): (i64, Peer),
) -> Result<Accepted, Refusal> {
    let unit = posted.unit.clone();
    let prepared = Prepared::new(app, in_force, posted, lp_id, false)?;
    let pass = prepared.admit(peer)?;
    let stored = async {
        let _turn = ledgers::in_turn(app, prepared.settings, lp_id).await?;
        let (verified, uses) = prepared.ask(&pass, &mut Vec::new()).await?;
        let kept = keep(&prepared, &unit, verified, uses.clone()).await;
        if kept.is_err() {
            ledgers::use_up(app, lp_id, uses).await;
        }
        kept
    };
    let stored = stored.await;
    pass.ended(match &stored {
        Ok(kept) => Outcome::Accepted { with_orders: !kept.orders.is_empty() },
        Err(refusal) => refusal.outcome,
    });
    let Kept { orders, foreign, placed, seen } = stored?;
    let sentence = if orders.is_empty() { NO_ORDERS } else { SAVED };
    let sentence = foreign.map_or_else(|| sentence.to_owned(), |foreign| format!("{sentence}; {foreign}"));
    let far = FarOrders::among(&orders);
    let (api_key, exchange) = (prepared.submission.user.as_str(), prepared.exchange.as_str());
    let noticed = notice(app, in_force, (exchange, &unit, api_key), lp_id, &seen).await;
    let accepted =
        AcceptedSubmission { lp_id, api_key, exchange, unit: &unit, message: body, orders, placed };
    let mut headers = receipt_headers(app, in_force, accepted).await;
    if let Some(noticed) = noticed {
        headers.extend(noticed.headers());
    }
    Ok(Accepted { sentence, headers, far })
}

/// A receipt that cannot be signed is the operator's trouble: the submission is stored, and that is what is answered.
async fn receipt_headers(app: &App, in_force: &InForce, accepted: AcceptedSubmission<'_>) -> HeaderMap {
    if !in_force.config.pool.receipts {
        return HeaderMap::new();
    }
    receipt(&app.publisher, &app.store, accepted).await.unwrap_or_else(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a receipt could not be signed");
        HeaderMap::new()
    })
}

/// What became of a submission that was stored.
struct Kept {
    /// The orders that are the LP's own.
    orders: Vec<OrderRecord>,
    /// What it is told of those that are not.
    foreign: Option<String>,
    /// Where they went.
    placed: Placed,
    /// What an open challenge is held against; nothing if there is none.
    seen: Vec<SeenOrder>,
}

/// Judges what the exchange showed and stores it, with what the request used up.
async fn keep(prepared: &Prepared<'_>, unit: &str, verified: Verified, uses: Uses) -> Result<Kept, Refusal> {
    let Prepared { app, lp_id, .. } = *prepared;
    let exchange = prepared.exchange.as_str();
    let mut judged = prepared.judge(unit, &verified)?;
    let records = std::mem::take(&mut judged.records);
    let owned =
        ledgers::own_orders(app, &judged.in_force, (exchange, unit, lp_id), &verified, records).await?;
    let foreign = owned.foreign_sentence();
    let mut orders = owned.own;
    // Before the market's rules have their say on when an order was first seen.
    let challenged = app.challenges.has(&app.store, lp_id, app.now_ms()).await;
    let seen = if challenged { seen_orders(&orders) } else { Vec::new() };
    let (_, market) = find_market(&judged.in_force, exchange, unit)?;
    let rules = market.rules_at(judged.round_start);
    if rules.terms.needs_first_sightings() {
        let (length, now_ms) = (judged.in_force.config.pool.round, judged.now_ms);
        let noted = note_first_sightings(&app.store, (lp_id, unit), length, now_ms, &mut orders).await;
        noted.map_err(|error| sightings_refusal(&error))?;
    }
    let sample = prepared.sample(&judged, unit, &verified, &orders)?;
    if app.kept.is_on() {
        let (sha256, submission) = (prepared.adapter.sha256(), &prepared.submission);
        app.kept.keep(KeptSubmission::new(exchange, sha256, submission, &verified));
    }
    let placed = store_sample(app, rules, sample, uses).await?;
    Ok(Kept { orders, foreign, placed, seen })
}

/// The market of a unit at an exchange, or the sentence that says which of the two is unknown.
///
/// # Errors
/// [`Refusal`] for the bot.
pub fn find_market<'c>(
    in_force: &'c InForce,
    exchange: &str,
    unit: &str,
) -> Result<(&'c ExchangeConfig, &'c UnitConfig), Refusal> {
    let bot = |message: String| Refusal::new(WhoActs::Bot, message);
    let settings = in_force.config.exchanges.get(exchange);
    let settings = settings.ok_or_else(|| bot(format!("{} is not supported", shown(exchange))))?;
    let market = settings.units.get(unit);
    let market = market.ok_or_else(|| bot(format!("{} is not supported on {exchange}", shown(unit))))?;
    Ok((settings, market))
}

/// A failure of the database, as a sentence for the bot; the operator's log has the cause.
#[must_use]
pub fn store_refusal(error: &StoreError) -> Refusal {
    if matches!(error, StoreError::Busy | StoreError::Undone(_)) {
        return Refusal::new(WhoActs::Bot, "the pool has too much to write at the moment; try again shortly");
    }
    tracing::error!(error = error as &dyn std::error::Error, "the database failed a request");
    Refusal::new(WhoActs::Operator, "the pool's database does not work at the moment; nothing was stored")
}

fn sightings_refusal(error: &SightingsError) -> Refusal {
    match error {
        SightingsError::Store(error) => store_refusal(error),
        SightingsError::Record(error) => {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "a sample in the database cannot be read"
            );
            let message = "the pool's database does not work at the moment; nothing was stored";
            Refusal::new(WhoActs::Operator, message)
        }
    }
}

/// The market as adapters know it.
#[must_use]
pub fn adapter_market(unit: &UnitConfig) -> Market {
    let parameters = unit.parameters.iter();
    let parameters = parameters.map(|(name, value)| Field { name: name.clone(), value: value.clone() });
    Market { base: unit.base.clone(), quote: unit.quote.clone(), parameters: parameters.collect() }
}

async fn store_sample(app: &App, rules: &RulesConfig, sample: Sample, uses: Uses) -> Result<Placed, Refusal> {
    if !app.known_terms.contains(&rules.terms_id) {
        app.store.record_terms(&rules.document).await.map_err(|error| store_refusal(&error))?;
        app.known_terms.add(&rules.terms_id);
    }
    ledgers::store_once(app, sample, uses).await
}
