//! Components that answer more than anybody should take, or answers that are none.

use crate::answers::{LISTED, answer_aliased, answer_fault, answer_more_state, answer_path, listing};
use crate::guests::{Guest, answer_orders, answer_state};
use crate::runner::{Case, When, run};

const ANSWER: &[&str] = &["answered more than 4194304 bytes"];
const INVALID: &[&str] = &["broke the rules of components: "];

fn starting(start: &str) -> Vec<u8> {
    Guest::starting(start).component()
}

fn answering(also: String, start: &str) -> Vec<u8> {
    Guest { also, ..Guest::starting(start) }.component()
}

#[test]
fn an_answer_of_too_much_is_not_copied() {
    let at = |name, file, stopped_by| Case { name, file, when: When::Start, stopped_by };
    run(&[
        at("a state of a gigabyte", || starting(&answer_state(1 << 30)), &["start: "]),
        at("a state of 60 MB", || starting(&answer_state(60_000_000)), ANSWER),
        at("a text of 100 MB", || starting(&answer_fault(100_000_000)), &["start: "]),
        at("a text of 60 MB", || starting(&answer_fault(60_000_000)), ANSWER),
        at("a million orders", || starting(&answer_orders(1_000_000)), &["start: "]),
        at("800 000 orders", || starting(&answer_orders(800_000)), ANSWER),
        at("5001 orders", || starting(&answer_orders(5_001)), &["answered 5001 orders, more than 5000"]),
        at("1000 ids that are one text of a megabyte", || starting(&answer_aliased(1_000, 1 << 20)), ANSWER),
        at(
            "1000 ids that are one text of 300 bytes",
            || starting(&answer_aliased(1_000, 300)),
            &["answered 300 bytes of order id, more than 256"],
        ),
        Case {
            name: "1000 ids that are one text of 200 bytes",
            file: || starting(&answer_aliased(1_000, 200)),
            when: When::Never,
            stopped_by: &[],
        },
        Case {
            name: "a state that doubles with each step",
            file: || Guest { resume: answer_more_state(), ..Guest::named("hostile") }.component(),
            when: When::Resume,
            stopped_by: &["answered 131071 bytes of state, more than 65536"],
        },
        at("a request of 65 KB", || starting(&answer_path(65_537)), &["bytes of request, more than 65536"]),
    ]);
}

#[test]
fn an_answer_that_is_none_is_an_error_of_that_call_alone() {
    let at = |name, file, stopped_by| Case { name, file, when: When::Start, stopped_by };
    run(&[
        at("an answer outside its memory", || starting("(i32.const 0x7fffff00)"), INVALID),
        at("an answer at an odd address", || starting("(i32.const 2049)"), INVALID),
        at(
            "an answer of an unknown case",
            || starting("(i32.store8 (i32.const 2048) (i32.const 9)) (i32.const 2048)"),
            INVALID,
        ),
        at("a text that is not UTF-8", not_utf8, INVALID),
        at("a realloc that hands out what is not there", wild_realloc, &["start: "]),
        at("a realloc that hands out odd addresses", odd_realloc, INVALID),
    ]);
}

fn not_utf8() -> Vec<u8> {
    starting(
        "(i32.store8 (i32.const 8192) (i32.const 1))
         (i32.store (i32.const 16384) (i32.const -1))
         (i32.store (i32.const 8208) (i32.const 16384))
         (i32.store (i32.const 8212) (i32.const 4))
         (i32.const 8192)",
    )
}

fn wild_realloc() -> Vec<u8> {
    Guest { realloc: "(i32.const 0x7ffffff0)".into(), ..Guest::named("hostile") }.component()
}

fn odd_realloc() -> Vec<u8> {
    Guest { realloc: "(i32.const 65537)".into(), ..Guest::named("hostile") }.component()
}

/// What is wrong with these, a pool finds out: a sandbox knows no numbers. They only must not hurt it.
#[test]
fn nonsense_of_a_modest_size_is_handed_on() {
    let orders = || {
        let numbers = ["NaN", "-1", "1e400", "0x10", "", "∞", "1,5"];
        let orders: Vec<[&str; 3]> = numbers.iter().map(|number| ["7", number, number]).collect();
        answering(listing(&orders), LISTED)
    };
    run(&[Case { name: "orders of no numbers", file: orders, when: When::Never, stopped_by: &[] }]);
}
