//! `alp`, the pool's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    alp_server::cli::run()
}
