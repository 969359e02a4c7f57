//! Components that do not end, stop themselves, or take all they can while they run.

use crate::binary::leb128;
use crate::guests::{FOR_EVER, Guest};
use crate::runner::{Case, When, run};

/// Takes all memory there is and writes to all of it, so that it is really there, and then gives up.
pub(crate) const TAKE_ALL: &str = "
    (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
    (memory.fill (i32.const 131072) (i32.const 1)
        (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 131072)))
    unreachable";

const TIME: &[&str] = &["took longer than 200 ms"];
const MEMORY: &[&str] = &["wanted more than 67108864 bytes of memory"];
const STACK: &[&str] = &["used more than 524288 bytes of stack"];
const TABLE: &[&str] = &["wanted more than 20000 elements in a table"];

fn starting(start: &str) -> Vec<u8> {
    Guest::starting(start).component()
}

fn with(also: &str, start: &str) -> Vec<u8> {
    Guest { also: also.into(), ..Guest::starting(start) }.component()
}

fn describing(describe: &str) -> Vec<u8> {
    Guest { describe: describe.into(), ..Guest::named("hostile") }.component()
}

fn loop_in_start_section() -> Vec<u8> {
    Guest { also: "(func $begin (loop (br 0))) (start $begin)".into(), ..Guest::named("hostile") }.component()
}

fn loop_in_realloc() -> Vec<u8> {
    Guest { realloc: FOR_EVER.into(), ..Guest::named("hostile") }.component()
}

fn loop_in_post_return() -> Vec<u8> {
    let also = r#"(func (export "cabi_post_alp:exchange/adapter@1.0.0#start") (param i32) (loop (br 0)))"#;
    Guest { also: also.into(), ..Guest::named("hostile") }.component()
}

fn copying() -> Vec<u8> {
    starting(
        "(drop (memory.grow (i32.const 900)))
         (loop (memory.copy (i32.const 30000000) (i32.const 131072) (i32.const 29000000)) (br 0)) unreachable",
    )
}

#[test]
fn what_does_not_end_is_ended_wherever_it_runs() {
    let at = |name, when, file| Case { name, file, when, stopped_by: TIME };
    run(&[
        at("a loop in `describe`", When::Load, || describing(FOR_EVER)),
        at("a loop in `sign`", When::Sign, || {
            Guest { sign: FOR_EVER.into(), ..Guest::named("hostile") }.component()
        }),
        at("a loop in `start`", When::Start, || starting(FOR_EVER)),
        at("a loop in `resume`", When::Resume, || {
            Guest { resume: FOR_EVER.into(), ..Guest::named("hostile") }.component()
        }),
        at("a loop in the start section", When::Load, loop_in_start_section),
        at("a loop in realloc", When::Start, loop_in_realloc),
        at("a loop in post-return", When::Start, loop_in_post_return),
        at("a loop of large copies", When::Start, copying),
    ]);
}

#[test]
fn memory_stack_and_tables_end_at_their_limits() {
    let at = |name, file, stopped_by| Case { name, file, when: When::Start, stopped_by };
    run(&[
        at("a memory bomb that writes to all of it", || starting(TAKE_ALL), MEMORY),
        at("a memory bomb in realloc", greedy_realloc, MEMORY),
        at("a stack bomb", deep, STACK),
        at("a stack bomb through a table", deep_indirectly, STACK),
        at("a table that grows", growing_table, TABLE),
        Case {
            name: "a table of ten million",
            file: || with("(table 10000000 funcref)", "unreachable"),
            when: When::Load,
            stopped_by: &["does not fit the sandbox", "20000"],
        },
        Case {
            name: "sixty tables",
            file: || with(&"(table 1 funcref)".repeat(60), "unreachable"),
            when: When::Load,
            stopped_by: &["does not fit the sandbox", "table", "16"],
        },
        Case {
            name: "two hundred memories",
            file: || joined(&core_module(&"(memory 1)".repeat(200)), 1),
            when: When::Load,
            stopped_by: &["compile", "memor"],
        },
        Case {
            name: "a memory of four gigabytes",
            file: || with("(memory 65536)", "unreachable"),
            when: When::Load,
            stopped_by: &["does not", "memor"],
        },
        Case {
            name: "nine hundred instances",
            file: || joined(&core_module(""), 900),
            when: When::Load,
            stopped_by: &["does not fit the sandbox", "instance", "64"],
        },
        Case {
            name: "fifty instances with a memory each",
            file: || joined(&core_module("(memory 1000)"), 50),
            when: When::Load,
            stopped_by: &["does not fit the sandbox", "memor"],
        },
    ]);
}

