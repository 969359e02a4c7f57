//! A store of one's own, with a clock that stands still until it is moved.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_store::{
    Acquired, Clock, Closed, CreditEntry, Lease, NewEntry, RecordHead, Recorded, RegisterOutcome,
    RoundRecord, Sample, Store, StoreOptions,
};
use tempfile::TempDir;

/// The length of a round in every test.
pub(crate) const ROUND_SECONDS: u64 = 60;

/// Start of the round in which every test begins.
pub(crate) const FIRST_ROUND: u64 = 1_760_000_040;

/// A store with a database of its own, which it leads.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) terms_id: String,
    pub(crate) lease: Lease,
    now_ms: Arc<AtomicU64>,
    url: String,
    _folder: Option<TempDir>,
}

/// The lease of every test, for as long as a test can last.
const LEASE_MS: u64 = 30_000;

/// The configuration of every test.
pub(crate) const CONFIGURATION: &str = r#"{"markets":[]}"#;

/// A store in a file.
pub(crate) async fn open_on_sqlite() -> Option<TestStore> {
    Some(open_on_a_file().await)
}

/// A store in a database of a PostgreSQL cluster, if that is installed.
pub(crate) async fn open_on_postgres() -> Option<TestStore> {
    let url = alp_store::testing::postgres_database().await?;
    Some(open_at(url, None).await)
}

pub(crate) async fn open_on_a_file() -> TestStore {
    let folder = tempfile::tempdir().unwrap();
    open_at(format!("sqlite:{}", folder.path().join("pool.db").display()), Some(folder)).await
}

