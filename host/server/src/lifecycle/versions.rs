//! The versions that served, kept on the disk so that an operator can go back, and what each name is held to.
//! It knows no adapter: what it gives back is bytes, which go through every check again.
//!
//! One folder for each name: `<sha256>.wasm`, `versions.json` with their order, `hold.json` while the name is held.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Versions kept of each name: the one in service, and the three that served before it.
const KEPT: usize = 4;

/// Longest name of an exchange, as adapters may have it.
const MAX_NAME: usize = 64;

/// Largest file of names and times that is read, in bytes. It takes a few hundred.
const MAX_INDEX_BYTES: u64 = 64 * 1024;

/// Shortest beginning of a hash that names a version: by chance, two of four do not share it.
const MIN_PREFIX: usize = 6;

const INDEX: &str = "versions.json";
const HOLD: &str = "hold.json";

/// A version that served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The SHA-256 of its component, in lower-case hexadecimal.
    pub sha256: String,
    /// What it calls itself.
    pub version: String,
    /// When it last began to serve, in Unix milliseconds.
    pub served_from_ms: u64,
}

/// What a name is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldTo {
    /// The version.
    pub version: Version,
    /// Since when, in Unix milliseconds.
    pub since_ms: u64,
}

/// The folder of versions.
#[derive(Clone, Debug)]
pub struct Versions {
    folder: PathBuf,
    component_bytes: u64,
}

/// Why a version cannot be kept or brought back. The operator's.
#[derive(Debug, Error)]
pub enum VersionsError {
    /// No exchange has such a name.
    #[error("the name of an adapter is 1 to 64 of a-z, 0-9 and _, and this is another")]
    Name,
    /// A file cannot be read or written.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of names and times is not what was written.
    #[error("{} is damaged: remove it to go on without it", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A component is not the one that was kept.
    #[error("{} was altered since it served and is not used", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
}

impl Versions {
    /// Opens the folder and makes it if need be, closed to others. `component_bytes` bounds a component.
    ///
    /// # Errors
    /// [`VersionsError::Io`].
    pub fn open(folder: &Path, component_bytes: u64) -> Result<Self, VersionsError> {
        make_folder(folder)?;
        Ok(Self { folder: folder.to_owned(), component_bytes })
    }

    /// The versions of a name, the one that began to serve last first.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn kept(&self, name: &str) -> Result<Vec<Version>, VersionsError> {
        Ok(read_json(&self.folder_of(name)?.join(INDEX))?.unwrap_or_default())
    }

    /// Keeps a version that has begun to serve, and forgets the oldest beyond four.
    ///
    /// # Errors
    /// [`VersionsError`]; then the versions before are as they were.
    pub fn keep(&self, name: &str, version: Version, component: &[u8]) -> Result<(), VersionsError> {
        let folder = self.folder_of(name)?;
        let mut versions = self.kept(name)?;
        if versions.first().is_some_and(|newest| newest.sha256 == version.sha256) {
            return Ok(());
        }
        make_folder(&folder)?;
        versions.retain(|kept| kept.sha256 != version.sha256);
        write_whole(&component_file(&folder, &version.sha256), component)?;
        versions.insert(0, version);
        let forgotten = versions.split_off(versions.len().min(KEPT));
        write_json(&folder.join(INDEX), &versions)?;
        for version in forgotten {
            // One that stays is never read again.
            let _ = std::fs::remove_file(component_file(&folder, &version.sha256));
        }
        Ok(())
    }

    /// The component of a version, if it is the one that was kept.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn component(&self, name: &str, sha256: &str) -> Result<Vec<u8>, VersionsError> {
        let path = component_file(&self.folder_of(name)?, sha256);
        let bytes = read_component(&path, self.component_bytes)?;
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if hash == sha256 { Ok(bytes) } else { Err(VersionsError::Altered { path }) }
    }

    /// Holds a name to a version, also beyond the next start.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn hold(&self, name: &str, held: &HeldTo) -> Result<(), VersionsError> {
        write_json(&self.folder_of(name)?.join(HOLD), held)
    }

    /// Ends a hold. Answers whether there was one.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn release(&self, name: &str) -> Result<bool, VersionsError> {
        let path = self.folder_of(name)?.join(HOLD);
        match std::fs::remove_file(&path) {
            Ok(()) => sync_folder(&path).map(|()| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(VersionsError::Io { path, source }),
        }
    }

    /// What a name is held to.
    ///
    /// # Errors
    /// [`VersionsError`].
    pub fn held(&self, name: &str) -> Result<Option<HeldTo>, VersionsError> {
        read_json(&self.folder_of(name)?.join(HOLD))
    }

    /// Every name that is held, with what it is held to or why that cannot be read.
    ///
    /// # Errors
    /// [`VersionsError::Io`] if the folder cannot be read.
    pub fn holds(&self) -> Result<BTreeMap<String, Result<HeldTo, VersionsError>>, VersionsError> {
        let failed = |source| VersionsError::Io { path: self.folder.clone(), source };
        let mut holds = BTreeMap::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(name) = name.to_str().filter(|name| is_name(name)) else { continue };
            if let Some(held) = self.held(name).transpose() {
                holds.insert(name.to_owned(), held);
            }
        }
        Ok(holds)
    }

    fn folder_of(&self, name: &str) -> Result<PathBuf, VersionsError> {
        if is_name(name) { Ok(self.folder.join(name)) } else { Err(VersionsError::Name) }
    }
}

