//! Components that attack the compiler, which runs in a process of its own.

use std::fmt::Write;

use crate::binary::leb128;
use crate::guests::compile_bomb;
use crate::runner::{Case, When, run};

#[test]
fn what_attacks_the_compiler_ends_with_the_process_that_compiles() {
    let at = |name, file, stopped_by| Case { name, file, when: When::Load, stopped_by };
    run(&[
        at(
            "nested components, doubled at each of 30 levels",
            || doubled(30),
            &["compiling was stopped: it "],
        ),
        at(
            "nested components, ten times at each of 20 levels",
            || compile_bomb(20),
            &["compiling was stopped: it "],
        ),
        at(
            "20 000 components in each other",
            || nested(20_000),
            &["more than 64 components", "deeper than 4"],
        ),
        at("a function of 2 MB", || giant_function(600_000), &["compiling was stopped: it "]),
        at("a function of 8 MB", || giant_function(2_400_000), &["does not compile", "size"]),
        at("100 000 loops in each other", || loops(100_000), &["compiling was stopped: it "]),
        at("a type nested 300 times", nested_type, &["does not compile", "nesting"]),
    ]);
}

/// Each component instantiates the one before twice. At the bottom is a core module: empty inside, it would be
/// harmless.
fn doubled(levels: u32) -> Vec<u8> {
    let twice = "(instance (instantiate $below))".repeat(2);
    let mut text = "(component (component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for level in 1..=levels {
        let below = level - 1;
        write!(text, "(component $c{level} (alias outer 1 $c{below} (component $below)) {twice})").unwrap();
    }
    write!(text, "(instance (instantiate $c{levels})))").unwrap();
    wat::parse_str(&text).unwrap()
}

/// Each component holds the next and nothing else.
fn nested(depth: usize) -> Vec<u8> {
    const HEADER: &[u8; 8] = b"\0asm\x0d\0\x01\0";
    // Nothing follows what a component holds, so all that is written of one is its beginning.
    let mut inside = HEADER.len();
    let mut beginnings = vec![HEADER.to_vec()];
    for _ in 0..depth {
        let beginning = [&HEADER[..], &[4], &leb128(inside)].concat();
        inside += beginning.len();
        beginnings.push(beginning);
    }
    beginnings.reverse();
    beginnings.concat()
}

/// One straight line of additions.
fn giant_function(additions: usize) -> Vec<u8> {
    let line = "local.get 0 local.get 1 i32.mul local.set 0 ".repeat(additions / 2);
    wat::parse_str(format!(
        "(component (core module (func (param i32 i32) (result i32) {line} local.get 0)))"
    ))
    .unwrap()
}

fn loops(count: usize) -> Vec<u8> {
    // As bytes: a reader of text would need as many calls in each other.
    let body = [vec![0], [0x03, 0x40].repeat(count), vec![0x0b; count + 1]].concat();
    let length = |bytes: &[u8]| leb128(bytes.len());
    let code = [vec![1], length(&body), body].concat();
    let types = [1, 4, 1, 0x60, 0, 0];
    let functions = [3, 2, 1, 0];
    let module = [b"\0asm\x01\0\0\0", &types[..], &functions, &[10], &length(&code), &code].concat();
    [b"\0asm\x0d\0\x01\0", &[1][..], &length(&module), &module].concat()
}

fn nested_type() -> Vec<u8> {
    let text = (0..300).fold("(type $t0 (list u8))".to_owned(), |text, level| {
        text + &format!("(type $t{} (list $t{level}))", level + 1)
    });
    wat::parse_str(format!("(component {text})")).unwrap()
}
