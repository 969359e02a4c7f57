//! What becomes of a message to `/liquidity`: checked, verified at the exchange, judged, stored.

use std::sync::Arc;

use alp_pool::judge::{JudgedOrder, ReportedOrder, judge_orders};
use alp_pool::price::PoolPrice;
use alp_pool::terms::Side;
use alp_record::chain::PriceQuotes;
use alp_record::judged::{OrderRecord, to_json};
use alp_sandbox::types::{Field, Market, Member, Order, Side as BookSide, Submission};
use alp_sandbox::{Adapter, clean_text};
use alp_store::{MAX_ORDERS_BYTES, Placed, Sample, StoreError, Uses};
use axum::http::HeaderMap;

use crate::app::{App, InForce};
use crate::config::{ExchangeConfig, RulesConfig, UnitConfig};
use crate::containment::{Arrival, Outcome, Pass, Peer, Submitter};
use crate::exchange::{Refusal, Verification, Verified, WhoActs, begin, check_ids, verify};
use crate::kept::KeptSubmission;
use crate::ledgers;
use crate::message::{Message, shown};
use crate::prices::pool_price;
use crate::record::quotes::price_document;
use crate::record::receipts::{AcceptedSubmission, receipt};
use crate::shadow::Recording;
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
    /// The receipt, if the pool gives any.
    pub headers: HeaderMap,
}

/// Takes a message to `/liquidity`. Answers with the sentence of success.
///
/// The checks run in the order of ALP-Server, so that a bot sees the same sentence for the same mistake. The orders
/// are judged once, when the exchange's reply is in, by the price and the rules in force at that moment.
///
/// # Errors
/// [`Refusal`] with the sentence for the bot; then nothing was stored and nothing replaced.
pub async fn submit(app: &App, body: &[u8], peer: Peer) -> Result<Accepted, Refusal> {
    let posted = Posted::read(body)?;
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
    let Kept { orders, foreign, placed } = stored?;
    let sentence = if orders.is_empty() { NO_ORDERS } else { SAVED };
    let sentence = foreign.map_or_else(|| sentence.to_owned(), |foreign| format!("{sentence}; {foreign}"));
    let (api_key, exchange) = (prepared.submission.user.as_str(), prepared.exchange.as_str());
    let accepted =
        AcceptedSubmission { lp_id, api_key, exchange, unit: &unit, message: body, orders, placed };
    Ok(Accepted { sentence, headers: receipt_headers(app, in_force, accepted).await })
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
    Ok(Kept { orders, foreign, placed })
}

/// What a bot posted.
pub(crate) struct Posted {
    pub(crate) exchange: String,
    pub(crate) unit: String,
    user: String,
    sign: String,
    members: Vec<Member>,
}

impl Posted {
    /// Reads a message.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let bot = |message: String| Refusal::new(WhoActs::Bot, message);
        let message = Message::read(body).map_err(bot)?;
        let user = message.text("user").map_err(bot)?;
        let sign = message.text("sign").map_err(bot)?;
        let exchange = message.text("exchange").map_err(bot)?;
        let unit = message.text("unit").map_err(bot)?;
        let members = message.req().map_err(bot)?;
        Ok(Self { exchange, unit, user, sign, members })
    }

    /// The LP, who is registered for the unit.
    pub(crate) async fn lp(&self, app: &App, in_force: &InForce) -> Result<i64, Refusal> {
        if app.leadership.has_other_configuration() {
            let message = "this server has another configuration than the pool; the pool's operator must act";
            return Err(Refusal::new(WhoActs::Operator, message));
        }
        find_market(in_force, &self.exchange, &self.unit)?;
        find_lp(app, &self.exchange, &self.user, &self.unit).await
    }
}

/// What the exchange showed, judged by what was in force then.
pub(crate) struct Judged {
    pub(crate) in_force: Arc<InForce>,
    pub(crate) price: PoolPrice,
    /// Where the price came from.
    origin: PriceQuotes,
    now_ms: u64,
    /// The round's start, in Unix seconds: a round goes by the rules that were in force then.
    pub(crate) round_start: u64,
    pub(crate) records: Vec<OrderRecord>,
}

/// A submission, and everything that asking the exchange needs beside it.
pub(crate) struct Prepared<'a> {
    app: &'a App,
    in_force: &'a InForce,
    pub(crate) settings: &'a ExchangeConfig,
    exchange: String,
    adapter: Recording,
    submission: Submission,
    lp_id: i64,
}

