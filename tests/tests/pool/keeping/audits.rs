//! Audits: books that add up have no finding, and each kind of damage is found and named.

use std::fs;

use alp_server::audit::{Finding, Listener, audit};
use alp_server::payouts::{DAY_MS, PayoutCommand};
use alp_server::retention::{RetentionConfig, Step};
use alp_store::testing::execute_in;

use super::backups::alp;
use super::paying_pool::{Database, PayingPool};

/// What an audit says.
#[derive(Default)]
pub(super) struct Heard(Vec<Finding>);

impl Heard {
    pub(super) fn findings(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

impl Listener for Heard {
    fn found(&mut self, finding: &Finding) {
        self.0.push(finding.clone());
    }

    fn read(&mut self, _: &'static str, _: u64, _: u64) {}
}

/// A pool with some rounds, two LPs, a payout that is paid, one that is void and one that was adopted.
async fn with_history(database: Database) -> Option<PayingPool> {
    let paying = PayingPool::start(database, "prepared").await?;
    let bob = paying.pool.lp_with("bob", &["ask 500 0.004", "bid 100 0.0039"]).await;
    for _ in 0..3 {
        paying.pool.submit_btc(&bob).await;
        paying.earn().await;
    }
    paying.let_a_payout_be_due().await;
    paying.step().await;
    paying.order(PayoutCommand::Resolve { id: 1, txid: None }).await.unwrap();
    // Of what it is owed, one LP got a little by hand.
    let txid = paying.wallet.send(&bob.address, "0.00100000", "alp:test:9:by-hand");
    paying.step().await;
    paying.order(PayoutCommand::Adopt { txid, foreign: false }).await.unwrap();
    paying.pay().await;
    paying.pool.pass(DAY_MS);
    paying.pay().await;
    let rent = paying.wallet.send("Belsewhere", "1.00000000", "rent");
    assert!(!rent.is_empty());
    paying.pay().await;
    Some(paying)
}

async fn findings(paying: &PayingPool) -> Vec<String> {
    let mut heard = Heard::default();
    let audited = audit(&paying.config(), true, &mut heard).await.unwrap();
    assert_eq!(audited.wallet_failed, None);
    assert_eq!(usize::try_from(audited.findings).unwrap(), heard.0.len());
    heard.findings()
}

async fn books_that_add_up_have_no_finding(database: Database) {
    let Some(paying) = with_history(database).await else { return };
    let mut heard = Heard::default();
    let audited = audit(&paying.config(), true, &mut heard).await.unwrap();
    assert_eq!(heard.findings(), Vec::<String>::new());
    assert_eq!((audited.credits, audited.rounds), (7, 4));
    assert_eq!((audited.payouts, audited.in_wallet), (3, Some(2)));
    assert!(audited.published > audited.rounds && audited.entries > 4, "{audited:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_add_up_have_no_finding_on_sqlite() {
    books_that_add_up_have_no_finding(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_add_up_have_no_finding_on_postgres() {
    books_that_add_up_have_no_finding(Database::Postgres).await;
}

/// Forgets what is so many days old, in every step that there is. How many steps there were.
async fn forget(paying: &PayingPool, config: RetentionConfig) -> usize {
    let (app, lease) = (paying.pool.app(), paying.lease().await);
    let mut steps = 0;
    while app.retention.step(&lease, config, paying.pool.now_ms()).await.unwrap() != Step::Idle {
        steps += 1;
    }
    steps
}

async fn books_add_up_when_what_is_old_is_forgotten(database: Database) {
    let Some(paying) = with_history(database).await else { return };
    let config = RetentionConfig { orders_days: Some(1), credits_days: Some(2), records_days: Some(7) };
    let whole = audit(&paying.config(), true, &mut Heard::default()).await.unwrap();
    assert!(forget(&paying, config).await > 0);
    paying.pool.pass(8 * DAY_MS);
    paying.earn().await;
    assert!(forget(&paying, config).await > 2, "orders, credits and entries are forgotten");
    // LPs earn and are paid as before.
    paying.earn().await;
    paying.pool.pass(DAY_MS);
    paying.wallet.set(paying.pool.now_ms() / 1000, "1000");
    paying.pay().await;
    let mut heard = Heard::default();
    let audited = audit(&paying.config(), true, &mut heard).await.unwrap();
    assert_eq!(heard.findings(), Vec::<String>::new());
    assert!(audited.credits < whole.credits && audited.published < whole.published, "{audited:?} {whole:?}");
    assert_eq!((audited.payouts, audited.in_wallet), (whole.payouts + 1, Some(3)));
    // A sum that stands for what is forgotten is held against the balances that go on from it.
    let url = paying.config().database;
    execute_in(&url, "UPDATE credits_carried SET amount_e8 = amount_e8 + 1").await;
    let found = findings(&paying).await;
    assert!(found.iter().any(|finding| finding.contains("credits: ")), "{found:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn books_add_up_when_what_is_old_is_forgotten_on_sqlite() {
    books_add_up_when_what_is_old_is_forgotten(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn books_add_up_when_what_is_old_is_forgotten_on_postgres() {
    books_add_up_when_what_is_old_is_forgotten(Database::Postgres).await;
}

/// What another hand does to the books, how it is undone, and what an audit says of it.
const DAMAGES: &[(&str, &str, &[&str])] = &[
    (
        "UPDATE credits SET balance_e8 = balance_e8 + 1 WHERE entry_no = 2",
        "UPDATE credits SET balance_e8 = balance_e8 - 1 WHERE entry_no = 2",
        &["credits: entry 2 of LP"],
    ),
    (
        "UPDATE credits SET amount_e8 = amount_e8 - 1 WHERE entry_no = 3",
        "UPDATE credits SET amount_e8 = amount_e8 + 1 WHERE entry_no = 3",
        &["credits: entry 3 of LP", "credits: LP ", "is credited ", "all rounds paid"],
    ),
    (
        "UPDATE credits SET provided = '7' WHERE entry_no = 7",
        "UPDATE credits SET provided = (SELECT c.provided FROM credits c WHERE c.entry_no = 5) WHERE entry_no = 7",
        &["round 1760000220: "],
    ),
    (
        "CREATE TABLE saved AS SELECT * FROM credits WHERE entry_no = 4; DELETE FROM credits WHERE entry_no = 4",
        "INSERT INTO credits SELECT * FROM saved; DROP TABLE saved",
        &["credits: entry 4 is missing", "is credited nothing on test_exchange btc"],
    ),
    (
        "UPDATE ledger_entries SET total_e8 = total_e8 + 1 WHERE entry_no = 1",
        "UPDATE ledger_entries SET total_e8 = total_e8 - 1 WHERE entry_no = 1",
        &["ledger: entry 1 of LP"],
    ),
    (
        "UPDATE ledger_entries SET amount_e8 = amount_e8 - 1 WHERE kind = 'payout' AND payout_id = 10",
        "UPDATE ledger_entries SET amount_e8 = amount_e8 + 1 WHERE kind = 'payout' AND payout_id = 10",
        &["payout 10: its outputs come to", "ledger: entry "],
    ),
    (
        "UPDATE ledger_entries SET amount_e8 = amount_e8 - 1, total_e8 = total_e8 - 1 WHERE kind = 'payout_returned' AND payout_id = 1",
        "UPDATE ledger_entries SET amount_e8 = amount_e8 + 1, total_e8 = total_e8 + 1 WHERE kind = 'payout_returned' AND payout_id = 1",
        &["payout 1: it is void, and of LP"],
    ),
    (
        "UPDATE payouts SET outputs = 'x' || outputs WHERE payout_id = 10",
        "UPDATE payouts SET outputs = SUBSTR(outputs, 2) WHERE payout_id = 10",
        &["payout 10: its outputs are not those that it was reserved with", "pays other outputs than it has"],
    ),
    (
        "UPDATE payouts SET total_e8 = total_e8 + 1 WHERE payout_id = 10",
        "UPDATE payouts SET total_e8 = total_e8 - 1 WHERE payout_id = 10",
        &["payout 10: its outputs come to"],
    ),
    (
        "UPDATE payouts SET stage = 'void' WHERE payout_id = 10",
        "UPDATE payouts SET stage = 'paid' WHERE payout_id = 10",
        &["payout 10: it is void, and of LP", "and the ledger does not know it"],
    ),
    (
        "UPDATE payouts SET txid = 'e' || txid WHERE payout_id = 10",
        "UPDATE payouts SET txid = SUBSTR(txid, 2) WHERE payout_id = 10",
        &["payout 10: it is paid as ", "the wallet knows no such transaction"],
    ),
    (
        "UPDATE rounds SET paid_e8 = paid_e8 + 1 WHERE round_start = 1760000040",
        "UPDATE rounds SET paid_e8 = paid_e8 - 1 WHERE round_start = 1760000040",
        &["round 1760000040: its reward or what it paid", "all rounds paid"],
    ),
    (
        "UPDATE records SET signature = 's' || signature WHERE number = 2",
        "UPDATE records SET signature = SUBSTR(signature, 2) WHERE number = 2",
        &["record 2: its header or signature"],
    ),
    (
        "CREATE TABLE saved AS SELECT * FROM records WHERE number = 3; DELETE FROM records WHERE number = 3",
        "INSERT INTO records SELECT * FROM saved; DROP TABLE saved",
        &["record: entry 4: follows entry 2", "were never published"],
    ),
    (
        "CREATE TABLE saved AS SELECT * FROM records WHERE number = 2; \
         UPDATE records SET packed = (SELECT r.packed FROM records r WHERE r.number = 1) WHERE number = 2",
        "DELETE FROM records WHERE number = 2; INSERT INTO records SELECT * FROM saved; DROP TABLE saved",
        &["record 2: its header or signature", "record: entry 1"],
    ),
];

async fn each_kind_of_damage_is_found_and_named(database: Database) {
    let Some(paying) = with_history(database).await else { return };
    let url = paying.config().database;
    for (damage, undone, words) in DAMAGES {
        execute_in(&url, damage).await;
        let found = findings(&paying).await;
        for word in *words {
            assert!(
                found.iter().any(|finding| finding.contains(word)),
                "{damage}: no {word:?} in {found:#?}"
            );
        }
        execute_in(&url, undone).await;
        assert_eq!(findings(&paying).await, Vec::<String>::new(), "{undone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_damage_is_found_and_named_on_sqlite() {
    each_kind_of_damage_is_found_and_named(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_damage_is_found_and_named_on_postgres() {
    each_kind_of_damage_is_found_and_named(Database::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_wallet_sent_and_nobody_knows_is_found() {
    let paying = with_history(Database::Sqlite).await.unwrap();
    let twice = paying.wallet.send(&paying.alice.address, "0.01000000", "");
    let found = findings(&paying).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(&twice) && found[0].contains(&paying.alice.address), "{found:?}");
    paying.wallet.forget_all();
    let found = findings(&paying).await;
    assert!(found.iter().any(|finding| finding.contains("payout 10: it is paid as")), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_found_and_the_command_says_how_it_ended() {
    let mut paying = with_history(Database::Sqlite).await.unwrap();
    let config = paying.pool.pool_file();
    let (code, text) = alp(&["audit"], &config);
    assert_eq!((code, text.contains("0 findings")), (0, true), "{text}");
    execute_in(
        &paying.config().database,
        "UPDATE credits SET balance_e8 = balance_e8 + 1 WHERE entry_no = 2",
    )
    .await;
    let (code, text) = alp(&["audit"], &config);
    assert_eq!((code, text.contains("credits: entry 2 of LP")), (1, true), "{text}");
    execute_in(
        &paying.config().database,
        "UPDATE credits SET balance_e8 = balance_e8 - 1 WHERE entry_no = 2",
    )
    .await;
    paying.pool.stop().await;
    // The wallet is away: that is not the same as nothing found.
    drop(paying.wallet);
    let (code, text) = alp(&["audit"], &config);
    assert_eq!((code, text.contains("the wallet was not compared")), (2, true), "{text}");
    let (code, text) = alp(&["audit", "--without-wallet"], &config);
    assert_eq!(code, 0, "{text}");
    // The last pages of the file are those of the newest rows.
    let file = paying.pool.folder().join("alp.db");
    let mut bytes = fs::read(&file).unwrap();
    let length = bytes.len();
    bytes[length - 3 * 4096..].fill(0xa5);
    fs::write(&file, bytes).unwrap();
    let (code, text) = alp(&["audit", "--without-wallet"], &config);
    assert!(code == 1 || code == 2, "{code}: {text}");
    assert!(text.contains("database: ") || text.contains("damaged"), "{text}");
}
