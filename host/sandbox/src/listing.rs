//! What lies in the folder: names and stamps, no contents.

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::file::{open_regular, read_open};

/// How many files are looked at. 500: there are fewer exchanges; it bounds a folder that is not ours.
const FILES: usize = 500;

/// How many entries of the folder are looked at in all, of whatever name.
const ENTRIES: usize = 10_000;

/// What tells that a file was not touched: device, inode, size, and both times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
}

/// A file of the folder.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its name without `.wasm`.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

/// The files of the folder, and what is wrong with it as a whole.
pub(crate) struct Listing {
    pub(crate) files: Vec<Found>,
    pub(crate) complaint: Option<String>,
}

impl Found {
    /// When its content was last modified, in Unix milliseconds.
    pub(crate) fn modified_ms(&self) -> u64 {
        u64::try_from(self.stamp.modified_ns / 1_000_000).unwrap_or(0)
    }
}

impl Stamp {
    fn of(found: &std::fs::Metadata) -> Self {
        let ns = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified_ns: ns(found.mtime(), found.mtime_nsec()),
            changed_ns: ns(found.ctime(), found.ctime_nsec()),
        }
    }
}

/// Lists the `*.wasm` files: no dot files, only regular ones, links followed. Of too many, those already
/// `known` come first, so that a flood of new ones does not end what serves.
pub(crate) fn list(folder: &Path, known: &BTreeSet<String>) -> Result<Listing, Error> {
    let mut names = vec![];
    let mut complaint = None;
    for (index, entry) in std::fs::read_dir(folder)?.enumerate() {
        if index >= ENTRIES {
            complaint = Some(format!("{}: more than {ENTRIES} files", folder.display()));
            break;
        }
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        if !name.starts_with('.') {
            names.push((!known.contains(name), name.to_owned(), path));
        }
    }
    names.sort_unstable();
    if names.len() > FILES {
        names.truncate(FILES);
        complaint = Some(format!("{}: more than {FILES} .wasm files", folder.display()));
    }
    let mut files = vec![];
    for (_, name, path) in names {
        match path.metadata() {
            Ok(found) if found.is_file() => files.push(Found { name, stamp: Stamp::of(&found), path }),
            Ok(_) => {}
            // It went away since, or it is a link to nothing.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Listing { files, complaint })
}

/// The file's bytes, if it is the one that was listed and nobody wrote to it meanwhile.
pub(crate) fn read_unchanged(path: &Path, stamp: Stamp, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    let file = open_regular(path)?;
    let again = file.try_clone()?;
    let bytes = read_open(file, limit)?;
    let unchanged = Stamp::of(&again.metadata()?) == stamp;
    Ok(unchanged.then_some(bytes))
}
