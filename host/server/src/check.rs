//! `POST /v1/check`: what would become of a message to `/liquidity`, step by step. It runs the same functions in the
//! same order, uses the signed request up, and stores nothing else; what orders are worth it leaves to the round.

use std::collections::BTreeMap;

use alp_pool::evidence::{Looks, Rule, Span};
use alp_record::judged::OrderRecord;
use alp_record::{Evidence, RoundEvidence, Shown, compute_round};
use alp_store::{Sample, StoredSample};

use crate::app::{App, InForce};
use crate::containment::{Outcome, Peer};
use crate::exchange::{Refusal, WhoActs};
use crate::ledgers;
use crate::ownership::OwnOrders;
use crate::prepared::{Posted, Prepared};
use crate::submissions::store_refusal;

/// Seconds of an hour.
const HOUR_S: u64 = 3_600;

/// One step on the way, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckStep {
    /// Its name.
    pub step: &'static str,
    /// What to know about it; if it failed, the sentence that a bot would be told.
    pub text: String,
    /// Who must act, if it failed.
    pub failed: Option<WhoActs>,
}

/// An order, and what it would come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedOrder {
    /// As it was judged.
    pub record: OrderRecord,
    /// What it would earn an hour, in 1e-8 of the coin, if everything stayed as it is. None if it belongs to another
    /// registration.
    pub hourly_e8: Option<u64>,
}

/// What would become of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The steps, up to the one that failed.
    pub steps: Vec<CheckStep>,
    /// What was signed, for each signed request.
    pub signed: Vec<String>,
    /// The orders.
    pub orders: Vec<CheckedOrder>,
}

impl Checked {
    fn passed(&mut self, step: &'static str, text: impl Into<String>) {
        self.steps.push(CheckStep { step, text: text.into(), failed: None });
    }
}

/// Tries a message. Its steps end at the first that fails.
pub async fn check(app: &App, body: &[u8], peer: Peer) -> Checked {
    let mut checked = Checked::default();
    if let Err((step, refusal)) = run(app, body, peer, &mut checked).await {
        checked.steps.push(CheckStep { step, text: refusal.message, failed: Some(refusal.who) });
    }
    checked
}

async fn run(
    app: &App,
    body: &[u8],
    peer: Peer,
    checked: &mut Checked,
) -> Result<(), (&'static str, Refusal)> {
    let at = |step: &'static str| move |refusal: Refusal| (step, refusal);
    let posted = Posted::read(body).map_err(at("message"))?;
    checked.passed("message", "it has every member that is needed");
    let in_force = app.in_force.load_full();
    let lp_id = posted.lp(app, &in_force).await.map_err(at("registration"))?;
    checked
        .passed("registration", format!("the key is registered for {} on {}", posted.unit, posted.exchange));
    let (exchange, unit) = (posted.exchange.clone(), posted.unit.clone());
    let prepared = Prepared::new(app, &in_force, posted, lp_id, true).map_err(at("adapter"))?;
    let pass = prepared.admit(peer).map_err(at("limits"))?;
    let asked = async {
        let _turn = ledgers::in_turn(app, prepared.settings, lp_id).await?;
        let (verified, uses) = prepared.ask(&pass, &mut checked.signed).await?;
        ledgers::use_up(app, lp_id, uses).await;
        Ok(verified)
    };
    let asked: Result<_, Refusal> = asked.await;
    pass.ended(match &asked {
        Ok(_) => Outcome::Accepted { with_orders: false },
        Err(refusal) => refusal.outcome,
    });
    let verified = asked.map_err(at("exchange"))?;
    let count = verified.list.orders.len();
    checked.passed(
        "exchange",
        format!("{exchange} took the request, which is used up now, and shows {count} orders"),
    );
    let mut judged = prepared.judge(&unit, &verified).map_err(at("price"))?;
    let records = std::mem::take(&mut judged.records);
    let shown =
        judged.price.rounded().map_or_else(|| "not to be shown".to_owned(), |price| price.to_string());
    checked.passed("price", format!("the pool's price is {shown}"));
    let orders = ledgers::whose_orders(app, &judged.in_force, (&exchange, &unit, lp_id), &verified, records);
    let orders = orders.await.map_err(at("owner"))?;
    if let (true, Some(sentence)) = (orders.own.is_empty(), orders.foreign_sentence()) {
        return Err(("owner", Refusal::new(WhoActs::Bot, sentence)));
    }
    checked.passed("owner", orders.foreign_sentence().unwrap_or_else(|| "they are the key's own".to_owned()));
    let sample = prepared.sample(&judged, &unit, &verified, &orders.own).map_err(at("orders"))?;
    let hourly = hourly(app, &judged.in_force, &exchange, sample).await.map_err(at("reward"))?;
    let total: u64 = hourly.iter().fold(0, |sum, order| sum.saturating_add(*order));
    let total = alp_pool::decimal::format_units(u128::from(total), 8);
    checked.passed("reward", format!("they would earn {total} an hour beside the samples of this round"));
    checked.orders = table(orders, &hourly);
    Ok(())
}

