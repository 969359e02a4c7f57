//! A file that becomes another one when it is whole, and is gone if it never does.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::BackupError;

/// Who may read the file: its owner.
const MODE: u32 = 0o600;

/// The files that SQLite puts beside one.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// A file beside the place that it is for. Dropped, it is gone.
pub(super) struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    /// An empty file, named after `place` and the purpose, for this user only. One that a killed program left is used
    /// again; one that another program uses is not.
    pub(super) fn begin(place: &Path, purpose: &str) -> Result<Self, BackupError> {
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let path = place.with_file_name(format!(".{name}.{purpose}"));
        let failed = |source| BackupError::File { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(MODE)
            .open(&path)
            .map_err(failed)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(BackupError::UnderWay { path });
        }
        file.set_len(0).map_err(failed)?;
        Ok(Self { path, file })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to be written on another thread.
    pub(super) fn file(&self) -> Result<File, BackupError> {
        self.file.try_clone().map_err(|source| self.failed(source))
    }

    /// How many bytes are in it.
    pub(super) fn bytes(&self) -> u64 {
        self.file.metadata().map_or(0, |metadata| metadata.len())
    }

    /// Makes what is in it durable and gives it its name, under which there must be nothing yet.
    pub(super) fn put_in_place(self, place: &Path) -> Result<(), BackupError> {
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let put = || {
            self.file.sync_all()?;
            match std::fs::hard_link(&self.path, place) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // A disk without links: nobody else writes backups there between the look and the new name.
                Err(_) if !place.exists() => std::fs::rename(&self.path, place)?,
                Err(error) => return Err(error),
            }
            File::open(folder)?.sync_all()
        };
        match put() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(BackupError::InTheWay { path: place.to_owned(), hint: "" })
            }
            done => done.map_err(|source| self.failed(source)),
        }
    }

    fn failed(&self, source: io::Error) -> BackupError {
        BackupError::File { path: self.path.clone(), source }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        for beside in beside(&self.path) {
            let _ = std::fs::remove_file(beside);
        }
    }
}

/// The files that SQLite may have put beside a database.
pub(super) fn beside(database: &Path) -> [PathBuf; 2] {
    BESIDE.map(|ending| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}
