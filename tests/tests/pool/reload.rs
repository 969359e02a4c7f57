//! Versions of adapters in a running pool: replaced in every way under load, brought back, tried in the shadow.

use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use alp_server::control::{Answer, Command, ask};
use alp_server::lifecycle::AdapterCommand;
use alp_tests::{
    DEADLINE, FakeServer, Lp, Settings, TestPool, another_build, component, grant_for_any_build, wait_until,
};
use serde_json::{Value, json};

use crate::guests::Guest;

const NAME: &str = "test_exchange";

async fn order(pool: &TestPool, command: AdapterCommand) -> Answer {
    ask(&pool.folder().join("alp.sock"), Command::Adapter(command)).await.unwrap()
}

async fn done(pool: &TestPool, command: AdapterCommand) -> String {
    let answer = order(pool, command).await;
    assert!(answer.ok, "{}", answer.text);
    answer.text
}

async fn refused(pool: &TestPool, command: AdapterCommand) -> String {
    let answer = order(pool, command).await;
    assert!(!answer.ok, "{}", answer.text);
    answer.text
}

fn name() -> String {
    NAME.to_owned()
}

fn serving(pool: &TestPool) -> String {
    pool.app().adapters.snapshot().get(NAME).unwrap().sha256().to_owned()
}

/// Replaces the component and returns its SHA-256 when it serves.
async fn replace(pool: &TestPool, bytes: &[u8]) -> String {
    let before = serving(pool);
    pool.plug_in(NAME, bytes);
    let changed = |snapshot: &alp_sandbox::Snapshot| snapshot.get(NAME).unwrap().sha256() != before;
    pool.app().adapters.wait_for(DEADLINE, changed).await.unwrap();
    serving(pool)
}

async fn shown(pool: &TestPool) -> Value {
    let adapters = pool.get("/adapters").await.json()["message"].as_array().unwrap().clone();
    adapters.into_iter().find(|adapter| adapter["name"] == NAME).unwrap()
}

/// A build that says `to` where the usual one says `from`: another path at the exchange, or another text.
fn altered(from: &str, to: &str, mark: u8) -> Vec<u8> {
    with(another_build(NAME, mark), from, to)
}

/// The same with `to` wherever its constants had `from`. Names of the contract stay: their length stands before them.
fn with(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut found = 0;
    for at in 0..=bytes.len() - from.len() {
        let is_name = at > 0 && usize::from(bytes[at - 1]) == from.len();
        if &bytes[at..at + from.len()] == from.as_bytes() && !is_name {
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            found += 1;
        }
    }
    assert!(found > 0, "the component has no {from}");
    bytes
}

#[tokio::test]
async fn a_component_that_fails_the_self_check_never_displaces_the_one_that_works() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    let before = serving(&pool);
    // It loads and answers, but declares no call that carries a signature.
    let wrong = Guest::named(NAME).component();
    alp_tests::sandbox().await.load(wrong.clone()).await.unwrap();
    pool.plug_in(NAME, &wrong);
    let told = |snapshot: &alp_sandbox::Snapshot| snapshot.entry(NAME).unwrap().last_error.is_some();
    pool.app().adapters.wait_for(DEADLINE, told).await.unwrap();
    assert_eq!(serving(&pool), before);
    let entry = shown(&pool).await;
    assert_eq!(entry["state"], "serving: the newer version of its file was refused");
    assert!(entry["last_error"].as_str().unwrap().contains("self-check"), "{entry}");
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn a_rollback_brings_the_version_before_back_and_holds_the_name_to_it_beyond_a_restart() {
    let mut pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    let first = serving(&pool);
    let second = replace(&pool, &another_build(NAME, 1)).await;
    assert_ne!(first, second);
    wait_until("both are kept", async || {
        let kept = order(&pool, AdapterCommand::Versions { name: name() }).await.text;
        kept.contains(&first) && kept.contains(&second)
    })
    .await;
    let told = done(&pool, AdapterCommand::Rollback { name: name(), to: None }).await;
    assert!(told.contains("`alp adapter release test_exchange` ends the hold"), "{told}");
    assert_eq!(serving(&pool), first);
    pool.submit_btc(&lp).await;
    pool.restart().await;
    assert_eq!(serving(&pool), first);
    pool.plug_in(NAME, &another_build(NAME, 2));
    let waits = |snapshot: &alp_sandbox::Snapshot| {
        snapshot.entry(NAME).unwrap().candidate.as_ref().is_some_and(|waits| waits.sha256() != second)
    };
    pool.app().adapters.wait_for(DEADLINE, waits).await.unwrap();
    assert_eq!(serving(&pool), first);
    let entry = shown(&pool).await;
    let state = "serving: held by the operator to a version; the file in the plugins folder is another";
    assert_eq!(entry["state"], state);
    assert!(entry["held"].as_str().unwrap().starts_with("held to version "), "{entry}");
    let status = ask(&pool.folder().join("alp.sock"), Command::Status).await.unwrap().text;
    assert!(status.contains("held to version "), "{status}");
    pool.submit_btc(&lp).await;
    done(&pool, AdapterCommand::Release { name: name() }).await;
    assert_eq!(shown(&pool).await["held"], Value::Null);
    assert!(![first, second].contains(&serving(&pool)));
    pool.submit_btc(&lp).await;
    let again = refused(&pool, AdapterCommand::Release { name: name() }).await;
    assert_eq!(again, "test_exchange is not held to any version");
}

