//! `alp simulate`: a running pool's record under another configuration.

use std::path::PathBuf;
use std::process::Command;

use alp_record::chain::BothSums;
use alp_server::simulate::{Simulated, Simulation, csv, report, simulate};
use alp_tests::{Settings, TEST_EXCHANGE, TestPool};

/// A pool that has run three rounds of two LPs.
async fn with_rounds(settings: Settings) -> TestPool {
    let pool = TestPool::start_with(settings).await;
    let alice = pool.lp_with("alice", &["ask 900 0.004", "bid 300 0.00398", "bid 5 0.001"]).await;
    let bob = pool.lp_with("bob", &["ask 1200 0.004"]).await;
    for _ in 0..3 {
        pool.submit_btc(&alice).await;
        pool.submit_btc(&bob).await;
        pool.end_round().await;
    }
    pool
}

fn of(pool: &TestPool, settings: &[&str]) -> Simulation {
    Simulation {
        record: format!("http://{}", pool.address()),
        exchanges: None,
        settings: settings.iter().map(|setting| setting.parse().unwrap()).collect(),
        newest: 1_440,
        threads: 0,
    }
}

async fn simulated(simulation: &Simulation) -> Simulated {
    simulate(simulation, |_, _| {}).await.unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

/// What is credited in all, in 1e-8.
async fn credited(pool: &TestPool) -> i128 {
    let balances = pool.app().store.balances(0, 10).await.unwrap();
    balances.iter().map(|balance| i128::from(balance.balance_e8)).sum()
}

#[tokio::test]
async fn the_same_files_give_what_the_pool_credited_to_the_last_unit() {
    let pool = with_rounds(Settings::default()).await;
    let exchanges = Some(pool.folder().join("exchanges"));
    let same = simulated(&Simulation { exchanges, ..of(&pool, &[]) }).await;
    let paid = credited(&pool).await;
    assert!(paid > 0);
    assert_eq!(same.comparison.paid, BothSums { recorded_e8: paid, other_e8: paid });
    assert_eq!((same.comparison.rounds, same.comparison.lines.len()), (3, 2));
    for (line, sums) in &same.comparison.lines {
        assert_eq!(sums.difference_e8(), 0, "{line:?}");
    }
}

#[tokio::test]
async fn another_target_and_another_engine_give_what_a_pool_with_those_rules_credits() {
    let pool = with_rounds(Settings::default()).await;
    let auction = TEST_EXCHANGE
        .split_once("reward = 0.05")
        .map(|(before, after)| {
            let (_, usd) = after.split_once("[units.usd]").unwrap();
            let rules = "engine = \"uniform_auction\"\nrate = 0.02\ntarget = 700\ntolerance = 0.0085\n";
            format!("{before}{rules}[units.usd]{usd}")
        })
        .unwrap();
    let engine = [
        "test_exchange.btc.rate=0.02",
        "test_exchange.btc.target=700",
        "test_exchange.btc.tolerance=0.0085",
        "test_exchange.btc.engine=uniform_auction",
    ];
    let mut with_auction = Settings::default();
    with_auction.exchanges[0].1 = auction;
    for (settings, other) in [
        (&["test_exchange.btc.target=4000"][..], Settings::changed("target = 1500", "target = 4000")),
        (&engine[..], with_auction),
    ] {
        let simulated = simulated(&of(&pool, settings)).await;
        let with_those_rules = with_rounds(other).await;
        let paid =
            BothSums { recorded_e8: credited(&pool).await, other_e8: credited(&with_those_rules).await };
        assert_eq!(simulated.comparison.paid, paid, "{settings:?}");
        assert_ne!(paid.difference_e8(), 0);
        // The same from the files of the other pool.
        let exchanges = Some(with_those_rules.folder().join("exchanges"));
        let by_files = self::simulated(&Simulation { exchanges, ..of(&pool, &[]) }).await;
        assert_eq!(by_files.comparison, simulated.comparison);
    }
}

#[tokio::test]
async fn what_is_at_fault_in_the_other_configuration_is_said() {
    let pool = with_rounds(Settings::default()).await;
    for (settings, words) in [
        (&[][..], "nothing is different"),
        (&["test_exchange.btc.tarjet=1"][..], "tarjet is not a key that is known here"),
        (&["test_exchange.btc.engine=lottery"][..], "engine"),
        (&["test_exchange.eur.target=1"][..], "have no market test_exchange eur"),
    ] {
        let refused = simulate(&of(&pool, settings), |_, _| {}).await.err().unwrap().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    for text in ["btc.target=1", "a.b.c", "a..c=1", "=1"] {
        assert!(text.parse::<alp_server::simulate::Setting>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_command_shows_a_table_a_chart_and_what_it_cannot_know() {
    let pool = with_rounds(Settings::default()).await;
    let file: PathBuf = pool.folder().join("sums.csv");
    let url = format!("http://{}", pool.address());
    let program = alp_tests::profile_folder().join("alp-tests-server");
    let run = tokio::task::spawn_blocking({
        let file = file.clone();
        move || {
            let set = ["--set", "test_exchange.btc.target=4000", "--newest", "3", "--csv"];
            Command::new(program).arg("simulate").arg(url).args(set).arg(file).output().unwrap()
        }
    });
    let output = run.await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    for words in [
        "replayed   3 rounds, from 2025-10-09T08:54:00Z to 2025-10-09T08:56:00Z",
        "left out   1 older entries",
        "changed    test_exchange btc",
        "target 1500",
        "target 4000",
        "test_exchange btc: could pay",
        "paid in all",
        "========================================",
        "What this cannot know:",
        "every bot is taken to have shown the same orders",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let simulated = simulated(&of(&pool, &["test_exchange.btc.target=4000"])).await;
    assert_eq!(std::fs::read_to_string(file).unwrap(), csv(&simulated));
    assert!(report(&simulated).contains(&format!("{}", simulated.comparison.rounds)));
}
