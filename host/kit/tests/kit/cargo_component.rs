//! A scaffolded adapter under `cargo component`, which many authors know from elsewhere.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::program::{adapter, command, left_out, on_path, skipped, target_folder, text_of};
use crate::scaffolding::scaffold;

#[test]
fn cargo_component_and_plain_cargo_build_the_same_bytes() {
    let Some(tools) = cargo_component() else { return };
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), "both_ways");
    let built = |arguments: &[&str], target: &str| {
        let target = target_folder().join(target);
        let component = target.join("wasm32-unknown-unknown/release/both_ways.wasm");
        // What an earlier run left must not be compared.
        let _ = fs::remove_file(&component);
        run(&tools, &folder, arguments, &target);
        Sha256::digest(fs::read(component).unwrap())
    };
    let plain = built(&["build", "--release"], "kit-scaffold");
    assert_eq!(built(&["component", "build", "--release"], "kit-component"), plain);
}

#[test]
fn without_the_scaffolds_two_settings_its_component_is_refused_with_the_lines_that_cure_it() {
    let Some(tools) = cargo_component() else { return };
    let within = tempfile::tempdir().unwrap();
    for (target, arguments) in [
        ("wasm32-wasip1", &["component", "build", "--release"][..]),
        ("wasm32-wasip2", &["build", "--release", "--target", "wasm32-wasip2"]),
    ] {
        if !has_target(target) {
            left_out(&format!("{target}: it is not installed (rustup target add {target})"));
            continue;
        }
        let folder = scaffold(within.path(), &target.replace('-', "_"));
        fs::remove_dir_all(folder.join(".cargo")).unwrap();
        let built = target_folder().join("kit-component");
        run(&tools, &folder, arguments, &built);
        let component = built.join(target).join("release").join(format!("{}.wasm", target.replace('-', "_")));
        let inspected = adapter(&folder, &["inspect", &component.display().to_string()]);
        assert_eq!(inspected.status.code(), Some(1));
        let said = String::from_utf8(inspected.stdout).unwrap();
        for part in ["wasi:cli/environment@", "cure", "wasm-component-ld", "--target wasm32-unknown-unknown"]
        {
            assert!(said.contains(part), "{part} is not in\n{said}");
        }
    }
}

/// The folder in which cargo finds its command `component`, besides those it looks in anyway.
fn cargo_component() -> Option<PathBuf> {
    let kept = target_folder().join("cargo-component/bin");
    if kept.join("cargo-component").is_file() || on_path("cargo-component") {
        return Some(kept);
    }
    skipped("cargo component is missing: cargo install cargo-component --locked --version 0.21.1");
    None
}

fn run(tools: &Path, folder: &Path, arguments: &[&str], target: &Path) {
    let mut cargo = command("cargo", folder);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::split_paths(&paths).chain([tools.to_owned()]);
    cargo.args(arguments).env("PATH", std::env::join_paths(paths).unwrap());
    text_of(cargo.env("CARGO_TARGET_DIR", target).output().unwrap());
}

fn has_target(target: &str) -> bool {
    let sysroot = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let sysroot = String::from_utf8(sysroot.stdout).unwrap();
    Path::new(sysroot.trim()).join("lib/rustlib").join(target).join("lib").is_dir()
}
