//! What is forgotten because of its age, and what everybody is told then.

mod bench;
mod stopped;

use alp_record::chain::{Body, Entry};
use alp_server::config::Config;
use alp_server::control::{Command, ask};
use alp_server::retention::{DAY_MS, RetentionConfig, retention_once};
use alp_server::verify::{Outcome, Verification, report, verify};
use alp_tests::{Lp, START_S, Settings, TestPool};
use serde_json::json;

const SECTION: &str = "[retention]\norders_days = 1\ncredits_days = 2\nrecords_days = 7\n";

async fn pool_with(section: &str) -> TestPool {
    let mut settings = Settings::default();
    settings.sections.push_str(section);
    TestPool::start_with(settings).await
}

/// A round of everybody.
async fn round_of(pool: &TestPool, lps: &[&Lp]) {
    for lp in lps {
        pool.submit_btc(lp).await;
    }
    pool.end_round().await;
}

/// Forgets all that is old enough. What the loop says of it.
async fn forget(pool: &TestPool) -> String {
    while retention_once(pool.app()).await {}
    pool.app().health.states()["retention"].outcome.clone().unwrap()
}

/// Three rounds, a carry-forward on the same day, and eight days later another round and all that is old forgotten.
async fn aged() -> (TestPool, Lp, Lp) {
    let pool = pool_with(SECTION).await;
    let alice = pool.lp_with("alice", &["ask 900 0.004", "bid 300 0.00398"]).await;
    let bob = pool.lp_with("bob", &["ask 1200 0.004"]).await;
    for _ in 0..3 {
        round_of(&pool, &[&alice, &bob]).await;
    }
    let did = forget(&pool).await;
    assert!(did.contains("balances carried forward in the record"), "{did}");
    pool.pass(8 * DAY_MS);
    round_of(&pool, &[&alice]).await;
    (pool, alice, bob)
}

async fn verified(verification: &Verification) -> Outcome {
    let outcome = verify(verification, |_, _| {}).await.unwrap();
    assert!(outcome.findings().is_empty(), "{}", report(&outcome));
    outcome
}

fn of(pool: &TestPool) -> Verification {
    Verification { record: format!("http://{}", pool.address()), ..Verification::default() }
}

#[tokio::test]
async fn pb_30_after_retention_the_totals_and_what_is_owed_are_what_they_were() {
    let (pool, alice, bob) = aged().await;
    let totals = async || {
        let mut totals = Vec::new();
        for lp in [&alice, &bob] {
            let stats = pool.get(&format!("/{}/stats", lp.key)).await.json()["message"].clone();
            let payouts = pool.get(&format!("/v1/payouts/{}", lp.key)).await.json();
            totals.push((
                stats["total_reward"].clone(),
                stats["current_reward"].clone(),
                payouts["owed"].clone(),
            ));
        }
        totals
    };
    let before = totals().await;
    let did = forget(&pool).await;
    assert!(did.contains("credits summed up") && did.contains("entries of the record forgotten"), "{did}");
    assert_eq!(totals().await, before);
    assert!(before[0].0.as_f64().unwrap() > 0.0, "{before:?}");
    let history = pool.get(&format!("/{}/stats", alice.key)).await.json()["message"]["history"].clone();
    assert_eq!(history.as_array().unwrap().len(), 1, "{history}");
    // Payouts and rounds go on from there.
    round_of(&pool, &[&alice, &bob]).await;
    assert_ne!(totals().await, before);
    assert_eq!(pool.get("/status").await.json()["status"], json!(true));
}

