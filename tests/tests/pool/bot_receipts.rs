//! The example bot keeps what a pool signs, and `alp verify` holds the pool to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use alp_bot::receipts::{HEADS_FOLDER, OPENING_FOLDER, ReceiptFolder};
use alp_bot::{
    Account, Bot, ComponentSigner, Counts, EVENT_CAPACITY, Event, Identity, NoOrders, Nonces, PoolClient,
    Secret, Settings, Signer, generator,
};
use alp_record::chain::{Body, Opening, PublicKey};
use alp_server::record::read_signing_key;
use alp_server::verify::{Verification, report, verify};
use alp_tests::{DEADLINE, Lp, TestPool, adapter};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::verify::sign_again;

/// The bot of an LP, at a pool whose clock only the test moves.
struct RunningBot {
    counts: watch::Receiver<Counts>,
    events: mpsc::Receiver<Event>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Counts>,
}

impl RunningBot {
    async fn start(pool: &TestPool, lp: &Lp, folder: &Path, key: PublicKey) -> Self {
        let account = Account {
            key: lp.key.clone(),
            secret: Secret::new(lp.secret.clone()),
            parameters: BTreeMap::new(),
            base: "NBT".to_owned(),
            quote: "BTC".to_owned(),
            market_parameters: BTreeMap::new(),
            endpoint: Some(pool.exchange_origin()),
        };
        let signer = ComponentSigner::new(adapter("test_exchange").await, account).unwrap();
        let identity = Identity {
            user: lp.key.clone(),
            address: lp.address.clone(),
            exchange: "test_exchange".to_owned(),
            unit: "btc".to_owned(),
        };
        let often = Duration::from_millis(20);
        let settings =
            Settings { submit_interval: often, look_interval: DEADLINE, silence: Duration::from_secs(3_600) };
        let app = Arc::clone(pool.app());
        let (events, received) = mpsc::channel(EVENT_CAPACITY);
        let (counts, counted) = watch::channel(Counts::default());
        let (stop, stopped) = watch::channel(false);
        let bot = Bot {
            settings,
            pool: PoolClient::new(&format!("http://{}", pool.address()), identity).unwrap(),
            nonces: Arc::new(Nonces::new(signer.nonce_kind(), generator(1))),
            signer,
            trader: NoOrders,
            receipts: Some(ReceiptFolder::open(folder, Some(key), 60).unwrap()),
            heads: true,
            clock: Arc::new(move || app.now_ms()),
            events,
            counts,
        };
        Self { counts: counted, events: received, stop, task: tokio::spawn(bot.run(stopped)) }
    }

    async fn until(&mut self, enough: impl FnMut(&Counts) -> bool) {
        let waited = tokio::time::timeout(DEADLINE, self.counts.wait_for(enough)).await;
        assert!(waited.is_ok_and(|counts| counts.is_ok()), "{:?}", self.counts.borrow());
    }

    async fn stop(self) -> Counts {
        self.stop.send_replace(true);
        self.task.await.unwrap()
    }
}

fn key_of(pool: &TestPool) -> PublicKey {
    read_signing_key(&pool.folder().join("alp.key")).unwrap().public()
}

/// A pool with two rounds in which the bot of one LP submitted, what that kept, and the record in a folder.
async fn with_receipts() -> (TestPool, TempDir, u64) {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 900 0.004", "bid 300 0.00398"]).await;
    let folder = tempfile::tempdir().unwrap();
    let mut bot = RunningBot::start(&pool, &lp, &folder.path().join("receipts"), key_of(&pool)).await;
    bot.until(|counts| counts.receipts >= 2).await;
    pool.end_round().await;
    let so_far = bot.counts.borrow().receipts;
    // The submission that was under way when the round ended may still be one of the first round.
    bot.until(|counts| counts.receipts >= so_far + 2).await;
    let counts = bot.stop().await;
    assert_eq!(counts.accepted, counts.receipts);
    pool.end_round().await;
    (pool, folder, counts.receipts)
}

fn evidence(pool: &TestPool, folder: &Path) -> Verification {
    Verification {
        record: format!("http://{}", pool.address()),
        key: Some(key_of(pool)),
        receipts: Some(folder.join("receipts")),
        heads: Some(folder.join("receipts").join(HEADS_FOLDER)),
        ..Verification::default()
    }
}

#[tokio::test]
async fn what_the_bot_kept_is_honoured_and_what_the_pool_drops_later_is_found() {
    let (pool, folder, receipts) = with_receipts().await;
    let entries: PathBuf = folder.path().join("entries");
    let with_evidence = evidence(&pool, folder.path());
    let saved = Verification { save: Some(entries.clone()), ..with_evidence.clone() };
    let outcome = verify(&saved, |_, _| {}).await.unwrap();
    let said = report(&outcome);
    assert!(outcome.findings().is_empty(), "{said}");
    assert_eq!((outcome.verified.receipts as u64, outcome.receipts_given as u64), (receipts, receipts));
    assert!(outcome.heads_compared >= 2, "{said}");

    // The pool drops what the LP showed from its second round, and signs that.
    sign_again(&entries, &read_signing_key(&pool.folder().join("alp.key")).unwrap(), 2, |body| {
        let Body::Round(round) = body else { panic!("no round") };
        round.lps[0].samples.clear();
    });
    let record = entries.display().to_string();
    let outcome = verify(&Verification { record, ..with_evidence }, |_, _| {}).await.unwrap();
    let found: Vec<String> = outcome.findings().iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|what| what.contains("and the record has no sample of it")), "{found:#?}");
}

#[tokio::test]
async fn the_bot_keeps_what_opens_its_pseudonym_apart_and_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;

    let (_pool, folder, _) = with_receipts().await;
    let file = folder.path().join("receipts").join(OPENING_FOLDER).join("openings");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(file).unwrap();
    let [line] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    let (lp, nonce) = line.split_once(' ').unwrap();
    assert!(lp.len() == 64 && Opening::parse(nonce).is_some(), "{line}");
    let days: Vec<String> = std::fs::read_dir(folder.path().join("receipts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".receipts"))
        .collect();
    assert_eq!(days, ["2025-10-09.receipts"]);
}

#[tokio::test]
async fn what_another_key_signed_is_told_and_not_kept() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 900 0.004"]).await;
    let folder = tempfile::tempdir().unwrap();
    let other = PublicKey::parse(&"ab".repeat(32)).unwrap();
    let mut bot = RunningBot::start(&pool, &lp, folder.path(), other).await;
    bot.until(|counts| counts.accepted >= 1).await;
    let told = async {
        loop {
            if let Some(Event::NotKept { reason }) = bot.events.recv().await {
                return reason;
            }
        }
    };
    let reason = tokio::time::timeout(DEADLINE, told).await.unwrap();
    assert_eq!(reason, "the receipt is not signed by the pool's key");
    assert_eq!(bot.stop().await.receipts, 0);
    let kept =
        std::fs::read_dir(folder.path()).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_file());
    assert_eq!(kept.count(), 0);
}
