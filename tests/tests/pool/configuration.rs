//! The operator's files: every fault at once, changes while the pool runs, and the control socket.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use alp_server::config::Config;
use alp_server::control::{Command, ControlError, ControlSocket, ask};
use alp_tests::{DEADLINE, Settings, TestPool, wait_until};
use serde_json::json;

/// What is wrong with these files, each fault as `file: key message`.
fn faults(pool: &str, exchange: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("exchanges")).unwrap();
    fs::write(folder.path().join("pool.toml"), pool).unwrap();
    fs::write(folder.path().join("exchanges/kraken.toml"), exchange).unwrap();
    let faults = Config::read(&folder.path().join("pool.toml")).unwrap_err();
    let within = format!("{}/", folder.path().display());
    faults.list().iter().map(|fault| fault.to_string().replace(&within, "")).collect()
}

fn exchange_file() -> String {
    Settings::default().exchanges[0].1.replace("endpoint = \"{endpoint}\"\n", "")
}

#[tokio::test]
async fn pb_22_all_faults_are_told_together_each_with_its_file_key_and_cure() {
    let pool = "name = 5\nlisten = \"here\"\nround_seconds = 7\nlisten_to = 1\n[prices.btc]\nfixed = 0\n";
    let exchange = exchange_file()
        .replace("target = 1500", "target = 0")
        .replace("reward = 0.025", "")
        .replace("ratio = 0.6", "ratio = 0.7")
        .replace("fills_target = \"all\"", "fills_target = \"some\"");
    let faults = faults(pool, &exchange);
    let wanted = [
        "pool.toml: name ",
        "pool.toml: listen must be an address and a port, such as 127.0.0.1:3333",
        "pool.toml: round_seconds ",
        "pool.toml: listen_to is not a key that is known here",
        "pool.toml: prices.btc.fixed ",
        "exchanges/kraken.toml: units.btc.fills_target must be \"per_rank\", \"paid\" or \"all\"",
        "exchanges/kraken.toml: units.usd.reward is missing: it must be a decimal number",
    ];
    for start in wanted {
        assert!(faults.iter().any(|fault| fault.starts_with(start)), "{start} is not among {faults:#?}");
    }
}

#[tokio::test]
async fn pb_22_a_target_of_zero_and_ratios_that_do_not_add_up_are_faults() {
    let pool = "name = \"p\"\n[prices.btc]\nfixed = 1\n[prices.usd]\nfixed = 1\n";
    let right = exchange_file();
    let cases = [
        ("target = 1500", "target = 0", "units.btc target"),
        ("target = 1500", "", "units.btc.target is missing"),
        ("ratio = 0.6", "ratio = 0.7", "units.btc "),
        ("ratio = 0.8,", "ratio = 0.7,", "units.btc.bid "),
        ("[units.btc.ask]\nratio = 0.6", "[units.btc.ask]", "units.btc.ask.ratio is missing"),
        ("tolerance = 0.0085", "tolerance = 1.5", "units.btc.ask.rank_1.tolerance "),
        ("reward = 0.05", "reward = -1", "units.btc.reward "),
        ("reward = 0.05", "reward = 1e400", "units.btc.reward "),
        ("rank_2 =", "rank_x =", "units.btc.bid.rank_x must be called rank_1, rank_2 and so on"),
        ("[units.btc]\n", "[units.BTC]\n", "units.BTC "),
    ];
    for (from, to, start) in cases {
        assert!(right.contains(from), "{from}");
        let faults = faults(pool, &right.replacen(from, to, 1));
        let words = start.split_once(' ').unwrap();
        let found = faults.iter().any(|fault| {
            let rest = fault.strip_prefix("exchanges/kraken.toml: ");
            rest.is_some_and(|rest| rest.starts_with(words.0) && rest.contains(words.1.trim()))
        });
        assert!(found, "{start} is not among {faults:#?}");
    }
}

#[tokio::test]
async fn pb_22_a_price_that_is_missing_and_a_file_that_is_no_toml_are_faults() {
    let missing = faults("name = \"p\"\n[prices.usd]\nfixed = 1\n", &exchange_file());
    let expected =
        "pool.toml: prices.btc is missing, but kraken has the unit btc: say where its price comes from";
    assert_eq!(missing, [expected]);
    let no_toml = faults("name = \"p\"\n[prices.btc]\nfixed = 1\n", "[units.btc\n");
    assert!(no_toml[0].starts_with("exchanges/kraken.toml: is not TOML at line 1"), "{no_toml:?}");
}

