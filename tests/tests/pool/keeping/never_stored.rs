//! What a bot signs with is never stored: not in the database, its log, a backup, kept replies, or what the pool says.

use std::fs;
use std::path::Path;
use std::process::Command;

use alp_sandbox::types::{Field, Market, SignQuery};
use alp_server::backup;
use alp_server::config::Config;
use alp_server::kept::kept_of;
use alp_simulated_exchange::{Credentials, NewOrder, Side};
use alp_tests::{Lp, Settings, TestPool, sign_query, wait_until};
use serde_json::Value;

use super::backups::holds;
use super::paying_pool::{Database, write_secret};
use crate::logged::Logged;

const PASSPHRASE: &str = "passphrase-that-is-nowhere";

/// Every file below a folder, with its bytes.
fn all_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else if path.is_file() {
            files.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    files
}

/// A pool at an exchange whose requests carry a passphrase, which keeps replies and makes backups.
async fn pool_with_passphrases(database: Option<&str>, outside: &Path) -> TestPool {
    write_secret(&outside.join("key"), &[9; 32]);
    let key = outside.join("key").display().to_string();
    let mut settings =
        Settings { exchanges: Vec::new(), plugins: Vec::new(), simulated: "bitget", ..Settings::default() };
    if let Some(database) = database {
        settings = settings.top(&format!("database = {database:?}"));
    }
    settings.sections = format!(
        "[prices.own]\nfixed = 20000\n[keep_replies]\nkey_file = {key:?}\n[backup]\nkey_file = {key:?}\n"
    );
    let file = "endpoint = \"{endpoint}\"\n[units.own]\nbase = \"BTC\"\nquote = \"USDT\"\nreward = 0.05\ntarget = 5000\n\
                ask = { ratio = 0.6, rank_1 = { ratio = 1, tolerance = 0.0085 } }\n\
                bid = { ratio = 0.4, rank_1 = { ratio = 1, tolerance = 0.0085 } }\n";
    let pool = TestPool::start_with(settings.exchange("bitget", file)).await;
    pool.exchange().add_market("BTC", "USDT", "20000".parse().unwrap()).unwrap();
    pool
}

/// What a bot posts, and the signature in it.
async fn message(pool: &TestPool, lp: &Lp) -> (String, String) {
    let passphrase = Field { name: "passphrase".to_owned(), value: PASSPHRASE.to_owned() };
    let market = Market { base: "BTC".into(), quote: "USDT".into(), parameters: Vec::new() };
    let query = SignQuery {
        user: lp.key.clone(),
        secret: lp.secret.clone(),
        parameters: vec![passphrase],
        market,
        endpoint: Some(pool.exchange_origin()),
        now_ms: pool.now_ms(),
        nonce: String::new(),
        extras: Vec::new(),
    };
    let (req, sign) = sign_query("bitget", &query).await;
    assert!(req.contains(PASSPHRASE), "{req}");
    let signature: Value = serde_json::from_str(&sign).unwrap();
    (pool.body(&lp.key, &req, &sign, "bitget", "own"), signature.as_str().unwrap().to_owned())
}

async fn nothing_that_was_signed_with_is_stored(database: Database) {
    let outside = tempfile::tempdir().unwrap();
    let url = match database {
        Database::Sqlite => None,
        Database::Postgres => match alp_store::testing::postgres_database().await {
            Some(url) => Some(url),
            None => return,
        },
    };
    let logged = Logged::default();
    let _logging = logged.subscribe_to_all();
    let pool = pool_with_passphrases(url.as_deref(), outside.path()).await;
    let lp = Lp::new("alice");
    let credentials =
        Credentials { secret: lp.secret.clone(), passphrase: Some(PASSPHRASE.to_owned()), account_id: None };
    pool.exchange().add_account_with(&lp.key, credentials).unwrap();
    pool.register_with(&lp.key, &lp.address, "bitget", "own").await.accepted();
    let (price, amount) = ("20000".parse().unwrap(), "5".parse().unwrap());
    let order = NewOrder { market: "BTC_USDT".to_owned(), side: Side::Sell, price, amount };
    pool.exchange().place(&lp.key, order).unwrap();

    // One that is taken, the same again, and one that the exchange refuses.
    let (taken, signature) = message(&pool, &lp).await;
    assert_eq!(pool.post("/liquidity", &taken).await.accepted(), "orders saved for validation");
    pool.post("/liquidity", &taken).await.refusal();
    let forger = Lp { secret: "another-secret".to_owned(), ..lp.clone() };
    pool.pass(1_000);
    let (refused, forged) = message(&pool, &forger).await;
    pool.post("/liquidity", &refused).await.refusal();
    pool.post("/v1/check", &refused).await;
    let replies = pool.folder().join("replies");
    wait_until("the reply is kept", async || replies.exists() && !all_files(&replies).is_empty()).await;
    pool.end_round().await;

    let config = Config::read(&pool.pool_file()).unwrap_or_else(|faults| panic!("{faults}")).pool;
    let file = outside.path().join("backup");
    backup::make(&config, &file, backup::unseen()).await.unwrap();
    let mut everything = all_files(pool.folder());
    let mut open = Vec::new();
    backup::read_whole(&outside.path().join("key"), &file, &mut open, |_, _| {}).unwrap();
    let plain = if database == Database::Postgres { as_sql(outside.path(), &open) } else { open };
    // What is looked for would be found: the database does know the key and the orders.
    assert!(holds(&plain, lp.key.as_bytes()) && holds(&plain, b"20000"));
    everything.push(("the backup".to_owned(), plain));
    let keep = config.keep_replies.as_ref().unwrap();
    for (name, _) in all_files(&replies) {
        let hash =
            Path::new(&name).file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
        for kept in kept_of(keep, &hash).unwrap() {
            everything.push((format!("kept {name}"), serde_json::to_vec(&kept).unwrap()));
        }
    }
    everything.push(("the log".to_owned(), logged.text().into_bytes()));
    assert!(everything.len() > 5);
    for (name, bytes) in &everything {
        for secret in [PASSPHRASE, &signature, &forged, &lp.secret] {
            assert!(!holds(bytes, secret.as_bytes()), "{secret} is in {name}");
        }
    }
}

/// A dump in its custom form, as text.
fn as_sql(folder: &Path, dump: &[u8]) -> Vec<u8> {
    let file = folder.join("dump");
    fs::write(&file, dump).unwrap();
    let beside = alp_store::testing::programs().unwrap().join("pg_restore");
    let program = if beside.exists() { beside } else { "pg_restore".into() };
    let output = Command::new(program).arg("--file=-").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_file(file).unwrap();
    output.stdout
}

#[tokio::test]
async fn nothing_that_was_signed_with_is_stored_on_sqlite() {
    nothing_that_was_signed_with_is_stored(Database::Sqlite).await;
}

#[tokio::test]
async fn nothing_that_was_signed_with_is_stored_on_postgres() {
    nothing_that_was_signed_with_is_stored(Database::Postgres).await;
}
