//! Storage that fails while the pool runs: a full disk, a database that is away, a file that was written over. What was
//! answered with success is there afterwards; while it lasts bots are told so; when it is over the pool goes on by itself.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use alp_server::loops::rounds_once;
use alp_store::testing::{PostgresCluster, execute_in};
use alp_tests::{Lp, START_S, Settings, TestPool, wait_until};
use tempfile::TempDir;

/// What a bot is told.
const NOT_STORED: &str = "the pool's database does not work at the moment; nothing was stored";

/// A small disk of a test's own. Dropped, it is gone.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this program may not mount one: the test is skipped and says so; with `CI` in the environment it
    /// fails.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "alp-test"])
            .arg(folder.path())
            .output();
        let mounted = mount.as_ref().is_ok_and(|output| output.status.success());
        if !mounted {
            let message = "no small disk can be mounted here, which needs root";
            assert!(std::env::var_os("CI").is_none(), "{message}");
            let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
            return None;
        }
        Some(Self(folder))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves not a byte free.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.path().join("ballast")).unwrap();
        let mut stretch = 64 * 1024;
        while stretch > 0 {
            if ballast.write_all(&vec![7; stretch]).is_err() {
                stretch /= 2;
            }
        }
    }

    fn free(&self) {
        fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

/// Submits until the database says that it does not work; what it said before stands.
async fn submit_until_refused(pool: &TestPool, lp: &Lp) -> u64 {
    let mut taken = 0;
    loop {
        pool.pass(1);
        let answer = pool.submit(lp, "btc").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.success() {
            taken += 1;
            assert!(taken < 10_000, "the disk is not full");
        } else {
            assert_eq!(answer.refusal(), NOT_STORED);
            return taken;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_bots_are_told_and_what_was_answered_is_there_when_it_is_free_again() {
    let Some(disk) = SmallDisk::mount() else { return };
    let database = disk.path().join("alp.db").display().to_string();
    let mut pool =
        TestPool::start_with(Settings::default().top(&format!("database = \"sqlite:{database}\""))).await;
    let alice = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let bob = pool.lp_with("bob", &["bid 600 0.00398"]).await;
    pool.submit_btc(&alice).await;
    disk.fill();
    submit_until_refused(&pool, &bob).await;
    // Whoever registers is told so as well, and what is only read still is.
    let carol = pool.lp("carol");
    let registration = pool.register(&carol, "btc").await;
    assert_eq!((registration.status, registration.success()), (200, false), "{registration:?}");
    assert_eq!(pool.orders_of(&alice).await.len(), 1);
    pool.pass(60_000);
    assert!(rounds_once(pool.app()).await.is_err(), "a round cannot be credited");
    assert_eq!(pool.reward_of(&alice).await, "0");

    disk.free();
    pool.submit_btc(&bob).await;
    pool.register(&carol, "btc").await.accepted();
    // The round that was missed is run late from what was stored.
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&alice).await, "0.03");
    pool.end_round().await;
    assert_ne!(pool.reward_of(&bob).await, "0");
    // The same after a crash at the full disk.
    pool.submit_btc(&alice).await;
    disk.fill();
    submit_until_refused(&pool, &bob).await;
    pool.stop().await;
    disk.free();
    pool.restart().await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&alice).await, "0.06");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_went_away_and_came_back_has_all_that_was_answered() {
    let Some(cluster) = PostgresCluster::of_its_own().await else { return };
    let url = cluster.empty_database().await;
    let settings = Settings::default().top(&format!("database = {url:?}"));
    let mut pool = TestPool::start_with(settings).await;
    let alice = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&alice).await;

    cluster.stop().await;
    for _ in 0..3 {
        assert_eq!(pool.submit(&alice, "btc").await.refusal(), NOT_STORED);
    }
    let carol = pool.lp("carol");
    let registration = pool.register(&carol, "btc").await;
    assert_eq!((registration.status, registration.success()), (200, false), "{registration:?}");
    let stats = pool.get(&format!("/{}/stats", alice.key)).await;
    assert_eq!((stats.status, stats.json()["success"].as_bool()), (500, Some(false)), "{stats:?}");
    pool.pass(60_000);
    assert!(rounds_once(pool.app()).await.is_err(), "a round cannot be credited");

    cluster.start_again().await;
    wait_until("a submission is stored again", async || pool.submit(&alice, "btc").await.success()).await;
    pool.register(&carol, "btc").await.accepted();
    wait_until("the missed round is credited", async || rounds_once(pool.app()).await.is_ok()).await;
    assert_eq!(pool.reward_of(&alice).await, "0.03");
    pool.end_round().await;
    assert_eq!(pool.reward_of(&alice).await, "0.06");

    // A pool that runs its rounds by itself does the same by itself.
    pool.submit_btc(&alice).await;
    pool.set_loops(true);
    pool.restart().await;
    cluster.stop().await;
    pool.pass(60_000);
    wait_until("the loop says that it cannot", async || {
        pool.app().health.states().get("rounds").is_some_and(|state| state.outcome.is_err())
    })
    .await;
    cluster.start_again().await;
    wait_until("the missed round is credited", async || {
        let stats = pool.get(&format!("/{}/stats", alice.key)).await;
        stats.status == 200 && stats.text.contains("0.09")
    })
    .await;
    pool.stop().await;
}

