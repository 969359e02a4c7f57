//! What the network is told of a round, over HTTP, by a pool that runs.

use std::collections::BTreeMap;

use alp_server::config::Config;
use alp_server::control::{Command, ask};
use alp_server::liquidity_report::{Tiers, Told, report_once};
use alp_tests::{CustodianDouble, CustodianFault, GRANT_ADDRESS, Settings, TestPool, workspace};

const BTC: &str = "NBTBTC:test_exchange:test-pool.rank_";
const USD: &str = "NBTUSD:test_exchange:test-pool.rank_";

fn settings(origin: &str, more: &str) -> Settings {
    let section = format!(
        "[liquidityinfo]\nwallet_url = {origin:?}\nwallet_user = \"alp\"\nwallet_password_file = \"wallet.password\"\n\
         grant_address = {GRANT_ADDRESS:?}\npool = \"test-pool\"\ntimeout_seconds = 1\n{more}"
    );
    Settings::default().sections(&section).file("wallet.password", "secret\n")
}

/// A pool with asks of 1500 in rank 1 and bids of 500.00019 in rank 2, credited for one round; and the daemon.
async fn pool_with_a_round(more: &str) -> (CustodianDouble, TestPool) {
    let custodian = CustodianDouble::start().await;
    let pool = TestPool::start_with(settings(custodian.origin(), more)).await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004", "bid 500.00019 0.0039"]).await;
    pool.submit_btc(&lp).await;
    pool.end_round().await;
    (custodian, pool)
}

fn amounts(buy: &str, sell: &str) -> (String, String) {
    (buy.to_owned(), sell.to_owned())
}

/// What `alp status` shows.
async fn status(pool: &TestPool) -> String {
    ask(&pool.folder().join("alp.sock"), Command::Status).await.unwrap().text
}

/// What the loop last did.
fn outcome(pool: &TestPool) -> Result<String, String> {
    pool.app().health.states()["liquidityinfo"].outcome.clone()
}

/// A total that `/status` shows, as it is written.
async fn total(pool: &TestPool, side: &str, rank: &str) -> String {
    let json = pool.get("/status").await.json();
    json["message"]["totals"]["test_exchange"]["btc"][side][rank].to_string()
}

#[tokio::test]
async fn pb_29_the_network_is_told_what_status_shows_of_the_committed_round_and_nothing_before() {
    let custodian = CustodianDouble::start().await;
    let pool = TestPool::start_with(settings(custodian.origin(), "")).await;
    let mut told = Told::default();
    let lp = pool.lp_with("alice", &["ask 1500 0.004", "bid 500.00019 0.0039"]).await;
    pool.submit_btc(&lp).await;
    report_once(pool.app(), &mut told).await;
    assert!(custodian.calls().is_empty(), "no round is committed yet");
    pool.end_round().await;
    report_once(pool.app(), &mut told).await;
    assert_eq!(
        custodian.shown(),
        BTreeMap::from([
            (format!("1:{BTC}1"), amounts("0.0000", "1500.0000")),
            (format!("2:{BTC}2"), amounts("500.0001", "0.0000")),
            (format!("1:{USD}1"), amounts("0.0000", "0.0000")),
        ])
    );
    assert_eq!(total(&pool, "ask", "rank_1").await, "1500");
    assert_eq!(total(&pool, "bid", "rank_2").await, "500.00019");
    assert_eq!(custodian.calls().len(), 5, "three lines, and two looks at what is shown");
    assert!(outcome(&pool).unwrap().contains("3 lines, shown as they were told"));
    report_once(pool.app(), &mut told).await;
    assert_eq!(custodian.calls().len(), 5, "each round is told once");
}

#[tokio::test]
async fn everything_is_tier_one_where_the_operator_wants_it_as_it_was() {
    let (custodian, pool) = pool_with_a_round("tiers = \"one\"\n").await;
    report_once(pool.app(), &mut Told::default()).await;
    let shown: Vec<String> = custodian.shown().into_keys().collect();
    assert_eq!(shown, [format!("1:{BTC}1"), format!("1:{BTC}2"), format!("1:{USD}1")]);
}

