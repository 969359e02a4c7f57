//! The examples in Python and JavaScript, built as their pages say and held to the fixtures of the Rust adapters.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use alp_adapter::testing;
use alp_kit::ComponentDriver;

use crate::program::{command, on_path, sandbox, skipped, target_folder, text_of, wire, workspace};

/// One of the examples.
struct Example {
    folder: &'static str,
    exchange: &'static str,
    /// What its page has installed, by its first name within the folder, and a file in it that has to be there.
    installed: &'static str,
    tool: &'static str,
    /// Where `.ci/run` installs the same, within the build folder.
    kept: &'static str,
    /// What makes its tool take the system away: some of its options, and what is said without them.
    without: &'static [(&'static [&'static str], &'static str)],
    cure: &'static str,
}

/// What is said of a component that imports functions.
const SYSTEM: &str = "may import types but nothing else, and this one imports wasi:";

const PYTHON: Example = Example {
    folder: "adapter_in_python",
    exchange: "hitbtc",
    installed: "venv",
    tool: "bin/componentize-py",
    kept: "componentize-py",
    without: &[(&["--stub-wasi "], SYSTEM)],
    cure: "Python: `componentize-py ... componentize --stub-wasi ...`",
};

const JAVASCRIPT: Example = Example {
    folder: "adapter_in_javascript",
    exchange: "poloniex",
    installed: "node_modules",
    tool: ".bin/componentize-qjs",
    kept: "componentize-js/node_modules",
    without: &[
        (&["--stub-wasi "], SYSTEM),
        (&["--sync "], "component model async"),
        (&["--stub-wasi ", "--sync "], "wasi:cli/environment@"),
    ],
    cure: "JavaScript, componentize-qjs: `componentize-qjs ... --stub-wasi --sync`",
};

#[test]
fn the_adapter_in_python_passes_every_check_built_as_its_page_says() {
    passes_every_check(&PYTHON);
}

#[test]
fn the_adapter_in_javascript_passes_every_check_built_as_its_page_says() {
    passes_every_check(&JAVASCRIPT);
}

#[test]
fn python_with_a_system_is_refused_with_the_lines_that_cure_it() {
    is_refused_with_a_system(&PYTHON);
}

#[test]
fn javascript_with_a_system_is_refused_with_the_lines_that_cure_it() {
    is_refused_with_a_system(&JAVASCRIPT);
}

fn passes_every_check(example: &Example) {
    let Some((within, folder)) = bench(example) else { return };
    let said = text_of(shell(&folder, &commands(example)));
    // The page's commands end with the conformance run.
    assert!(said.contains("PASSED") && said.contains("hostile: nesting"), "{said}");
    assert!(said.contains("(types only, no function)"), "{said}");
    // It carries an interpreter: how long that compiles is told, so that nobody wonders why it is not there at once.
    assert!(said.contains("loading") && said.contains(" ms here"), "{said}");
    // Loaded as a pool loads it, under the pool's own limits and with the file's name compared.
    let component = folder.join(format!("{}.wasm", example.exchange));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let adapter = runtime.block_on(async { sandbox().load_file(&component).await.unwrap() });
    assert_eq!(adapter.description().exchange, example.exchange);
    let driver = ComponentDriver::new(adapter, wire(), runtime.handle().clone());
    let own = workspace().join("adapters").join(example.exchange).join("fixtures");
    let replayed = testing::replay(&driver, &own).unwrap();
    assert!(replayed.calls >= 1 && replayed.cases >= 3 && replayed.orders >= 2, "{replayed:?}");
    testing::replay_recorded(&driver, example.exchange, &own).unwrap();
    drop(within);
}

fn is_refused_with_a_system(example: &Example) {
    let Some((within, folder)) = bench(example) else { return };
    let all = commands(example);
    let build = all.lines().find(|line| line.contains("componentize")).unwrap();
    for (options, reason) in example.without {
        let mut build = build.to_owned();
        for option in *options {
            assert!(build.contains(option), "{build}");
            build = build.replace(option, "");
        }
        text_of(shell(&folder, &build));
        let refused = shell(&folder, &format!("alp adapter inspect {}.wasm", example.exchange));
        assert_eq!(refused.status.code(), Some(1));
        let said = String::from_utf8(refused.stdout).unwrap();
        for part in ["refused", *reason, example.cure] {
            assert!(said.contains(part), "{part} is not in\n{said}");
        }
    }
    drop(within);
}

/// A copy of the example in a fresh folder, with what its page has the reader install, and the contract and the
/// fixtures where the page names them. Nothing is written to the sources.
fn bench(example: &Example) -> Option<(tempfile::TempDir, PathBuf)> {
    let source = workspace().join("examples").join(example.folder);
    let places = [target_folder().join(example.kept), source.join(example.installed)];
    let Some(installed) = places.iter().find(|place| place.join(example.tool).exists()) else {
        let page = source.join("README.md");
        skipped(&format!("{}: what {} installs is in none of {places:?}", example.folder, page.display()));
        return None;
    };
    if !on_path("bash") || (example.installed == "node_modules" && !on_path("npx")) {
        skipped(&format!("{}: bash or npx is missing", example.folder));
        return None;
    }
    let within = tempfile::tempdir().unwrap();
    let folder = within.path().join("examples").join(example.folder);
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(&source).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    for shared in ["wit", "adapters"] {
        symlink(workspace().join(shared), within.path().join(shared)).unwrap();
    }
    let here = folder.join(example.installed);
    if example.installed == "node_modules" {
        // The tool reads packages through a folder that it opens, and follows no link out of it.
        text_of(Command::new("cp").arg("-r").arg(installed).arg(&here).output().unwrap());
    } else {
        symlink(installed, here).unwrap();
    }
    Some((within, folder))
}

/// The commands of the page but for those that install something.
fn commands(example: &Example) -> String {
    let page = workspace().join("examples").join(example.folder).join("README.md");
    let page = fs::read_to_string(page).unwrap();
    let block = page.split("```sh\n").nth(1).unwrap();
    let commands = block.split("```").next().unwrap();
    assert!(commands.lines().count() == 3 && commands.contains("alp adapter check"), "{commands}");
    commands.to_owned()
}

fn shell(folder: &Path, commands: &str) -> Output {
    let mut bash = command("bash", folder);
    bash.args(["-euo", "pipefail", "-c", commands]).env("npm_config_offline", "true");
    bash.output().unwrap()
}
