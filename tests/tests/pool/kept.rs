//! Replies that are kept, sealed, and read again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use alp_server::config::Config;
use alp_server::kept::{ReplayError, kept_of, read_again};
use alp_tests::{Lp, Settings, TestPool, sandbox, wait_until};

const DAY_MS: u64 = 86_400_000;

/// Writes a key that only this user can read.
fn write_key(path: &Path, byte: u8) {
    fs::write(path, [byte; 32]).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A pool that keeps replies for two days, with more lines in the section.
async fn keeping(folder: &Path, more: &str) -> TestPool {
    let key = folder.join("key");
    write_key(&key, 7);
    let mut settings = Settings::default();
    settings
        .sections
        .push_str(&format!("[keep_replies]\ndays = 2\nkey_file = {:?}\n{more}\n", key.display().to_string()));
    TestPool::start_with(settings).await
}

/// The files that are kept.
fn kept_files(pool: &TestPool) -> Vec<PathBuf> {
    let Ok(days) = fs::read_dir(pool.folder().join("replies")) else { return Vec::new() };
    let files = days.flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap().path());
    files.filter(|file| !file.file_name().unwrap().to_str().unwrap().starts_with('.')).collect()
}

async fn wait_for_files(pool: &TestPool, count: usize) -> Vec<PathBuf> {
    wait_until("the replies are kept", async || kept_files(pool).len() == count).await;
    kept_files(pool)
}

fn hash_of(file: &Path) -> String {
    file.file_name().unwrap().to_str().unwrap().split_once('.').unwrap().0.to_owned()
}

fn config_of(pool: &TestPool) -> Config {
    Config::read(&pool.pool_file()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[tokio::test]
async fn a_kept_reply_is_sealed_and_gives_the_same_orders_again() {
    let folder = tempfile::tempdir().unwrap();
    let pool = keeping(folder.path(), "").await;
    let lp: Lp = pool.lp_with("alice", &["ask 1500 0.004", "bid 7.5 0.0039"]).await;
    pool.submit_btc(&lp).await;
    let files = wait_for_files(&pool, 1).await;
    assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let sealed = fs::read(&files[0]).unwrap();
    for plain in ["test_exchange", "0.0039", lp.key.as_str(), "NBT"] {
        assert!(!sealed.windows(plain.len()).any(|window| window == plain.as_bytes()), "{plain}");
    }
    let config = config_of(&pool);
    let keep = config.pool.keep_replies.as_ref().unwrap();
    let kept = kept_of(keep, &hash_of(&files[0])).unwrap();
    assert_eq!(kept.len(), 1);
    let text = serde_json::to_string(&kept[0]).unwrap();
    for never in [lp.key.as_str(), "sign", "nonce"] {
        assert!(!text.contains(never), "{never} is in {text}");
    }
    for kept in kept {
        assert_eq!(kept.reply_sha256, hash_of(&files[0]));
        let replayed = read_again(kept, sandbox().await, None, &config.pool.plugins).await.ok().unwrap();
        let mut orders: Vec<_> = replayed
            .orders
            .iter()
            .map(|order| format!("{:?} {} {}", order.side, order.amount, order.price))
            .collect();
        orders.sort();
        assert_eq!(orders, ["Ask 1500 0.004", "Bid 7.5 0.0039"]);
    }
}

#[tokio::test]
async fn a_reply_is_opened_with_its_own_key_and_read_by_its_own_adapter_only() {
    let folder = tempfile::tempdir().unwrap();
    let pool = keeping(folder.path(), "").await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    pool.submit_btc(&lp).await;
    let files = wait_for_files(&pool, 1).await;
    let (config, hash) = (config_of(&pool), hash_of(&files[0]));
    let keep = config.pool.keep_replies.clone().unwrap();
    let empty = tempfile::tempdir().unwrap();
    let kept = kept_of(&keep, &hash).unwrap().remove(0);
    let nobody = read_again(kept, sandbox().await, None, empty.path()).await;
    assert!(matches!(nobody, Err(ReplayError::NoAdapter { .. })));
    assert!(matches!(kept_of(&keep, &"0".repeat(64)), Err(ReplayError::NotKept { .. })));
    write_key(&keep.key_file, 8);
    assert!(matches!(kept_of(&keep, &hash), Err(ReplayError::Sealed(_))));
    write_key(&keep.key_file, 7);
    let mut changed = fs::read(&files[0]).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    fs::write(&files[0], changed).unwrap();
    assert!(matches!(kept_of(&keep, &hash), Err(ReplayError::Sealed(_))));
}

#[tokio::test]
async fn what_is_kept_goes_after_its_days_and_never_exceeds_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let pool = keeping(folder.path(), "max_megabytes = 1").await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    pool.submit_btc(&lp).await;
    let first = wait_for_files(&pool, 1).await;
    pool.pass(3 * DAY_MS);
    // The reply has other bytes, since the orders are others.
    let bob = pool.lp_with("bob", &["ask 2 0.004"]).await;
    pool.submit_btc(&bob).await;
    wait_until("the first day is over", async || !first[0].exists() && kept_files(&pool).len() == 1).await;
    assert_eq!(pool.app().kept.dropped(), 0);
    // 1 MiB has room for no reply of 2 MB of JSON.
    let order = r#"{"id":"7","market":"NBT_BTC","side":"sell","type":"limit","price":"0.004","amount":"5","filled":"0","opened_ms":1}"#;
    let body = format!(r#"{{"success":true,"orders":[{order}],"more":"{}"}}"#, "x".repeat(1 << 20));
    pool.exchange().set_behaviour(alp_simulated_exchange::Behaviour::RawBody(200, body));
    pool.submit_btc(&lp).await;
    wait_until("the large reply is dropped", async || pool.app().kept.dropped() == 1).await;
    assert_eq!(kept_files(&pool).len(), 1);
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused_and_nothing_is_kept_by_default() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    pool.submit_btc(&lp).await;
    assert!(!pool.app().kept.is_on());
    assert!(!pool.folder().join("replies").exists());
    let key = pool.folder().join("key");
    let text = fs::read_to_string(pool.pool_file()).unwrap();
    fs::write(pool.pool_file(), format!("{text}\n[keep_replies]\nkey_file = \"key\"\n")).unwrap();
    let fault = || Config::read(&pool.pool_file()).unwrap_err().to_string();
    assert!(fault().contains("keep_replies.key_file is no key: "), "{}", fault());
    write_key(&key, 1);
    assert!(pool.reload().await.unwrap_err().contains("keep_replies cannot change while the server runs"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(fault().contains("can be read by others than its owner"), "{}", fault());
    fs::write(&key, [1; 31]).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(fault().contains("does not have exactly 32 bytes"), "{}", fault());
}
