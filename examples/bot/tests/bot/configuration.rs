use std::path::Path;

use alp_bot::config::{Config, ConfigError};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bot.toml");

fn written(text: &str) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bot.toml");
    std::fs::write(&path, text).unwrap();
    std::fs::write(folder.path().join("secret.txt"), "the-secret\n").unwrap();
    let config = Config::load(&path);
    (folder, config)
}

fn example() -> String {
    std::fs::read_to_string(EXAMPLE).unwrap()
}

fn nothing(_: &str) -> Option<String> {
    None
}

#[test]
fn the_example_is_a_configuration() {
    let config = Config::load(Path::new(EXAMPLE)).unwrap();
    assert_eq!(config.pool.submit_interval_ms, 60_000);
    assert_eq!(config.exchange.id, "test_exchange");
    let simulated = config.simulated.unwrap();
    assert_eq!((simulated.orders.len(), simulated.restless_ms), (2, Some((20_000, 90_000))));
}

#[test]
fn the_secret_comes_from_a_file_beside_the_configuration() {
    let (_folder, config) = written(&example());
    let secret = config.unwrap().account.secret(nothing).unwrap();
    assert_eq!(secret.expose(), "the-secret");
    assert_eq!(format!("{secret:?}"), "Secret(hidden)");
}

#[test]
fn the_secret_comes_from_a_variable() {
    let text = example().replace("secret_file = \"secret.txt\"", "secret_env = \"THE_NAME\"");
    let (_folder, config) = written(&text);
    let account = config.unwrap().account;
    let secret = account.secret(|name| (name == "THE_NAME").then(|| "from-there".to_owned()));
    assert_eq!(secret.unwrap().expose(), "from-there");
    let missing = account.secret(nothing);
    assert!(matches!(missing, Err(ConfigError::SecretVariable(name)) if name == "THE_NAME"));
}

#[test]
fn two_places_or_none_for_the_secret_are_refused() {
    let line = "secret_file = \"secret.txt\"";
    for text in [
        example().replace(line, ""),
        example().replace(line, "secret_file = \"secret.txt\"\nsecret_env = \"NAME\""),
    ] {
        let (_folder, config) = written(&text);
        let secret = config.unwrap().account.secret(nothing);
        assert!(matches!(secret, Err(ConfigError::SecretSource)));
    }
}

#[test]
fn a_secret_in_the_configuration_itself_is_refused() {
    let text = example().replace("secret_file = \"secret.txt\"", "secret = \"no\"");
    assert!(matches!(written(&text).1, Err(ConfigError::Toml { .. })));
}

#[test]
fn settings_without_sense_are_refused() {
    let hurried = example().replace("submit_interval_ms = 60000", "submit_interval_ms = 999");
    assert!(matches!(written(&hurried).1, Err(ConfigError::Interval)));
    let elsewhere = example().replace("http://127.0.0.1:3333", "ftp://127.0.0.1");
    assert!(matches!(written(&elsewhere).1, Err(ConfigError::Url)));
    let missing = Config::load(Path::new("no/such/bot.toml"));
    assert!(matches!(missing, Err(ConfigError::File { .. })));
}

#[test]
fn receipts_are_kept_for_as_many_days_as_can_be_verified_and_under_a_key_that_is_one() {
    let receipts = Config::load(Path::new(EXAMPLE)).unwrap().receipts.unwrap();
    assert_eq!((receipts.keep_days, receipts.heads, receipts.key().unwrap()), (60, true, None));
    let days = |days: u32| written(&example().replace("keep_days = 60", &format!("keep_days = {days}"))).1;
    assert!(days(68).is_ok());
    for wrong in [0, 69] {
        assert!(matches!(days(wrong), Err(ConfigError::KeepDays { most: 68 })), "{wrong}");
    }
    let key = |key: &str| {
        written(&example().replace("# pool_key = \"c0ffee...\"", &format!("pool_key = \"{key}\""))).1
    };
    assert!(key(&"ab".repeat(32)).is_ok());
    assert!(matches!(key("c0ffee"), Err(ConfigError::PoolKey)));
    let (folder, config) = written(&example());
    assert_eq!(config.unwrap().receipts.unwrap().folder, folder.path().join("receipts"));
}

#[test]
fn minimal_rates_go_with_the_protocol_that_takes_them() {
    let tllp = example().replace("protocol = \"alp\"", "protocol = \"tllp\"");
    let rates = |rates: &str| format!("protocol = \"tllp\"\nminimal_rates = {rates}");
    let asking = |written: &str| tllp.replace("protocol = \"tllp\"", &rates(written));
    let (_folder, config) = written(&asking("{ ask = \"0.0025\", bid = \"0\" }"));
    assert_eq!(config.unwrap().pool.minimal_rates.unwrap().ask, "0.0025");
    let alone =
        asking("{ ask = \"0.0025\", bid = \"0\" }").replace("protocol = \"tllp\"", "protocol = \"alp\"");
    for text in [&tllp, &alone] {
        assert!(matches!(written(text).1, Err(ConfigError::RatesAlone)));
    }
    assert!(matches!(written(&asking("{ ask = \"0.25 %\", bid = \"0\" }")).1, Err(ConfigError::Rates)));
    assert!(matches!(written(&asking("{ ask = \"0.25\" }")).1, Err(ConfigError::Toml { .. })));
}