#[tokio::test]
async fn pb_34_orders_are_shown_also_when_the_credits_of_their_rounds_are_gone() {
    let (pool, alice, bob) = aged().await;
    let app = pool.app();
    let lease = app.leadership.lease().await.unwrap();
    // The credits go while the lists of orders are still there, which the configuration does not allow.
    let config = RetentionConfig { orders_days: None, records_days: None, credits_days: Some(1) };
    app.retention.step(&lease, config, app.store.clock_ms().await.unwrap()).await.unwrap();
    for (lp, orders, credited) in [(&alice, 8, 2), (&bob, 3, 1)] {
        let shown = pool.orders_of(lp).await;
        assert_eq!(shown.len(), orders);
        let earned = shown.iter().filter(|order| order["credit_info"]["credit_amount"] != json!(0)).count();
        assert!(earned >= credited, "{shown:?}");
        assert!(shown.iter().all(|order| order["credited"] == json!(1)));
    }
    forget(&pool).await;
    assert_eq!(pool.orders_of(&alice).await.len(), 2);
    assert_eq!(pool.orders_of(&bob).await.len(), 0);
}

#[tokio::test]
async fn what_was_forgotten_of_the_record_is_answered_with_a_sentence_that_says_so() {
    let (pool, _, _) = aged().await;
    let lp = {
        let text = pool.get(&format!("/rounds/{START_S}")).await.text;
        let Body::Round(round) = Entry::read(&text).unwrap().body else { panic!("{text}") };
        round.lps[0].lp
    };
    assert_eq!(pool.get("/records").await.json(), json!({"oldest": 0, "newest": 5}));
    forget(&pool).await;
    // The first entry that carries forward is number 4, and the one of this day is the newest.
    assert_eq!(pool.get("/records").await.json(), json!({"oldest": 4, "newest": 6}));
    let paths = ["/records/0", "/records/1", "/records/3"].map(str::to_owned);
    let rounds = [format!("/rounds/{START_S}"), format!("/rounds/{START_S}/proof/{lp}")];
    for path in paths.into_iter().chain(rounds) {
        let answer = pool.get(&path).await;
        assert_eq!(answer.status, 410, "{path}: {}", answer.text);
        assert!(answer.message().contains("the record begins with entry 4"), "{}", answer.text);
    }
    assert_eq!(pool.get("/records/7").await.status, 404);
    assert_eq!(pool.get("/rounds/60").await.status, 404);
    let listed = pool.get("/rounds").await.json()["rounds"].as_array().unwrap().len();
    assert_eq!(listed, 1);
}

#[tokio::test]
async fn a_pruned_record_is_verified_from_its_beginning_on_and_the_report_says_what_was_not_checked() {
    let (pool, alice, bob) = aged().await;
    let whole = verified(&of(&pool)).await;
    assert!(!report(&whole).contains("What was not checked"), "{}", report(&whole));
    let text = pool.get("/records/2").await.text;
    let lines: Vec<&str> = text.lines().collect();
    let old_head = format!("{{\"header\":{},\"signature\":{}}}\n", lines[0], lines[2]);
    forget(&pool).await;
    let pruned = verified(&of(&pool)).await;
    assert_eq!((pruned.verified.entries, pruned.verified.rounds, pruned.verified.first), (3, 1, Some(4)));
    let said = report(&pruned);
    for sentence in
        ["begins     with entry 4: older ones are forgotten", "What was not checked: whether the balances"]
    {
        assert!(said.contains(sentence), "{said}");
    }
    // A head that somebody kept of an older entry can be held against nothing.
    let file = pool.folder().join("heads");
    std::fs::write(&file, old_head).unwrap();
    let with_head = verified(&Verification { heads: Some(file), ..of(&pool) }).await;
    assert!(report(&with_head).contains("1 heads seen elsewhere are of entries before that"));
    // What the record comes to is what the pool says, before and after.
    let owed =
        |outcome: &Outcome| outcome.verified.balances.values().map(|balance| balance.owed_e8()).sum::<i128>();
    let balances = pool.app().store.balances(0, 10).await.unwrap();
    let booked = balances.iter().map(|balance| i128::from(balance.balance_e8)).sum::<i128>();
    assert_eq!((owed(&whole), owed(&pruned)), (booked, booked));
    // It goes on as it always did.
    round_of(&pool, &[&alice, &bob]).await;
    assert_eq!(verified(&of(&pool)).await.verified.rounds, 2);
}

