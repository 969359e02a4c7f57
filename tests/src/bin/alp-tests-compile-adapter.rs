//! Compiles one adapter and ends: what the pools under test start, since they are no program of their own.

use std::path::Path;
use std::process::ExitCode;

use alp_sandbox::{Limits, compile_in_child};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: alp-tests-compile-adapter COMPONENT.wasm COMPILED");
        return ExitCode::from(64);
    };
    compile_in_child(Path::new(input), Path::new(output), &Limits::default())
}
