use std::time::Duration;

use alp_bot::receipts::ReceiptFolder;
use alp_bot::{Event, NoOrders, NonceKind, PoolAnswer, Settings, SignError, Signed, Signer, Value};
use tokio::net::TcpListener;

use crate::fake_pool::{FakePool, Heard, Mood};
use crate::scene::{KEY, QUICK, TestSigner, run, run_with_receipts};

#[tokio::test]
async fn a_bot_registers_once_and_submits_every_turn() {
    let pool = FakePool::start().await;
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    let submissions = pool.heard("/liquidity", 3).await;
    let registrations = pool.heard("/register", 1).await;
    assert_eq!(registrations.len(), 1);
    assert_eq!(registrations[0].content_type, "application/json");
    let expected = serde_json::json!({
        "user": KEY, "address": "BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96",
        "exchange": "test_exchange", "unit": "btc",
    });
    assert_eq!(registrations[0].json(), expected);
    assert_eq!(bot.events.recv().await, Some(Event::Registered));
    let message = "orders saved for validation".to_owned();
    assert_eq!(bot.events.recv().await, Some(Event::Accepted { message }));

    let first = submissions[0].json();
    let nonce = first["req"]["nonce"].as_u64().unwrap();
    let start = format!(r#"{{"user":"{KEY}","req":{{"market":"NBT_BTC","nonce":{nonce},"#);
    assert!(submissions[0].body.starts_with(&start), "{}", submissions[0].body);
    assert_eq!((&first["exchange"], &first["unit"]), (&"test_exchange".into(), &"btc".into()));
    assert!(rises(&submissions));
    let (_, counts) = bot.stop().await;
    assert!(counts.accepted >= 2 && counts.sent >= counts.accepted, "{counts:?}");
    assert_eq!(counts.refused, 0);
}

fn rises(submissions: &[Heard]) -> bool {
    let nonces = submissions.iter().map(|heard| heard.json()["req"]["nonce"].as_u64().unwrap());
    let nonces: Vec<u64> = nonces.collect();
    nonces.windows(2).all(|pair| pair[0] < pair[1])
}

#[tokio::test]
async fn a_key_that_is_registered_already_is_registered() {
    let pool = FakePool::start().await;
    pool.on_register(Mood::Say(false, "user is already registered"));
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    assert_eq!(bot.until(|_| true).await, Event::Registered);
    bot.accepted().await;
    assert_eq!(pool.heard("/register", 1).await.len(), 1);
}

#[tokio::test]
async fn nothing_is_submitted_before_the_pool_takes_the_registration() {
    let pool = FakePool::start().await;
    pool.on_register(Mood::Say(false, "mars is not supported"));
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    let message = "mars is not supported".to_owned();
    assert_eq!(bot.until(|_| true).await, Event::RegistrationRefused { message });
    pool.heard("/register", 3).await;
    assert!(pool.heard("/liquidity", 0).await.is_empty());
    pool.on_register(Mood::Say(true, "user successfully registered"));
    bot.accepted().await;
}

#[tokio::test]
async fn a_bot_that_the_pool_forgot_registers_again() {
    let pool = FakePool::start().await;
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    bot.accepted().await;
    pool.on_liquidity(Mood::Say(false, "user the-key is not registered"));
    pool.heard("/register", 2).await;
    pool.on_liquidity(Mood::Say(true, "orders saved for validation"));
    bot.until(|event| matches!(event, Event::Refused { .. })).await;
    bot.accepted().await;
}

#[tokio::test]
async fn a_refused_submission_is_reported_and_never_sent_again() {
    let pool = FakePool::start().await;
    pool.on_liquidity(Mood::Say(false, "bad\nsignature"));
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    let refused = bot.until(|event| matches!(event, Event::Refused { .. })).await;
    assert_eq!(refused, Event::Refused { message: "bad signature".to_owned() });
    let submissions = pool.heard("/liquidity", 3).await;
    assert!(rises(&submissions));
    let (_, counts) = bot.stop().await;
    assert!(counts.refused >= 1);
    assert_eq!(counts.accepted, 0);
}

#[tokio::test]
async fn a_bot_outlives_a_pool_that_is_away_and_finds_it_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut bot = run(&format!("http://{address}"), QUICK, TestSigner, NoOrders);
    bot.until(|event| matches!(event, Event::Unreachable { .. })).await;
    let _pool = FakePool::start_on(TcpListener::bind(address).await.unwrap());
    bot.accepted().await;
}

