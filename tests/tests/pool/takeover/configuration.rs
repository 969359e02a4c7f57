//! The configuration of an ALP-Server as one of this pool.

use std::os::unix::fs::PermissionsExt;

use alp_pool::money::Coins;
use alp_pool::terms::Fill;
use alp_server::config::Config;

use super::evening::{import, told};
use super::old_pool::OldPool;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_a_configuration_without_faults_that_says_the_same() {
    let Some(old) = OldPool::start().await else { return };
    let out = old.folder().join("new");
    let written = import(&old, &["--out", out.to_str().unwrap()]).await;
    assert!(written.status.success(), "{}", told(&written));
    let config = Config::read(&out.join("pool.toml")).unwrap();
    assert_eq!(config.pool.name, "Test Pool");
    let payouts = config.pool.payouts.as_ref().unwrap();
    assert_eq!((payouts.pool_id.as_str(), payouts.terms.minimum), ("test-pool", Coins::parse("1").unwrap()));
    assert_eq!(config.exchanges.keys().collect::<Vec<_>>(), ["bittrex", "bter"]);
    let btc = config.unit("bittrex", "btc").unwrap();
    assert!(btc.reverse && !config.unit("bittrex", "ppc").unwrap().reverse);
    let terms = btc.rules.terms.judged_by();
    assert_eq!(terms.reward_per_minute(), Coins::parse("0.025").unwrap());
    assert_eq!(btc.rules.terms.target().to_string(), "1250");
    assert!(btc.rules.document.contains(Fill::All.name()), "{}", btc.rules.document);

    let password = out.join("wallet.password");
    assert_eq!(std::fs::read_to_string(&password).unwrap(), "rpc-secret\n");
    assert_eq!(std::fs::metadata(&password).unwrap().permissions().mode() & 0o777, 0o600);
    let text = told(&written);
    for note in [
        "cryptsy is left out",
        "test_exchange is left out: it pays anybody for made-up orders (PB-20)",
        "bittrex ppc does not say `reverse`",
        "fills_target = \"all\"",
        "grant_address has no equal",
        "prices.ppc: name a feed",
    ] {
        assert!(text.contains(note), "{note}\n{text}");
    }
    assert!(!text.contains("rpc-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_there_is_not_written_over() {
    let Some(old) = OldPool::start().await else { return };
    let out = old.folder().join("new");
    std::fs::create_dir(&out).unwrap();
    let refused = import(&old, &["--out", out.to_str().unwrap()]).await;
    assert!(!refused.status.success() && told(&refused).contains("not written over"), "{}", told(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_22_a_market_whose_target_is_missing_or_nothing_is_told_and_not_taken_silently() {
    let Some(old) = OldPool::start().await else { return };
    let side = r#"{"ratio": 0.5, "rank_1": {"ratio": 1}}"#;
    let file = |target: &str| {
        format!(r#"{{"bter": {{"btc": {{"reward": 1, {target} "ask": {side}, "bid": {side}}}}}}}"#)
    };
    let path = old.config_dir().join("exchanges/bter.json");
    std::fs::write(&path, file("")).unwrap();
    assert!(told(&import(&old, &[]).await).contains("bter btc is left out: target is missing"));
    std::fs::write(&path, file(r#""target": 0,"#)).unwrap();
    let text = told(&import(&old, &[]).await);
    assert!(text.contains("to be mended in bter.toml"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_20_an_exchange_that_is_none_is_taken_over_for_a_trial_only() {
    let Some(old) = OldPool::start().await else { return };
    let out = old.folder().join("trial");
    let written = import(&old, &["--out", out.to_str().unwrap(), "--test-pool"]).await;
    assert!(written.status.success(), "{}", told(&written));
    let config = Config::read(&out.join("pool.toml")).unwrap();
    assert!(config.pool.test_pool && config.exchanges.contains_key("test_exchange"));
}