#[tokio::test]
async fn the_version_in_service_and_the_three_before_it_are_kept() {
    let pool = TestPool::start().await;
    let mut served = vec![serving(&pool)];
    for mark in 10..15 {
        served.push(replace(&pool, &another_build(NAME, mark)).await);
    }
    let kept = |served: &[String], text: &str| served.iter().map(|it| text.contains(it)).collect::<Vec<_>>();
    wait_until("the last is kept", async || {
        let text = order(&pool, AdapterCommand::Versions { name: name() }).await.text;
        kept(&served, &text) == [false, false, true, true, true, true]
    })
    .await;
    let gone = refused(&pool, AdapterCommand::Rollback { name: name(), to: Some(served[0].clone()) }).await;
    assert!(gone.starts_with("no version with this SHA-256 is kept"), "{gone}");
    done(&pool, AdapterCommand::Rollback { name: name(), to: Some(served[3][..12].to_owned()) }).await;
    assert_eq!(serving(&pool), served[3]);
    done(&pool, AdapterCommand::Rollback { name: name(), to: None }).await;
    assert_eq!(serving(&pool), served[2]);
    let last = refused(&pool, AdapterCommand::Rollback { name: name(), to: None }).await;
    assert_eq!(last, "no version that served before it is kept");
    assert_eq!(serving(&pool), served[2]);
}

#[tokio::test]
async fn a_kept_version_that_was_altered_is_never_brought_back() {
    let pool = TestPool::start().await;
    let first = serving(&pool);
    let second = replace(&pool, &another_build(NAME, 3)).await;
    let file = pool.folder().join("versions").join(NAME).join(format!("{first}.wasm"));
    wait_until("both are kept", async || {
        file.exists() && order(&pool, AdapterCommand::Versions { name: name() }).await.text.contains(&second)
    })
    .await;
    std::fs::write(&file, another_build(NAME, 4)).unwrap();
    let told = refused(&pool, AdapterCommand::Rollback { name: name(), to: None }).await;
    assert!(told.contains("was altered since it served and is not used"), "{told}");
    assert_eq!(serving(&pool), second);
    assert!(!pool.folder().join("versions").join(NAME).join("hold.json").exists());
    for wrong in ["../plugins", "", "Test"] {
        let told = refused(&pool, AdapterCommand::Versions { name: wrong.to_owned() }).await;
        assert!(told.contains("the name of an adapter is"), "{told}");
    }
}