#[tokio::test]
async fn what_is_provided_no_more_is_told_as_nothing() {
    let (custodian, pool) = pool_with_a_round("").await;
    custodian.show(&format!("3:{BTC}3"), "70.0", "0.0");
    custodian.show("1:NBTBTC:elsewhere:another-pool.rank_1", "5.0", "5.0");
    let mut told = Told::default();
    report_once(pool.app(), &mut told).await;
    assert_eq!(
        custodian.shown()[&format!("3:{BTC}3")],
        amounts("0.0000", "0.0000"),
        "a rank that is no more"
    );
    assert_eq!(custodian.shown()["1:NBTBTC:elsewhere:another-pool.rank_1"], amounts("5.0", "5.0"));
    // Another LP shows something on the other market, and nobody on this one.
    let bob = pool.lp("bob");
    pool.register(&bob, "usd").await.accepted();
    pool.place(&bob, "NBT_USD", "ask 7 1");
    assert!(pool.submit(&bob, "usd").await.success());
    pool.end_round().await;
    report_once(pool.app(), &mut told).await;
    assert_eq!(custodian.shown()[&format!("1:{BTC}1")], amounts("0.0000", "0.0000"));
    assert_eq!(custodian.shown()[&format!("1:{USD}1")], amounts("0.0000", "7.0000"));
    assert!(outcome(&pool).is_ok());
}

#[tokio::test]
async fn each_refusal_is_its_own_sentence_in_the_status_and_rounds_go_on() {
    for (fault, words) in [
        (CustodianFault::Code(-3), "takes grant_address for no key"),
        (CustodianFault::Code(-4), "does not hold the private key of grant_address"),
        (CustodianFault::Code(-13), "unlock it with walletpassphrase"),
        (CustodianFault::Code(-28), "still starting"),
        (CustodianFault::Code(-32_601), "knows no liquidityinfo"),
        (CustodianFault::Hangs, "did not answer within 1s"),
    ] {
        let (custodian, pool) = pool_with_a_round("").await;
        custodian.fail(Some(fault));
        let mut told = Told::default();
        report_once(pool.app(), &mut told).await;
        let why = outcome(&pool).unwrap_err();
        assert!(why.contains(words), "{fault:?}: {why}");
        let shown = status(&pool).await;
        assert!(shown.contains(words), "{shown}");
        assert_eq!(custodian.told(), [], "one refusal is enough for a round");
        pool.end_round().await;
        let credited = pool.app().store.pool_status().await.unwrap().last_credit.unwrap();
        assert!(credited.paid_e8 > 0, "a round does not wait for the wallet");
    }
}

#[tokio::test]
async fn a_round_that_was_missed_is_not_told_once_there_is_a_newer_one() {
    let (custodian, pool) = pool_with_a_round("").await;
    custodian.fail(Some(CustodianFault::Code(-13)));
    let mut told = Told::default();
    report_once(pool.app(), &mut told).await;
    let bob = pool.lp_with("bob", &["ask 3 0.004"]).await;
    pool.submit_btc(&bob).await;
    pool.end_round().await;
    custodian.fail(None);
    report_once(pool.app(), &mut told).await;
    let told_of: Vec<(String, String)> = custodian.told().into_iter().map(|(_, amounts)| amounts).collect();
    assert_eq!(
        told_of,
        [amounts("0.0000", "3.0000"), amounts("0.0000", "0.0000"), amounts("0.0000", "0.0000")]
    );
}

#[tokio::test]
async fn what_is_long_past_is_not_told() {
    let (custodian, pool) = pool_with_a_round("").await;
    pool.pass(600_001);
    report_once(pool.app(), &mut Told::default()).await;
    assert!(custodian.calls().is_empty());
}