/// Moves everything from the log into the file, so that what is written over is all there is.
async fn empty_the_log(database: &Path) {
    execute_in(&format!("sqlite:{}", database.display()), "PRAGMA wal_checkpoint(TRUNCATE)").await;
}

/// Writes over every page of the file but the first.
fn write_over(database: &Path) {
    let mut bytes = fs::read(database).unwrap();
    bytes[4096..].fill(0xa5);
    overwrite(database, &bytes);
}

/// In place, as a failing disk does: whoever has the file open sees it.
fn overwrite(database: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).open(database).unwrap();
    file.write_all(bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_written_over_is_refused_at_the_start_with_what_to_do() {
    for first_page in [true, false] {
        let mut pool = TestPool::start().await;
        let alice = pool.lp_with("alice", &["ask 1500 0.004"]).await;
        pool.submit_btc(&alice).await;
        pool.stop().await;
        let database = pool.folder().join("alp.db");
        if first_page {
            let mut bytes = fs::read(&database).unwrap();
            bytes[..4096].fill(0xa5);
            fs::write(&database, bytes).unwrap();
        } else {
            write_over(&database);
        }
        let damaged = fs::read(&database).unwrap();
        let refused = pool.try_start().await.map_err(|error| error.to_string());
        let told =
            refused.as_ref().is_err_and(|why| why.contains("is damaged") && why.contains("restore a backup"));
        assert!(told, "{refused:?}");
        assert!(fs::read(&database).unwrap() == damaged, "nothing is written into it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_written_over_while_the_pool_runs_is_an_honest_error_until_it_is_put_right() {
    let mut pool = TestPool::start().await;
    let alice = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&alice).await;
    let database = pool.folder().join("alp.db");
    empty_the_log(&database).await;
    let sound = fs::read(&database).unwrap();
    write_over(&database);
    assert_eq!(pool.submit(&alice, "btc").await.refusal(), NOT_STORED);
    let orders = pool.get(&format!("/{}/orders", alice.key)).await;
    assert_eq!((orders.status, orders.json()["success"].as_bool()), (500, Some(false)), "{orders:?}");
    pool.pass(60_000);
    assert!(rounds_once(pool.app()).await.is_err(), "a round cannot be credited");

    // Who mends a file stops the pool, which may have read what was wrong into its memory.
    pool.stop().await;
    overwrite(&database, &sound);
    pool.try_start().await.unwrap();
    pool.submit_btc(&alice).await;
    pool.run_rounds().await;
    assert_eq!(pool.reward_of(&alice).await, "0.03");
    assert_eq!(pool.app().store.gaps(pool.now_ms(), 60).await.unwrap(), Vec::<u64>::new());
    assert!(pool.app().store.samples(START_S).await.is_ok());
}