impl<'a> Prepared<'a> {
    /// Prepares what was posted. A submission that is explained is not shown to a candidate: nothing of it is kept.
    pub(crate) fn new(
        app: &'a App,
        in_force: &'a InForce,
        posted: Posted,
        lp_id: i64,
        explain: bool,
    ) -> Result<Self, Refusal> {
        let Posted { exchange, unit, user, sign, members } = posted;
        let (settings, market) = find_market(in_force, &exchange, &unit)?;
        let shadow = if explain { None } else { app.lifecycle.shadows.of(&exchange) };
        let adapter = Recording::new(find_adapter(app, &exchange)?, shadow);
        let (market, endpoint) = (adapter_market(market), settings.endpoint.clone());
        let (now_ms, extras) = (app.now_ms(), Vec::new());
        let submission = Submission { user, members, sign, market, endpoint, now_ms, explain, extras };
        Ok(Self { app, in_force, settings, exchange, adapter, submission, lp_id })
    }

    /// Lets it go on, or says why not.
    pub(crate) fn admit(&self, peer: Peer) -> Result<Pass<'a>, Refusal> {
        let from = Submitter { lp: self.lp_id, peer };
        let (adapter_sha256, limits) = (self.adapter.sha256(), self.settings.containment);
        self.app.containment.admit(Arrival { exchange: &self.exchange, from, adapter_sha256, limits })
    }

    /// Asks once. Answers with what was shown and what that used up; `signed` takes what was signed, where the
    /// submission wants it explained.
    pub(crate) async fn ask(
        &self,
        pass: &Pass<'_>,
        signed: &mut Vec<String>,
    ) -> Result<(Verified, Uses), Refusal> {
        let (app, settings, exchange) = (self.app, self.settings, self.exchange.as_str());
        let Some(client) = self.in_force.clients.get(exchange) else {
            return Err(Refusal::new(WhoActs::Bot, format!("{exchange} is not supported")));
        };
        let gate = app.gates.of(exchange, settings.concurrent_calls, settings.waiting_calls);
        let (patience, adapter) = (settings.call_timeout, &self.adapter);
        // It waits as soon as the folder of adapters has been told; this holds until then.
        let Some(grant) = &settings.grant else {
            return Err(Refusal::new(WhoActs::Operator, waiting(exchange)));
        };
        let (look_ups, calls) = (&app.look_ups, pass.calls());
        let verification =
            Verification { exchange, adapter, grant, client, gate: &gate, look_ups, patience, calls };
        let mut started = begin(&verification, &self.submission).await?;
        signed.append(&mut started.signed);
        let uses = ledgers::let_out(app, settings, grant, self.lp_id, &self.submission, &started).await?;
        let verified = verify(&verification, &self.submission, started.step).await?;
        app.freshness.take(self.lp_id, &uses);
        Ok((verified, uses))
    }

    /// Judges what the exchange showed.
    pub(crate) fn judge(&self, unit: &str, verified: &Verified) -> Result<Judged, Refusal> {
        let exchange = self.exchange.as_str();
        every_order_is_seen(self.app, exchange, &self.adapter, verified)?;
        // The configuration may have changed while the exchange answered: what is in force now judges.
        let in_force = self.app.in_force.load_full();
        let (_, market) = find_market(&in_force, exchange, unit)?;
        let (price, origin) = current_price(self.app, &in_force, unit, market)?;
        let now_ms = self.app.now_ms();
        let round_start = in_force.config.pool.round.start_of(now_ms / 1_000);
        let records = judge(exchange, market.rules_at(round_start), price, verified)?;
        Ok(Judged { in_force, price, origin, now_ms, round_start, records })
    }

    /// The sample of these orders.
    pub(crate) fn sample(
        &self,
        judged: &Judged,
        unit: &str,
        verified: &Verified,
        records: &Vec<OrderRecord>,
    ) -> Result<Sample, Refusal> {
        let exchange = self.exchange.as_str();
        let (_, market) = find_market(&judged.in_force, exchange, unit)?;
        let rules = market.rules_at(judged.round_start);
        let (count, orders) = (records.len(), to_json(records));
        if orders.len() > MAX_ORDERS_BYTES {
            let message =
                format!("{exchange} lists {count} orders: more than the pool keeps of one submission");
            return Err(Refusal::new(WhoActs::Bot, message));
        }
        Ok(Sample {
            lp_id: self.lp_id,
            unit: unit.to_owned(),
            price: price_document(judged.price, judged.origin.clone()),
            terms_id: rules.terms_id.clone(),
            adapter_sha256: self.adapter.sha256().to_owned(),
            reply_sha256: verified.reply_sha256.clone(),
            maybe_truncated: verified.list.maybe_truncated,
            slices: rules.terms.looks().slices(),
            // Nobody can ask for a rate over the first protocol.
            ask_rate: None,
            bid_rate: None,
            order_count: u64::try_from(count).unwrap_or(u64::MAX),
            orders,
        })
    }
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

