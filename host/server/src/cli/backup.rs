//! `alp backup` and `alp restore`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use alp_record::chain::Digest;
use clap::Args;

use super::epoch::NotADigest;
use super::progress::Bar;
use super::{failed, show, told_to_stop};
use crate::backup::{self, BackupError, Manifest, Progress, PublishedSince, Restored};
use crate::config::{BackupConfig, Config};

#[derive(Debug, Args)]
pub(super) struct BackupArguments {
    /// The pool's configuration file.
    #[arg(long, value_name = "FILE", default_value = "pool.toml")]
    config: PathBuf,
    /// The file to make. It must not be there yet.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct RestoreArguments {
    /// The pool's configuration file. The pool must not run.
    #[arg(long, value_name = "FILE", default_value = "pool.toml")]
    config: PathBuf,
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Where to put the database in place of where the configuration has it: sqlite:PATH, or
    /// postgres://user@host/database. There must be nothing there, and an empty database on a PostgreSQL server.
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// Only open the backup to its end and say what it holds.
    #[arg(long, conflicts_with_all = ["to", "last_published", "nothing_published_since"])]
    check: bool,
    /// The digest of the newest header that was published before the restore, as it stands in bots' receipts and in the
    /// answers of /head that anybody kept.
    #[arg(long, value_name = "HEX", requires = "last_round")]
    last_published: Option<String>,
    /// The start of the newest round that was published before the restore, in Unix seconds: neither it nor any round
    /// before it is signed again.
    #[arg(long, value_name = "START", requires = "last_published")]
    last_round: Option<u64>,
    /// Nothing was published after the backup, because the pool had stopped before it was made.
    #[arg(long, conflicts_with = "last_published")]
    nothing_published_since: bool,
}

/// Makes a backup.
pub(super) async fn back_up(arguments: BackupArguments) -> ExitCode {
    let pool = match Config::read(&arguments.config) {
        Ok(config) => config.pool,
        Err(faults) => return failed(&faults),
    };
    let bar = Arc::new(Bar::new());
    let made = unless_stopped(backup::make(&pool, &arguments.to, shown(&bar))).await;
    bar.end();
    match made {
        Ok(manifest) => {
            show(&format!("{} holds {}", arguments.to.display(), contents(&manifest)));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

/// Puts a database back, or only looks whether it could be.
pub(super) async fn restore(arguments: RestoreArguments) -> ExitCode {
    match try_restore(arguments).await {
        Ok(sentence) => {
            show(&sentence);
            ExitCode::SUCCESS
        }
        Err(error) => failed(error.as_ref()),
    }
}

async fn try_restore(arguments: RestoreArguments) -> Result<String, Box<dyn std::error::Error>> {
    let RestoreArguments { config, from, to, check, last_published, last_round, nothing_published_since } =
        arguments;
    let pool = Config::read(&config)?.pool;
    let bar = Arc::new(Bar::new());
    if check {
        let manifest = unless_stopped(look(pool.backup, from.clone(), shown(&bar))).await;
        bar.end();
        return Ok(format!("{} opens, and holds {}", from.display(), contents(&manifest?)));
    }
    let published = match (last_published, last_round) {
        (Some(digest), Some(round)) => {
            PublishedSince::UpTo { head: Digest::parse(&digest).ok_or(NotADigest)?, round }
        }
        (_, _) if nothing_published_since => PublishedSince::Nothing,
        (_, _) => PublishedSince::NotKnown,
    };
    let restored =
        unless_stopped(backup::restore(&pool, &from, to.as_deref(), &published, shown(&bar))).await;
    bar.end();
    Ok(told(&restored?, to.is_some()))
}

async fn look(
    config: Option<BackupConfig>,
    from: PathBuf,
    progress: Progress,
) -> Result<Manifest, BackupError> {
    let key_file = config.ok_or(BackupError::NotConfigured)?.key_file;
    let looking = tokio::task::spawn_blocking(move || open(&key_file, &from, &progress));
    looking.await.map_err(|_| BackupError::BrokenOff)?
}

fn open(key_file: &Path, from: &Path, progress: &Progress) -> Result<Manifest, BackupError> {
    let told = |done, all| progress("opening", done, all);
    backup::read_whole(key_file, from, &mut std::io::sink(), told).map(|(_, manifest)| manifest)
}

/// Whoever stops it leaves nothing behind that was not finished.
async fn unless_stopped<T>(work: impl Future<Output = Result<T, BackupError>>) -> Result<T, BackupError> {
    tokio::select! {
        done = work => done,
        () = told_to_stop() => Err(BackupError::BrokenOff),
    }
}

fn shown(bar: &Arc<Bar>) -> Progress {
    let bar = Arc::clone(bar);
    Arc::new(move |what, done, all| bar.draw(what, done, all, "bytes"))
}

fn contents(manifest: &Manifest) -> String {
    let rows: u64 = manifest.rows.values().sum();
    let mut text = format!(
        "{} bytes of a database as it was at {} ms: schema {}, {rows} rows in {} tables",
        manifest.bytes,
        manifest.made_at_ms,
        manifest.schema,
        manifest.rows.len()
    );
    if let Some(head) = &manifest.head {
        let _ = write!(
            text,
            "\nits record ends with entry {} of epoch {}, {}; its newest round is {}",
            head.number, head.epoch, head.digest, manifest.newest_round
        );
    }
    text
}

fn told(restored: &Restored, elsewhere: bool) -> String {
    let mut text = format!("restored are {}\n", contents(&restored.manifest));
    if !restored.voided.is_empty() {
        let ids: Vec<String> = restored.voided.iter().map(u64::to_string).collect();
        let _ = writeln!(
            text,
            "payouts {} had not been sent then, and are void: what they took is owed again",
            ids.join(", ")
        );
    }
    if elsewhere {
        text.push_str("next, name this database in pool.toml\n");
    }
    match &restored.epoch {
        Some(header) => {
            let _ = writeln!(text, "epoch {} begins with entry {} of the record", header.epoch, header.number);
        }
        None => text.push_str(
            "the pool does not start until `alp epoch` has named the last head and the last round that were published\n",
        ),
    }
    text.push_str(
        "payouts stand still until `alp payouts resume`: adopt first what the wallet sent since, as `alp payouts list` \
         shows it\n`alp audit` says whether the books add up",
    );
    text
}
