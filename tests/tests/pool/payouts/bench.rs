//! A store with balances and a payer on it, whose clock only the test moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_pool::money::Coins;
use alp_pool::payout::{FeeBearer, Method, PayoutTerms, WalletTerms};
use alp_record::chain::{PoolKey, Verified, Verifier};
use alp_server::network::{BasicAuth, OutboundGrant};
use alp_server::payouts::{DAY_MS, Every, FailAt, Outcome, Payer, PayoutCommand, PayoutsConfig, StepError};
use alp_server::record::{Publisher, SharedPublisher, unpack};
use alp_store::{Acquired, Clock, EntryOf, Lease, Store, StoreOptions};
use tempfile::TempDir;

use super::credited;
use crate::books::assert_books;

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

/// The key that signs the record.
fn key() -> PoolKey {
    PoolKey::from_seed(&[42; 32]).unwrap()
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
        credited::take_samples(&store, lps).await;
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
        let file = self.folder.path().join("pool.db");
        alp_store::testing::run_statement(&format!("sqlite://{}", file.display()), sql).await;
    }

    pub(super) fn payer(&self, fail_at: FailAt) -> Payer {
        Payer::new(self.store.clone(), Arc::clone(&self.publisher), self.config.clone(), fail_at).unwrap()
    }

    pub(super) fn folder(&self) -> &std::path::Path {
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

    /// As [`Bench::run`], with a payer of its own that nothing stops.
    pub(super) async fn run_on(&self) -> Outcome {
        self.run(&self.payer(FailAt::default())).await.unwrap()
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

    /// The published record, checked from its first entry on: nothing is wrong in it.
    pub(super) async fn verified(&self) -> Verified {
        let mut verifier = Verifier::new(Some(key().public()));
        let head = self.store.record_head().await.unwrap().unwrap();
        for number in 0..=head.number {
            let (_, packed) = self.store.packed_entry(EntryOf::Number(number)).await.unwrap().unwrap();
            verifier.push(&unpack(&packed).unwrap());
        }
        let verified = verifier.finish();
        assert_eq!(verified.findings, []);
        verified
    }

    /// Whether the record says of each LP what the ledger says: what it is owed, and what payouts under way took that
    /// were not sent yet.
    pub(super) async fn assert_record_is_the_ledger(&self) {
        let mut reserved: BTreeMap<i64, i64> = BTreeMap::new();
        for payout in self.store.newest_payouts(1_000).await.unwrap() {
            if ["reserved", "prepared", "calling"].contains(&payout.stage.as_str()) {
                for entry in self.store.ledger_of_payout(payout.payout_id).await.unwrap() {
                    *reserved.entry(entry.lp_id).or_insert(0) -= entry.amount_e8;
                }
            }
        }
        let (verified, owing) = (self.verified().await, self.store.owing(0, 100).await.unwrap());
        let lp_ids: Vec<i64> = owing.iter().map(|lp| lp.lp_id).collect();
        let pseudonyms = self.publisher.pseudonyms(&self.store, &lp_ids).await.unwrap();
        for lp in &owing {
            let balance = verified.balances.get(&pseudonyms[&lp.lp_id]).copied().unwrap_or_default();
            assert_eq!(balance.credited_e8, i128::from(lp.credited_e8));
            let reserved_e8 = reserved.get(&lp.lp_id).copied().unwrap_or(0);
            assert_eq!(balance.owed_e8(), i128::from(lp.owed_e8 + reserved_e8), "LP {}", lp.lp_id);
        }
        assert!(verified.balances.len() <= owing.len(), "nobody else stands in the record");
    }

    /// Whether the books add up: what the wallet sent is what was taken from balances and not given back, and the record
    /// says the same.
    pub(super) async fn assert_books(&self, sent: &BTreeMap<String, u64>) {
        self.assert_record_is_the_ledger().await;
        assert_books(&self.store, sent).await;
    }
}
