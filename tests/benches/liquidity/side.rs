//! One of the two that are compared.

use std::net::SocketAddr;

/// A server under load.
pub(crate) struct Side {
    /// What it is called in the results.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
}