/// The version to go back to: the one whose hash begins with `wanted`, or else the one that served before `serving`.
///
/// # Errors
/// A sentence for the operator.
pub fn choose<'v>(
    versions: &'v [Version],
    serving: Option<&str>,
    wanted: Option<&str>,
) -> Result<&'v Version, String> {
    let Some(wanted) = wanted else {
        let at = versions.iter().position(|version| Some(version.sha256.as_str()) == serving);
        let before = at.map_or(0, |at| at.saturating_add(1));
        return versions.get(before).ok_or_else(|| "no version that served before it is kept".to_owned());
    };
    if wanted.len() < MIN_PREFIX {
        return Err(format!("give at least the first {MIN_PREFIX} digits of the version's SHA-256"));
    }
    let mut named = versions.iter().filter(|version| version.sha256.starts_with(wanted));
    match (named.next(), named.next()) {
        (Some(version), None) => Ok(version),
        (None, _) => {
            Err("no version with this SHA-256 is kept; `alp adapter versions` lists them".to_owned())
        }
        (Some(_), Some(_)) => Err("two versions begin so: give more of the SHA-256".to_owned()),
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed)
}

fn component_file(folder: &Path, sha256: &str) -> PathBuf {
    folder.join(format!("{sha256}.wasm"))
}

fn make_folder(folder: &Path) -> Result<(), VersionsError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| VersionsError::Io { path: folder.to_owned(), source })
}

fn read(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, VersionsError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(VersionsError::Io { path: path.to_owned(), source }),
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, VersionsError> {
    let Some(bytes) = read(path, MAX_INDEX_BYTES)? else { return Ok(None) };
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(|source| VersionsError::Index { path: path.to_owned(), source })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), VersionsError> {
    let bytes = serde_json::to_vec_pretty(value)
        .map_err(|source| VersionsError::Index { path: path.to_owned(), source })?;
    write_whole(path, &bytes)
}

/// A component's file as it lies somewhere.
pub(super) fn read_component(path: &Path, limit: u64) -> Result<Vec<u8>, VersionsError> {
    read(path, limit)?
        .ok_or_else(|| VersionsError::Io { path: path.to_owned(), source: ErrorKind::NotFound.into() })
}

/// Writes beside, then renames, each of them durable: a reader sees all of it or nothing, also after a power cut.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), VersionsError> {
    let failed = |source| VersionsError::Io { path: path.to_owned(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.part"));
    let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside);
    let mut file = written.map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> Result<(), VersionsError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| VersionsError::Io { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::{Version, choose};

    fn versions() -> Vec<Version> {
        let version =
            |sha256: &str| Version { sha256: sha256.into(), version: "1".into(), served_from_ms: 0 };
        vec![version("cccccc11"), version("bbbbbb11"), version("cccccc22")]
    }

    #[test]
    fn without_a_wish_the_one_before_the_one_in_service_is_chosen() {
        let versions = versions();
        let chosen = |serving: &str| choose(&versions, Some(serving), None).map(|it| it.sha256.as_str());
        assert_eq!(chosen("cccccc11"), Ok("bbbbbb11"));
        assert_eq!(chosen("bbbbbb11"), Ok("cccccc22"));
        assert_eq!(chosen("cccccc22"), Err("no version that served before it is kept".to_owned()));
        assert_eq!(choose(&versions, None, None).map(|it| it.sha256.as_str()), Ok("cccccc11"));
    }

    #[test]
    fn a_wish_names_exactly_one_version() {
        let versions = versions();
        let chosen = |wish: &str| choose(&versions, None, Some(wish)).map(|it| it.sha256.as_str());
        assert_eq!(chosen("bbbbbb"), Ok("bbbbbb11"));
        for wish in ["bbbbb", "cccccc", "dddddd"] {
            chosen(wish).unwrap_err();
        }
    }
}