async fn open_at(url: String, folder: Option<TempDir>) -> TestStore {
    let now_ms = Arc::new(AtomicU64::new((FIRST_ROUND + 1) * 1000));
    let store = open_url(&url, Clock::Fixed(Arc::clone(&now_ms))).await;
    let terms_id = store.record_terms(r#"{"reward":"0.025"}"#).await.unwrap();
    let lease = lead(&store, "first").await;
    TestStore { store, terms_id, lease, now_ms, url, _folder: folder }
}

/// Makes a server the one that leads.
pub(crate) async fn lead(store: &Store, holder: &str) -> Lease {
    let digest = store.begin_configuration(CONFIGURATION).await.unwrap();
    match store.acquire_lease("rounds", holder, LEASE_MS, &digest).await.unwrap() {
        Acquired::Granted(lease) => lease,
        held @ Acquired::HeldBy { .. } => panic!("{held:?}"),
    }
}

pub(crate) async fn open_url(url: &str, clock: Clock) -> Store {
    let url = url.to_owned();
    Store::open(StoreOptions { url, round_seconds: ROUND_SECONDS, clock }).await.unwrap()
}

pub(crate) async fn open_file(path: &Path, clock: Clock) -> Store {
    Store::open(options(path, clock)).await.unwrap()
}

pub(crate) fn options(path: &Path, clock: Clock) -> StoreOptions {
    StoreOptions { url: format!("sqlite:{}", path.display()), round_seconds: ROUND_SECONDS, clock }
}

impl TestStore {
    /// Moves the clock to a second.
    pub(crate) fn set_clock(&self, unix_seconds: u64) {
        self.now_ms.store(unix_seconds * 1000, Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        Clock::Fixed(Arc::clone(&self.now_ms))
    }

    /// The file of a store in a file.
    pub(crate) fn path(&self) -> PathBuf {
        PathBuf::from(self.url.strip_prefix("sqlite:").unwrap())
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Runs a statement beside the store, as another hand would.
    pub(crate) async fn statement(&self, sql: &str) {
        let address = if self.url.starts_with("postgres") {
            self.url.replace("alp@/", "alp@localhost/")
        } else {
            format!("sqlite://{}", self.path().display())
        };
        alp_store::testing::run_statement(&address, sql).await;
    }

    /// A connection past the store, to look at rows.
    pub(crate) async fn connect(&self) -> sqlx::AnyConnection {
        let address = match self.url.strip_prefix("sqlite:") {
            Some(path) => format!("sqlite://{path}"),
            None => self.url.replace("alp@/", "alp@localhost/"),
        };
        <sqlx::AnyConnection as sqlx::Connection>::connect(&address).await.unwrap()
    }

    /// Another server of the same database.
    pub(crate) async fn another_server(&self) -> Store {
        open_url(&self.url, self.clock()).await
    }

    /// Drops the store as it is, and opens its database again.
    pub(crate) async fn restart(mut self) -> Self {
        drop(self.store);
        self.store = open_url(&self.url, Clock::Fixed(Arc::clone(&self.now_ms))).await;
        self.lease = lead(&self.store, "first").await;
        self
    }

    /// Registers a user on the exchange `bittrex` with an address made of its name.
    pub(crate) async fn lp(&self, user: &str, unit: &str) -> i64 {
        self.lp_on("bittrex", user, unit).await
    }

    pub(crate) async fn lp_on(&self, exchange: &str, user: &str, unit: &str) -> i64 {
        let address = format!("B{user}");
        match self.store.register(exchange, user, &address, unit).await.unwrap() {
            RegisterOutcome::Registered { lp_id } | RegisterOutcome::AlreadyRegistered { lp_id } => lp_id,
            RegisterOutcome::OtherAddress { address } => panic!("{user} has the address {address}"),
        }
    }

    /// A sample with this many orders, told apart by a mark.
    pub(crate) fn sample(&self, lp_id: i64, unit: &str, order_count: u64, mark: &str) -> Sample {
        let orders: Vec<String> = (0..order_count).map(|id| format!(r#""{mark}-{id}""#)).collect();
        Sample {
            lp_id,
            unit: unit.to_owned(),
            price: r#""0.004""#.to_owned(),
            terms_id: self.terms_id.clone(),
            adapter_sha256: "a".repeat(64),
            reply_sha256: "b".repeat(64),
            slices: 1,
            ask_rate: None,
            bid_rate: None,
            maybe_truncated: false,
            orders: format!("[{}]", orders.join(",")),
            order_count,
        }
    }

    /// Submits such a sample and returns the round it went into.
    pub(crate) async fn submit(&self, lp_id: i64, unit: &str, order_count: u64, mark: &str) -> u64 {
        self.store.submit(self.sample(lp_id, unit, order_count, mark)).await.unwrap().round_start
    }

    /// Moves the clock past a round, closes it and credits it.
    pub(crate) async fn credit(&self, round_start: u64, credits: Vec<CreditEntry>) {
        self.set_clock(round_start + ROUND_SECONDS);
        assert_eq!(
            self.store.close_round(&self.lease, round_start).await.unwrap(),
            Closed::Closed { round_seconds: ROUND_SECONDS }
        );
        let recorded = self.store.record_round(&self.lease, &record(round_start, credits)).await.unwrap();
        assert_eq!(recorded, Recorded::Recorded);
    }

    pub(crate) async fn balance_e8(&self, lp_id: i64) -> i64 {
        let page = self.store.balances(lp_id - 1, 1).await.unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!(page[0].lp_id, lp_id);
        page[0].balance_e8
    }
}

pub(crate) fn entry(lp_id: i64, unit: &str, amount_e8: i64) -> CreditEntry {
    CreditEntry {
        lp_id,
        unit: unit.to_owned(),
        provided: "100.5".to_owned(),
        amount_e8,
        detail: format!(r#"{{"amount_e8":{amount_e8}}}"#),
    }
}

/// Begins the published record, and makes the entry that follows.
pub(crate) async fn began(test: &TestStore) -> NewEntry {
    let first = NewEntry {
        head: RecordHead {
            number: 0,
            epoch: 1,
            round_start: None,
            digest: "digest-0".to_owned(),
            header: "header".to_owned(),
            signature: "signature".to_owned(),
            at_ms: (FIRST_ROUND + 1) * 1000,
        },
        previous: None,
        kind: "epoch".to_owned(),
        packed: vec![0],
    };
    test.store.begin_record(&first).await.unwrap();
    after(&first)
}

/// The entry that follows another.
pub(crate) fn after(entry: &NewEntry) -> NewEntry {
    let number = entry.head.number + 1;
    let head = RecordHead { number, digest: format!("digest-{number}"), ..entry.head.clone() };
    NewEntry { head, previous: Some(entry.head.digest.clone()), kind: "other".to_owned(), packed: vec![1] }
}

/// A record in which everything is paid.
pub(crate) fn record(round_start: u64, credits: Vec<CreditEntry>) -> RoundRecord {
    let paid_e8 = credits.iter().map(|credit| credit.amount_e8).sum();
    RoundRecord {
        round_start,
        credits,
        statistics: format!(r#"{{"round":{round_start}}}"#),
        reward_e8: paid_e8,
        paid_e8,
    }
}
