//! An ALP-Server as it is left behind: its tables, its files, its wallet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alp_pool::address::AddressRules;
use alp_pool::takeover::Doubles;
use alp_server::record::{Publisher, read_or_make};
use alp_server::takeover::{
    Choices, Found, OldConfig, Report, Sent, Step, TakenOver, TakeoverFault, look, take_over,
};
use alp_store::testing::{ForeignDatabase, foreign_database, postgres_database};
use alp_store::{AlpServerDatabase, Clock, Store, StoreOptions};
use alp_tests::{WalletDouble, address_of, wait_until};
use tempfile::TempDir;

/// The original's tables: no key, no constraint, floats for money and for ids.
const SCHEMA: &str = "
    CREATE TABLE users (id SERIAL, key TEXT, address TEXT, exchange TEXT, unit TEXT);
    CREATE TABLE orders (id SERIAL, key TEXT, rank TEXT, order_id TEXT, order_amount FLOAT8, side TEXT,
        order_price FLOAT8, server_price FLOAT8, exchange TEXT, unit TEXT, deviation FLOAT8, tolerance FLOAT8,
        credited INT2);
    CREATE TABLE credits (id SERIAL, time FLOAT8, key TEXT, exchange TEXT, unit TEXT, rank TEXT, side TEXT,
        order_id FLOAT8, provided FLOAT8, percentage FLOAT8, reward FLOAT8, paid INT2);
    CREATE TABLE stats (id SERIAL, time FLOAT8, meta JSONB, totals JSONB, rewards JSONB, config JSONB);
    CREATE TABLE prices (id SERIAL, unit TEXT, price FLOAT8);
    CREATE TABLE info (key TEXT, value TEXT);
    INSERT INTO info VALUES ('last_credit_time', '1460000600'), ('next_payout_time', '1460086400');
";

/// When its last recorded payout looked for what is unpaid, in Unix seconds.
pub(super) const PAID_UNTIL_S: i64 = 1_460_000_000;

/// What `pay` of the original would send, were it started now: each credit as often as its key is registered.
pub(super) const PAYABLE: &str = "SELECT CAST(COALESCE(SUM(c.reward), 0) AS TEXT) FROM credits c \
     INNER JOIN users u ON u.key = c.key WHERE c.paid = 0";

pub(super) struct OldPool {
    pub(super) database: ForeignDatabase,
    pub(super) wallet: WalletDouble,
    folder: TempDir,
}

/// Which database this pool has.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    Sqlite,
    Postgres,
}

/// This pool, as far as a takeover needs it.
pub(super) struct NewPool {
    pub(super) store: Store,
    pub(super) publisher: Publisher,
}

impl OldPool {
    /// A pool with users, a recorded payout, and unpaid credits with each fault. `None` where PostgreSQL is missing.
    ///
    /// Owed, each order once a round: honest 3.3, steady 2.6. Held: victim 4, blank 1.5, ghost 0.3.
    pub(super) async fn start() -> Option<Self> {
        let database = foreign_database().await?;
        let wallet = WalletDouble::start().await;
        let folder = tempfile::tempdir().unwrap();
        write_files(folder.path(), wallet.origin());
        database.execute(SCHEMA).await;
        let pool = Self { database, wallet, folder };
        pool.fill_users().await;
        pool.fill_credits().await;
        // The payout that is recorded: honest's half coin, sent seconds after it was looked for.
        pool.wallet.set(u64::try_from(PAID_UNTIL_S).unwrap() + 5, "1000000");
        pool.wallet.send(&address_of("honest"), "0.5", "");
        pool.left_alone().await;
        Some(pool)
    }

    async fn fill_users(&self) {
        let (honest, victim, attacker) = (address_of("honest"), address_of("victim"), address_of("attacker"));
        let (steady, blank) = (address_of("steady"), address_of("blank"));
        let (front, back) = blank.split_at(9);
        let rows = [
            ("honest", honest.clone(), "bittrex", "btc"),
            // PB-01: another market. PB-03: the same twice more.
            ("honest", honest.clone(), "bittrex", "ppc"),
            ("honest", honest.clone(), "bittrex", "btc"),
            ("honest", honest, "bittrex", "btc"),
            // PB-02: somebody else's address for the same key.
            ("victim", victim, "bittrex", "btc"),
            ("victim", attacker, "bittrex", "ppc"),
            // PB-07: an address that nud refuses.
            ("blank", format!("{front} {back}"), "bter", "btc"),
            ("steady", steady, "bter", "btc"),
        ];
        for (key, address, exchange, unit) in rows {
            let insert = "INSERT INTO users (key, address, exchange, unit) VALUES";
            self.database.execute(&format!("{insert} ('{key}', '{address}', '{exchange}', '{unit}')")).await;
        }
    }

