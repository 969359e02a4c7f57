//! The memory of the pool: who is registered, what was verified in each round, and what each round credited.
//! Knows no rule of the pool, no HTTP and no exchange; prices, orders and statistics pass through it as text.
//!
//! The database is SQLite, for one server, or PostgreSQL, for any number. Samples and registrations are written
//! together, in transactions that are durable before they are answered; what reads uses connections that cannot
//! write. SQL is the part that databases share; `dialect` holds the rest.
//!
//! Where several servers write, transactions are read committed: each statement sees what was committed before
//! it. So whatever a decision rests on is held by a row lock first and read afterwards: the round that samples go
//! into (`edge`), the right to run rounds (`leases`), and whatever numbers rows (`writer`). Deadlocks and
//! serialisation failures, after which the database has undone a transaction, are tried again a few times.

mod alp_server;
mod clock;
mod configuration;
mod credited;
mod credits;
mod dialect;
mod earlier;
mod edge;
mod error;
mod freshness;
mod imports;
mod leases;
mod lps;
mod open;
mod openings;
mod owners;
mod payouts;
mod place;
mod prices;
mod proof;
mod records;
mod refusals;
mod restored;
mod retention;
mod rounds;
mod rows;
mod samples;
mod shown;
mod snapshot;
mod statistics;
mod terms;
#[cfg(feature = "testing")]
pub mod testing;
mod writer;

use std::fmt;
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::lps::RegisteredLps;
use crate::writer::{Job, WriteConnection};

pub use crate::alp_server::{
    AlpServerDatabase, Fingerprint, OldCredit, OldReader, OldSession, OldState, OldUser, TAKEN_CONSTRAINT,
    Taken, Unpaid,
};
pub use crate::clock::Clock;
pub use crate::configuration::{ConfigurationInForce, MAX_CONFIGURATION_BYTES};
pub use crate::credited::{CreditedSample, MAX_CREDITED_PAGE, MAX_CREDITED_PAGES};
pub use crate::credits::{Balance, CreditEntry, MAX_BALANCES_PAGE, MAX_DETAIL_BYTES};
pub use crate::earlier::NewestOrders;
pub use crate::error::{Cause, StoreError};
pub use crate::freshness::{Submitted, UsedRequest, Uses};
pub use crate::imports::{
    Entered, IMPORTED_BY, ImportHold, ImportRow, MAX_IMPORTED, MAX_REPORT_BYTES, NewHold, NewImport, NewLp,
};
pub use crate::leases::{Acquired, Lease, MAX_LEASE_MS};
pub use crate::lps::{Lp, RegisterOutcome, RegisteredAt};
pub use crate::open::StoreOptions;
pub use crate::openings::KnownOpening;
pub use crate::owners::{Claim, Owned};
pub use crate::payouts::{
    AccountOfUser, AddressMark, AdoptedPayout, Alarm, Approval, CreditedUntil, Foreign, ForgottenCredits,
    LedgerEntry, MAX_NEW_PAYOUTS, MAX_NOTE_BYTES, MAX_PAYOUT_OUTPUTS, MAX_PAYOUTS_PAGE, MAX_STATEMENT_BOUNDS,
    MAX_STATEMENT_CHANGES, MAX_TRANSACTION_BYTES, NewCorrection, NewPayout, Owing, PayoutChange, PayoutDebit,
    PayoutEvent, PayoutOutput, PayoutRow, PayoutSchedule, Published, PublishedChange, Unpublished,
    UserPayout,
};
pub use crate::place::{check_postgres_url, postgres_url_for_programs, postgres_url_with_password};
pub use crate::prices::{MAX_QUOTES, Quote};
pub use crate::proof::{
    AddressRecord, Challenge, Issued, MAX_ADDRESSES_PAGE, Met, NewAddressRecord, NewChallenge,
};
pub use crate::records::{
    Appended, EntryOf, MAX_HEADER_BYTES, MAX_PACKED_BYTES, MAX_RECORDS_PAGE, NewEntry, RecordHead,
};
pub use crate::refusals::{Became, MAX_REFUSALS, MAX_REFUSED_AT_ONCE, MAX_SENTENCE_BYTES, Refusal, Refused};
pub use crate::restored::{Restore, begin_restore, empty_database};
pub use crate::retention::{
    CarriedCredits, Forgot, MAX_CREDITS_CARRIED, MAX_ORDERS_FORGOTTEN, MAX_RECORDS_FORGOTTEN,
};
pub use crate::rounds::{
    Closed, MAX_CREDITS, MAX_GAPS_LOOKBACK, MAX_STATISTICS_BYTES, MAX_UNFINISHED, Recorded, RoundRecord,
};
pub use crate::samples::{MAX_ORDERS_BYTES, MAX_PRICE_BYTES, Placed, Sample, StoredSample};
pub use crate::shown::ShownSample;
pub use crate::snapshot::{
    AuditedPayout, Contents, CreditLine, Forgotten, MAX_LINES, PublishedEntry, RoundLine, Snapshot,
    copy_file, file_of,
};
pub use crate::statistics::{
    Credit, CreditedRound, HISTORY_ROUNDS, LastCredit, MAX_USER_SAMPLES, PoolStatus, UserRound, UserSample,
    UserStats,
};
pub use crate::terms::MAX_TERMS_BYTES;

/// The pool's database. Cheap to clone; all clones share the same connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) write: Arc<WriteConnection>,
    pub(crate) reader: AnyPool,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) writer: Mutex<Option<JoinHandle<()>>>,
    pub(crate) registered: RegisteredLps,
}

impl Store {
    /// How many durable transactions were committed since the store was opened.
    pub fn commits(&self) -> u64 {
        self.shared.write.commits()
    }

    /// Writes what was sent before this call, answers it, and closes the database. Later calls of other
    /// functions get [`StoreError::Closed`].
    pub async fn close(&self) {
        let mut writer = self.shared.writer.lock().await;
        if let Some(task) = writer.take() {
            // If the queue is gone, so is the task, and there is nothing to wait for.
            if self.shared.jobs.send(Job::Stop).await.is_ok()
                && let Err(error) = task.await
            {
                tracing::error!(%error, "the task that writes ended early");
            }
        }
        self.shared.reader.close().await;
        self.shared.write.close().await;
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Store").finish_non_exhaustive()
    }
}

/// A connection out of a pool.
pub(crate) async fn connection(of: &AnyPool) -> Result<PoolConnection<Any>, StoreError> {
    Ok(of.acquire().await?)
}