async fn find_lp(app: &App, exchange: &str, user: &str, unit: &str) -> Result<i64, Refusal> {
    let lp_id = app.store.registered_lp(exchange, user, unit).await.map_err(|error| store_refusal(&error))?;
    lp_id.ok_or_else(|| Refusal::new(WhoActs::Bot, format!("user {} is not registered", shown(user))))
}

fn find_adapter(app: &App, exchange: &str) -> Result<Arc<Adapter>, Refusal> {
    let snapshot = app.adapters.snapshot();
    snapshot.get(exchange).ok_or_else(|| {
        let waits = snapshot.entry(exchange).is_some_and(|entry| entry.candidate.is_some());
        let missing = || format!("the adapter of {exchange} is missing; the pool's operator must act");
        Refusal::new(WhoActs::Operator, if waits { waiting(exchange) } else { missing() })
    })
}

fn waiting(exchange: &str) -> String {
    format!("the adapter of {exchange} waits until the pool's operator grants what it asks for")
}

/// The market as adapters know it.
#[must_use]
pub fn adapter_market(unit: &UnitConfig) -> Market {
    let parameters = unit.parameters.iter();
    let parameters = parameters.map(|(name, value)| Field { name: name.clone(), value: value.clone() });
    Market { base: unit.base.clone(), quote: unit.quote.clone(), parameters: parameters.collect() }
}

/// An order whose id stands in no signed reply was made up by the adapter, as far as anybody can tell.
fn every_order_is_seen(
    app: &App,
    exchange: &str,
    adapter: &Adapter,
    verified: &Verified,
) -> Result<(), Refusal> {
    let ids = verified.list.orders.iter().map(|order| order.id.as_str());
    check_ids(ids, &verified.replies).map_err(|unseen| {
        if app.unseen_orders.count(exchange, adapter.sha256()) {
            tracing::error!(
                exchange,
                version = %adapter.description().version,
                sha256 = adapter.sha256(),
                order = %clean_text(&unseen.id, 128),
                "an adapter reported an order that is in none of the exchange's replies; it is not logged again"
            );
        }
        let message =
            format!("the adapter of {exchange} reported an order that {exchange} did not show; the pool's operator must act");
        Refusal::new(WhoActs::Operator, message).because(Outcome::AdapterBroke)
    })
}

fn current_price(
    app: &App,
    in_force: &InForce,
    unit: &str,
    market: &UnitConfig,
) -> Result<(PoolPrice, PriceQuotes), Refusal> {
    let config = in_force.config.prices.get(unit);
    let price = config.and_then(|config| app.prices.current_with_origin(unit, config, app.now_ms()));
    price
        .map(|(price, origin)| (pool_price(price, market.reverse), origin))
        .ok_or_else(|| Refusal::new(WhoActs::Operator, format!("unable to fetch current price for {unit}")))
}

fn judge(
    exchange: &str,
    rules: &RulesConfig,
    price: PoolPrice,
    verified: &Verified,
) -> Result<Vec<OrderRecord>, Refusal> {
    // What is closed is not on order any more. It counts only where the time in which an order stood does.
    let by_time = rules.terms.looks().by_time();
    let orders: Vec<&Order> =
        verified.list.orders.iter().filter(|order| by_time || order.closed_ms.is_none()).collect();
    let judged: Vec<JudgedOrder> =
        judge_orders(orders.iter().copied().map(reported), rules.terms.judged_by(), price).map_err(
            |fault| {
                let message = clean_text(&fault.to_string(), 300);
                Refusal::new(WhoActs::Exchange, format!("invalid response from {exchange}: {message}"))
                    .because(Outcome::ExchangeFailed)
            },
        )?;
    let records = judged.iter().zip(orders).map(|(judged, order)| OrderRecord {
        closed_ms: order.closed_ms,
        ..OrderRecord::new(judged, order.opened_ms)
    });
    Ok(records.collect())
}

fn reported(order: &Order) -> ReportedOrder<'_> {
    let side = match order.side {
        BookSide::Ask => Side::Ask,
        BookSide::Bid => Side::Bid,
    };
    ReportedOrder { id: &order.id, side, price: &order.price, amount: &order.amount }
}

async fn store_sample(app: &App, rules: &RulesConfig, sample: Sample, uses: Uses) -> Result<Placed, Refusal> {
    if !app.known_terms.contains(&rules.terms_id) {
        app.store.record_terms(&rules.document).await.map_err(|error| store_refusal(&error))?;
        app.known_terms.add(&rules.terms_id);
    }
    ledgers::store_once(app, sample, uses).await
}
