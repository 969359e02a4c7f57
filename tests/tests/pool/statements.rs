//! Statements of a running pool: what they say, in which forms, and how their LPs check them.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use alp_record::chain::{SignedStatement, Statement, StatementLine};
use alp_server::record::read_signing_key;
use alp_server::verify::{Verification, report, verify};
use alp_tests::{Answer, Lp};

use crate::paying::PayingPool;

/// A pool that credited two rounds, paid them, and credited a third.
async fn paid() -> PayingPool {
    let paying = PayingPool::start().await;
    paying.rounds(2).await;
    paying.pay().await;
    paying.rounds(1).await;
    paying
}

async fn ask(paying: &PayingPool, lp: &Lp, query: &str) -> Answer {
    let answer = paying.pool.get(&format!("/v1/statements/{}{query}", lp.key)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer
}

/// Asks with the header that an accepted submission was answered with.
async fn ask_with_opening(paying: &PayingPool, lp: &Lp, opening: &str) -> Statement {
    let request = format!(
        "GET /v1/statements/{} HTTP/1.1\r\nHost: pool\r\nConnection: close\r\nalp-opening: {opening}\r\n\r\n",
        lp.key
    );
    let answer = paying.pool.converse(request.as_bytes()).await;
    SignedStatement::read(&answer.text).unwrap().0.statement
}

async fn opening_of(paying: &PayingPool, lp: &Lp) -> String {
    let body = paying.pool.signed_body(lp, "test_exchange", "btc").await;
    paying.pool.post("/liquidity", &body).await.headers["alp-opening"].clone()
}

fn key_of(paying: &PayingPool) -> String {
    read_signing_key(&paying.pool.folder().join("alp.key")).unwrap().public().to_string()
}

fn file(paying: &PayingPool, text: &str) -> PathBuf {
    let file = paying.folder.path().join("statement");
    std::fs::write(&file, text).unwrap();
    file
}

/// Runs the program.
fn alp(arguments: &[&str]) -> (Option<i32>, String) {
    let program = alp_tests::profile_folder().join("alp-tests-server");
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code(), said.concat())
}

