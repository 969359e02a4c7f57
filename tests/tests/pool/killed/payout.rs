//! A payout, struck everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{SystemTime, UNIX_EPOCH};

use alp_server::config::Config;
use alp_server::control::{Command, ask};
use alp_server::leadership::Leadership;
use alp_server::payouts::{DAY_MS, PayoutCommand};
use alp_server::record::Publisher;
use alp_store::{Clock, Store, StoreOptions};
use alp_tests::{Settings, Stop, StoppableServer, WalletDouble, Within, write_signing_key};
use futures_util::StreamExt;
use futures_util::stream::iter;

use super::place::{Database, Place, Seed};
use super::table::{Row, add};
use super::{Strike, cuts, points, torn};
use crate::books::{assert_books, assert_record_is_the_ledger, key};
use crate::credited;

/// Four LPs on three addresses, of which the first two share one, and what each was credited in 1e-8.
const LPS: [(&str, &str, i64); 4] = [
    ("a1", "Ba", 500_019_999),
    ("a2", "Ba", 300_000_000),
    ("b", "Bb", 200_000_000),
    ("c", "Bc", 700_000_000),
];

/// What the first two have left of a smallest step of 0.0001.
const LEFT_E8: i64 = 9_999;

/// How many servers run at a time.
const AT_A_TIME: usize = 4;

/// After this time a call cannot be under way any more, in milliseconds.
const AN_HOUR_MS: u64 = 3_600_000;

/// The wallet's address in the seed.
const NOWHERE: &str = "http://127.0.0.1:1";

const SECTIONS: &str = r#"
[payouts]
pool_id = "test"
method = "prepared"
wallet_url = "http://127.0.0.1:1/"
wallet_user = "alp"
wallet_password_file = "wallet.password"
every_hours = 744
fee_per_address = 0.01
confirmations = 1
"#;

/// Calls that change something in the wallet: they are struck at every moment, the others within their answer.
const CHANGING: [&str; 4] = ["sendmany", "fundrawtransaction", "lockunspent", "sendrawtransaction"];

fn expected() -> BTreeMap<String, u64> {
    let paid = [("Ba", 799_010_000), ("Bb", 199_000_000), ("Bc", 699_000_000)];
    paid.into_iter().map(|(address, e8)| (address.to_owned(), e8)).collect()
}

