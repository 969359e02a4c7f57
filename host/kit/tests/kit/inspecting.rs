//! `inspect`.

use std::fs;

use serde_json::Value;

use crate::program::{adapter, alp, command, test_exchange, text_of};

#[test]
fn everything_is_shown_before_anyone_enables_it() {
    let folder = tempfile::tempdir().unwrap();
    let component = test_exchange().display().to_string();
    let text = text_of(adapter(folder.path(), &["inspect", &component]));
    for part in [
        "alp:exchange/types@1.0.0 (types only, no function)",
        "alp:exchange/adapter@1.0.0",
        "open-orders (signed): GET /api/v1/open-orders",
        "for 60000 ms",
        "Unix time in milliseconds",
        "once only",
        "method, path, parameters, market",
        "Use a key for the pool alone",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let json: Value =
        serde_json::from_str(&text_of(adapter(folder.path(), &["inspect", &component, "--json"]))).unwrap();
    assert_eq!(json["adapter"]["exchange"], "test_exchange");
    assert_eq!(json["size_bytes"], fs::metadata(test_exchange()).unwrap().len());
    assert_eq!(json["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(json["refused"], Value::Null);
}

#[test]
fn the_configuration_it_ends_with_is_one_that_a_pool_takes() {
    let folder = tempfile::tempdir().unwrap();
    let component = test_exchange().display().to_string();
    let json = text_of(adapter(folder.path(), &["inspect", &component, "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    fs::create_dir(folder.path().join("exchanges")).unwrap();
    let configuration = json["adapter"]["configuration"].as_str().unwrap();
    fs::write(folder.path().join("exchanges/test_exchange.toml"), configuration).unwrap();
    let pool = "name = \"trial\"\ntest_pool = true\nlisten = \"127.0.0.1:0\"\n[prices.btc]\nfixed = 0.0025\n";
    fs::write(folder.path().join("pool.toml"), pool).unwrap();
    let read = text_of(command(alp(), folder.path()).arg("check-config").output().unwrap());
    assert!(read.contains("1 exchanges, 1 markets"), "{read}");
}

#[test]
fn the_grant_alone_is_printed_for_scripts_and_nothing_of_it_for_what_a_pool_would_refuse() {
    let folder = tempfile::tempdir().unwrap();
    let component = test_exchange().display().to_string();
    let json = text_of(adapter(folder.path(), &["inspect", &component, "--json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    let grant = json["adapter"]["grant"].as_str().unwrap();
    assert!(json["adapter"]["configuration"].as_str().unwrap().ends_with(grant));
    assert!(grant.starts_with(&format!("[grant]\nsha256 = {}\n", json["sha256"])), "{grant}");
    let alone = text_of(adapter(folder.path(), &["inspect", "--grant", &component]));
    assert_eq!(alone, format!("\n{grant}"));
    fs::write(folder.path().join("broken.wasm"), "nonsense").unwrap();
    let output = adapter(folder.path(), &["inspect", "--grant", "broken.wasm"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("refused"));
}

#[test]
fn a_component_that_imports_a_function_is_refused_with_the_lines_that_cure_it() {
    let folder = tempfile::tempdir().unwrap();
    let wants_a_clock = wat::parse_str(
        r#"(component (import "wasi:clocks/wall-clock@0.2.6" (instance (export "now" (func)))))"#,
    );
    fs::write(folder.path().join("clock.wasm"), wants_a_clock.unwrap()).unwrap();
    let output = adapter(folder.path(), &["inspect", "clock.wasm"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in
        ["refused", "wasi:clocks/wall-clock@0.2.6", "wasm32-unknown-unknown", "wasm-component-ld", "sha256"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let output = adapter(folder.path(), &["inspect", "clock.wasm", "--json"]);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["imports"][0], "wasi:clocks/wall-clock@0.2.6");
}