fn table(orders: OwnOrders, hourly: &[u64]) -> Vec<CheckedOrder> {
    let earning =
        |(place, record)| CheckedOrder { record, hourly_e8: Some(hourly.get(place).copied().unwrap_or(0)) };
    orders.own.into_iter().enumerate().map(earning).collect()
}

/// What each order would earn an hour, if the round ended with this sample and every one were like it. Floored.
async fn hourly(app: &App, in_force: &InForce, exchange: &str, sample: Sample) -> Result<Vec<u64>, Refusal> {
    let failed = |error: &dyn std::error::Error| {
        tracing::error!(error = %error, "a check could not compute a reward");
        Refusal::new(
            WhoActs::Operator,
            "what they earn cannot be computed at the moment; the pool's operator can see why",
        )
    };
    let length = in_force.config.pool.round;
    let round_seconds = u64::from(length.seconds()).max(1);
    let now_ms = app.store.clock_ms().await.map_err(|error| store_refusal(&error))?;
    let (lp_id, unit, terms_id) = (sample.lp_id, sample.unit.clone(), sample.terms_id.clone());
    let start = now_ms / 1_000;
    let start = start.saturating_sub(start.checked_rem(round_seconds).unwrap_or(0));
    let mut samples = app.store.samples(start).await.map_err(|error| store_refusal(&error))?;
    // Only those under the same rules: others are of a configuration that is over.
    samples.retain(|stored| {
        let same =
            stored.exchange == exchange && stored.sample.unit == unit && stored.sample.terms_id == terms_id;
        same && stored.sample.lp_id != lp_id
    });
    let start_ms = start.saturating_mul(1_000);
    let span = Span { start_ms, end_ms: start_ms.saturating_add(round_seconds.saturating_mul(1_000)) };
    let looks = Looks::new(sample.slices, Rule::Last, false);
    let slice = looks.map_or(0, |looks| looks.slice_of(span, now_ms));
    samples.push(StoredSample { exchange: exchange.to_owned(), submitted_at_ms: now_ms, slice, sample });
    let document = in_force.config.exchanges.get(exchange).and_then(|settings| settings.units.get(&unit));
    let document = document.map(|market| market.rules_at(start).document.clone()).unwrap_or_default();
    let documents = BTreeMap::from([(terms_id, document)]);
    let evidence: Vec<_> = samples.iter().map(evidence).collect();
    let (before, carried) = (&[], &[]);
    let round = RoundEvidence { start, length, samples: &evidence, before, carried, documents: &documents };
    let computed = compute_round(&round).map_err(|error| failed(&error))?;
    let Some(credited) = computed.credits.iter().find(|credited| credited.lp_id == lp_id) else {
        return Ok(Vec::new());
    };
    let hourly = |coins: &str| {
        let coins = alp_pool::money::Coins::parse(coins).map_or(0, alp_pool::money::Coins::e8);
        coins.saturating_mul(HOUR_S).checked_div(round_seconds).unwrap_or(0)
    };
    Ok(credited.detail.orders.iter().map(|coins| hourly(coins)).collect())
}

fn evidence(stored: &StoredSample) -> Evidence<'_> {
    Evidence {
        exchange: &stored.exchange,
        unit: &stored.sample.unit,
        lp_id: stored.sample.lp_id,
        submitted_at_ms: stored.submitted_at_ms,
        terms_id: &stored.sample.terms_id,
        ask_rate: stored.sample.ask_rate.as_deref(),
        bid_rate: stored.sample.bid_rate.as_deref(),
        orders: Shown::Json(&stored.sample.orders),
    }
}
