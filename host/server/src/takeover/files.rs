//! Writing the converted configuration, and reading it back as `alp check-config` does.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::TakeoverFault;
use super::written::Converted;
use crate::config::{Config, ConfigFaults};

/// Who may open the folder: it holds a password.
const FOLDER_MODE: u32 = 0o700;

/// Who may read a secret.
const SECRET_MODE: u32 = 0o600;

/// Who may read the rest.
const FILE_MODE: u32 = 0o644;

/// The adapters that lie in a folder, by name. None if there is no such folder.
pub(super) fn adapters_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let name = |entry: fs::DirEntry| {
        entry.file_name().to_str().and_then(|name| name.strip_suffix(".wasm")).map(ToOwned::to_owned)
    };
    entries.filter_map(name).collect()
}

/// Writes the files into a new folder.
///
/// # Errors
/// [`TakeoverFault`]: also if the folder is there, so that nothing is written over.
pub(super) fn write_into(folder: &Path, converted: &Converted) -> Result<(), TakeoverFault> {
    let failed = |path: &Path, source: io::Error| TakeoverFault::NotWritten { path: path.to_owned(), source };
    let make = |folder: &Path| {
        fs::DirBuilder::new().mode(FOLDER_MODE).create(folder).map_err(|source| failed(folder, source))
    };
    make(folder)?;
    make(&folder.join("exchanges"))?;
    for file in &converted.files {
        let path = file.within(folder);
        let mode = if file.secret { SECRET_MODE } else { FILE_MODE };
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
        let written = opened.and_then(|mut opened| {
            opened.write_all(file.text.as_bytes())?;
            opened.sync_all()
        });
        written.map_err(|source| failed(&path, source))?;
    }
    Ok(())
}

/// What is wrong with the configuration, as it would be written: it is read from a folder that is gone afterwards.
///
/// # Errors
/// [`TakeoverFault`] if it cannot be written for a moment.
pub(super) fn faults_of(converted: &Converted) -> Result<Option<ConfigFaults>, TakeoverFault> {
    let folder = std::env::temp_dir().join(format!("alp-import-{}-{:x}", std::process::id(), random()?));
    let written = write_into(&folder, converted);
    let faults = Config::read(&folder.join("pool.toml")).err();
    let removed = fs::remove_dir_all(&folder);
    written?;
    removed.map_err(|source| TakeoverFault::NotWritten { path: folder, source })?;
    Ok(faults)
}

/// A number that nobody guesses, so that nobody else has made the folder.
fn random() -> Result<u64, TakeoverFault> {
    use ring::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0; 8];
    SystemRandom::new().fill(&mut bytes).map_err(|_| TakeoverFault::NoRandomness)?;
    Ok(u64::from_le_bytes(bytes))
}
