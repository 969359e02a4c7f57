//! `alp epoch`: the record goes on after the database was restored from a backup.

use std::path::PathBuf;
use std::process::ExitCode;

use alp_record::chain::{Digest, EpochStart};
use alp_store::{Clock, Store, StoreOptions};
use thiserror::Error;

use super::{failed, show};
use crate::config::Config;
use crate::database::database_url;
use crate::record::{Publisher, read_signing_key};

#[derive(Debug, clap::Args)]
pub(super) struct EpochArguments {
    /// The pool's configuration file. The pool must not run.
    #[arg(long, value_name = "FILE", default_value = "pool.toml")]
    config: PathBuf,
    /// Why: a sentence, which is published.
    #[arg(long)]
    reason: String,
    /// The digest of the newest header that was published before the restore, as it stands in bots' receipts.
    #[arg(long, value_name = "HEX")]
    last_published: String,
    /// The start of the newest round that was published before the restore, in Unix seconds: neither it nor any round
    /// before it is signed again.
    #[arg(long, value_name = "START")]
    last_round: u64,
}

/// Begins an epoch.
pub(super) async fn run(arguments: EpochArguments) -> ExitCode {
    match begin(arguments).await {
        Ok(sentence) => {
            show(&sentence);
            ExitCode::SUCCESS
        }
        Err(error) => failed(error.as_ref()),
    }
}

async fn begin(arguments: EpochArguments) -> Result<String, Box<dyn std::error::Error>> {
    let EpochArguments { config, reason, last_published, last_round } = arguments;
    let last_published = Digest::parse(&last_published).ok_or(NotADigest)?;
    let pool = Config::read(&config)?.pool;
    let key = read_signing_key(&pool.signing_key)?;
    let round_seconds = u64::from(pool.round.seconds());
    let store =
        Store::open(StoreOptions { url: database_url(&pool)?, round_seconds, clock: Clock::Database })
            .await?;
    let publisher = Publisher::open(&store, key).await?;
    let begun = publisher.begin_epoch(&store, EpochStart { reason, last_published, last_round }).await;
    store.close().await;
    let header = begun?;
    Ok(format!("epoch {} begins with entry {} of the record", header.epoch, header.number))
}

#[derive(Debug, Error)]
#[error("a digest is 64 hexadecimal digits in lower case")]
pub(super) struct NotADigest;
