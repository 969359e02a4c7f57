//! The program `alp`, as the tests of several servers start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    alp_server::cli::run()
}
