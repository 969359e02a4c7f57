//! Retention: what is older than the operator keeps it is forgotten, little by little, by the server that leads.
//!
//! [`Retention::step`] does one step, which is one transaction or the reading of a few entries. Whatever is deleted is part
//! of a sum before or at the same moment, and a step that was broken off is done again, so being killed anywhere does
//! no harm. Never forgotten are registrations, rounds with their statistics, payouts, corrections, and reward rules.

mod carry;
mod running;

use std::sync::Mutex;

use alp_record::chain::{EntryError, TooMuchOwed};
use alp_store::{
    Forgot, Lease, MAX_CREDITS_CARRIED, MAX_ORDERS_FORGOTTEN, MAX_RECORDS_FORGOTTEN, Store, StoreError,
};
use thiserror::Error;

use crate::fail_at::{FailAt, Stopped};
use crate::record::{PackError, PublishError, SharedPublisher};
use carry::Counted;

pub use running::{retention, retention_once};

/// Milliseconds of a day.
pub const DAY_MS: u64 = 86_400_000;

/// For how many days what is kept; for ever where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Samples, and how each credit came about order by order.
    pub orders_days: Option<u64>,
    /// Entries of the published record.
    pub records_days: Option<u64>,
    /// Credits. Older ones are summed up for each LP and unit.
    pub credits_days: Option<u64>,
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing is old enough.
    Idle,
    /// So many samples and accounts of credits were forgotten.
    Orders(u64),
    /// So many credits were carried forward.
    Credits(u64),
    /// So many entries of the record were added up, to carry their balances forward.
    Counted(u64),
    /// An entry was published that carries balances forward.
    Carried,
    /// So many entries of the record were deleted.
    Records(u64),
}

/// Forgets what is old.
#[derive(Debug)]
pub struct Retention {
    store: Store,
    publisher: SharedPublisher,
    fail_at: FailAt,
    /// What was added up of the record since balances were last carried forward.
    counted: Mutex<Option<Counted>>,
}

impl Retention {
    /// For a pool with this record.
    #[must_use]
    pub fn new(store: Store, publisher: SharedPublisher, fail_at: FailAt) -> Self {
        Self { store, publisher, fail_at, counted: Mutex::default() }
    }

    /// Does the next thing that is to be done at this time, in Unix milliseconds by the database's clock.
    ///
    /// # Errors
    /// [`RetentionError`]. What was done stands, and the next step goes on from it.
    pub async fn step(
        &self,
        lease: &Lease,
        config: RetentionConfig,
        now_ms: u64,
    ) -> Result<Step, RetentionError> {
        let before_s = |days: u64| now_ms.saturating_sub(days.saturating_mul(DAY_MS)) / 1_000;
        if let Some(days) = config.orders_days {
            let forget = self.store.forget_orders(lease, before_s(days), MAX_ORDERS_FORGOTTEN);
            if let Some(rows) = some(self.written("forget orders", forget).await?) {
                return Ok(Step::Orders(rows));
            }
        }
        if let Some(days) = config.credits_days {
            let carry = self.store.carry_credits(lease, before_s(days), MAX_CREDITS_CARRIED);
            if let Some(rows) = some(self.written("carry credits forward", carry).await?) {
                return Ok(Step::Credits(rows));
            }
        }
        let Some(days) = config.records_days else { return Ok(Step::Idle) };
        let until_ms = now_ms.saturating_sub(days.saturating_mul(DAY_MS));
        if let Some((number, _)) = self.store.newest_carried(until_ms).await? {
            let forget = self.store.forget_records(lease, number, MAX_RECORDS_FORGOTTEN);
            if let Some(rows) = some(self.written("forget entries", forget).await?) {
                return Ok(Step::Records(rows));
            }
        }
        self.carry_record(lease, days, now_ms).await
    }

    /// A write, between two points at which a test may stop.
    async fn written<T>(
        &self,
        step: &str,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, RetentionError> {
        Ok(self.fail_at.around(step, write).await??)
    }
}

fn some(forgot: Forgot) -> Option<u64> {
    (forgot.rows > 0).then_some(forgot.rows)
}

/// Why a step broke off. The operator's.
#[derive(Debug, Error)]
pub enum RetentionError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// An entry of the record cannot be unpacked or packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// An entry of the record was changed by another hand.
    #[error("entry {number} of the record in the database is not as it was written")]
    Entry {
        /// Its number.
        number: u64,
        /// What is wrong with it.
        source: EntryError,
    },
    /// An entry of the record is not there.
    #[error("entry {number} of the record is missing in the database; restore a backup")]
    Missing {
        /// Its number.
        number: u64,
    },
    /// A sum left its range.
    #[error(transparent)]
    TooMuchOwed(#[from] TooMuchOwed),
    /// The work was broken off, as it is when the program ends.
    #[error("adding up the record was broken off")]
    Interrupted,
    /// A test stopped the step.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}
