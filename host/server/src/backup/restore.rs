//! Putting a database back from a backup: opened and checked as a whole, then put where nothing is yet.
//!
//! What is restored does not go on by itself. It says that it was restored; until the record has begun a new epoch no
//! server starts on it, and until an operator has looked at the wallet no payout is made.

use std::fs::{DirBuilder, File};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alp_record::chain::{Digest, EpochStart, Header, PoolKey};
use alp_store::{Clock, Snapshot, Store, StoreOptions, begin_restore, empty_database, file_of};

use super::archive::{ArchiveReader, Engine, Manifest};
use super::make::{manifest_of, on_another_thread};
use super::part::{Part, beside};
use super::stream::BackupKey;
use super::{BackupError, Progress, programs};
use crate::config::PoolConfig;
use crate::control;
use crate::database::{database_password, database_url};
use crate::record::{Publisher, read_signing_key};

/// Where to put a database if its place is taken.
const ELSEWHERE: &str = " with --to, or move it away";

/// What was published after the backup was made, as far as the operator knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishedSince {
    /// Nothing: the pool had stopped before.
    Nothing,
    /// Entries up to one.
    UpTo {
        /// The digest of the newest header that was published.
        head: Digest,
        /// The start of the newest round that was published, in Unix seconds.
        round: u64,
    },
    /// The operator will find out, and run `alp epoch`.
    NotKnown,
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// What the backup says it holds.
    pub manifest: Manifest,
    /// The payouts that had not been sent at the moment of the backup, and are void now.
    pub voided: Vec<u64>,
    /// The entry with which the record goes on; none until `alp epoch`.
    pub epoch: Option<Header>,
}

/// Puts the pool's database back from the backup `from`. `place` is the address of the new database; without it, the
/// configured one. There must be nothing at that place.
///
/// # Errors
/// [`BackupError`]; then nothing was put in place.
pub async fn restore(
    pool: &PoolConfig,
    from: &Path,
    place: Option<&str>,
    published: &PublishedSince,
    progress: Progress,
) -> Result<Restored, BackupError> {
    let config = pool.backup.as_ref().ok_or(BackupError::NotConfigured)?;
    let signing_key = read_signing_key(&pool.signing_key)?;
    if control::is_answered(&pool.control_socket) {
        return Err(BackupError::Running);
    }
    let mut pool = pool.clone();
    if let Some(place) = place {
        pool.database = place.to_owned();
    }
    let url = database_url(&pool)?;
    let (manifest, engine) = check_whole(&config.key_file, from, &progress).await?;
    if let PublishedSince::UpTo { round, .. } = published
        && *round < manifest.newest_round
    {
        return Err(BackupError::RoundBefore { newest: manifest.newest_round });
    }
    let round_seconds = u64::from(pool.round.seconds());
    let work = Work { manifest, signing_key, published, round_seconds };
    match file_of(&url)? {
        Some(_) if engine != Engine::Sqlite => {
            Err(BackupError::OtherEngine { backup: engine, place: "a file" })
        }
        Some(database) => work.into_file(&database, &config.key_file, from, progress).await,
        None if engine != Engine::Postgres => {
            Err(BackupError::OtherEngine { backup: engine, place: "PostgreSQL" })
        }
        None => {
            let password = database_password(&pool)?;
            work.into_server(&url, password, &config.key_file, from, progress).await
        }
    }
}

/// Opens a backup as a whole, hands the database in it over, and says what it holds.
///
/// # Errors
/// [`BackupError`] if it does not open to its end.
pub fn read_whole(
    key_file: &Path,
    from: &Path,
    to: &mut impl Write,
    told: impl Fn(u64, u64),
) -> Result<(Engine, Manifest), BackupError> {
    let key = BackupKey::read(key_file)?;
    let not_opened = |source| BackupError::NotOpened { path: from.to_owned(), source };
    let file = File::open(from).map_err(not_opened)?;
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let archive = ArchiveReader::begin(&key, BufReader::new(file)).map_err(not_opened)?;
    let (engine, mut done) = (archive.engine(), 0_u64);
    let manifest = archive.read_into(to, |bytes| {
        done = done.saturating_add(bytes);
        told(done, size.max(done));
    });
    Ok((engine, manifest.map_err(not_opened)?))
}

/// Opens it to its end before anything is written anywhere.
async fn check_whole(
    key_file: &Path,
    from: &Path,
    progress: &Progress,
) -> Result<(Manifest, Engine), BackupError> {
    let (key_file, from, progress) = (key_file.to_owned(), from.to_owned(), Arc::clone(progress));
    on_another_thread(move || {
        let told = |done, all| progress("opening", done, all);
        let (engine, manifest) = read_whole(&key_file, &from, &mut io::sink(), told)?;
        Ok((manifest, engine))
    })
    .await
}

struct Work<'a> {
    manifest: Manifest,
    signing_key: PoolKey,
    published: &'a PublishedSince,
    round_seconds: u64,
}

