//! A store with days of rounds and their record, and retention on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_pool::money::Coins;
use alp_pool::payout::{FeeBearer, Method, PayoutTerms, WalletTerms};
use alp_record::chain::{Body, Entry, LpRound, Opening, OwedByRecord, PoolKey, RoundBody, RoundCredit};
use alp_record::judged::RoundStatistics;
use alp_server::payouts::{DAY_MS, Every, FailAt, Outcome, Payer, PayoutsConfig};
use alp_server::record::{Publisher, SharedPublisher, unpack};
use alp_server::retention::{Retention, RetentionConfig, RetentionError, Step};
use alp_store::{
    Acquired, Clock, CreditEntry, EntryOf, Lease, Recorded, RegisterOutcome, RoundRecord, Sample, Store,
    StoreOptions,
};
use tempfile::TempDir;

/// Start of the first round, in Unix seconds.
const FIRST: u64 = 1_760_054_400;

/// A round a day.
const ROUND_SECONDS: u64 = 86_400;

/// How many of them.
const ROUNDS: u64 = 12;

/// Most steps that retention takes on this history.
const MOST_STEPS: usize = 200;

pub(super) const CONFIG: RetentionConfig =
    RetentionConfig { orders_days: Some(4), records_days: Some(7), credits_days: Some(5) };

/// Which database.
#[derive(Debug, Clone, Copy)]
pub(super) enum Database {
    Sqlite,
    Postgres,
}

pub(super) struct Bench {
    pub(super) store: Store,
    pub(super) lease: Lease,
    publisher: SharedPublisher,
    lps: Vec<i64>,
    now_ms: Arc<AtomicU64>,
    folder: TempDir,
}

