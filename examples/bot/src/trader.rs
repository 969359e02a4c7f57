//! Whoever keeps the orders that are to be rewarded.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;

/// Keeps orders in an exchange's book.
pub trait Trader: Send {
    /// What can go wrong.
    type Error: Error + Send + Sync + 'static;

    /// Looks at the market once and puts the orders where they belong.
    fn look(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Takes all orders back.
    fn cancel_all(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A trader without orders: for those whose orders are kept by another program.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOrders;

impl Trader for NoOrders {
    type Error = Infallible;

    async fn look(&mut self) -> Result<(), Infallible> {
        Ok(())
    }

    async fn cancel_all(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
