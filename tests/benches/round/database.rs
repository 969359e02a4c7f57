//! A pool's database on the disk, with a clock that moves from round to round.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alp_record::chain::PoolKey;
use alp_server::fail_at::FailAt;
use alp_server::record::{Publisher, SharedPublisher};
use alp_server::rounds::{RoundOutcome, run_round};
use alp_store::{Acquired, Clock, Lease, MAX_LEASE_MS, RegisterOutcome, Store, StoreError, StoreOptions};
use futures_util::future::join_all;

use crate::market::{EXCHANGE, Market, UNIT};

/// The start of the first round, in Unix seconds.
pub(crate) const FIRST_ROUND: u64 = 1_760_000_040;

/// The length of a round, in seconds.
pub(crate) const ROUND_SECONDS: u64 = 60;

/// An open database.
pub(crate) struct Database {
    pub(crate) store: Store,
    lease: Lease,
    publisher: SharedPublisher,
    now_ms: Arc<AtomicU64>,
    lp_ids: Vec<i64>,
    next_round: u64,
}

/// How long the two parts of a round took.
pub(crate) struct Timed {
    /// Taking the samples.
    pub(crate) submit: Duration,
    /// From closing the round to its last credit.
    pub(crate) round: Duration,
}

impl Database {
    /// Opens the database in a folder, or makes it, and registers the market's LPs.
    pub(crate) async fn open(folder: &Path, market: &Market) -> Result<Self, StoreError> {
        let now_ms = Arc::new(AtomicU64::new(FIRST_ROUND * 1000));
        let url = format!("sqlite:{}", folder.join("pool.db").display());
        let clock = Clock::Fixed(Arc::clone(&now_ms));
        let store = Store::open(StoreOptions { url, round_seconds: ROUND_SECONDS, clock }).await?;
        store.record_terms(&market.unit.rules.document).await?;
        let registered =
            join_all(market.lps.iter().map(|lp| store.register(EXCHANGE, &lp.key, &lp.address, UNIT))).await;
        let mut lp_ids = Vec::with_capacity(registered.len());
        for outcome in registered {
            match outcome? {
                RegisterOutcome::Registered { lp_id } | RegisterOutcome::AlreadyRegistered { lp_id } => {
                    lp_ids.push(lp_id);
                }
                RegisterOutcome::OtherAddress { address } => panic!("registered with {address}"),
            }
        }
        let last = store.pool_status().await?.last_credit;
        let next_round = last.map_or(FIRST_ROUND, |last| last.round_start + ROUND_SECONDS);
        let digest = store.begin_configuration("{}").await?;
        // Longer than any benchmark's rounds by the clock of the store, which nobody else reads.
        let lease = match store.acquire_lease("rounds", "benchmark", MAX_LEASE_MS, &digest).await? {
            Acquired::Granted(lease) => lease,
            Acquired::HeldBy { holder, .. } => panic!("{holder} leads"),
        };
        let key = PoolKey::from_seed(&[42; 32]).unwrap();
        let publisher = Arc::new(Publisher::open(&store, key).await.unwrap());
        Ok(Self { store, lease, publisher, now_ms, lp_ids, next_round })
    }

    /// The start of the round that comes next, in Unix seconds.
    pub(crate) fn next_round(&self) -> u64 {
        self.next_round
    }

    /// Takes a sample of each of the first `lps` LPs, and then runs the round.
    ///
    /// # Panics
    /// If not every one of them is credited.
    pub(crate) async fn round(&mut self, market: &Market, lps: usize) -> Timed {
        let start = self.next_round;
        self.next_round += ROUND_SECONDS;
        self.now_ms.store(start * 1000 + 5_000, Ordering::SeqCst);
        let samples: Vec<_> =
            self.lp_ids.iter().enumerate().take(lps).map(|(lp, id)| market.sample(lp, *id)).collect();
        let began = Instant::now();
        for placed in join_all(samples.into_iter().map(|sample| self.store.submit(sample))).await {
            assert_eq!(placed.unwrap().round_start, start);
        }
        let submit = began.elapsed();
        self.now_ms.store((start + ROUND_SECONDS) * 1000 + 1_000, Ordering::SeqCst);
        let began = Instant::now();
        let outcome =
            run_round(&self.store, &self.publisher, &self.lease, start, &FailAt::default()).await.unwrap();
        let round = began.elapsed();
        match outcome {
            RoundOutcome::Credited { credits, paid } => {
                assert!(credits == lps && paid.e8() > 0, "{credits} of {lps} LPs were credited {paid}");
            }
            RoundOutcome::AlreadyCredited => panic!("the round had been credited before"),
        }
        Timed { submit, round }
    }

    /// Closes it.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}