impl Bench {
    /// Three LPs and twelve days. `None` where the database is not installed.
    pub(super) async fn open(database: Database) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Sqlite => format!("sqlite:{}", folder.path().join("pool.db").display()),
            Database::Postgres => alp_store::testing::postgres_database().await?,
        };
        let now_ms = Arc::new(AtomicU64::new(FIRST * 1000));
        let clock = Clock::Fixed(Arc::clone(&now_ms));
        let store = Store::open(StoreOptions { url, round_seconds: ROUND_SECONDS, clock }).await.unwrap();
        let digest = store.begin_configuration("{}").await.unwrap();
        let acquired = store.acquire_lease("rounds", "test", 3_600_000, &digest).await.unwrap();
        let Acquired::Granted(lease) = acquired else { panic!("{acquired:?}") };
        let key = PoolKey::from_seed(&[42; 32]).unwrap();
        let publisher = Arc::new(Publisher::open(&store, key).await.unwrap());
        let mut lps = Vec::new();
        for name in ["a", "b", "c"] {
            let registered = store.register("exchange", name, &format!("B{name}"), "btc").await.unwrap();
            let RegisterOutcome::Registered { lp_id } = registered else { panic!("{registered:?}") };
            lps.push(lp_id);
        }
        let bench = Self { store, lease, publisher, lps, now_ms, folder };
        for number in 0..ROUNDS {
            bench.round(number).await;
            // The record's balances are carried forward as the days go by, as in a pool that runs.
            if number < ROUNDS - 4 {
                let records = RetentionConfig { records_days: Some(36_500), ..RetentionConfig::default() };
                bench.run(&bench.retention(FailAt::default()), records).await.unwrap();
            }
        }
        Some(bench)
    }

    /// A round of a day: what each LP showed, what it was credited, and the entry that says so.
    async fn round(&self, number: u64) {
        let start = FIRST + number * ROUND_SECONDS;
        self.now_ms.store(start * 1000 + 5_000, Ordering::SeqCst);
        let terms_id = self.store.record_terms("{}").await.unwrap();
        // The last LP left after some days.
        let lps: Vec<i64> = self.lps.iter().copied().filter(|lp| *lp < 3 || number < 4).collect();
        for lp_id in &lps {
            self.store.submit(sample(*lp_id, &terms_id)).await.unwrap();
        }
        self.now_ms.store((start + ROUND_SECONDS) * 1000, Ordering::SeqCst);
        self.store.close_round(&self.lease, start).await.unwrap();
        let amount = |lp_id: i64| 100_000_007 * lp_id + i64::try_from(number).unwrap();
        let credits = lps.iter().map(|lp_id| CreditEntry {
            lp_id: *lp_id,
            unit: "btc".to_owned(),
            provided: "1".to_owned(),
            amount_e8: amount(*lp_id),
            detail: "{}".to_owned(),
        });
        let paid_e8 = lps.iter().map(|lp_id| amount(*lp_id)).sum();
        let (credits, statistics) = (credits.collect(), "{}".to_owned());
        let record = RoundRecord { round_start: start, credits, statistics, reward_e8: paid_e8, paid_e8 };
        let body = Body::Round(Box::new(body(start, lps.iter().map(|lp_id| (*lp_id, amount(*lp_id))))));
        let head = self.publisher.read_head(&self.store).await.unwrap();
        let (_, entry) = self.publisher.sign(&head, self.now_ms(), body).unwrap();
        let recorded = self.store.publish_round(&self.lease, &record, &entry).await.unwrap();
        assert_eq!(recorded, Recorded::Recorded);
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub(super) fn retention(&self, fail_at: FailAt) -> Retention {
        Retention::new(self.store.clone(), Arc::clone(&self.publisher), fail_at)
    }

    /// Steps until nothing is old enough. What was done.
    pub(super) async fn run(
        &self,
        retention: &Retention,
        config: RetentionConfig,
    ) -> Result<Vec<Step>, RetentionError> {
        let mut did = Vec::new();
        for _ in 0..MOST_STEPS {
            let step = retention.step(&self.lease, config, self.now_ms()).await?;
            if step == Step::Idle {
                return Ok(did);
            }
            did.push(step);
        }
        panic!("there is always more to forget");
    }

    /// Everything about money that can be asked for.
    pub(super) async fn money(&self) -> String {
        let mut told = format!("{:?}", self.store.owing(0, 10).await.unwrap());
        for user in ["a", "b", "c"] {
            let stats = self.store.stats_of(user).await.unwrap().unwrap();
            let owed = self.store.owed_to(user).await.unwrap();
            told.push_str(&format!("{} {} {owed:?}", stats.total_e8, stats.current_e8));
        }
        told
    }

    /// What is left of everything.
    pub(super) async fn left(&self) -> String {
        let carried = self.store.carried_credits(0).await.unwrap();
        let (oldest, head) =
            (self.store.oldest_record().await.unwrap(), self.store.record_head().await.unwrap());
        let samples = self.store.oldest_sample().await.unwrap();
        let mut kept = Vec::new();
        for number in 0..head.as_ref().unwrap().number {
            kept.push(self.store.packed_entry(EntryOf::Number(number)).await.unwrap().is_some());
        }
        let histories = [self.store.stats_of("a").await.unwrap(), self.store.stats_of("c").await.unwrap()];
        format!("{carried:?} {oldest} {head:?} {samples:?} {kept:?} {histories:?}")
    }

    /// What each LP is owed by the entries that are told, in 1e-8 of the coin, by rising LP.
    pub(super) async fn owed_by_record(&self) -> Vec<i64> {
        let mut owed = OwedByRecord::default();
        let head = self.store.record_head().await.unwrap().unwrap();
        for number in self.store.oldest_record().await.unwrap()..=head.number {
            let (_, packed) = self.store.packed_entry(EntryOf::Number(number)).await.unwrap().unwrap();
            owed.add(&Entry::read(&unpack(&packed).unwrap()).unwrap().body);
        }
        let Body::CarryForward(forward) = owed.carry_forward("", 10).unwrap().remove(0) else { panic!() };
        let of = |lp: &i64| {
            let pseudonym = opening(*lp).pseudonym("pool", "key");
            forward.lps.iter().find(|amount| amount.lp == pseudonym).map_or(0, |amount| amount.amount_e8)
        };
        self.lps.iter().map(of).collect()
    }

    /// Pays everybody by hand, a day later: each payout's outputs.
    pub(super) async fn planned(&self) -> Vec<Vec<(String, i64)>> {
        let coins = |text: &str| Coins::parse(text).unwrap();
        let config = PayoutsConfig {
            pool_id: "test".into(),
            method: Method::Manual,
            wallet: None,
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
            folder: self.folder.path().join("payouts"),
        };
        let payer =
            Payer::new(self.store.clone(), Arc::clone(&self.publisher), config, FailAt::default()).unwrap();
        payer.step(&self.lease, self.now_ms()).await.unwrap();
        let planned = payer.step(&self.lease, self.now_ms() + DAY_MS).await.unwrap();
        assert!(matches!(planned, Outcome::Planned(2)), "{planned:?}");
        self.store.newest_payouts(10).await.unwrap().into_iter().map(|payout| payout.outputs).collect()
    }
}

fn sample(lp_id: i64, terms_id: &str) -> Sample {
    Sample {
        lp_id,
        unit: "btc".to_owned(),
        price: "{}".to_owned(),
        terms_id: terms_id.to_owned(),
        adapter_sha256: "a".repeat(64),
        reply_sha256: "b".repeat(64),
        maybe_truncated: false,
        slices: 1,
        ask_rate: None,
        bid_rate: None,
        orders: "[]".to_owned(),
        order_count: 0,
    }
}

fn opening(lp_id: i64) -> Opening {
    Opening::new([u8::try_from(lp_id).unwrap(); 16])
}

/// A round of which nothing matters but what each LP is credited.
fn body(start: u64, credited: impl Iterator<Item = (i64, i64)>) -> RoundBody {
    let lps = credited.map(|(lp_id, amount_e8)| LpRound {
        lp: opening(lp_id).pseudonym("pool", "key"),
        before: Vec::new(),
        samples: Vec::new(),
        credits: vec![RoundCredit {
            exchange: "exchange".to_owned(),
            unit: "btc".to_owned(),
            provided: "1".to_owned(),
            amount: Coins::from_e8(u64::try_from(amount_e8).unwrap()).unwrap().to_string(),
            orders: Vec::new(),
            earlier: Vec::new(),
        }],
    });
    RoundBody {
        start,
        seconds: u32::try_from(ROUND_SECONDS).unwrap(),
        terms: Vec::new(),
        prices: Vec::new(),
        reward: "0".to_owned(),
        paid: "0".to_owned(),
        carried: Vec::new(),
        statistics: RoundStatistics::default(),
        lps: lps.collect(),
    }
}
