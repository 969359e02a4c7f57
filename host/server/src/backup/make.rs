//! Making a backup, beside a pool that runs.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alp_record::chain::{Digest, Header};
use alp_store::{Contents, Snapshot, copy_file, file_of};

use super::archive::{ArchiveWriter, Engine, Manifest, PublishedHead};
use super::part::Part;
use super::stream::BackupKey;
use super::{BackupError, Progress, programs};
use crate::config::PoolConfig;
use crate::database::{database_password, database_url};

/// How often it is looked how far a copy is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How many bytes are sealed at a time.
const STRETCH_BYTES: usize = 256 * 1024;

/// Makes a backup of the pool's database in the file `to`, which must not be there yet. The pool may run: it is copied as
/// it is at one moment, and nobody who writes is held up.
///
/// # Errors
/// [`BackupError`]; then nothing is left behind.
pub async fn make(pool: &PoolConfig, to: &Path, progress: Progress) -> Result<Manifest, BackupError> {
    let config = pool.backup.as_ref().ok_or(BackupError::NotConfigured)?;
    let key = BackupKey::read(&config.key_file)?;
    if to.exists() {
        return Err(BackupError::InTheWay { path: to.to_owned(), hint: "" });
    }
    let url = database_url(pool)?;
    let sealed = Part::begin(to, "part")?;
    let manifest = match file_of(&url)? {
        Some(database) => of_file(&url, &database, key, &sealed, progress).await?,
        None => of_server(&url, database_password(pool)?, key, &sealed, progress).await?,
    };
    sealed.put_in_place(to)?;
    Ok(manifest)
}

/// SQLite copies itself into a file beside the database, where nobody else can read it; that file is sealed, and gone.
async fn of_file(
    url: &str,
    database: &Path,
    key: BackupKey,
    sealed: &Part,
    progress: Progress,
) -> Result<Manifest, BackupError> {
    let plain = Part::begin(database, "backup")?;
    let size = std::fs::metadata(database).map_or(0, |metadata| metadata.len());
    let mut copying = std::pin::pin!(copy_file(url, plain.path()));
    loop {
        match tokio::time::timeout(LOOK_EVERY, &mut copying).await {
            Ok(copied) => break copied?,
            Err(_) => progress("copying", plain.bytes(), size.max(plain.bytes())),
        }
    }
    let mut copy = Snapshot::begin(&format!("sqlite:{}", plain.path().display())).await?;
    let contents = copy.contents().await?;
    copy.end().await?;
    let (mut from, to) = (plain.file()?, sealed.file()?);
    io::Seek::rewind(&mut from)
        .map_err(|source| BackupError::File { path: plain.path().to_owned(), source })?;
    let (path, bytes) = (sealed.path().to_owned(), plain.bytes());
    on_another_thread(move || {
        let told = |done| progress("sealing", done, bytes);
        seal(&key, Engine::Sqlite, &mut from, to, &contents, told)
            .map_err(|source| BackupError::File { path, source })
    })
    .await
}

/// `pg_dump` reads the same moment as the manifest, and writes into the sealed file.
async fn of_server(
    url: &str,
    password: Option<String>,
    key: BackupKey,
    sealed: &Part,
    progress: Progress,
) -> Result<Manifest, BackupError> {
    let mut snapshot = Snapshot::begin(url).await?;
    let moment = snapshot.exported().await?.unwrap_or_default();
    let contents = snapshot.contents().await?;
    let mut dump = programs::dump(url, password.as_deref(), &moment)?;
    let (to, path) = (sealed.file()?, sealed.path().to_owned());
    let manifest = on_another_thread(move || {
        let told = |done| progress("dumping", done, 0);
        let manifest = seal(&key, Engine::Postgres, &mut dump.output(), to, &contents, told)
            .map_err(|source| BackupError::File { path, source })?;
        dump.wait()?;
        Ok(manifest)
    })
    .await?;
    snapshot.end().await?;
    Ok(manifest)
}

fn seal(
    key: &BackupKey,
    engine: Engine,
    from: &mut impl Read,
    to: File,
    contents: &Contents,
    told: impl Fn(u64),
) -> io::Result<Manifest> {
    let mut archive = ArchiveWriter::begin(key, engine, BufWriter::new(to))?;
    let (mut stretch, mut done) = (vec![0; STRETCH_BYTES], 0_u64);
    loop {
        let read = match from.read(&mut stretch) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        archive.write_all(stretch.get(..read).unwrap_or_default())?;
        done = done.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        told(done);
    }
    let (_, manifest) = archive.finish(manifest_of(contents))?;
    Ok(manifest)
}

/// The manifest of what a database holds, but for what is known only when it was written.
pub(super) fn manifest_of(contents: &Contents) -> Manifest {
    let head = contents.head.as_ref();
    let header = head.and_then(|head| serde_json::from_str::<Header>(&head.header).ok());
    Manifest {
        pool: header.map(|header| header.pool).unwrap_or_default(),
        made_at_ms: contents.at_ms,
        schema: contents.schema,
        head: head.map(|head| PublishedHead {
            number: head.number,
            epoch: head.epoch,
            digest: head.digest.clone(),
        }),
        newest_round: contents.newest_round,
        rows: contents.rows.clone(),
        bytes: 0,
        sha256: Digest::NOTHING,
    }
}

/// Long work that waits for disks and programs: not on a thread that others need.
pub(super) async fn on_another_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| BackupError::BrokenOff)?
}

/// Progress that nobody looks at.
#[must_use]
pub fn unseen() -> Progress {
    Arc::new(|_, _, _| {})
}
