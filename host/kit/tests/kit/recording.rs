//! `record`, against the simulated exchange.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use alp_simulated_exchange::{NewOrder, Running, Side, SimulatedExchange};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::program::{adapter, alp, command, error_of, test_exchange, text_of};

const KEY: &str = "AKEYNOBODYMAYSEE0123456789";
const SECRET: &str = "a-secret-nobody-may-see-0123456789";

struct Scene {
    _runtime: Runtime,
    exchange: Running,
    folder: tempfile::TempDir,
}

fn scene() -> Scene {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let exchange = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let clock = || {
            let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            u64::try_from(since.as_millis()).unwrap()
        };
        SimulatedExchange::start(listener, Arc::new(clock)).unwrap()
    });
    let handle = exchange.handle();
    handle.add_account(KEY, SECRET).unwrap();
    let market = handle.add_market("NBT", "BTC", "0.0025".parse().unwrap()).unwrap();
    let order = |side, price: &str| NewOrder {
        market: market.clone(),
        side,
        price: price.parse().unwrap(),
        amount: "100".parse().unwrap(),
    };
    handle.place(KEY, order(Side::Sell, "0.0026")).unwrap();
    handle.place(KEY, order(Side::Buy, "0.0024")).unwrap();
    Scene { _runtime: runtime, exchange, folder: tempfile::tempdir().unwrap() }
}

impl Scene {
    fn record(&self, key: &str, secret: &str, more: &[&str]) -> Output {
        let mut record = command(alp(), self.folder.path());
        record.args(["adapter", "record"]).arg(test_exchange()).args(["--market", "NBT/BTC", "--endpoint"]);
        record.arg(self.exchange.origin()).args(more).env("ALP_KEY", key).env("ALP_SECRET", secret);
        record.output().unwrap()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join("fixtures").join(name)).unwrap()
    }
}

fn is_in_any_file(text: &str, folder: &Path) -> bool {
    let mut files = 0;
    let found = fs::read_dir(folder).unwrap().any(|file| {
        files += 1;
        fs::read_to_string(file.unwrap().path()).unwrap().contains(text)
    });
    assert!(files > 0);
    found
}

#[test]
fn a_live_call_becomes_a_fixture_that_passes_and_holds_nothing_secret() {
    let scene = scene();
    let said = text_of(scene.record(KEY, SECRET, &["--scrub", "0.0024"]));
    assert!(said.contains("recorded.json") && said.contains("request.json"), "{said}");
    let fixtures = scene.folder.path().join("fixtures");
    for secret in [KEY, SECRET, "0.0024", &scene.exchange.origin()] {
        assert!(!is_in_any_file(secret, &fixtures), "{secret} was written");
    }
    let orders: Value = serde_json::from_str(&scene.file("recorded.expected.json")).unwrap();
    assert_eq!(orders.as_array().unwrap().len(), 2);
    assert_eq!((&orders[0]["price"], &orders[0]["amount"]), (&"0.0026".into(), &"100".into()));
    let component = test_exchange().display().to_string();
    let checked = text_of(adapter(scene.folder.path(), &["check", &component, "--cases", "fixtures"]));
    assert!(checked.contains("case recorded.json") && checked.contains("PASSED"), "{checked}");
}

#[test]
fn a_second_recording_is_added_and_an_error_is_one_too() {
    let scene = scene();
    text_of(scene.record(KEY, SECRET, &[]));
    let request = scene.file("request.json");
    let refused = scene.record(KEY, SECRET, &[]);
    assert!(error_of(&refused, 1).contains("exists already"));
    text_of(scene.record(KEY, "another-secret", &["--name", "wrong_secret"]));
    let cases: Value = serde_json::from_str(&scene.file("cases.json")).unwrap();
    assert_eq!(cases[1]["file"], "wrong_secret.json");
    assert_eq!(
        (&cases[1]["expect"], &cases[1]["fault"], &cases[1]["status"]),
        (&"error".into(), &"refused".into(), &401.into())
    );
    assert_eq!(scene.file("request.json"), request);
}

#[test]
fn credentials_come_from_a_file_too_and_what_is_missing_is_named() {
    let scene = scene();
    let file = scene.folder.path().join("credentials.json");
    fs::write(&file, format!(r#"{{"key": "{KEY}", "secret": "{SECRET}"}}"#)).unwrap();
    let mut record = command(alp(), scene.folder.path());
    record.args([
        "adapter",
        "record",
        "--credentials",
        "credentials.json",
        "--market",
        "NBT/BTC",
        "--endpoint",
    ]);
    let output = record.arg(scene.exchange.origin()).arg(test_exchange()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("chmod 600"));
    text_of(output);
    fs::write(&file, format!(r#"{{"key": "{KEY}"}}"#)).unwrap();
    let mut record = command(alp(), scene.folder.path());
    record.args(["adapter", "record", "--credentials", "credentials.json", "--market", "NBT/BTC"]);
    let error = error_of(&record.arg(test_exchange()).output().unwrap(), 1);
    assert!(error.contains("`secret` is missing") && !error.contains(KEY), "{error}");
    for (more, why) in [
        (["--market", "nbt"], "capitals"),
        (["--name", "request_2"], "--name"),
        (["--scrub", "ab"], "at least"),
    ] {
        let mut record = command(alp(), scene.folder.path());
        record.args(["adapter", "record"]).arg(test_exchange()).args(more);
        if more[0] != "--market" {
            record.args(["--market", "NBT/BTC"]);
        }
        let refused = record.env("ALP_KEY", KEY).env("ALP_SECRET", SECRET).output().unwrap();
        assert!(error_of(&refused, 1).contains(why), "{more:?}");
    }
}
