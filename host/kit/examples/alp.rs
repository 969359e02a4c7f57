//! The program `alp` for the tests of this folder, which cargo builds together with them. It knows nothing itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    alp_server::cli::run()
}