#[tokio::test]
async fn a_statement_has_the_credits_of_each_day_and_every_payout_with_its_transaction() {
    let paying = paid().await;
    let answer = ask(&paying, &paying.alice, "").await;
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let (signed, by) = SignedStatement::read(&answer.text).unwrap();
    assert_eq!(by.to_string(), key_of(&paying));
    let statement = signed.statement;
    assert_eq!(statement.wrong(), [] as [&str; 0]);
    let [account] = &statement.accounts[..] else { panic!("{statement:?}") };
    assert_eq!((account.exchange.as_str(), account.opening.0), ("test_exchange", 0));
    let [StatementLine::Credits(first), StatementLine::Payout(payout), StatementLine::Credits(last)] =
        &account.lines[..]
    else {
        panic!("{account:?}")
    };
    assert_eq!(last.day, first.day + 86_400);
    let store = &paying.pool.app().store;
    let ledger = store.payouts_of(&paying.alice.key, 10).await.unwrap().unwrap().remove(0);
    assert_eq!((payout.amount.0, payout.fee.0), (-ledger.paid_e8, -ledger.fee_e8));
    assert_eq!((payout.txid.as_str(), payout.payout.as_str()), (ledger.txid.as_str(), "1"));
    assert_eq!(Some(account.closing.0), store.owed_to(&paying.alice.key).await.unwrap());
    let head = store.record_head().await.unwrap().unwrap();
    assert_eq!((statement.head.number, statement.head.digest.to_string()), (head.number, head.digest));
    // A later day begins with what the one before ended with.
    let later = ask(&paying, &paying.alice, "?from=2025-10-10&to=2025-10-10").await;
    let later = SignedStatement::read(&later.text).unwrap().0.statement.accounts.remove(0);
    assert_eq!(later.opening.0, account.opening.0 + first.amount.0);
    assert_eq!(later.closing, account.closing);
    for secret in ["key-of", "secret-of"] {
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
}

#[tokio::test]
async fn only_who_can_open_a_pseudonym_is_told_it_and_can_hold_the_lines_against_the_record() {
    let paying = paid().await;
    let (alice, bob) = (opening_of(&paying, &paying.alice).await, opening_of(&paying, &paying.bob).await);
    let pseudonym = alice.split(' ').next().unwrap();
    let plain = ask(&paying, &paying.alice, "").await;
    assert!(!plain.text.contains(pseudonym), "{}", plain.text);
    for guess in [&bob, pseudonym, "x", &"0".repeat(32)] {
        let guessed = ask_with_opening(&paying, &paying.alice, guess).await;
        assert_eq!(guessed.accounts[0].lp, None, "{guess}");
    }
    let mut named = ask_with_opening(&paying, &paying.alice, &alice).await;
    assert_eq!(named.accounts[0].lp.unwrap().to_string(), pseudonym);

    // Line by line against the record; and a pool that signs another story to an LP than it publishes is found out.
    let key = read_signing_key(&paying.pool.folder().join("alp.key")).unwrap();
    let against = |statement: Statement| {
        let statement = Some(file(&paying, &statement.sign(&key).text()));
        Verification { record: paying.record(), statement, ..Verification::default() }
    };
    let outcome = verify(&against(named.clone()), |_, _| {}).await.unwrap();
    assert!(outcome.findings().is_empty(), "{}", report(&outcome));
    assert!(report(&outcome).contains("1 of 1 accounts name their pseudonym"), "{}", report(&outcome));
    let StatementLine::Payout(payout) = &mut named.accounts[0].lines[1] else { panic!("{named:?}") };
    payout.txid = "ab".repeat(32);
    let entry = payout.entry;
    let outcome = verify(&against(named), |_, _| {}).await.unwrap();
    let found: Vec<String> = outcome.findings().iter().map(ToString::to_string).collect();
    assert_eq!(found, [format!("the statement says otherwise of entry {entry} than the record")]);
}

#[tokio::test]
async fn every_form_is_checked_offline_and_a_changed_byte_is_found() {
    let paying = paid().await;
    let key = key_of(&paying);
    for (format, media_type) in [
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8"),
        ("ledger", "text/plain; charset=utf-8"),
    ] {
        let answer = ask(&paying, &paying.alice, &format!("?format={format}")).await;
        assert_eq!(answer.content_type, media_type);
        let path = file(&paying, &answer.text).display().to_string();
        let (code, said) = alp(&["verify", "--statement", &path, "--key", &key]);
        assert_eq!(code, Some(0), "{format}: {said}");
        assert!(said.contains("the statement is right"), "{said}");
        let (code, said) = alp(&["verify", "--statement", &path, "--key", &"ab".repeat(32)]);
        assert_eq!(code, Some(1), "{format}: {said}");
        assert!(said.contains("not by the pool's key abab"), "{said}");
        let at = answer.text.find("test_exchange").unwrap();
        let mut changed = answer.text.clone();
        changed.replace_range(at..=at, "b");
        let path = file(&paying, &changed).display().to_string();
        let (code, said) = alp(&["verify", "--statement", &path]);
        assert_eq!(code, Some(1), "{format}: {said}");
        assert!(said.contains("something in it was changed"), "{format}: {said}");
    }
}

#[tokio::test]
async fn the_table_has_a_line_for_each_change_and_the_balance_after_it() {
    let paying = paid().await;
    let text = ask(&paying, &paying.alice, "?format=csv").await.text;
    let rows: Vec<Vec<&str>> =
        text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(',').collect()).collect();
    let kinds: Vec<&str> = rows.iter().map(|row| row[2]).collect();
    assert_eq!(kinds, ["kind", "opening", "credits", "payout", "fee", "credits", "closing"]);
    assert_eq!((rows[4][3], rows[3][6]), ("-0.001", "1"));
    assert_eq!(rows[3][7].len(), 64, "{text}");
    assert_eq!(rows[5][4], rows[6][4], "{text}");
    assert!(rows.iter().all(|row| row.len() == 9), "{text}");
}