    async fn fill_credits(&self) {
        let t = PAID_UNTIL_S;
        // Order, submission, time, key, exchange, reward, paid.
        let mut credits = vec![
            ("h1", 1, t, "honest", "bittrex", "0.5", 1),
            ("h1", 2, t + 60, "honest", "bittrex", "1.3", 0),
            ("v1", 3, t + 60, "victim", "bittrex", "4", 0),
            ("b1", 4, t + 60, "blank", "bter", "1.5", 0),
            ("g1", 5, t + 60, "ghost", "bter", "0.3", 0),
            // PB-08: a round that was overtaken.
            ("s1", 6, t + 60, "steady", "bter", "1.1", 0),
            ("s1", 6, t + 121, "steady", "bter", "1.1", 0),
            // PB-09: four processes.
            ("s2", 7, t + 180, "steady", "bter", "0.5", 0),
            ("s2", 7, t + 180, "steady", "bter", "0.5", 0),
            ("s2", 7, t + 181, "steady", "bter", "0.5", 0),
            ("s2", 7, t + 182, "steady", "bter", "0.5", 0),
            // PB-11: an order whose amount moved between two submissions of a round.
            ("s3", 8, t + 240, "steady", "bter", "0.9", 0),
            ("s3", 9, t + 240, "steady", "bter", "1", 0),
        ];
        // PB-06: twenty tenths, which floats do not add up to two.
        for minute in 0..20 {
            credits.push(("h2", 100 + minute, t + 300 + 60 * minute, "honest", "bittrex", "0.1", 0));
        }
        let mut sql = String::new();
        let mut orders = std::collections::BTreeSet::new();
        for (order, row, at_s, key, exchange, reward, paid) in credits {
            if orders.insert(row) {
                sql += &order_sql(row, key, order, exchange, 1);
            }
            sql += &format!(
                "INSERT INTO credits (time, key, exchange, unit, rank, side, order_id, provided, percentage, reward, paid) \
                 VALUES ({at_s}, '{key}', '{exchange}', 'btc', 'rank_1', 'ask', {row}, 100, 50, {reward}, {paid});"
            );
        }
        // PB-12: an order that stops every round. PB-11: one that was left out for another LP's.
        sql += &order_sql(900, "steady", "s9", "bter", 0);
        sql += &order_sql(901, "honest", "s9", "bittrex", -1);
        self.database.execute(&sql).await;
    }