#[tokio::test]
async fn whoever_saved_the_older_entries_checks_all_of_it_and_compares_the_rest() {
    let (pool, alice, _) = aged().await;
    let folder = tempfile::tempdir().unwrap();
    let saving = Verification { save: Some(folder.path().to_owned()), ..of(&pool) };
    verified(&saving).await;
    forget(&pool).await;
    round_of(&pool, &[&alice]).await;
    let both = verified(&saving).await;
    assert_eq!((both.verified.entries, both.verified.first), (8, Some(0)));
    assert_eq!(both.heads_compared, 2, "entries 4 and 5 are in both");
    assert!(!report(&both).contains("What was not checked"), "{}", report(&both));
    // The folder is whole now, and can be held against the pool as well.
    let record = folder.path().display().to_string();
    let peer = Some(format!("http://{}", pool.address()));
    let folder_first = verified(&Verification { record, peer, ..Verification::default() }).await;
    assert_eq!(folder_first.verified.entries, 8);

    // One who saved the beginning only cannot go on from it, and is told so.
    for number in 2..8 {
        std::fs::remove_file(folder.path().join(format!("{number:010}.entry"))).unwrap();
    }
    let gap = verified(&saving).await;
    assert_eq!(gap.verified.first, Some(4));

    // Another entry under the same number is found, and what was saved is not written over.
    let other = std::fs::read_to_string(folder.path().join("0000000001.entry")).unwrap();
    let kept = folder.path().join("0000000005.entry");
    std::fs::write(&kept, &other).unwrap();
    let text = other.replacen("\"number\":1", "\"number\":5", 1);
    std::fs::write(&kept, &text).unwrap();
    let outcome = verify(&saving, |_, _| {}).await.unwrap();
    let said = report(&outcome);
    assert!(said.contains("entry 5") && said.contains("shows another head"), "{said}");
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), text);
}

#[tokio::test]
async fn rounds_go_on_by_what_their_epoch_began_with_and_balances_are_carried_once_a_day() {
    let (mut pool, alice, bob) = aged().await;
    forget(&pool).await;
    pool.restart().await;
    round_of(&pool, &[&alice, &bob]).await;
    assert_eq!(forget(&pool).await, "nothing is old enough");
    assert_eq!(pool.get("/records").await.json()["newest"], json!(7));
    for day in 1..4 {
        pool.pass(DAY_MS);
        forget(&pool).await;
        // Without a new entry there is nothing to carry forward again.
        assert_eq!(pool.get("/records").await.json()["newest"], json!(8), "day {day}");
    }
    verified(&of(&pool)).await;
}

#[tokio::test]
async fn an_owner_is_known_as_long_as_a_sample_of_its_time_is_shown() {
    // Bob's order lapsed days ago, and the loop of rounds came by since.
    let (pool, _, _) = aged().await;
    let lapsed = |pool: &TestPool| {
        let (store, now_s) = (pool.app().store.clone(), pool.now_ms() / 1_000);
        async move { store.forget_lapsed_owners(now_s).await.unwrap() }
    };
    assert_eq!(pool.app().store.oldest_sample().await.unwrap(), Some(START_S));
    assert_eq!(lapsed(&pool).await, 1);

    let (pool, alice, _) = aged().await;
    forget(&pool).await;
    assert!(pool.app().store.oldest_sample().await.unwrap().unwrap() > START_S + 7 * DAY_MS / 1_000);
    round_of(&pool, &[&alice]).await;
    assert_eq!(lapsed(&pool).await, 0, "it went after the samples");
}