fn greedy_realloc() -> Vec<u8> {
    let realloc = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    Guest { realloc: realloc.into(), ..Guest::named("hostile") }.component()
}

fn deep() -> Vec<u8> {
    with(
        "(func $deep (param i64) (result i64)
            (i64.add (local.get 0) (call $deep (i64.add (local.get 0) (i64.const 1)))))",
        "(drop (call $deep (i64.const 0))) unreachable",
    )
}

fn deep_indirectly() -> Vec<u8> {
    with(
        "(table funcref (elem $deep))
         (func $deep (result i32) (i32.add (i32.const 1) (call_indirect (result i32) (i32.const 0))))",
        "(drop (call $deep)) unreachable",
    )
}

fn growing_table() -> Vec<u8> {
    with(
        "(table $t 1 funcref)",
        "(loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable",
    )
}

fn core_module(fields: &str) -> Vec<u8> {
    wat::parse_str(format!("(module {fields})")).unwrap()
}

/// A good adapter with one more module in it, which is instantiated so many times.
fn joined(module: &[u8], instances: usize) -> Vec<u8> {
    let adapter = Guest::named("hostile").component();
    let modules = wasmparser::Parser::new(0)
        .parse_all(&adapter)
        .filter(|part| matches!(part, Ok(wasmparser::Payload::ModuleSection { .. })))
        .count();
    let mut section = leb128(instances);
    for _ in 0..instances {
        section.push(0);
        section.extend(leb128(modules));
        section.extend(leb128(0));
    }
    let lengths = [leb128(module.len()), leb128(section.len())];
    [&adapter, &[1][..], &lengths[0], module, &[2], &lengths[1], &section].concat()
}

#[test]
fn a_trap_in_any_function_is_an_error_of_that_call_alone() {
    let at = |name, when, file| Case { name, file, when, stopped_by: &["stopped: ", "wasm trap: "] };
    run(&[
        at("a panic in `describe`", When::Load, || describing("unreachable")),
        at("a panic in `sign`", When::Sign, || {
            Guest { sign: "unreachable".into(), ..Guest::named("hostile") }.component()
        }),
        at("a panic in `start`", When::Start, || starting("unreachable")),
        at("a panic in `resume`", When::Resume, || {
            Guest { resume: "unreachable".into(), ..Guest::named("hostile") }.component()
        }),
        at("a division by zero", When::Start, || starting("(i32.div_u (i32.const 1) (i32.const 0))")),
        at("a read outside its memory", When::Start, || starting("(i32.load (i32.const -8))")),
        at("a write outside its memory", When::Start, || {
            starting("(i32.store (i32.const -8) (i32.const 1)) unreachable")
        }),
        at("a call of nothing", When::Start, || {
            with("(table 1 funcref)", "(call_indirect (result i32) (i32.const 0))")
        }),
        at("a panic named like a log line", When::Start, forged_name),
    ]);
}

/// The function that panics has a name that would look like another line of the log.
fn forged_name() -> Vec<u8> {
    with(
        r#"(func $"evil\0a2026-11-20T00:00:00Z ERROR paid everything\1b[31m" (result i32) unreachable)"#,
        "(call 0)",
    )
}