    /// Waits until nobody is connected to its database any more. It asks from another database: its own connection must
    /// not be the one that is found there a moment after.
    pub(super) async fn left_alone(&self) {
        let url = self.database.url();
        let name = url.split(['/', '?']).nth(3).unwrap();
        let beside = ForeignDatabase::at(&url.replace(&format!("/{name}?"), "/postgres?"));
        let others = format!(
            "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity WHERE datname = '{name}' \
             AND backend_type = 'client backend'"
        );
        wait_until("nobody is connected", async || beside.text(&others).await == "0").await;
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of its files.
    pub(super) fn config_dir(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// A folder in which adapters of these names lie.
    pub(super) fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// What `pay` of the original would send, were it started now.
    pub(super) async fn payable(&self) -> f64 {
        self.database.text(PAYABLE).await.parse().unwrap()
    }

    /// Looks at it.
    pub(super) async fn look(&self, choices: &Choices) -> Result<Found, TakeoverFault> {
        self.left_alone().await;
        let mut old = AlpServerDatabase::connect(self.database.url()).await?;
        let rpc = OldConfig::read(&self.config_dir())?.rpc;
        let found = look(&mut old, rpc.as_ref(), choices, &mut |_| ()).await;
        old.close().await?;
        // The database may be a moment behind.
        self.left_alone().await;
        found
    }

    /// Looks at it and takes it over, up to a step.
    pub(super) async fn take_over(
        &self,
        into: &NewPool,
        choices: &Choices,
        stop_before: Option<Step>,
    ) -> Result<TakenOver, TakeoverFault> {
        let found = self.look(choices).await?;
        self.take(into, &found, choices, stop_before).await
    }

    /// Takes over what was found.
    pub(super) async fn take(
        &self,
        into: &NewPool,
        found: &Found,
        choices: &Choices,
        stop_before: Option<Step>,
    ) -> Result<TakenOver, TakeoverFault> {
        let mut old = AlpServerDatabase::connect(self.database.url()).await?;
        let report = Report::new(found, Vec::new(), choices);
        let taken =
            take_over(&mut old, &into.store, &into.publisher, found, &report, choices, stop_before).await;
        old.close().await?;
        taken
    }
}

impl NewPool {
    /// A pool with an empty database.
    pub(super) async fn open(target: Target, folder: &Path) -> Option<Self> {
        let url = match target {
            Target::Sqlite => format!("sqlite:{}", folder.join("new.db").display()),
            Target::Postgres => postgres_database().await?,
        };
        let store =
            Store::open(StoreOptions { url, round_seconds: 60, clock: Clock::Database }).await.unwrap();
        let (key, _) = read_or_make(&folder.join("alp.key")).unwrap();
        let publisher = Publisher::open(&store, key).await.unwrap();
        Some(Self { store, publisher })
    }

    /// What is owed, by address, in 1e-8.
    pub(super) async fn owed(&self) -> BTreeMap<String, i64> {
        let mut owed = BTreeMap::new();
        for lp in self.store.owing(0, 1000).await.unwrap() {
            *owed.entry(lp.address).or_insert(0) += lp.owed_e8;
        }
        owed.retain(|_, e8| *e8 != 0);
        owed
    }

    /// What waits, by address, in 1e-8.
    pub(super) async fn held_e8(&self) -> i64 {
        self.store.import_holds().await.unwrap().iter().map(|hold| hold.hold.amount_e8).sum()
    }
}

/// What an operator says whose server is stopped.
pub(super) fn choices() -> Choices {
    Choices {
        doubles: Doubles::Drop,
        sent: Sent::Unsaid,
        without_wallet: false,
        old_listen: None,
        old_server_stopped: true,
        another_pool: false,
        addresses: AddressRules::nubits(),
    }
}

/// What is owed to those with one right address, in 1e-8.
pub(super) fn expected() -> BTreeMap<String, i64> {
    BTreeMap::from([(address_of("honest"), 330_000_000), (address_of("steady"), 260_000_000)])
}

/// What waits, in 1e-8.
pub(super) const EXPECTED_HELD_E8: i64 = 580_000_000;

fn order_sql(row: i64, key: &str, order: &str, exchange: &str, credited: i64) -> String {
    format!(
        "INSERT INTO orders (id, key, rank, order_id, order_amount, side, order_price, server_price, exchange, unit, \
         deviation, tolerance, credited) VALUES ({row}, '{key}', 'rank_1', '{order}', 100, 'ask', 0.0025, 0.0025, \
         '{exchange}', 'btc', 0, 0.0105, {credited});"
    )
}

fn market(reverse: &str) -> String {
    let side =
        r#"{"ratio": 0.50, "rank_1": {"ratio": 1.00, "tolerance": 0.0105}, "rank_2": {"ratio": 0.00}}"#;
    format!(r#"{{"reward": 0.0250, "target": 1250, {reverse} "ask": {side}, "bid": {side}}}"#)
}

fn write_files(folder: &Path, wallet: &str) {
    let config = folder.join("config");
    std::fs::create_dir_all(config.join("exchanges")).unwrap();
    let (_, port) = wallet.rsplit_once(':').unwrap();
    let pool = format!(
        "[pool]\nname=Test Pool\ngrant_address=Bgrant\nminimum_payout=1\n\n[rpc]\nuser=nu\npass=rpc-secret\n\
         host=127.0.0.1\nport={port}\n\n[db]\nname=alp\nuser=alp\npass=db-secret\nhost=localhost\nport=5432\n"
    );
    std::fs::write(config.join("pool_config"), pool).unwrap();
    let write = |name: &str, text: String| {
        std::fs::write(config.join(format!("exchanges/{name}.json")), text).unwrap();
    };
    let (said, unsaid) = (market(r#""reverse": true,"#), market(""));
    write("bittrex", format!(r#"{{"bittrex": {{"btc": {said}, "ppc": {unsaid}}}}}"#));
    write("bter", format!(r#"{{"bter": {{"btc": {said}}}}}"#));
    write("cryptsy", format!(r#"{{"cryptsy": {{"btc": {said}}}}}"#));
    write("test_exchange", format!(r#"{{"test_exchange": {{"btc": {said}}}}}"#));
    let plugins = folder.join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    for name in ["bittrex", "bter", "test_exchange"] {
        std::fs::write(plugins.join(format!("{name}.wasm")), b"an adapter by its name").unwrap();
    }
}
