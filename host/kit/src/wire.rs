//! What the kit leaves to the program it is part of: holding requests against what was granted, and sending them.

use std::future::Future;
use std::pin::Pin;

use alp_adapter::testing::Http;
use alp_sandbox::types::{Description, Reply, Request};

/// A reply on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Reply, String>> + Send + 'a>>;

/// The pool's own way from an adapter's request to the exchange. The kit judges adapters by the rules of the pool
/// that will run them, so it is given these rules rather than having its own.
pub trait Wire: Send + Sync {
    /// Holds a request against the calls that the adapter declares, and puts it together. `endpoint` is the origin
    /// that an operator would configure in place of the adapter's own.
    ///
    /// # Errors
    /// In which respect it is none of the declared calls: one sentence without values.
    fn prepare(
        &self,
        description: &Description,
        endpoint: Option<&str>,
        request: &Request,
    ) -> Result<Http, String>;

    /// Does the same and sends it, once.
    ///
    /// # Errors
    /// What happened, in one sentence without the address, which may carry a signature.
    fn send<'a>(
        &'a self,
        description: &'a Description,
        endpoint: Option<&'a str>,
        request: &'a Request,
    ) -> Sending<'a>;
}
