//! A store with balances and a payer on it, whose clock only the test moves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_pool::money::Coins;
use alp_pool::payout::{FeeBearer, Method, PayoutTerms, WalletTerms};
use alp_server::network::{BasicAuth, OutboundGrant};
use alp_server::payouts::{DAY_MS, Every, FailAt, Outcome, Payer, PayoutCommand, PayoutsConfig, StepError};
use alp_store::{Acquired, Clock, CreditEntry, Lease, RegisterOutcome, RoundRecord, Store, StoreOptions};
use tempfile::TempDir;

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
    pub(super) lease: Lease,
    pub(super) config: PayoutsConfig,
    now_ms: Arc<AtomicU64>,
    folder: TempDir,
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
        let now_ms = Arc::new(AtomicU64::new((ROUND + 60) * 1000));
        let clock = Clock::Fixed(Arc::clone(&now_ms));
        let store = Store::open(StoreOptions { url, round_seconds: 60, clock }).await.unwrap();
        let digest = store.begin_configuration("{}").await.unwrap();
        let acquired = store.acquire_lease("rounds", "test", 3_600_000, &digest).await.unwrap();
        let Acquired::Granted(lease) = acquired else { panic!("{acquired:?}") };
        let mut credits = Vec::new();
        for (key, address, amount_e8) in lps {
            let registered = store.register("exchange", key, address, "btc").await.unwrap();
            let RegisterOutcome::Registered { lp_id } = registered else { panic!("{registered:?}") };
            let (unit, provided) = ("btc".to_owned(), "1".to_owned());
            credits.push(CreditEntry { lp_id, unit, provided, amount_e8: *amount_e8, detail: String::new() });
        }
        store.close_round(&lease, ROUND).await.unwrap();
        let paid_e8 = lps.iter().map(|(_, _, amount_e8)| amount_e8).sum();
        let statistics = "{}".to_owned();
        let record = RoundRecord { round_start: ROUND, credits, statistics, reward_e8: paid_e8, paid_e8 };
        store.record_round(&lease, &record).await.unwrap();
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
        Some(Self { store, lease, config, now_ms, folder })
    }

    pub(super) fn payer(&self, fail_at: FailAt) -> Payer {
        Payer::new(self.store.clone(), self.config.clone(), fail_at).unwrap()
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

    /// Whether the books add up: what the wallet sent is what was taken from balances and not given back.
    pub(super) async fn assert_books(&self, sent: &BTreeMap<String, u64>) {
        assert_books(&self.store, sent).await;
    }
}