#[tokio::test]
async fn a_page_or_a_redirect_is_no_answer_and_the_signature_goes_nowhere_else() {
    let elsewhere = FakePool::start().await;
    let pool = FakePool::start().await;
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    for mood in [Mood::Page, Mood::Redirect(format!("{}/liquidity", elsewhere.url))] {
        bot.accepted().await;
        pool.on_liquidity(mood);
        let event = bot.until(|event| matches!(event, Event::Unreachable { .. })).await;
        let Event::Unreachable { reason } = event else { panic!("{event:?}") };
        assert!(reason.contains("cannot be read"), "{reason}");
        pool.on_liquidity(Mood::Say(true, "orders saved for validation"));
    }
    bot.accepted().await;
    assert!(elsewhere.heard("/liquidity", 0).await.is_empty());
}

#[tokio::test]
async fn a_bot_stops_within_a_second_though_the_pool_hangs() {
    let pool = FakePool::start().await;
    pool.on_liquidity(Mood::Hang);
    let bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    pool.heard("/liquidity", 1).await;
    let (took, counts) = bot.stop().await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!((counts.sent, counts.accepted), (1, 0));
}

/// A signer whose adapter misses something.
struct NoSigner;

impl Signer for NoSigner {
    fn nonce_kind(&self) -> NonceKind {
        NonceKind::None
    }

    async fn sign(&self, _: u64, _: String) -> Result<Signed, SignError> {
        Err(SignError::Refused("a passphrase is missing".to_owned()))
    }
}

#[tokio::test]
async fn what_cannot_be_signed_is_reported_and_not_sent() {
    let pool = FakePool::start().await;
    let mut bot = run(&pool.url, QUICK, NoSigner, NoOrders);
    let event = bot.until(|event| matches!(event, Event::NotSigned { .. })).await;
    let reason = "the adapter cannot sign: a passphrase is missing".to_owned();
    assert_eq!(event, Event::NotSigned { reason });
    let (_, counts) = bot.stop().await;
    assert_eq!(counts.sent, 0);
    assert!(pool.heard("/liquidity", 0).await.is_empty());
}

#[tokio::test]
async fn a_bot_that_nobody_listens_to_goes_on_and_counts_what_was_missed() {
    let pool = FakePool::start().await;
    let mut bot = run(&pool.url, QUICK, TestSigner, NoOrders);
    bot.events.close();
    let dropped = bot.counts.wait_for(|counts| counts.events_dropped > 0 && counts.accepted > 1);
    let dropped = tokio::time::timeout(crate::scene::DEADLINE, dropped).await;
    assert!(dropped.is_ok_and(|counts| counts.is_ok()));
}

#[tokio::test]
async fn a_pool_without_receipts_is_told_and_its_submissions_count() {
    let pool = FakePool::start().await;
    let folder = tempfile::tempdir().unwrap();
    let receipts = ReceiptFolder::open(folder.path(), None, 60).unwrap();
    let mut bot = run_with_receipts(&pool.url, receipts);
    let event = bot.until(|event| matches!(event, Event::NotKept { .. })).await;
    let reason = "the pool took the submission and sent no receipt".to_owned();
    assert_eq!(event, Event::NotKept { reason });
    bot.accepted().await;
    let (_, counts) = bot.stop().await;
    assert!(counts.accepted >= 1 && counts.receipts == 0, "{counts:?}");
}

#[tokio::test]
async fn silence_is_counted_from_the_start() {
    let pool = FakePool::start().await;
    pool.on_liquidity(Mood::Say(false, "no"));
    let settings = Settings { silence: Duration::from_millis(60), ..QUICK };
    let mut bot = run(&pool.url, settings, TestSigner, NoOrders);
    let event = bot.until(|event| matches!(event, Event::Silent { .. })).await;
    let Event::Silent { for_ms } = event else { panic!("{event:?}") };
    assert!(for_ms >= 60);
}

#[test]
fn a_signed_request_shows_no_values() {
    let members = vec![("nonce".to_owned(), Value::Number("4711".to_owned()))];
    let shown = format!("{:?}", Signed { members, sign: "abcdef".to_owned() });
    assert!(shown.contains("nonce") && !shown.contains("4711") && !shown.contains("abcdef"));
    let answer =
        PoolAnswer { success: false, unregistered: false, message: "user k is not registered".to_owned() };
    assert!(answer.means_unregistered("k") && !answer.means_unregistered("other"));
}
