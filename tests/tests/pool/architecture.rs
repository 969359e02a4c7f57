//! Which crate may know what, as ARCHITECTURE.md says it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use alp_tests::workspace;
use serde_json::Value;

/// The packages of the workspace, each with the packages it needs to be built for use.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(cargo).args(["metadata", "--no-deps", "--format-version", "1"]).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 10, "cargo names the packages of the workspace");
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    packages
        .iter()
        .map(|package| {
            let needed = package["dependencies"].as_array().unwrap().iter();
            (name(package), needed.filter(|needed| needed["kind"].is_null()).map(name).collect())
        })
        .collect()
}

fn who_needs(library: &str) -> Vec<String> {
    let needs = |(name, needed): (String, BTreeSet<String>)| needed.contains(library).then_some(name);
    dependencies().into_iter().filter_map(needs).collect()
}

#[test]
fn the_rules_of_the_pool_need_three_libraries_and_no_crate_of_ours() {
    let needed = dependencies().remove("alp-pool").unwrap();
    assert_eq!(needed, ["bs58", "ethnum", "thiserror"].map(ToOwned::to_owned).into());
}

#[test]
fn only_the_store_knows_sql() {
    assert_eq!(who_needs("sqlx"), ["alp-store"]);
}

#[test]
fn only_the_sandbox_knows_the_engine_and_the_watched_folder() {
    for library in ["wasmtime", "notify"] {
        assert_eq!(who_needs(library), ["alp-sandbox"], "{library}");
    }
    // The kit for authors lists the imports of a component that the sandbox refuses.
    assert_eq!(who_needs("wasmparser"), ["alp-kit", "alp-sandbox"]);
}

#[test]
fn only_the_sdk_knows_how_components_are_made() {
    assert_eq!(who_needs("wit-bindgen"), ["alp-adapter"]);
}

#[test]
fn of_the_hosts_crates_only_the_server_knows_http() {
    for library in ["axum", "reqwest", "hyper"] {
        let host = ["alp-pool", "alp-record", "alp-sandbox", "alp-store"];
        assert!(who_needs(library).iter().all(|name| !host.contains(&name.as_str())), "{library}");
        assert!(who_needs(library).contains(&"alp-server".to_owned()), "{library}");
    }
}

#[test]
fn the_lower_crates_of_the_host_do_not_know_each_other_nor_the_server() {
    let all = dependencies();
    for name in ["alp-pool", "alp-sandbox", "alp-store"] {
        let ours: Vec<&String> = all[name].iter().filter(|needed| needed.starts_with("alp-")).collect();
        assert!(ours.is_empty(), "{name} needs {ours:?}");
    }
}

#[test]
fn the_documents_need_the_rules_of_the_pool_and_nothing_that_does_io() {
    let needed = dependencies().remove("alp-record").unwrap();
    let allowed = ["alp-pool", "compact_str", "ring", "serde", "serde_json", "sha2", "thiserror"];
    assert_eq!(needed, allowed.map(ToOwned::to_owned).into());
}

#[test]
fn an_adapter_needs_the_sdk_and_nothing_of_the_host() {
    let mut all = dependencies();
    // Not adapters themselves: they replay fixtures through a component.
    all.retain(|name, needed| {
        needed.contains("alp-adapter") && !["alp-kit", "alp-tests"].contains(&name.as_str())
    });
    assert_eq!(all.len(), 25);
    for (name, needed) in all {
        let right = |library: &String| ["alp-adapter", "serde"].contains(&library.as_str());
        assert!(needed.iter().all(right), "{name} needs {needed:?}");
    }
}

/// Every test in the sources, as the stem of its file and its name.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            tests_below(&path, found);
        } else if let Some(stem) = name.strip_suffix(".rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            for after in source.split("test]\n").skip(1).chain(source.split("test(").skip(1)) {
                let function = after.split_once("fn ").and_then(|(_, rest)| rest.split_once('('));
                found.extend(function.map(|(function, _)| format!("{stem}::{function}")));
            }
        }
    }
}

#[test]
fn every_test_that_the_security_page_names_is_there() {
    let page = std::fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|text| text.contains("::")).collect();
    assert!(named.len() > 50, "{named:?}");
    let mut found = BTreeSet::new();
    tests_below(workspace(), &mut found);
    let missing: Vec<&&str> = named.iter().filter(|named| !found.contains(**named)).collect();
    assert!(missing.is_empty(), "SECURITY.md names tests that are not there: {missing:#?}");
}

#[test]
fn every_line_of_the_security_page_has_a_test_or_says_why_not() {
    let page = std::fs::read_to_string(workspace().join("SECURITY.md")).unwrap();
    let (_, attacks) = page.split_once("## What can be tried").unwrap();
    let lines = attacks.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack "));
    let mut count = 0;
    for line in lines {
        let says_why = ["Out of reach: ", "Not answered yet: "].iter().any(|why| line.contains(why));
        assert!(line.contains("::") || says_why, "{line}");
        count += 1;
    }
    assert!(count > 30, "{count} lines");
}