impl Work<'_> {
    /// A file beside its place, which it is given when everything about it is right.
    async fn into_file(
        self,
        database: &Path,
        key_file: &Path,
        from: &Path,
        progress: Progress,
    ) -> Result<Restored, BackupError> {
        let [log, shared] = beside(database);
        for path in [database.to_owned(), log, shared] {
            // The log of another database beside this one would be taken for its own.
            if path.exists() {
                return Err(BackupError::InTheWay { path, hint: ELSEWHERE });
            }
        }
        if let Some(folder) = database.parent() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|source| BackupError::File { path: folder.to_owned(), source })?;
        }
        let part = Part::begin(database, "restore")?;
        let (mut to, key_file, from) = (part.file()?, key_file.to_owned(), PathBuf::from(from));
        on_another_thread(move || {
            read_whole(&key_file, &from, &mut to, |done, all| progress("writing", done, all)).map(|_| ())
        })
        .await?;
        let restored = self.finish(&format!("sqlite:{}", part.path().display())).await?;
        part.put_in_place(database)?;
        Ok(restored)
    }

    /// An empty database that is marked until everything about it is right, and empty again if it is not.
    async fn into_server(
        self,
        url: &str,
        password: Option<String>,
        key_file: &Path,
        from: &Path,
        progress: Progress,
    ) -> Result<Restored, BackupError> {
        begin_restore(url).await?;
        let filled = fill(url, password, key_file, from, progress).await;
        let finished = match filled {
            Ok(()) => self.finish(url).await,
            Err(error) => Err(error),
        };
        if finished.is_err()
            && let Err(error) = empty_database(url).await
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "what was half restored is still there"
            );
        }
        finished
    }

    /// Checks what was written, and notes that it was restored.
    async fn finish(self, url: &str) -> Result<Restored, BackupError> {
        self.check(url).await?;
        let Self { manifest, signing_key, published, round_seconds } = self;
        let options = StoreOptions { url: url.to_owned(), round_seconds, clock: Clock::Database };
        let store = Store::open_restored(options).await?;
        let noted = note(&store, &manifest, signing_key, published).await;
        store.close().await;
        let (voided, epoch) = noted?;
        Ok(Restored { manifest, voided, epoch })
    }

    /// Whether the database is sound and is the one that the manifest tells of.
    async fn check(&self, url: &str) -> Result<(), BackupError> {
        let mut snapshot = Snapshot::begin(url).await?;
        let faults = snapshot.faults_of_the_file().await?;
        let contents = snapshot.contents().await?;
        snapshot.end().await?;
        if let Some(fault) = faults.into_iter().next() {
            return Err(BackupError::NotSound(fault));
        }
        let there = manifest_of(&contents);
        let expected = &self.manifest;
        let same = (&there.pool, there.schema, &there.head, there.newest_round)
            == (&expected.pool, expected.schema, &expected.head, expected.newest_round);
        if !same {
            let sentence = "its schema or the head of its record is not what the manifest says";
            return Err(BackupError::NotSound(sentence.to_owned()));
        }
        for (table, rows) in &expected.rows {
            let found = there.rows.get(table).copied().unwrap_or(0);
            if found != *rows {
                return Err(BackupError::NotSound(format!(
                    "{table} has {found} rows where {rows} were saved"
                )));
            }
        }
        Ok(())
    }
}

async fn fill(
    url: &str,
    password: Option<String>,
    key_file: &Path,
    from: &Path,
    progress: Progress,
) -> Result<(), BackupError> {
    let mut program = programs::restore(url, password.as_deref())?;
    let (key_file, from) = (key_file.to_owned(), PathBuf::from(from));
    on_another_thread(move || {
        let mut input = program.input();
        let handed = read_whole(&key_file, &from, &mut input, |done, all| progress("restoring", done, all));
        drop(input);
        // A program that has failed reads no more: what it says about that is the reason.
        program.wait()?;
        handed.map(|_| ())
    })
    .await
}

/// The signature of the record's head is checked against this pool's key before anything is noted.
async fn note(
    store: &Store,
    manifest: &Manifest,
    signing_key: PoolKey,
    published: &PublishedSince,
) -> Result<(Vec<u64>, Option<Header>), BackupError> {
    let publisher = Publisher::open(store, signing_key).await?;
    let why =
        "the database was put back from a backup made before this was sent; nobody knows whether it was";
    let voided = store.note_restore(manifest.made_at_ms, why).await?;
    let reason = format!("the database was put back from a backup made at {} ms", manifest.made_at_ms);
    let newest = manifest.head.as_ref().and_then(|head| Digest::parse(&head.digest));
    let start = match published {
        PublishedSince::NotKnown => return Ok((voided, None)),
        PublishedSince::Nothing => EpochStart {
            reason,
            last_published: newest.unwrap_or(Digest::NOTHING),
            last_round: manifest.newest_round,
        },
        PublishedSince::UpTo { head, round } => {
            EpochStart { reason, last_published: *head, last_round: *round }
        }
    };
    let header = publisher.begin_epoch(store, start).await?;
    Ok((voided, Some(header)))
}