#[tokio::test]
async fn a_candidate_runs_in_the_shadow_and_is_promoted_by_command() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1 0.004"]).await;
    let file = pool.folder().join("candidate.wasm");
    std::fs::write(&file, another_build(NAME, 5)).unwrap();
    let shadow = || AdapterCommand::Shadow { name: name(), component: file.clone() };
    done(&pool, shadow()).await;
    let before = serving(&pool);
    let calls = pool.exchange_calls();
    for _ in 0..3 {
        pool.submit_btc(&lp).await;
    }
    wait_until("all are compared", async || shown(&pool).await["shadow"]["same"] == 3).await;
    assert_eq!(pool.exchange_calls() - calls, 3, "nothing of the candidate is sent");
    assert_eq!(serving(&pool), before);
    // One that asks for something else: every submission differs, and none fails.
    std::fs::write(&file, altered("open-orders", "open_orders", 6)).unwrap();
    done(&pool, shadow()).await;
    pool.submit_btc(&lp).await;
    wait_until("the difference is counted", async || shown(&pool).await["shadow"]["different"] == 1).await;
    let entry = shown(&pool).await;
    assert_eq!(entry["shadow"]["last_differences"], json!(["different: start: request: the call"]));
    let report = done(&pool, AdapterCommand::ShowShadow { name: name() }).await;
    assert!(report.contains("0 the same, 1 different, 0 failed, 0 not compared"), "{report}");
    let status = ask(&pool.folder().join("alp.sock"), Command::Status).await.unwrap().text;
    assert!(status.contains("1 different"), "{status}");
    for secret in [&lp.key, &lp.secret] {
        assert!(!report.contains(secret.as_str()), "{report}");
    }
    done(&pool, AdapterCommand::StopShadow { name: name() }).await;
    assert_eq!(shown(&pool).await["shadow"], Value::Null);
    let none = refused(&pool, AdapterCommand::Promote { name: name() }).await;
    assert_eq!(none, "no candidate runs beside the adapter of test_exchange");
    // The right one again, and into service.
    let promoted = another_build(NAME, 7);
    std::fs::write(&file, &promoted).unwrap();
    done(&pool, shadow()).await;
    done(&pool, AdapterCommand::Promote { name: name() }).await;
    assert_ne!(serving(&pool), before);
    assert_eq!(std::fs::read(pool.plugins().join("test_exchange.wasm")).unwrap(), promoted);
    assert_eq!(shown(&pool).await["shadow"], Value::Null);
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn a_candidate_that_is_none_is_refused() {
    let pool = TestPool::start().await;
    let file = pool.folder().join("candidate.wasm");
    let shadow = || AdapterCommand::Shadow { name: name(), component: file.clone() };
    assert!(refused(&pool, shadow()).await.contains("cannot be read"));
    std::fs::write(&file, b"<html>").unwrap();
    assert!(refused(&pool, shadow()).await.contains("the file is text"));
    std::fs::copy(component("binance"), &file).unwrap();
    assert!(refused(&pool, shadow()).await.contains("its adapter is for `binance`"));
    assert_eq!(shown(&pool).await["shadow"], Value::Null);
}

/// The ways in which operators replace a file.
#[derive(Clone, Copy, Debug)]
enum Way {
    Rename,
    SlowCopy,
    DeleteAndCreate,
    Symlink,
}

