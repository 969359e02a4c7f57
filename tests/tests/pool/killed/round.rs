//! A round, struck everywhere, from its end to what the network is told of it.

use std::time::{SystemTime, UNIX_EPOCH};

use alp_tests::{CustodianDouble, GRANT_ADDRESS, Settings, Stop, StoppableServer, TestPool};
use futures_util::StreamExt;
use futures_util::stream::iter;

use super::place::{Database, Place, Seed};
use super::table::{Row, add};
use super::{Strike, cuts, points, torn};

/// How many servers run at a time.
const AT_A_TIME: usize = 4;

/// What one round pays the one LP, in 1e-8.
const ROUND_E8: i64 = 3_000_000;

fn sections() -> String {
    format!(
        "[liquidityinfo]\nwallet_url = \"{{custodian}}\"\nwallet_user = \"alp\"\n\
         wallet_password_file = \"wallet.password\"\ngrant_address = {GRANT_ADDRESS:?}\npool = \"test\"\n"
    )
}

/// A pool with one round that is credited and one that has just ended and is not. The seed and that round's start.
async fn seed(database: Database) -> Option<(Seed, u64)> {
    let unused = tempfile::tempdir().unwrap();
    let url = match database {
        Database::Sqlite => None,
        Database::Postgres => Some(database.create(unused.path()).await?),
    };
    let top = url.as_ref().map_or_else(String::new, |url| format!("database = {url:?}"));
    let mut pool = TestPool::start_with(Settings::default().top(&top)).await;
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    pool.pass(now_ms / 60_000 * 60_000 - 115_000 - pool.now_ms());
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    pool.submit_btc(&lp).await;
    let due = pool.now_ms() / 60_000 * 60;
    pool.stop().await;
    let folder = tempfile::tempdir().unwrap();
    for name in ["pool.toml", "alp.key", "alp.db"] {
        // A database of a server has no file.
        if name != "alp.db" || url.is_none() {
            std::fs::copy(pool.folder().join(name), folder.path().join(name)).unwrap();
        }
    }
    for inner in ["exchanges", "plugins"] {
        std::fs::create_dir(folder.path().join(inner)).unwrap();
        for file in std::fs::read_dir(pool.folder().join(inner)).unwrap().flatten() {
            std::fs::copy(file.path(), folder.path().join(inner).join(file.file_name())).unwrap();
        }
    }
    let file = folder.path().join("pool.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let url = url.unwrap_or_else(|| "sqlite:alp.db".to_owned());
    let text = if top.is_empty() { format!("database = {url:?}\n{text}") } else { text };
    std::fs::write(file, format!("{text}{}", sections())).unwrap();
    std::fs::write(folder.path().join("wallet.password"), "secret\n").unwrap();
    Some((Seed { folder, url }, due))
}

struct Run {
    custodian: CustodianDouble,
    place: Place,
    due: u64,
}

impl Run {
    async fn new(seed: &Seed, due: u64) -> Self {
        let custodian = CustodianDouble::start().await;
        let place = seed.copy(&[("{custodian}", custodian.origin())]).await;
        Self { custodian, place, due }
    }

    async fn goes_on(&self, server: &StoppableServer) {
        server.wait_until("the round is credited and told", async || self.is_done().await).await;
    }

    /// Whether the round is credited and told.
    async fn is_done(&self) -> bool {
        let status = self.place.store.pool_status().await.unwrap();
        let read_back = self.custodian.calls().last().is_some_and(|call| call == "getliquidityinfo");
        read_back && status.last_credit.is_some_and(|last| last.round_start >= self.due)
    }

    /// Strikes, starts it again, lets it go on, and looks at everything. What it was doing and what came of it,
    /// if it came to that.
    async fn outcome(self, strike: &Strike) -> Option<[String; 2]> {
        let done = async || self.is_done().await;
        let during = match strike {
            Strike::Point(point) => {
                let stop = Stop { at: Some(point.clone()), ..Stop::default() };
                let server = StoppableServer::start(self.place.folder(), &stop);
                server.wait_until_it_ends(&format!("{strike:?}")).await;
                String::new()
            }
            Strike::Commit { earlier, cut } => self.place.outlives_the_cut((*earlier, *cut), done).await?,
            Strike::Write { number, .. } => self.place.is_torn(*number, done).await?,
            Strike::Call { .. } => unreachable!("a round calls nobody that is struck"),
        };
        let server = StoppableServer::start(self.place.folder(), &Stop::default());
        self.goes_on(&server).await;
        drop(server);
        self.assert_right(strike).await;
        Some([during, "round credited, published and told once; pot paid exactly".to_owned()])
    }

    async fn assert_right(&self, strike: &Strike) {
        let store = &self.place.store;
        let stats = store.stats_of("key-of-alice").await.unwrap().unwrap();
        assert_eq!(stats.total_e8, 2 * ROUND_E8, "{strike:?}");
        assert_eq!(stats.history.len(), 2, "{strike:?}");
        // One entry that begins the record, and one for each of two rounds.
        let head = store.record_head().await.unwrap().unwrap();
        assert_eq!((head.number, head.round_start), (2, Some(self.due)), "{strike:?}");
        let now_ms = store.clock_ms().await.unwrap();
        assert!(store.unfinished_rounds(now_ms).await.unwrap().is_empty(), "{strike:?}");
        assert_eq!(store.alarms().await.unwrap(), [], "{strike:?}");
        let shown = self.custodian.shown();
        let amounts = |buy: &str, sell: &str| (buy.to_owned(), sell.to_owned());
        assert_eq!(shown["1:NBTBTC:test_exchange:test.rank_1"], amounts("0.0000", "1500.0000"), "{strike:?}");
    }
}

async fn struck_everywhere(database: Database) {
    let Some((seed, due)) = seed(database).await else { return };
    let run = Run::new(&seed, due).await;
    let server = StoppableServer::start(run.place.folder(), &Stop::default());
    run.goes_on(&server).await;
    let commits = run.place.link.as_ref().map_or(0, alp_tests::DatabaseLink::commits);
    let folder = run.place.folder();
    let strikes: Vec<Strike> = points(StoppableServer::passed(folder))
        .chain(cuts(commits))
        .chain(torn(&StoppableServer::writes(folder)))
        .collect();
    drop((server, run));
    assert!(strikes.len() > 15, "only {strikes:?}");
    let seed = &seed;
    let rows = iter(strikes).map(|strike| async move {
        let outcome = Run::new(seed, due).await.outcome(&strike).await;
        outcome.map(|[during, outcome]| Row { work: "round", strike, during, outcome })
    });
    add(database, rows.buffered(AT_A_TIME).collect::<Vec<_>>().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_anywhere_in_a_round_credits_and_tells_it_once() {
    struck_everywhere(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_or_cut_off_anywhere_in_a_round_credits_and_tells_it_once_on_postgres() {
    struck_everywhere(Database::Postgres).await;
}
