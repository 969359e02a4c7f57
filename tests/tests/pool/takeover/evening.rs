//! The whole evening: dry run, commit, a second run, the first payout, and the old server started again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alp_record::chain::Verifier;
use alp_server::config::Config;
use alp_server::payouts::{DAY_MS, FailAt, Outcome, Payer};
use alp_server::record::{Publisher, read_signing_key, unpack};
use alp_store::{Acquired, Clock, EntryOf, Store, StoreOptions};
use alp_tests::{address_of, profile_folder};
use serde_json::Value;

use super::old_pool::{OldPool, Target};

/// Runs `alp import alp-server` on the old pool, with further arguments.
pub(super) async fn import(old: &OldPool, arguments: &[&str]) -> Output {
    let mut command = import_command(old, arguments).await;
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

/// The program with these arguments, when nobody is connected to the old database any more.
pub(super) async fn import_command(old: &OldPool, arguments: &[&str]) -> Command {
    old.left_alone().await;
    let mut command = Command::new(profile_folder().join("alp-tests-server"));
    command.args([
        "import",
        "alp-server",
        "--database-url",
        old.database.url(),
        "--old-listen",
        "127.0.0.1:1",
    ]);
    command.arg("--config-dir").arg(old.config_dir()).arg("--plugins").arg(old.plugins()).args(arguments);
    command
}

pub(super) fn told(output: &Output) -> String {
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    text.concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_each_fault_had_doubled_and_changes_nothing() {
    let Some(old) = OldPool::start().await else { return };
    let before = old.payable().await;
    let json = old.folder().join("report.json");
    let output = import(&old, &["--json", json.to_str().unwrap()]).await;
    let text = told(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("This was a dry run") && text.contains("--old-server-stopped"), "{text}");
    let report: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!((&report["owed"], &report["held"]), (&"5.9".into(), &"5.8".into()));
    let doubled = |id: &str| {
        (report["doubled"][id]["number"].as_u64().unwrap(), report["doubled"][id]["coins"].clone())
    };
    assert_eq!(doubled("PB-08"), (1, "1.1".into()));
    assert_eq!(doubled("PB-09"), (3, "1.5".into()));
    assert_eq!(doubled("PB-11"), (1, "0.9".into()));
    // Honest's 3.3 once more for a market and twice for repeated rows; victim's 4 once more for the other address.
    let multiplied = |id: &str| report["multiplied"][id]["coins"].clone();
    assert_eq!([multiplied("PB-01"), multiplied("PB-02"), multiplied("PB-03")], ["3.3", "4", "6.6"]);
    assert_eq!(report["rounding"], "0");
    assert_eq!(
        (&report["lost"]["uncredited_orders"], &report["lost"]["left_out_orders"]),
        (&1.into(), &1.into())
    );
    for secret in ["rpc-secret", "db-secret", "\"honest\"", "\"victim\""] {
        assert!(!text.contains(secret) && !report.to_string().contains(secret), "{secret}");
    }
    assert!((old.payable().await - before).abs() < f64::EPSILON);
    assert_eq!(
        old.database.text("SELECT MAX(key) FROM info WHERE key LIKE 'next%'").await,
        "next_payout_time"
    );
}

/// From the old server's last minute to everybody being paid.
async fn evening(target: Target) -> Option<()> {
    let old = OldPool::start().await?;
    let database = match target {
        Target::Sqlite => "sqlite:alp.db".to_owned(),
        Target::Postgres => alp_store::testing::postgres_database().await?,
    };
    let out = old.folder().join("new");
    let (out_text, new_database) = (out.to_str().unwrap(), database.as_str());
    let written = import(&old, &["--out", out_text, "--new-database", new_database]).await;
    assert!(written.status.success(), "{}", told(&written));
    let pool_file = out.join("pool.toml");
    let commit = ["--config", pool_file.to_str().unwrap(), "--commit", "--old-server-stopped"];
    let done = import(&old, &commit).await;
    assert!(
        done.status.success() && told(&done).contains("the old server pays nothing any more"),
        "{}",
        told(&done)
    );
    let again = import(&old, &commit).await;
    assert!(again.status.success() && told(&again).contains("nothing was imported"), "{}", told(&again));

    everybody_is_paid_once(&old, &pool_file).await;
    an_old_server_that_is_started_again_pays_nobody(&old).await;
    Some(())
}

async fn everybody_is_paid_once(old: &OldPool, pool_file: &Path) {
    let config = Config::read(pool_file).unwrap();
    let now_ms = Arc::new(AtomicU64::new(1_900_000_000_000));
    let clock = Clock::Fixed(Arc::clone(&now_ms));
    let url = config.pool.database.clone();
    let store = Store::open(StoreOptions { url, round_seconds: 60, clock }).await.unwrap();
    the_record_says_what_is_owed(&store).await;
    for (exchange, key, unit) in [("bittrex", "honest", "ppc"), ("bter", "steady", "btc")] {
        assert!(
            store.registered_lp(exchange, key, unit).await.unwrap().is_some(),
            "{key} goes on without a word"
        );
    }
    let digest = store.begin_configuration("{}").await.unwrap();
    let acquired = store.acquire_lease("rounds", "test", 3_600_000, &digest).await.unwrap();
    let Acquired::Granted(lease) = acquired else { panic!("{acquired:?}") };
    let key = read_signing_key(&config.pool.signing_key).unwrap();
    let publisher = Arc::new(Publisher::open(&store, key).await.unwrap());
    let payer =
        Payer::new(store.clone(), publisher, config.pool.payouts.unwrap(), FailAt::default()).unwrap();
    for _ in 0..20 {
        match payer.step(&lease, now_ms.load(Ordering::SeqCst)).await.unwrap() {
            Outcome::Idle { .. } => now_ms.fetch_add(DAY_MS, Ordering::SeqCst),
            Outcome::Waiting => {
                old.wallet.mine(6);
                0
            }
            Outcome::Planned(_) | Outcome::Moved { .. } => 0,
            stuck @ (Outcome::Hindered(_) | Outcome::Stopped(_)) => panic!("{stuck:?}"),
        };
    }
    // Honest's half coin is what the old server had paid and recorded.
    let expected = BTreeMap::from([(address_of("honest"), 380_000_000), (address_of("steady"), 260_000_000)]);
    assert_eq!(old.wallet.paid(), expected);
    assert!(store.owing(0, 100).await.unwrap().iter().all(|lp| lp.owed_e8 == 0));
    store.close().await;
}

/// The published record begins with a correction for each LP that is owed something.
async fn the_record_says_what_is_owed(store: &Store) {
    let newest = store.record_head().await.unwrap().unwrap().number;
    let mut verifier = Verifier::new(None);
    for number in 0..=newest {
        let (_, packed) = store.packed_entry(EntryOf::Number(number)).await.unwrap().unwrap();
        verifier.push(&unpack(&packed).unwrap());
    }
    let verified = verifier.finish();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    let mut owed: Vec<i128> = verified.balances.values().map(|balance| balance.corrected_e8).collect();
    owed.sort_unstable();
    assert_eq!(owed, [260_000_000, 330_000_000]);
}

async fn an_old_server_that_is_started_again_pays_nobody(old: &OldPool) {
    assert!(old.payable().await == 0.0);
    // What its round would write.
    let credit = "INSERT INTO credits (time, key, exchange, unit, order_id, reward, paid) \
                  VALUES (1460099999, 'honest', 'bittrex', 'btc', 5000, 1, 0)";
    let refused = old.database.try_execute(credit).await.unwrap_err();
    assert!(refused.contains("taken_over_by_alp"), "{refused}");
    assert_eq!(
        old.database.text("SELECT value FROM info WHERE key = 'next_payout_time'").await,
        "4102444800"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_sunday_evening_everybody_is_taken_over_and_paid_once() {
    evening(Target::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_sunday_evening_everybody_is_taken_over_and_paid_once_on_postgres() {
    evening(Target::Postgres).await;
}