#[tokio::test]
async fn an_alarm_is_raised_while_the_network_shows_something_else() {
    for (fault, words) in [
        (CustodianFault::ShowsAnother, "is shown as 0.0000 and 7777.0000"),
        (CustodianFault::ShowsNothing, "is not shown: was grant_address elected"),
    ] {
        let (custodian, pool) = pool_with_a_round("").await;
        custodian.fail(Some(fault));
        let mut told = Told::default();
        report_once(pool.app(), &mut told).await;
        let alarms = pool.app().store.alarms().await.unwrap();
        assert!(alarms.len() == 1 && alarms[0].sentence.contains(words), "{alarms:?}");
        assert!(status(&pool).await.contains(words));
        custodian.fail(None);
        pool.pass(10_000);
        report_once(pool.app(), &mut told).await;
        assert_eq!(pool.app().store.alarms().await.unwrap(), []);
        assert!(outcome(&pool).is_ok());
    }
}

/// The section of the operator's example, as it is without the marks of comments.
fn example() -> String {
    let file = workspace().join("examples/operator/pool.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let section = text.split("# [liquidityinfo]\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let keys = section.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| line.contains(" = "));
    keys.fold("[liquidityinfo]\n".to_owned(), |text, key| text + key + "\n")
}

async fn read(settings: Settings) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    settings.write(folder.path(), "http://127.0.0.1:1").await;
    Config::read(&folder.path().join("pool.toml")).map_err(|faults| faults.to_string())
}

#[tokio::test]
async fn the_section_that_the_operators_example_shows_is_right_and_off_by_default() {
    assert!(read(Settings::default()).await.unwrap().pool.liquidity_report.is_none());
    let shown = Settings::default().sections(&example()).file("custodian.password", "secret\n");
    let config = read(shown).await.unwrap().pool.liquidity_report.unwrap();
    assert_eq!((config.currency, config.tiers, config.pool.as_str()), ('B', Tiers::ByRank, "my-pool"));
    assert!(!format!("{config:?}").contains("secret"));
}

#[tokio::test]
async fn each_fault_of_the_section_is_said_with_what_would_be_right() {
    for (from, to, words) in [
        ("pool = \"my-pool\"", "pool = \"my:pool\"", "pool must be 1 to 64 of letters, digits, - and _"),
        ("pool = \"my-pool\"", "", "liquidityinfo.pool is missing"),
        ("currency = \"B\"", "currency = \"NBT\"", "currency must be the one letter"),
        ("tiers = \"rank\"", "tiers = \"two\"", "tiers must be rank or one"),
        ("timeout_seconds = 10", "timeout_seconds = 0", "a whole number from 1 to 60"),
        ("grant_address = \"B", "grant_address = \"!", "must be the custodian's address that was granted"),
        ("custodian.password", "nothing", "wallet_password_file cannot be read"),
    ] {
        let text = example();
        assert!(text.contains(from), "{from}");
        let shown = Settings::default().sections(&text.replace(from, to));
        let faults = read(shown.file("custodian.password", "secret\n")).await.unwrap_err();
        assert!(faults.contains(words), "{words}: {faults}");
    }
}

#[tokio::test]
async fn more_lines_than_the_network_keeps_are_a_fault() {
    let mut many = Settings::default();
    let side = "{ ratio = 0.5, rank_1 = { ratio = 1, tolerance = 0.01 } }";
    for unit in 0..98 {
        let market = format!("\n[units.u{unit}]\nreward = 1\ntarget = 1\nask = {side}\nbid = {side}\n");
        many.exchanges[0].1.push_str(&market);
        many.sections.push_str(&format!("[prices.u{unit}]\nfixed = 1\n"));
    }
    let shown = many.sections(&example()).file("custodian.password", "secret\n");
    let faults = read(shown).await.unwrap_err();
    assert!(faults.contains("the network keeps 100 lines of a custodian"), "{faults}");
}
