//! Components that break the contract: other versions, imports, other types under the same names.

use crate::guests::{Guest, WIT};
use crate::runner::{Case, When, run};

fn version(version: &str) -> Vec<u8> {
    let wit = WIT.replace("alp:exchange@1.0.0", &format!("alp:exchange@{version}"));
    Guest { wit, ..Guest::named("hostile") }.component()
}

/// A guest whose world imports this, and whose module imports that.
fn importing(interface: &str, import: &str, module_import: &str) -> Vec<u8> {
    let world = "world exchange-adapter {";
    let wit = WIT.replace(world, &format!("{interface}\n{world}\n    {import}"));
    Guest { wit, also: module_import.to_owned(), ..Guest::named("hostile") }.component()
}

/// A guest by a contract in which something is otherwise.
fn otherwise(from: &str, to: &str) -> Vec<u8> {
    assert!(WIT.contains(from), "{from}");
    Guest { wit: WIT.replacen(from, to, 1), ..Guest::named("hostile") }.component()
}

fn clock() -> Vec<u8> {
    importing(
        "interface clock { now: func() -> u64; }",
        "import clock;",
        r#"(import "alp:exchange/clock@1.0.0" "now" (func (result i64)))"#,
    )
}

fn network() -> Vec<u8> {
    importing(
        "interface network { send: func(host: string, body: list<u8>) -> list<u8>; }",
        "import network;",
        r#"(import "alp:exchange/network@1.0.0" "send" (func (param i32 i32 i32 i32 i32)))"#,
    )
}

fn bare_function() -> Vec<u8> {
    importing("", "import now: func() -> u64;", r#"(import "$root" "now" (func (result i64)))"#)
}

fn resource() -> Vec<u8> {
    importing(
        "interface files { resource file { open: static func(path: string) -> file; } }",
        "import files;",
        r#"(import "alp:exchange/files@1.0.0" "[static]file.open" (func (param i32 i32) (result i32)))"#,
    )
}

fn without_resume() -> Vec<u8> {
    let start = WIT.find("    /// Takes the reply to the step before").unwrap();
    let length = WIT[start..].find("result<step, fault>;").unwrap() + "result<step, fault>;".len();
    let wit = format!("{}{}", &WIT[..start], &WIT[start + length..]);
    Guest { wit, ..Guest::named("hostile") }.component()
}

#[test]
fn other_versions_imports_and_other_types_are_refused_by_name() {
    let refused = |name, file, stopped_by| Case { name, file, when: When::Load, stopped_by };
    run(&[
        refused("version 0.9.0 of the contract", || version("0.9.0"), &["adapter@0.9.0", "knows", "@1.x"]),
        refused("version 2.0.0 of the contract", || version("2.0.0"), &["adapter@2.0.0", "knows", "@1.x"]),
        Case { name: "version 1.999.0", file: || version("1.999.0"), when: When::Never, stopped_by: &[] },
        refused("a component of nothing", || wat::parse_str("(component)").unwrap(), &["exports nothing"]),
        refused("no function `resume`", without_resume, &["does not export the function `resume`"]),
        refused("an import of a clock", clock, &["imports alp:exchange/clock@1.0.0 (now)"]),
        refused("an import of a network", network, &["imports alp:exchange/network@1.0.0 (send)"]),
        refused("an import of a bare function", bare_function, &["imports now"]),
        refused("an import of a resource", resource, &["imports alp:exchange/files@1.0.0 (file)"]),
        refused(
            "another type of a field",
            || otherwise("opened-ms: option<u64>", "opened-ms: option<u32>"),
            &["failed its trial: start: ", "type mismatch"],
        ),
        refused(
            "one field more",
            || otherwise("account: option<string>,", "account: option<string>, balance: string,"),
            &["failed its trial: start: ", "expected record of 3 fields, found 4 fields"],
        ),
        refused(
            "other names of cases",
            || otherwise("unusable(string)", "useless(string)"),
            &["failed its trial: sign: ", "type mismatch"],
        ),
    ]);
}