/// Replaces the component in one of the ways; it is complete when this returns.
async fn replace_by(way: Way, plugins: &Path, bytes: &[u8], number: usize) {
    let file = plugins.join("test_exchange.wasm");
    match way {
        Way::Rename => {
            let part = plugins.join("test_exchange.wasm.part");
            std::fs::write(&part, bytes).unwrap();
            std::fs::rename(part, file).unwrap();
        }
        Way::SlowCopy => {
            // In place of a link there is a file of its own; over a file it is written in place.
            if file.is_symlink() {
                std::fs::remove_file(&file).unwrap();
            }
            let mut copy = std::fs::File::create(&file).unwrap();
            let (first, rest) = bytes.split_at(bytes.len() / 2);
            copy.write_all(first).unwrap();
            // Half a file for a second: what is tested is that the pool looks at it meanwhile.
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            copy.write_all(rest).unwrap();
        }
        Way::DeleteAndCreate => {
            std::fs::remove_file(&file).unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            std::fs::write(&file, bytes).unwrap();
        }
        Way::Symlink => {
            let elsewhere = plugins.with_file_name(format!("build-{number}.wasm"));
            std::fs::write(&elsewhere, bytes).unwrap();
            let link = plugins.join("next.link");
            symlink(elsewhere, &link).unwrap();
            std::fs::rename(link, file).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_whichever_way_a_component_is_replaced_under_load_no_submission_fails() {
    let pool = Arc::new(TestPool::start().await);
    let (stop, submitted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut bots = Vec::new();
    for number in 0..4 {
        let (pool, stop, submitted) = (Arc::clone(&pool), Arc::clone(&stop), Arc::clone(&submitted));
        let lp = pool.lp_with(&format!("lp-{number}"), &["ask 1 0.004"]).await;
        bots.push(tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                pool.submit_btc(&lp).await;
                submitted.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    let ways = [Way::Rename, Way::SlowCopy, Way::DeleteAndCreate, Way::Symlink, Way::SlowCopy, Way::Rename];
    for (number, way) in ways.into_iter().enumerate() {
        let before = serving(&pool);
        let bytes = another_build(NAME, 100 + u8::try_from(number).unwrap());
        replace_by(way, &pool.plugins(), &bytes, number).await;
        let enough = submitted.load(Ordering::SeqCst) + 4;
        let other = |snapshot: &alp_sandbox::Snapshot| snapshot.get(NAME).unwrap().sha256() != before;
        pool.app().adapters.wait_for(DEADLINE, other).await.unwrap_or_else(|why| panic!("{way:?}: {why}"));
        wait_until("bots submit on", async || submitted.load(Ordering::SeqCst) >= enough).await;
    }
    stop.store(true, Ordering::SeqCst);
    for bot in bots {
        bot.await.unwrap();
    }
    assert_eq!(shown(&pool).await["state"], "serving");
}

/// What the exchange answers so that only the build that asked takes it for a market that is not there: a fault that
/// makes nobody wait.
fn unknown(word: &str) -> String {
    format!("{{\"error\":\"{word}\",\"message\":\"no such market\"}}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_submission_is_answered_wholly_by_the_old_build_or_wholly_by_the_new_one() {
    // Two builds: each asks at a path of its own, and knows the reply of that path only.
    let old = another_build(NAME, 50);
    let new = {
        let renamed = altered("open-orders", "open_orders", 51);
        with(renamed, "unknown-market", "unknown_market")
    };
    let fake = FakeServer::start().await;
    fake.set("/api/v1/open-orders", 400, &unknown("unknown-market"));
    fake.set("/api/v1/open_orders", 400, &unknown("unknown_market"));
    let exchange = alp_tests::TEST_EXCHANGE.replace("{endpoint}", fake.origin());
    // The operator grants what either of them asks for.
    let grant = grant_for_any_build(NAME).await;
    let calls = grant.find("[[grant.calls]]").unwrap();
    let both = format!("{grant}\n{}", grant[calls..].replace("open-orders", "open_orders"));
    let settings = Settings { exchanges: vec![(NAME.to_owned(), exchange)], ..Settings::default() };
    let pool = Arc::new(TestPool::start_with(settings.grant(NAME, &both)).await);
    let stop = Arc::new(AtomicBool::new(false));
    let mut bots = Vec::new();
    for number in 0..4 {
        let (pool, stop) = (Arc::clone(&pool), Arc::clone(&stop));
        let lp: Lp = pool.lp_with(&format!("lp-{number}"), &[]).await;
        bots.push(tokio::spawn(async move {
            let mut answers = 0;
            while !stop.load(Ordering::SeqCst) {
                let told = pool.submit(&lp, "btc").await.refusal();
                assert!(told.starts_with("the pool's operator must act"), "{told}");
                answers += 1;
            }
            answers
        }));
    }
    for turn in 0..6 {
        replace(&pool, if turn % 2 == 0 { &new } else { &old }).await;
        let asked = fake.asked().len();
        wait_until("bots submit on", async || fake.asked().len() >= asked + 8).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut answers = 0;
    for bot in bots {
        answers += bot.await.unwrap();
    }
    let asked = fake.asked();
    assert_eq!(asked.len(), answers);
    for path in ["/api/v1/open-orders?", "/api/v1/open_orders?"] {
        assert!(asked.iter().any(|uri| uri.starts_with(path)), "{path} was never asked");
    }
}
