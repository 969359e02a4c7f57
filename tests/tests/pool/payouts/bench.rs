//! A store with balances and a payer on it, whose clock only the test moves.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_pool::money::Coins;
use alp_pool::payout::{FeeBearer, Method, PayoutTerms, WalletTerms};
use alp_server::network::{BasicAuth, OutboundGrant};
use alp_server::payouts::{DAY_MS, Every, FailAt, Outcome, Payer, PayoutCommand, PayoutsConfig, StepError};
use alp_server::record::{Publisher, SharedPublisher};
use alp_store::{Acquired, Clock, Lease, Store, StoreOptions};
use tempfile::TempDir;

use crate::books::{self, key};
use crate::credited;

/// Start of the one round, in Unix seconds.
const ROUND: u64 = 1_760_000_040;

/// Most steps that any payout takes.
const MOST_STEPS: usize = 100;

/// Which database.
#[derive(Debug, Clone, Copy)]
pub(super) enum Database {
    Sqlite,
    Postgres,
}

pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) publisher: SharedPublisher,
    pub(super) lease: Lease,
    pub(super) config: PayoutsConfig,
    now_ms: Arc<AtomicU64>,
    folder: TempDir,
}

async fn lead(store: &Store) -> Lease {
    let digest = store.begin_configuration("{}").await.unwrap();
    match store.acquire_lease("rounds", "test", 3_600_000, &digest).await.unwrap() {
        Acquired::Granted(lease) => lease,
        held @ Acquired::HeldBy { .. } => panic!("{held:?}"),
    }
}

pub(super) fn coins(text: &str) -> Coins {
    Coins::parse(text).unwrap()
}

impl Bench {
    /// LPs by key and address with what they were credited, in 1e-8. `None` where the database is not installed.
    pub(super) async fn open(
        database: Database,
        method: Method,
        wallet: &str,
        lps: &[(&str, &str, i64)],
    ) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("pool.db").display()),
            Database::Postgres => alp_store::testing::postgres_database().await?,
        };
        let now_ms = Arc::new(AtomicU64::new((ROUND + 1) * 1000));
        let clock = Clock::Fixed(Arc::clone(&now_ms));
        let store = Store::open(StoreOptions { url, round_seconds: 60, clock }).await.unwrap();
        let lease = lead(&store).await;
        credited::take_samples(&store, 60, lps).await;
        now_ms.store((ROUND + 60) * 1000, Ordering::SeqCst);
        let publisher = Arc::new(Publisher::open(&store, key()).await.unwrap());
        credited::run(&store, &publisher, &lease, ROUND, lps).await;
        let auth = BasicAuth { user: "alp".into(), password: "secret".into() };
        let config = PayoutsConfig {
            pool_id: "test".into(),
            method,
            wallet: (method != Method::Manual)
                .then(|| OutboundGrant::post(wallet).unwrap().with_basic_auth(auth)),
            terms: PayoutTerms {
                minimum: coins("1"),
                fee: FeeBearer::Address(coins("0.01")),
                hold_above: None,
                daily_ceiling: None,
            },
            wallet_terms: WalletTerms::new(coins("0.0001"), coins("0.01"), 2).unwrap(),
            every: Every { period_ms: DAY_MS, offset_ms: 0 },
            confirmations: 2,
            low_below: None,
            timeout: std::time::Duration::from_secs(120),
            folder: folder.path().join("payouts"),
        };
        Some(Self { store, publisher, lease, config, now_ms, folder })
    }

    /// Begins to lead once more, as a server does that was started again.
    pub(super) async fn lead_again(&mut self) {
        self.lease = lead(&self.store).await;
    }

    /// Runs a statement on the database, as another hand would. Only for a file.
    pub(super) async fn statement(&self, sql: &str) {
        alp_store::testing::run_statement(&format!("sqlite://{}", self.file().display()), sql).await;
    }

    /// A copy of the database as it is now. Only for a file.
    pub(super) async fn copy(&self) -> PathBuf {
        let copy = self.folder.path().join("copy.db");
        self.statement(&format!("VACUUM INTO '{}'", copy.display())).await;
        copy
    }

    /// Puts a copy in the database's place, with nobody told of it, and goes on with that.
    pub(super) async fn put_back(&mut self, copy: &Path) {
        self.store.close().await;
        fs::copy(copy, self.file()).unwrap();
        let url = format!("sqlite:{}", self.file().display());
        let clock = Clock::Fixed(Arc::clone(&self.now_ms));
        self.store = Store::open(StoreOptions { url, round_seconds: 60, clock }).await.unwrap();
        self.publisher = Arc::new(Publisher::open(&self.store, key()).await.unwrap());
        self.lead_again().await;
    }

    pub(super) fn payer(&self, fail_at: FailAt) -> Payer {
        Payer::new(self.store.clone(), Arc::clone(&self.publisher), self.config.clone(), fail_at).unwrap()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub(super) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Steps until there is nothing to do at once.
    pub(super) async fn run(&self, payer: &Payer) -> Result<Outcome, StepError> {
        for _ in 0..MOST_STEPS {
            let outcome = payer.step(&self.lease, self.now_ms()).await?;
            if !outcome.goes_on() {
                return Ok(outcome);
            }
        }
        panic!("payouts go on for ever");
    }

    /// Steps until a payout is in a stage.
    pub(super) async fn until(&self, stage: &str) {
        let payer = self.payer(FailAt::default());
        while !self.stages().await.contains(&stage.to_owned()) {
            let outcome = payer.step(&self.lease, self.now_ms()).await.unwrap();
            assert!(outcome.goes_on(), "{outcome:?}");
        }
    }

    /// As [`Bench::run`], with a payer of its own that nothing stops.
    pub(super) async fn run_on(&self) -> Outcome {
        self.run(&self.payer(FailAt::default())).await.unwrap()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("pool.db")
    }

    /// The first step only notes that payouts begin; a day later they are due.
    pub(super) async fn begin(&self) {
        assert!(matches!(self.run_on().await, Outcome::Idle { .. }));
        self.pass(DAY_MS);
    }

    pub(super) async fn order(&self, command: PayoutCommand) -> Result<String, String> {
        self.payer(FailAt::default()).obey(Some(&self.lease), command).await
    }

    /// What each LP is owed, in 1e-8, by its key's order.
    pub(super) async fn owed(&self) -> Vec<i64> {
        self.store.owing(0, 100).await.unwrap().iter().map(|lp| lp.owed_e8).collect()
    }

    /// How far each payout is, oldest first.
    pub(super) async fn stages(&self) -> Vec<String> {
        let mut stages: Vec<String> =
            self.store.newest_payouts(100).await.unwrap().into_iter().map(|payout| payout.stage).collect();
        stages.reverse();
        stages
    }

    /// Whether the record says of each LP what the ledger says.
    pub(super) async fn assert_record_is_the_ledger(&self) {
        books::assert_record_is_the_ledger(&self.store).await;
    }

    /// Whether the books add up: what the wallet sent is what was taken from balances and not given back, and the record
    /// says the same.
    pub(super) async fn assert_books(&self, sent: &BTreeMap<String, u64>) {
        self.assert_record_is_the_ledger().await;
        books::assert_books(&self.store, sent).await;
    }
}
