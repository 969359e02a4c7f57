//! A trader for the simulated exchange: a few orders on either side of the exchange's own price.
//!
//! It cancels everything and places anew when the price moves, and now and then without a reason, as real bots
//! seem to do.

mod client;
mod plan;
mod proof;

use std::ops::RangeInclusive;
use std::sync::Arc;

pub use client::{ExchangeAccess, TRADE_TIMEOUT_MS, TradeError};
pub use plan::{Level, MAX_LEVELS, PRICE_SCALE, Plan, PlanError};
pub use proof::SimulatedProofOrders;

use crate::nonce::{Clock, Nonces};
use crate::random::Random;
use crate::trader::Trader;
use client::ExchangeClient;

/// Keeps a plan's orders in the book of the simulated exchange.
pub struct SimulatedTrader {
    client: ExchangeClient,
    plan: Plan,
    restless_ms: Option<RangeInclusive<u64>>,
    clock: Clock,
    random: Random,
    standing: Option<Standing>,
}

/// The orders in the book.
struct Standing {
    /// The price they were placed around, as the exchange wrote it.
    price: String,
    /// When they are moved though the price stands still, Unix milliseconds.
    move_at_ms: u64,
}

impl SimulatedTrader {
    /// A trader with this plan. `nonces` is the one source of the key's nonces, in milliseconds.
    ///
    /// `restless_ms` is for how long orders stand at least and at most before they are moved without a reason;
    /// without it they move with the price alone.
    ///
    /// # Errors
    /// If the machine cannot do HTTP at all.
    pub fn new(
        access: ExchangeAccess,
        plan: Plan,
        restless_ms: Option<RangeInclusive<u64>>,
        nonces: Arc<Nonces>,
        clock: Clock,
        random: Random,
    ) -> Result<Self, TradeError> {
        let client = ExchangeClient::new(access, nonces, Arc::clone(&clock))?;
        Ok(Self { client, plan, restless_ms, clock, random, standing: None })
    }

    fn next_move_ms(&self, now_ms: u64) -> u64 {
        let Some(range) = &self.restless_ms else {
            return u64::MAX;
        };
        let width = range.end().saturating_sub(*range.start()).saturating_add(1);
        let extra = (self.random)().checked_rem(width).unwrap_or_default();
        now_ms.saturating_add(*range.start()).saturating_add(extra)
    }
}

impl Trader for SimulatedTrader {
    type Error = TradeError;

    async fn look(&mut self) -> Result<(), TradeError> {
        let price = self.client.price().await?;
        let now_ms = (self.clock)();
        let stands = self.standing.as_ref();
        if stands.is_some_and(|stands| stands.price == price && now_ms < stands.move_at_ms) {
            return Ok(());
        }
        // Until all are placed nothing is known to stand, so that a failure half-way begins anew.
        self.standing = None;
        let orders = self.plan.orders(&price)?;
        self.client.cancel_all().await?;
        for order in &orders {
            self.client.place(order).await?;
        }
        let move_at_ms = self.next_move_ms(now_ms);
        self.standing = Some(Standing { price, move_at_ms });
        Ok(())
    }

    async fn cancel_all(&mut self) -> Result<(), TradeError> {
        self.standing = None;
        self.client.cancel_all().await
    }
}
