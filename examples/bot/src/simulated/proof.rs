//! The one order that proves an address, at the simulated exchange: a sell order at twice the price.

use std::sync::Arc;

use super::client::{ExchangeAccess, ExchangeClient, TradeError};
use super::plan::PlannedOrder;
use super::plan::doubled;
use crate::nonce::{Clock, Nonces};
use crate::prove::ProofOrders;

/// Places and takes back the order of a proof.
pub struct SimulatedProofOrders {
    client: ExchangeClient,
}

impl SimulatedProofOrders {
    /// For this account. `nonces` is the one source of the key's nonces, in milliseconds.
    ///
    /// # Errors
    /// If the machine cannot do HTTP at all.
    pub fn new(access: ExchangeAccess, nonces: Arc<Nonces>, clock: Clock) -> Result<Self, TradeError> {
        Ok(Self { client: ExchangeClient::new(access, nonces, clock)? })
    }
}

impl ProofOrders for SimulatedProofOrders {
    type Error = TradeError;

    async fn show(&mut self, amount: &str) -> Result<String, TradeError> {
        let price = doubled(&self.client.price().await?)?;
        self.client.place(&PlannedOrder { side: "sell", price, amount: amount.to_owned() }).await
    }

    async fn take_back(&mut self, id: &str) -> Result<(), TradeError> {
        self.client.cancel(id).await
    }
}
