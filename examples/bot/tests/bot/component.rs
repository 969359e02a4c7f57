//! Signing through the adapter itself, built from its sources, and the program as its owner starts it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use alp_bot::{Account, ComponentSigner, NoOrders, NonceKind, Secret, Signer};
use alp_sandbox::{Compiler, Limits, Sandbox};
use alp_simulated_exchange::Order;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::time::timeout;

use crate::fake_pool::Mood;
use crate::scene::{DEADLINE, KEY, QUICK, SECRET, Scene, run};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_alp-bot");

/// The adapter `test_exchange` as a component, built once.
pub(crate) fn adapter() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let status = std::process::Command::new(env!("CARGO"))
            .args(["build", "--package", "test_exchange", "--profile", "adapter"])
            .args(["--target", "wasm32-unknown-unknown", "--target-dir"])
            .arg(target)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.unwrap().success());
        target.join("wasm32-unknown-unknown/adapter/test_exchange.wasm")
    })
}

async fn signer(cache: &Path, endpoint: String) -> ComponentSigner {
    let compiler = Compiler {
        program: PROGRAM.into(),
        leading_args: vec!["compile-adapter".into()],
        cache_dir: cache.to_owned(),
    };
    let sandbox = Sandbox::new(Limits::default(), compiler).unwrap();
    let adapter = sandbox.load_file(adapter()).await.unwrap();
    let account = Account {
        key: KEY.to_owned(),
        secret: Secret::new(SECRET),
        parameters: BTreeMap::new(),
        base: "NBT".to_owned(),
        quote: "BTC".to_owned(),
        market_parameters: BTreeMap::new(),
        endpoint: Some(endpoint),
    };
    assert!(!format!("{account:?}").contains(SECRET));
    ComponentSigner::new(Arc::clone(&adapter), account).unwrap()
}

#[tokio::test]
async fn the_exchange_accepts_what_the_adapter_signs() {
    let scene = Scene::set().await;
    scene.pool.on_liquidity(Mood::Hang);
    let folder = tempfile::tempdir().unwrap();
    let signer = signer(&folder.path().join("cache"), scene.running.origin()).await;
    assert_eq!(signer.nonce_kind(), NonceKind::Milliseconds);
    let _bot = run(&scene.pool.url, QUICK, signer, NoOrders);
    let submitted = scene.pool.heard("/liquidity", 1).await[0].json();
    let listed = scene.list(&submitted).await;
    assert_eq!(listed, serde_json::json!({ "success": true, "orders": [] }));
}

#[tokio::test]
async fn the_program_keeps_orders_submits_and_takes_them_back_when_it_is_ended() {
    let scene = Scene::set().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.txt"), SECRET).unwrap();
    let example = include_str!("../../bot.toml");
    let text = example
        .replace("http://127.0.0.1:3333", &scene.pool.url)
        .replace("http://127.0.0.1:3334", &scene.running.origin())
        .replace("../../plugins/test_exchange.wasm", adapter().to_str().unwrap())
        .replace("test-exchange-test-key-fixture", KEY);
    let path = folder.path().join("bot.toml");
    std::fs::write(&path, text).unwrap();
    let mut program = Command::new(PROGRAM);
    program.args(["run", "--config"]).arg(&path).stderr(Stdio::piped()).kill_on_drop(true);
    let child = program.spawn().unwrap();
    let pid = Pid::from_raw(child.id().unwrap().cast_signed()).unwrap();

    assert_eq!(scene.pool.heard("/register", 1).await[0].json()["user"], KEY);
    scene.pool.heard("/liquidity", 1).await;
    assert_eq!(scene.exchange.orders(KEY).unwrap().len(), 4);
    let start = std::time::Instant::now();
    kill_process(pid, Signal::TERM).unwrap();
    let output = timeout(DEADLINE, child.wait_with_output()).await.expect("an end").unwrap();
    assert!(output.status.success() && start.elapsed() < Duration::from_secs(2));
    scene.orders(<[Order]>::is_empty).await;
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("registered") && log.contains("stopped"), "{log}");
    assert!(!log.contains(SECRET) && !log.contains(KEY), "{log}");
}

#[tokio::test]
async fn the_program_says_what_is_wrong_with_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.toml");
    std::fs::write(&path, include_str!("../../bot.toml")).unwrap();
    let output = Command::new(PROGRAM).args(["run", "--config"]).arg(&path).output().await.unwrap();
    assert!(!output.status.success());
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("cannot read") && log.contains("secret.txt"), "{log}");
}