#[tokio::test]
async fn ledger_cli_reads_the_journal_and_comes_to_the_same_balance() {
    let paying = paid().await;
    let text = ask(&paying, &paying.alice, "?format=ledger").await.text;
    assert!(text.contains("    ; transaction "), "{text}");
    let Some(balance) = ledger(&text, "balance") else { return };
    let owed = paying.pool.app().store.owed_to(&paying.alice.key).await.unwrap().unwrap();
    let owed = alp_record::chain::SignedCoins(owed);
    assert!(balance.unwrap().contains(&format!("{owed} COIN  Assets:Pool:test_exchange")));
    // The closing balance is an assertion, so that a journal whose lines do not lead there is refused.
    let wrong = text.replacen(&format!("= {owed} COIN"), "= 77 COIN", 1);
    assert_ne!(wrong, text);
    assert!(ledger(&wrong, "balance").unwrap().unwrap_err().contains("assertion"));
}

/// Runs ledger-cli on a journal: what it prints, or what is wrong. `None` where it is not installed: the test is skipped
/// and says so; with `CI` in the environment it fails.
fn ledger(journal: &str, report: &str) -> Option<Result<String, String>> {
    let spawned = Command::new("ledger")
        .args(["--init-file", "/dev/null", "--flat", "-f", "-", report])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        let message = "ledger is not installed (not in PATH)";
        assert!(std::env::var_os("CI").is_none(), "{message}");
        // Written past the harness, which would keep it to itself when the test passes.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
        return None;
    };
    child.stdin.take().unwrap().write_all(journal.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Some(if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_by_command_is_published_and_stands_in_the_statement() {
    let paying = paid().await;
    let config = paying.pool.pool_file().display().to_string();
    let correct = |amount: &str| {
        let why = "a round, \"missed\"; =1+1 [2025/99/99]";
        alp(&[
            "payouts",
            "correct",
            "--exchange",
            "test_exchange",
            "--user",
            &paying.alice.key,
            "--amount",
            amount,
            "--who",
            "the operator",
            "--why",
            why,
            "--config",
            &config,
        ])
    };
    let before = paying.pool.app().store.owed_to(&paying.alice.key).await.unwrap().unwrap();
    let (code, said) = correct("0.5");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("corrected by 0.5; entry "), "{said}");
    let (code, said) = correct("-7000");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("more than the LP is owed"), "{said}");
    let owed = paying.pool.app().store.owed_to(&paying.alice.key).await.unwrap().unwrap();
    assert_eq!(owed, before + 50_000_000);
    let text = ask(&paying, &paying.alice, "").await.text;
    let statement = SignedStatement::read(&text).unwrap().0.statement;
    assert_eq!(statement.accounts[0].closing.0, owed);
    let csv = ask(&paying, &paying.alice, "?format=csv").await.text;
    assert!(csv.contains(r#","by the operator: a round, ""missed""; =1+1 [2025/99/99]""#), "{csv}");
    let journal = ask(&paying, &paying.alice, "?format=ledger").await.text;
    if let Some(balance) = ledger(&journal, "balance") {
        let balance = balance.unwrap();
        let corrected = balance.lines().find(|line| line.ends_with("Equity:Corrections")).unwrap();
        assert!(corrected.trim_start().starts_with("-0.5"), "{balance}");
    }
    let outcome =
        verify(&Verification { record: paying.record(), ..Verification::default() }, |_, _| {}).await;
    assert!(report(&outcome.unwrap()).contains("+ corrections 0.5 - payouts"));
}

#[tokio::test]
async fn what_cannot_be_stated_is_said() {
    let paying = PayingPool::start().await;
    let path = format!("/v1/statements/{}", paying.alice.key);
    for (query, words) in [
        ("?format=pdf", "json, csv and ledger"),
        ("?from=yesterday", "days in UTC"),
        ("?from=2025-10-11&to=2025-10-10", "days in UTC"),
        ("?from=2025-01-01&to=2025-10-10", "at most 92 days"),
    ] {
        let answer = paying.pool.get(&format!("{path}{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.message().contains(words), "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let nobody = paying.pool.get("/v1/statements/nobody").await;
    assert!(nobody.refusal().contains("is not registered"), "{}", nobody.text);
    // One who was never credited has a statement of nothing.
    let statement = SignedStatement::read(&ask(&paying, &paying.alice, "").await.text).unwrap().0.statement;
    assert_eq!((statement.accounts[0].lines.len(), statement.accounts[0].closing.0), (0, 0));
}
