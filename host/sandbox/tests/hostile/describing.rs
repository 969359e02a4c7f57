//! Components that lie about themselves, or say what would be something else in a log or a request.

use crate::guests::{Guest, WIT};
use crate::runner::{Case, When, run};

fn from(origin: &str) -> Vec<u8> {
    Guest { origin: origin.into(), ..Guest::named("hostile") }.component()
}

fn at(path: &str) -> Vec<u8> {
    Guest { path: path.into(), ..Guest::named("hostile") }.component()
}

fn with_header(name: &str) -> Vec<u8> {
    Guest { headers: vec![name.into()], ..Guest::named("hostile") }.component()
}

fn refused(name: &'static str, file: fn() -> Vec<u8>, stopped_by: &'static [&'static str]) -> Case {
    Case { name, file, when: When::Load, stopped_by }
}

#[test]
fn an_adapter_says_itself_that_it_calls_a_public_host_over_tls() {
    const FORM: &[&str] = &["not of the form https://host"];
    const PUBLIC: &[&str] = &["is not the public name of a host"];
    run(&[
        refused("an origin before an @", || from("https://api.exchange.com@evil"), FORM),
        refused("an origin without TLS", || from("http://api.exchange.com"), &["is not encrypted"]),
        refused("an origin with a path", || from("https://api.exchange.com/x"), FORM),
        refused("an origin with a line break", || from("https://api.exchange.com\r\nX: y"), FORM),
        refused("the address of the machine itself", || from("https://127.0.0.1:8443"), PUBLIC),
        refused("the machine itself as a number", || from("https://2130706433"), PUBLIC),
        refused("the machine itself in hexadecimal", || from("https://127.0.0.0x1"), PUBLIC),
        refused("the machine itself by name", || from("https://localhost"), PUBLIC),
        refused("a neighbour by name", || from("https://router.local"), PUBLIC),
        refused("a metadata address", || from("https://169.254.169.254"), PUBLIC),
        refused("a metadata service by name", || from("https://metadata.google.internal"), PUBLIC),
        refused("a metadata address without TLS", || from("http://169.254.169.254"), &["is not encrypted"]),
        refused("an address of version 6", || from("https://[::1]"), FORM),
        refused("a path that climbs", || at("/a/../../b"), &["relative segments"]),
        refused("a path that is another host's", || at("//evil.example.com/orders"), &["segments"]),
        refused(
            "a path with a line break",
            || at("/orders HTTP/1.1\r\nHost: evil"),
            &["belongs into no path"],
        ),
        refused("a header with a line break", || with_header("X-A\r\nX-B"), &["is no header name"]),
        refused("a header of the connection", || with_header("Host"), &["is the host's to set"]),
    ]);
}

#[test]
fn a_name_that_is_not_its_own_is_refused() {
    run(&[
        refused(
            "the name of another adapter",
            || Guest::named("test_exchange").component(),
            &["hostile.wasm", "its adapter is for `test_exchange`"],
        ),
        refused(
            "a name that would look like a log line",
            || Guest::named("hostile\n2026-11-20T00:00:00Z ERROR paid everything").component(),
            &["its exchange `hostile 2026-11-20T00:00:00Z ERROR paid everything` must be"],
        ),
        refused(
            "a version with a colour in it",
            || Guest { version: "1\u{1b}[31m".into(), ..Guest::named("hostile") }.component(),
            &["its version must be"],
        ),
        refused("an import named like a log line", forged_import, &["does not compile"]),
        refused(
            "a function named like a log line that does not compile",
            forged_function,
            &["does not compile"],
        ),
    ]);
}

/// A second module in the component wants something of a forged name, which nobody gives it.
fn forged_import() -> Vec<u8> {
    wat::parse_str(
        r#"(component
            (core module $m (import "evil\0a2026-11-20T00:00:00Z ERROR paid everything\1b[31m" "f" (func)))
            (core instance (instantiate $m)))"#,
    )
    .unwrap()
}

/// A function of a forged name is not well typed.
fn forged_function() -> Vec<u8> {
    wat::parse_str(
        r#"(component (core module
            (func $"evil\0a2026-11-20T00:00:00Z ERROR paid everything\1b[31m" (result i32) (f32.const 1))))"#,
    )
    .unwrap()
}

#[test]
fn a_description_is_taken_once_and_is_bounded() {
    run(&[
        // Each call has an instance of its own, so it never sees that it was asked before: it says the same.
        Case {
            name: "a description that would change when asked again",
            file: || {
                Guest {
                    also: "(global $asked (mut i32) (i32.const 0))".into(),
                    describe: "(if (global.get $asked) (then unreachable)) (global.set $asked (i32.const 1))
                        (i32.const 4096)"
                        .into(),
                    ..Guest::named("hostile")
                }
                .component()
            },
            when: When::Never,
            stopped_by: &[],
        },
        refused("17 calls", || calls(17), &["it declares 17 calls; 16 are enough"]),
        refused("a million notes", || notes(1_000_000), &["describe: answered more than 4194304 bytes"]),
        refused("33 notes", || notes(33), &["it declares 33 notes; 32 are enough"]),
        refused("a description by another contract", other_description, &["describe: ", "type mismatch"]),
    ]);
}

/// So many times the one call, all at one place in its memory: where there is room for one.
fn calls(count: u32) -> Vec<u8> {
    let describe = format!(
        "(local $call i32)
         (local.set $call (i32.const 131072))
         (drop (memory.grow (i32.const 1)))
         (loop
            (memory.copy (local.get $call) (i32.const 4224) (i32.const 60))
            (local.set $call (i32.add (local.get $call) (i32.const 60)))
            (br_if 0 (i32.lt_u (local.get $call) (i32.const {end}))))
         (i32.store (i32.const 4128) (i32.const 131072))
         (i32.store (i32.const 4132) (i32.const {count}))
         (i32.const 4096)",
        end = 131_072 + count * 60,
    );
    Guest { describe, ..Guest::named("hostile") }.component()
}

/// So many empty notes.
fn notes(count: u32) -> Vec<u8> {
    let describe = format!(
        "(drop (memory.grow (i32.const {pages})))
         (i32.store (i32.const 4112) (i32.const 131072))
         (i32.store (i32.const 4116) (i32.const {count}))
         (i32.const 4096)",
        pages = count * 8 / 65_536 + 1,
    );
    Guest { describe, ..Guest::named("hostile") }.component()
}

fn other_description() -> Vec<u8> {
    let wit = WIT.replace("        single-use: bool,", "        single-use: u8,");
    assert_ne!(wit, WIT);
    Guest { wit, ..Guest::named("hostile") }.component()
}
