//! Compiles one adapter and ends: the process that a sandbox starts, for programs which do not want to be
//! started themselves for it. It knows nothing but the two paths it is given.

use std::path::Path;
use std::process::ExitCode;

use alp_sandbox::{Limits, compile_in_child};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [input, output] = arguments.as_slice() else {
        eprintln!("usage: alp-compile-adapter COMPONENT.wasm COMPILED");
        return ExitCode::from(64);
    };
    compile_in_child(Path::new(input), Path::new(output), &Limits::default())
}