#[tokio::test]
async fn a_statement_says_of_days_whose_credits_are_forgotten_as_a_whole_what_it_said_before() {
    let (pool, alice, _) = aged().await;
    let path = |from: &str| format!("/v1/statements/{}?from={from}&to=2025-10-17", alice.key);
    // Rounds of the ninth, and one of the seventeenth.
    let accounts = async |from: &str| {
        let answer = pool.get(&path(from)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let (_, accounts) =
            answer.text.split_once("\"accounts\":").unwrap_or_else(|| panic!("{}", answer.text));
        accounts.split("\"signature\"").next().unwrap().to_owned()
    };
    let before = (accounts("2025-10-09").await, accounts("2025-10-17").await);
    assert_ne!(before.0, before.1);
    forget(&pool).await;
    assert_eq!((accounts("2025-10-09").await, accounts("2025-10-17").await), before);
}

#[tokio::test]
async fn the_status_says_what_is_forgotten() {
    let (pool, _, _) = aged().await;
    let socket = pool.app().in_force.load().config.pool.control_socket.clone();
    let status = async || ask(&socket, Command::Status).await.unwrap().text;
    forget(&pool).await;
    let told = status().await;
    assert!(told.contains("retention") && told.contains("lists of orders and accounts forgotten"), "{told}");
    let pool = pool_with("").await;
    assert_eq!(forget(&pool).await, "everything is kept");
}

/// What is wrong with this section, or what it says.
fn read(top: &str, section: &str) -> Result<RetentionConfig, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("exchanges")).unwrap();
    let file = folder.path().join("pool.toml");
    std::fs::write(&file, format!("name = \"p\"\n{top}\n{section}")).unwrap();
    Config::read(&file).map(|config| config.pool.retention).map_err(|faults| faults.to_string())
}

#[test]
fn everything_is_kept_unless_the_operator_says_for_how_long() {
    assert_eq!(read("", ""), Ok(RetentionConfig::default()));
    let orders = RetentionConfig { orders_days: Some(30), ..RetentionConfig::default() };
    assert_eq!(read("", "[retention]\norders_days = 30\n"), Ok(orders));
    let all = RetentionConfig { orders_days: Some(1), records_days: Some(7), credits_days: Some(2) };
    assert_eq!(read("", SECTION), Ok(all));
}

#[test]
fn the_section_in_the_operators_example_is_right_when_it_is_put_in_force() {
    let example =
        std::fs::read_to_string(alp_tests::workspace().join("examples/operator/pool.toml")).unwrap();
    let (_, section) = example.split_once("# [retention]\n").unwrap();
    let keys = section.lines().take_while(|line| line.starts_with('#')).filter_map(|line| {
        let (key, days) = line.strip_prefix("# ")?.split_once("_days = ")?;
        Some(format!("{key}_days = {}\n", days.parse::<u64>().ok()?))
    });
    let keys: Vec<String> = keys.collect();
    assert_eq!(keys.len(), 3, "{keys:?}");
    let all = RetentionConfig { orders_days: Some(30), records_days: Some(365), credits_days: Some(90) };
    assert_eq!(read("", &format!("[retention]\n{}", keys.concat())), Ok(all));
}

#[test]
fn ages_that_would_take_what_is_still_shown_or_needed_are_faults() {
    for (top, section, wanted) in [
        ("", "orders_days = 0", "retention.orders_days must be a whole number from 1 to 36500"),
        ("", "records_days = 6", "retention.records_days must be a whole number from 7 to 36500"),
        ("", "credits_days = 40000", "retention.credits_days must be a whole number from 1 to 36500"),
        ("", "credits_days = 30", "retention.orders_days must be said and at most credits_days, 30"),
        (
            "",
            "credits_days = 30\norders_days = 31",
            "retention.orders_days must be said and at most credits_days, 30",
        ),
        (
            "round_seconds = 86400",
            "orders_days = 2",
            "retention.orders_days must be at least as long as 3 rounds",
        ),
        (
            "round_seconds = 3600",
            "orders_days = 1\ncredits_days = 2",
            "retention.credits_days must be at least as long as 50 rounds",
        ),
        ("", "samples_days = 3", "retention.samples_days is not a key that is known here"),
    ] {
        let told = read(top, &format!("[retention]\n{section}\n")).unwrap_err();
        assert!(told.contains(wanted), "{section}: {told}");
    }
}
