//! `new` and `build`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{adapter, command, error_of, text_of, workspace};

/// A scaffold of this name in a fresh folder.
pub(crate) fn scaffold(within: &Path, name: &str) -> PathBuf {
    text_of(adapter(within, &["new", name, "--kit", &workspace().display().to_string()]));
    within.join(name)
}

#[test]
fn a_new_adapter_passes_its_own_tests_builds_and_passes_every_check() {
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), "brand_new");
    let tested = text_of(command("cargo", &folder).args(["native-test", "--offline"]).output().unwrap());
    assert!(tested.contains("the_fixtures_give_their_requests_and_orders ... ok"), "{tested}");

    let built = text_of(adapter(&folder, &["build", "--out", "out/brand_new.wasm"]));
    assert!(built.contains("imports no function"), "{built}");
    let checked =
        text_of(adapter(&folder, &["check", "out/brand_new.wasm", "--cases", "fixtures", "--json"]));
    let report: Value = serde_json::from_str(&checked).unwrap();
    assert_eq!((&report["exchange"], &report["cases"]), (&"brand_new".into(), &4.into()));
    assert!(report["hostile_replies"].as_u64().unwrap() > 1000, "{report}");
    let lines = report["lines"].as_array().unwrap();
    assert!(lines.len() > 25 && lines.iter().all(|line| line["result"] == "ok"), "{report}");
}

#[test]
fn plain_cargo_builds_the_same_bytes() {
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), "plain_cargo");
    text_of(adapter(&folder, &["build", "--out", "by_the_kit.wasm"]));
    let target = within.path().join("target");
    let mut cargo = command("cargo", &folder);
    text_of(cargo.args(["build", "--release"]).env("CARGO_TARGET_DIR", &target).output().unwrap());
    let by_cargo = fs::read(target.join("wasm32-unknown-unknown/release/plain_cargo.wasm")).unwrap();
    assert_eq!(fs::read(folder.join("by_the_kit.wasm")).unwrap(), by_cargo);
}

#[test]
fn the_component_goes_into_a_folder_under_its_exchanges_name() {
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), "into_a_folder");
    fs::create_dir(folder.join("plugins")).unwrap();
    let built =
        text_of(adapter(within.path(), &["build", "into_a_folder", "--out", "into_a_folder/plugins"]));
    assert!(built.contains("into_a_folder.wasm"), "{built}");
    let files: Vec<_> =
        fs::read_dir(folder.join("plugins")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["into_a_folder.wasm"]);
}

#[test]
fn what_cannot_be_scaffolded_is_refused_with_what_to_do() {
    let within = tempfile::tempdir().unwrap();
    let kit = workspace().display().to_string();
    for name in ["9x", "Big", "a-b", "", "test", "a/b"] {
        let refused = adapter(within.path(), &["new", "--kit", &kit, "--", name]);
        assert!(error_of(&refused, 1).contains("exchange's id"), "{name}");
    }
    let refused = adapter(within.path(), &["new", "somewhere"]);
    assert!(error_of(&refused, 1).contains("--kit PATH"));
    let refused = adapter(within.path(), &["new", "somewhere", "--kit", "."]);
    assert!(error_of(&refused, 1).contains("neither"));
    fs::create_dir(within.path().join("full")).unwrap();
    fs::write(within.path().join("full/notes.txt"), "mine").unwrap();
    let refused = adapter(within.path(), &["new", "full", "--kit", &kit]);
    assert!(error_of(&refused, 1).contains("not empty"));
    assert_eq!(fs::read_to_string(within.path().join("full/notes.txt")).unwrap(), "mine");
    let refused = adapter(&workspace().join("adapters"), &["new", "a_member_by_accident"]);
    assert!(error_of(&refused, 1).contains("workspace"));
    assert!(!workspace().join("adapters/a_member_by_accident").exists());
}

#[test]
fn what_cannot_be_built_is_refused_with_what_is_missing() {
    let within = tempfile::tempdir().unwrap();
    let refused = adapter(within.path(), &["build"]);
    assert!(error_of(&refused, 1).contains("no Cargo.toml"));
    let folder = scaffold(within.path(), "unbuildable");
    let toolchain = |body: &str| {
        let rustc = within.path().join("rustc.sh");
        fs::write(&rustc, format!("#!/bin/sh\n{body}\n")).unwrap();
        text_of(command("chmod", within.path()).args(["+x", "rustc.sh"]).output().unwrap());
        let alp = crate::program::alp();
        let built = command(alp, &folder).args(["adapter", "build"]).env("RUSTC", &rustc).output().unwrap();
        error_of(&built, 1)
    };
    let sysroot = within.path().join("sysroot");
    fs::create_dir_all(&sysroot).unwrap();
    let answer = format!("case $1 in --print) echo {};; *) echo 'host: none-such';; esac", sysroot.display());
    assert!(toolchain(&answer).contains("rustup target add wasm32-unknown-unknown"));
    fs::create_dir_all(sysroot.join("lib/rustlib/wasm32-unknown-unknown/lib")).unwrap();
    assert!(toolchain(&answer).contains("rustup update"));
    assert!(toolchain("exit 0").contains("toolchain is unknown"));
    let library = folder.join("src/lib.rs");
    fs::write(&library, "fn broken(").unwrap();
    assert!(error_of(&adapter(&folder, &["build"]), 1).contains("cargo did not build it"));
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest.replace("\"cdylib\", ", "")).unwrap();
    fs::write(&library, "").unwrap();
    assert!(error_of(&adapter(&folder, &["build"]), 1).contains("crate-type"));
}
