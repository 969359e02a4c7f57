//! `alp audit`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::progress::Bar;
use super::{failed, show};
use crate::audit::{Audited, Finding, Listener, audit};
use crate::config::Config;

/// The exit status if the books could not be read, or not all of them.
const NOT_READ: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct AuditArguments {
    /// The pool's configuration file.
    #[arg(long, value_name = "FILE", default_value = "pool.toml")]
    config: PathBuf,
    /// Leave the wallet alone.
    #[arg(long)]
    without_wallet: bool,
}

/// Audits.
pub(super) async fn run(arguments: AuditArguments) -> ExitCode {
    let pool = match Config::read(&arguments.config) {
        Ok(config) => config.pool,
        Err(faults) => return not_read(&faults),
    };
    let mut teller = Teller(Bar::new());
    let audited = audit(&pool, !arguments.without_wallet, &mut teller).await;
    teller.0.end();
    match audited {
        Ok(audited) => {
            show(&report(&audited));
            match (audited.findings, audited.wallet_failed) {
                (0, None) => ExitCode::SUCCESS,
                (0, Some(_)) => ExitCode::from(NOT_READ),
                (_, _) => ExitCode::FAILURE,
            }
        }
        Err(error) => not_read(&error),
    }
}

struct Teller(Bar);

impl Listener for Teller {
    fn found(&mut self, finding: &Finding) {
        self.0.end();
        let _ = writeln!(std::io::stdout(), "{finding}");
    }

    fn read(&mut self, what: &'static str, done: u64, all: u64) {
        self.0.draw(what, done, all, "");
    }
}

fn report(audited: &Audited) -> String {
    let Audited { credits, entries, published, rounds, unpublished, payouts, findings, .. } = audited;
    let wallet = match (&audited.wallet_failed, audited.in_wallet) {
        (Some(why), _) => format!("the wallet was not compared: {why}"),
        (None, Some(count)) => format!("{count} payouts were held against the wallet's history"),
        (None, None) => "no wallet was compared".to_owned(),
    };
    let unpublished = if *unpublished > 0 {
        format!(" ({unpublished} more have no entry, since they are from before the record's first)")
    } else {
        String::new()
    };
    format!(
        "{credits} credits, {entries} other entries of the ledger, {published} entries of the record, {rounds} rounds held \
         against theirs{unpublished}, {payouts} payouts\n{wallet}\n{findings} findings"
    )
}

fn not_read(error: &dyn std::error::Error) -> ExitCode {
    failed(error);
    ExitCode::from(NOT_READ)
}
