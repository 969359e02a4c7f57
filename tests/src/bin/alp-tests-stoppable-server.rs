//! A pool as `alp serve` runs it, which ends itself with SIGKILL at a point that a test names.

use std::process::ExitCode;

fn main() -> ExitCode {
    alp_tests::run_stoppable_server()
}
