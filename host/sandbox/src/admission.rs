//! Who decides whether an adapter that loaded may serve. The sandbox asks; it knows none of the reasons.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::call::Adapter;

/// What becomes of an adapter that loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It serves from now on, in place of the one before.
    Serve,
    /// It is right but may not serve yet, for the reason given: a sentence for the operator, who has to act. The
    /// one before goes on serving.
    Wait(String),
    /// It is wrong, for the reason given: a sentence about what its author has to mend. The one before goes on
    /// serving.
    Refuse(String),
}

/// A verdict on its way.
pub type Judging<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// Something on its way that answers nothing.
pub type Noting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Decides about adapters. It is asked about each one that loads, and again about those that serve or wait when
/// [`crate::AdapterFolder::reconsider`] is called.
pub trait Admission: Send + Sync {
    /// Decides about one adapter.
    fn judge<'a>(&'a self, adapter: &'a Arc<Adapter>) -> Judging<'a>;

    /// Is told of an adapter that has begun to serve, with its component's bytes, so that they can be kept. Nothing
    /// that goes wrong here keeps it from serving.
    fn serves<'a>(&'a self, _adapter: &'a Arc<Adapter>, _component: &'a Arc<[u8]>) -> Noting<'a> {
        Box::pin(std::future::ready(()))
    }
}

/// Lets every adapter serve that loads: for programs that have no rules of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct AdmitAll;

impl Admission for AdmitAll {
    fn judge<'a>(&'a self, _adapter: &'a Arc<Adapter>) -> Judging<'a> {
        Box::pin(std::future::ready(Verdict::Serve))
    }
}