#[tokio::test]
async fn a_change_is_picked_up_while_the_pool_runs() {
    let pool = TestPool::start().await;
    pool.edit(&pool.exchange_file("test_exchange"), "target = 1500", "target = 150");
    let target = async || pool.get("/exchanges").await.json()["test_exchange"]["btc"]["target"].clone();
    wait_until("the new target is in force", async || target().await == json!(150)).await;
}

#[tokio::test]
async fn pb_23_exchanges_and_the_round_go_by_the_same_target() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    pool.edit(&pool.exchange_file("test_exchange"), "target = 1500", "target = 3000");
    pool.reload().await.unwrap();
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    let credit = pool.orders_of(&lp).await[0]["credit_info"].clone();
    let shown = pool.get("/exchanges").await.json()["test_exchange"]["btc"]["target"].clone();
    assert_eq!((&credit["unit_target"], &shown), (&json!(3000), &json!(3000)));
    assert_eq!(pool.reward_of(&lp).await, "0.045");
}

#[tokio::test]
async fn pb_22_a_bad_change_is_refused_and_rounds_go_on_by_the_old_one() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.edit(&pool.exchange_file("test_exchange"), "target = 1500", "target = 0");
    let told = pool.reload().await.unwrap_err();
    assert!(told.contains("test_exchange.toml: units.btc"), "{told}");
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
    let shown = pool.get("/exchanges").await.json()["test_exchange"]["btc"]["target"].clone();
    assert_eq!(shown, json!(1500));
    let overview = ask(&pool.folder().join("alp.sock"), Command::Status).await.unwrap();
    assert!(overview.text.contains("configuration") && overview.text.contains("FAILED"), "{}", overview.text);
}

