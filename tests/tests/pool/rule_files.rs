//! Reward rules in the operator's files: every fault at once, and every key explained.

use std::fs;
use std::path::Path;

use alp_server::config::Config;

/// What is wrong with the market `btc` of these rules, each fault as `key message`.
fn faults(rules: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("exchanges")).unwrap();
    let pool = "name = \"p\"\ntest_pool = true\n[prices.btc]\nfixed = 1\n";
    fs::write(folder.path().join("pool.toml"), pool).unwrap();
    fs::write(folder.path().join("exchanges/kraken.toml"), format!("[units.btc]\n{rules}")).unwrap();
    match Config::read(&folder.path().join("pool.toml")) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.list().iter().map(|fault| format!("{} {}", fault.key, fault.message)).collect(),
    }
}

fn assert_found(rules: &str, wanted: &[&str]) {
    let found = faults(rules);
    for start in wanted {
        assert!(found.iter().any(|fault| fault.starts_with(start)), "{start} is not among {found:#?}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

#[test]
fn all_faults_of_rules_are_told_together_each_with_what_would_be_right() {
    let rules = "engine = \"fixed_cost\"\ndaily = 0\nslices = 61\nevidence = \"often\"\nby_time = 1\nmin_order = 0\n\
        max_orders = 0\nmaturing_seconds = 0\ncap = 0\nunpaid = \"carry\"\nreward = 1\ntolerance = 0.01\n\
        [[units.btc.change]]\nfrom = \"soon\"\nengine = \"sigmoid\"\nrate = 0.1\ntarget = 5\ntolerance = 0.1\n";
    assert_found(
        rules,
        &[
            "units.btc.ask has a reward of zero: name the coins of a day, such as 7.5",
            "units.btc.bid has a reward of zero",
            "units.btc.slices must be a whole number from 1 to 60",
            "units.btc.evidence must be \"last\" or \"interval\"",
            "units.btc.by_time is an integer: it must be true or false",
            "units.btc.min_order is zero: leave it out to have none",
            "units.btc.max_orders must be a whole number from 1 to 100000",
            "units.btc.maturing_seconds must be a whole number from 1 to 2592000",
            "units.btc.cap is zero: leave it out to have none",
            "units.btc.carry_limit is missing: it must be a decimal number",
            "units.btc.reward is not a key that is known here",
            "units.btc.change[1].from must be a moment such as 2026-12-01T00:00:00Z, or Unix seconds",
            "units.btc.change[1].width is missing",
            "units.btc.change[1].width is missing",
        ],
    );
}

#[test]
fn rules_that_do_not_fit_together_are_refused() {
    let cost = "engine = \"fixed_cost\"\ndaily = 1\ntolerance = 0.01\n";
    assert_found(
        "engine = \"sigmoid\"\nrate = 1\ntarget = 5\nwidth = 1\ntolerance = 0.1\nunpaid = \"move\"\n",
        &["units.btc has unpaid = move, but sigmoid pays a rate"],
    );
    assert_found(
        &format!("{cost}[units.btc.ask]\nengine = \"fixed_pot\"\n"),
        &["units.btc.ask.engine is fixed_pot, which shares one reward between both sides"],
    );
    assert_found(
        "tolerance = 0.1\ndaily = 1\n[units.btc.ask]\nengine = \"fixed_cost\"\n",
        &["units.btc.bid.engine is missing: the other side has an engine of its own"],
    );
    assert_found(
        &format!("{cost}carry_limit = 1\n"),
        &["units.btc.carry_limit is not a key that is known here"],
    );
    assert_found(
        "engine = \"lottery\"\ntolerance = 0.1\ndaily = 1\n",
        &["units.btc.ask.engine must be one of", "units.btc.bid.engine must be one of"],
    );
    let change = |from: u64| format!("[[units.btc.change]]\nfrom = {from}\n{cost}");
    assert_found(
        &format!("{cost}{}{}", change(20), change(10)),
        &["units.btc.change has a change at 10 after the one at 20"],
    );
    let pot = |ask: &str, bid: &str| {
        format!("reward = 1\n[units.btc.ask]\nratio = 0.5\n{ask}\n[units.btc.bid]\nratio = 0.5\n{bid}\n")
    };
    let rank = "rank_1 = { ratio = 1 }";
    let own = "rank_1 = { ratio = 1, target = 5 }";
    assert_found(
        &pot(&format!("target = 5\n{rank}"), rank),
        &["units.btc.bid.target is missing: the other side has a target"],
    );
    assert_found(
        &pot(own, &format!("target = 5\n{rank}")),
        &["units.btc has targets for sides and for ranks"],
    );
    assert_found(&pot(own, rank), &["units.btc names no target for rank_1 of bid"]);
    assert_found(&pot(own, own), &[]);
}

#[test]
fn the_operators_example_explains_every_key_with_the_attack_it_answers() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/operator/exchanges/binance.toml");
    let text = fs::read_to_string(file).unwrap();
    for (key, attack) in [
        ("slices", "there for a second of a minute"),
        ("evidence", "shown for an instant in each slice"),
        ("by_time", "opened just before a look"),
        ("min_order", "dust"),
        ("max_orders", "outgrow their limit"),
        ("maturing_seconds", "flash orders"),
        ("cap", "the jackpot"),
        ("unpaid", "an empty side that becomes worth more"),
    ] {
        let (before, _) = text.split_once(&format!("\n# {key} = ")).unwrap_or_else(|| panic!("no {key}"));
        let (_, explained) = before.rsplit_once("Attack answered").unwrap();
        assert!(explained.contains(attack) && !explained.contains("\n# Attack"), "{key}: {explained}");
    }
    for own_target in ["one side that fills the target meant for both", "far orders that fill the target"] {
        assert!(text.contains(own_target), "{own_target}");
    }
    // Every option can be used by taking away the mark before it.
    let (head, tail) = text.split_once("# How the reward is shared.").unwrap();
    let (options, tail) = tail.split_once("# What else the adapter needs").unwrap();
    let keys = options.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| {
        let key = line.split(" = ").next().unwrap();
        line.contains(" = ") && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    let keys: Vec<&str> =
        keys.map(|line| if line.starts_with("unpaid") { "unpaid = \"carry\"" } else { line }).collect();
    assert_eq!(keys.len(), 10, "{keys:?}");
    let (tail, changes) = tail.split_once("# [[units.btc.change]]").unwrap();
    let (changes, grant) = changes.split_once("\n\n").unwrap();
    let changes = format!("[[units.btc.change]]{}", changes.replace("\n# ", "\n"));
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("exchanges")).unwrap();
    let pool = "name = \"p\"\n[prices.btc]\nfixed = 1\n[prices.usd]\nfixed = 1\n";
    fs::write(folder.path().join("pool.toml"), pool).unwrap();
    let whole = format!("{head}\n{}\n#{tail}{changes}\n{grant}", keys.join("\n"));
    fs::write(folder.path().join("exchanges/binance.toml"), whole).unwrap();
    let config = Config::read(&folder.path().join("pool.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    let unit = config.unit("binance", "btc").unwrap();
    assert_eq!(unit.rules.terms.looks().slices(), 6);
    assert_eq!(unit.changes_after(1).map(|(from, _)| from).collect::<Vec<_>>(), [1_796_083_200]);
}