/// A pool whose LPs are owed something, and whose payout has been due for a month.
pub(super) async fn seed(database: Database, round_seconds: u64) -> Option<Seed> {
    let folder = tempfile::tempdir().unwrap();
    let url = database.create(folder.path()).await?;
    let none = Settings { exchanges: Vec::new(), plugins: Vec::new(), ..Settings::default() };
    let settings =
        none.top(&format!("database = {url:?}\nround_seconds = {round_seconds}")).sections(SECTIONS);
    settings.file("wallet.password", "secret\n").write(folder.path(), "").await;
    write_signing_key(folder.path());
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let options = StoreOptions { url: url.clone(), round_seconds, clock: Clock::Database };
    let store = Store::open(options).await.unwrap();
    let config = Config::read(&folder.path().join("pool.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    let leadership = Leadership::new(&config.pool.control_socket);
    let lease = leadership.lead(&store, &config).await.unwrap().unwrap();
    let round_start = now_ms / 60_000 * 60 - 86_400;
    let then = Clock::Fixed(Arc::new(AtomicU64::new((round_start + 1) * 1000)));
    let a_day_ago = Store::open(StoreOptions { url: url.clone(), round_seconds, clock: then }).await.unwrap();
    credited::take_samples(&a_day_ago, i64::try_from(round_seconds).unwrap(), &LPS).await;
    a_day_ago.close().await;
    let publisher = Arc::new(Publisher::open(&store, key()).await.unwrap());
    credited::run(&store, &publisher, &lease, round_start, &LPS).await;
    store.note_slot(&lease, now_ms - 62 * DAY_MS).await.unwrap();
    leadership.release(&store).await;
    store.close().await;
    Some(Seed { folder, url })
}

/// One run: a wallet, and a place of its own.
pub(super) struct Run {
    pub(super) wallet: WalletDouble,
    pub(super) place: Place,
    method: &'static str,
}

impl Run {
    pub(super) async fn new(seed: &Seed, method: &'static str) -> Self {
        let wallet = WalletDouble::start().await;
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        wallet.set(now_s, "1000");
        wallet.mine_at_looks();
        let place = seed.copy(&[("\"prepared\"", &format!("{method:?}")), (NOWHERE, wallet.origin())]).await;
        Self { wallet, place, method }
    }

    fn start(&self, stop: &Stop) -> StoppableServer {
        StoppableServer::start(self.place.folder(), stop)
    }

    /// Starts the server that is struck, and waits until it is. What it was doing, if it came to that.
    async fn strike(&self, strike: &Strike) -> Option<String> {
        let done = async || self.is_paid().await || self.is_uncertain().await;
        let at = match strike {
            Strike::Point(point) => Some(point.clone()),
            Strike::Call { .. } => None,
            Strike::Commit { earlier, cut } => {
                return self.place.outlives_the_cut((*earlier, *cut), done).await;
            }
            Strike::Write { number, .. } => return self.place.is_torn(*number, done).await,
        };
        let server = self.start(&Stop { at, ..Stop::default() });
        if let Strike::Call { method, earlier, within } = strike {
            self.wallet.strike(method, *earlier, *within, server.killer());
        }
        server.wait_until_it_ends(&format!("{strike:?}")).await;
        Some(String::new())
    }

    /// Waits until everybody is paid, or payouts wait for a person.
    async fn goes_on(&self, server: &StoppableServer) {
        server.wait_until("payouts go on", async || self.is_paid().await || self.is_uncertain().await).await;
    }

    pub(super) async fn is_paid(&self) -> bool {
        let store = &self.place.store;
        let newest = store.newest_payouts(1).await.unwrap();
        newest.iter().any(|payout| payout.stage == "paid") && store.open_payouts().await.unwrap().is_empty()
    }

    pub(super) async fn is_uncertain(&self) -> bool {
        self.place.store.alarms().await.unwrap().iter().any(|alarm| alarm.kind == "uncertain")
    }

    /// A person says that a call did not reach the wallet: too early at first, then an hour later.
    async fn resolve(&self, server: &StoppableServer) {
        assert_eq!(self.method, "plain", "only sendmany leaves anything to a person");
        let open = self.place.store.open_payouts().await.unwrap();
        let id = open.iter().find(|payout| payout.stage == "calling").unwrap().payout_id;
        let socket = self.place.folder().join("alp.sock");
        let resolve = || Command::Payouts(PayoutCommand::Resolve { id, txid: None });
        let early =
            async || ask(&socket, resolve()).await.is_ok_and(|early| !early.ok && is_too_early(&early.text));
        server.wait_until("the operator is told that it is too early", early).await;
        server.kill().await;
        let later = Stop { ahead_ms: AN_HOUR_MS, ..Stop::default() };
        let server = self.start(&later);
        let taken = async || ask(&socket, resolve()).await.is_ok_and(|answer| answer.ok);
        server.wait_until("the operator's word is taken", taken).await;
        // It does not wait for its next look.
        server.wait_until("everybody is paid", async || self.is_paid().await).await;
    }

    /// Strikes, starts it again, lets it go on, and looks at everything. What it was doing and what came of it,
    /// if it came to that.
    async fn outcome(self, strike: &Strike) -> Option<[String; 2]> {
        let during = self.strike(strike).await?;
        let server = self.start(&Stop::default());
        self.goes_on(&server).await;
        let asked = self.is_uncertain().await;
        if asked {
            self.resolve(&server).await;
        }
        drop(server);
        self.assert_right(&format!("{strike:?}")).await;
        let times = if asked { "once, after a person said that the call never arrived" } else { "once" };
        Some([during, format!("everybody paid {times}; books add up")])
    }

    /// Everybody was paid once, nothing is under way, and the books add up.
    pub(super) async fn assert_right(&self, what: &str) {
        let store = &self.place.store;
        assert_eq!(self.wallet.paid(), expected(), "{what}");
        assert_books(store, &self.wallet.paid()).await;
        assert_record_is_the_ledger(store).await;
        assert!(store.open_payouts().await.unwrap().is_empty(), "{what}");
        assert_eq!(store.alarms().await.unwrap(), [], "{what}");
        let owed: i64 = store.owing(0, 100).await.unwrap().iter().map(|lp| lp.owed_e8).sum();
        assert_eq!(owed, LEFT_E8, "{what}");
        assert!(self.wallet.locked() <= 1, "coins stay locked: {what}");
    }
}

fn is_too_early(answer: &str) -> bool {
    answer.contains("may still be under way")
}

/// Every point, call and commit of a payout that nothing happens to.
async fn strikes(seed: &Seed, method: &'static str) -> Vec<Strike> {
    let run = Run::new(seed, method).await;
    let server = run.start(&Stop::default());
    run.goes_on(&server).await;
    let last_look = |passed: &[alp_tests::NamedPoint]| {
        let paid = passed.iter().position(|point| point.step == "store that it is paid" && point.done);
        paid.is_some_and(|paid| {
            passed[paid..].iter().any(|point| point.step == "read the wallet's history" && point.done)
        })
    };
    let folder = run.place.folder();
    server.wait_until("it looks for more", async || last_look(&StoppableServer::passed(folder))).await;
    let commits = run.place.link.as_ref().map_or(0, alp_tests::DatabaseLink::commits);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for method in run.wallet.calls() {
        let earlier = *counts.entry(method.clone()).and_modify(|count| *count += 1).or_insert(0);
        let moments: &[Within] = if CHANGING.contains(&method.as_str()) {
            &[Within::BeforeItIsDone, Within::TheAnswer, Within::AfterItIsDone]
        } else {
            &[Within::TheAnswer]
        };
        calls.extend(moments.iter().map(|within| (method.clone(), earlier, *within)));
    }
    let calls = calls.into_iter().map(|(method, earlier, within)| Strike::Call { method, earlier, within });
    points(StoppableServer::passed(folder))
        .chain(calls)
        .chain(cuts(commits))
        .chain(torn(&StoppableServer::writes(folder)))
        .collect()
}

async fn struck_everywhere(database: Database, work: &'static str, method: &'static str) {
    let Some(seed) = seed(database, 60).await else { return };
    let strikes = strikes(&seed, method).await;
    assert!(strikes.len() > 30, "only {strikes:?}");
    let seed = &seed;
    let rows = iter(strikes).map(|strike| async move {
        let outcome = Run::new(seed, method).await.outcome(&strike).await;
        outcome.map(|[during, outcome]| Row { work, strike, during, outcome })
    });
    add(database, rows.buffered(AT_A_TIME).collect::<Vec<_>>().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_server_killed_anywhere_in_a_prepared_payout_pays_everybody_once() {
    struck_everywhere(Database::Sqlite, "prepared payout", "prepared").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_server_killed_anywhere_in_a_plain_payout_pays_everybody_once() {
    struck_everywhere(Database::Sqlite, "plain payout", "plain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_server_killed_or_cut_off_anywhere_in_a_prepared_payout_pays_everybody_once_on_postgres() {
    struck_everywhere(Database::Postgres, "prepared payout", "prepared").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_04_a_server_killed_or_cut_off_anywhere_in_a_plain_payout_pays_everybody_once_on_postgres() {
    struck_everywhere(Database::Postgres, "plain payout", "plain").await;
}