#[tokio::test]
async fn a_change_of_what_the_server_started_with_is_refused_in_words() {
    let pool = TestPool::start().await;
    pool.edit(&pool.pool_file(), "127.0.0.1:0", "127.0.0.1:1");
    pool.edit(&pool.pool_file(), "test_pool", "round_seconds = 30\ntest_pool");
    let told = pool.reload().await.unwrap_err();
    assert_eq!(told, "listen, round_seconds cannot change while the server runs: restart it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pb_23_no_unit_is_ever_missing_while_the_configuration_is_read_again() {
    let pool = Arc::new(TestPool::start().await);
    let done = Arc::new(AtomicBool::new(false));
    let mut readers = Vec::new();
    for _ in 0..3 {
        let (pool, done) = (Arc::clone(&pool), Arc::clone(&done));
        readers.push(tokio::spawn(async move {
            let mut read = 0;
            while !done.load(Ordering::SeqCst) {
                let shown = pool.get("/exchanges").await.json();
                let units = shown["test_exchange"].as_object().unwrap();
                assert!(units.contains_key("btc") && units.contains_key("usd"), "{shown}");
                read += 1;
            }
            read
        }));
    }
    let file = pool.exchange_file("test_exchange");
    for reload in 0..50 {
        let (from, to) = if reload % 2 == 0 { ("1500", "1501") } else { ("1501", "1500") };
        pool.edit(&file, &format!("target = {from}"), &format!("target = {to}"));
        pool.reload().await.unwrap();
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::SeqCst);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_unit_that_leaves_the_configuration_leaves_what_was_submitted_for_it() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    let text = fs::read_to_string(pool.exchange_file("test_exchange")).unwrap();
    let (head, rest) = text.split_once("[units.btc]").unwrap();
    let usd = rest.split_once("[units.usd]").unwrap().1;
    fs::write(pool.exchange_file("test_exchange"), format!("{head}[units.usd]{usd}")).unwrap();
    pool.reload().await.unwrap();
    assert_eq!(pool.submit(&lp, "btc").await.refusal(), "btc is not supported on test_exchange");
    pool.end_round().await;
    assert_eq!(pool.reward_of(&lp).await, "0.03");
    assert_eq!(pool.orders_of(&lp).await.len(), 1);
}

#[tokio::test]
async fn the_control_socket_is_the_operators_alone() {
    let pool = TestPool::start().await;
    let socket = pool.folder().join("alp.sock");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let in_use = ControlSocket::open(&socket).unwrap_err();
    assert!(matches!(in_use, ControlError::InUse { .. }), "{in_use}");
}

#[tokio::test]
async fn the_control_socket_tells_the_status_and_reloads() {
    let pool = TestPool::start().await;
    let socket = pool.folder().join("alp.sock");
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    let status = ask(&socket, Command::Status).await.unwrap();
    assert!(status.ok);
    for line in ["test pool, up for 56 s", "registrations  1", "last round     1760000040 paid 0.03"] {
        assert!(status.text.contains(line), "{line} is not in {}", status.text);
    }
    let reloaded = ask(&socket, Command::Reload).await.unwrap();
    assert_eq!(
        (reloaded.ok, reloaded.text.as_str()),
        (true, "the configuration is in force, with 2 markets")
    );
    pool.edit(&pool.exchange_file("test_exchange"), "target = 1500", "target = 0");
    let refused = ask(&socket, Command::Reload).await.unwrap();
    assert!(!refused.ok && refused.text.contains("units.btc"), "{}", refused.text);
}

#[tokio::test]
async fn the_control_socket_stops_the_pool_in_good_order() {
    let mut pool = TestPool::start().await;
    let socket = pool.folder().join("alp.sock");
    let stopped = ask(&socket, Command::Stop).await.unwrap();
    assert!(stopped.ok);
    tokio::time::timeout(Duration::from_secs(2), pool.running().stopped()).await.unwrap();
    tokio::time::timeout(DEADLINE, pool.stop()).await.unwrap();
    assert!(!socket.exists());
    let nobody = ask(&socket, Command::Status).await.unwrap_err();
    assert!(matches!(nobody, ControlError::NotRunning { .. }), "{nobody}");
}

#[tokio::test]
async fn nonsense_on_the_control_socket_is_answered_with_the_commands() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let pool = TestPool::start().await;
    let mut stream = tokio::net::UnixStream::connect(pool.folder().join("alp.sock")).await.unwrap();
    stream.write_all(b"{\"command\":\"pay everybody\"}\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(
        answer,
        "{\"ok\":false,\"text\":\"the commands are status, reload, stop, adapter, payouts and lps\"}\n"
    );
}

#[tokio::test]
async fn a_socket_left_behind_by_a_server_that_was_killed_is_no_hindrance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alp.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    drop(ControlSocket::open(&path).unwrap());
    fs::write(&path, "notes").unwrap();
    let refused = ControlSocket::open(&path).unwrap_err();
    assert!(matches!(refused, ControlError::NotASocket { .. }), "{refused}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "notes");
}

#[test]
fn the_operators_example_is_a_configuration_without_faults() {
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/operator/pool.toml");
    let config = Config::read(&example).unwrap();
    assert_eq!(config.exchanges.keys().collect::<Vec<_>>(), ["binance"]);
    assert_eq!(config.prices.keys().collect::<Vec<_>>(), ["btc", "usd"]);
}

#[test]
fn what_is_wrong_with_proofs_is_told_and_the_operators_example_has_the_defaults() {
    let pool = "name = \"p\"\n[prices.btc]\nfixed = 1\n[prices.usd]\nfixed = 1\n[proof]\nchallenge_minutes = 0\n\
                tries_per_hour = 21\nnotice_hours = 48\ndelay_hours = 24\nrequire_proof = 1\nminutes = 5\n";
    let faults = faults(pool, &exchange_file());
    for start in [
        "pool.toml: proof.challenge_minutes must be a whole number from 1 to 60",
        "pool.toml: proof.tries_per_hour must be a whole number from 1 to 20",
        "pool.toml: proof.delay_hours must be at least notice_hours",
        "pool.toml: proof.require_proof ",
        "pool.toml: proof.minutes is not a key that is known here",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(start)), "{start} is not among {faults:#?}");
    }
    let example = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/operator/pool.toml");
    assert_eq!(Config::read(&example).unwrap().pool.proof, alp_server::config::ProofConfig::default());
}
