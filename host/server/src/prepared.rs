//! The steps of one submission up to its sample: reading the message, asking the exchange, judging what it shows.
//! They store nothing, so that a check takes the same steps as a submission.

use std::sync::Arc;

use alp_pool::judge::{JudgedOrder, ReportedOrder, judge_orders};
use alp_pool::price::PoolPrice;
use alp_pool::rate::Rate;
use alp_pool::terms::Side;
use alp_record::chain::PriceQuotes;
use alp_record::judged::{OrderRecord, to_json};
use alp_sandbox::types::{Member, Order, Side as BookSide, Submission};
use alp_sandbox::{Adapter, clean_text};
use alp_store::{MAX_ORDERS_BYTES, Sample, Uses};

use crate::app::{App, InForce};
use crate::config::{ExchangeConfig, RulesConfig, UnitConfig};
use crate::containment::{Arrival, Outcome, Pass, Peer, Submitter};
use crate::exchange::{Refusal, Verification, Verified, WhoActs, begin, check_ids, verify};
use crate::ledgers;
use crate::message::{Message, shown};
use crate::prices::pool_price;
use crate::record::quotes::price_document;
use crate::shadow::Recording;
use crate::submissions::{adapter_market, find_market, store_refusal};

/// What a bot posted.
pub(crate) struct Posted {
    pub(crate) exchange: String,
    pub(crate) unit: String,
    pub(crate) user: String,
    pub(crate) sign: String,
    pub(crate) members: Vec<Member>,
    pub(crate) rates: MinimalRates,
}

/// The least that an LP asks for each coin a day, on offers to sell and on offers to buy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MinimalRates {
    pub(crate) ask: Option<Rate>,
    pub(crate) bid: Option<Rate>,
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
        // Nobody can ask for a rate over the first protocol.
        Ok(Self { exchange, unit, user, sign, members, rates: MinimalRates::default() })
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
    pub(crate) now_ms: u64,
    /// The round's start, in Unix seconds: a round goes by the rules that were in force then.
    pub(crate) round_start: u64,
    pub(crate) records: Vec<OrderRecord>,
}

/// A submission, and everything that asking the exchange needs beside it.
pub(crate) struct Prepared<'a> {
    pub(crate) app: &'a App,
    pub(crate) in_force: &'a InForce,
    pub(crate) settings: &'a ExchangeConfig,
    pub(crate) exchange: String,
    pub(crate) adapter: Recording,
    pub(crate) submission: Submission,
    pub(crate) lp_id: i64,
    rates: MinimalRates,
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
        let Posted { exchange, unit, user, sign, members, rates } = posted;
        let (settings, market) = find_market(in_force, &exchange, &unit)?;
        let shadow = if explain { None } else { app.lifecycle.shadows.of(&exchange) };
        let adapter = Recording::new(find_adapter(app, &exchange)?, shadow);
        let (market, endpoint) = (adapter_market(market), settings.endpoint.clone());
        let (now_ms, extras) = (app.now_ms(), Vec::new());
        let submission = Submission { user, members, sign, market, endpoint, now_ms, explain, extras };
        Ok(Self { app, in_force, settings, exchange, adapter, submission, lp_id, rates })
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
            ask_rate: self.rates.ask.map(|rate| rate.to_string()),
            bid_rate: self.rates.bid.map(|rate| rate.to_string()),
            order_count: u64::try_from(count).unwrap_or(u64::MAX),
            orders,
        })
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
