//! The folder of compiled adapters. What lies in it is native code that this process will run, so nothing
//! is taken from it that this program did not put there: every file carries an authentication code made
//! with a key that lies outside the folder.

mod facts;

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::hash::{Hash, Hasher};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use wasmtime::Engine;

use crate::file::{hex, random, read_capped};

/// The length of the authentication code at the start of a file.
const CODE_BYTES: usize = 32;

/// The largest file that is read back. 512 MiB: twice what the compiler may write.
const FILE_BYTES: u64 = 512 << 20;

/// How many compiled adapters are kept. 256: every version of every known exchange's adapter for years.
const FILES_KEPT: usize = 256;

/// Unfinished files older than this were left by a process that died: compiling takes seconds.
const LEFTOVER: Duration = Duration::from_secs(3600);

/// What every authentication code starts from, so that the key's codes mean nothing elsewhere.
const PURPOSE: &[u8] = b"alp compiled adapter 1\0";

/// The end of the name of a compiled adapter's file.
const COMPILED: &str = ".compiled";

/// The start of the name of an unfinished file.
const UNFINISHED: &str = "tmp-";

/// Why the folder for compiled adapters cannot be used. For the operator.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder or its key cannot be made or read.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: Error,
    },
    /// Somebody else could put code there.
    #[error("{path} must be {wanted}, owned by the user that runs this program, and is not")]
    Unsafe {
        /// Which file or folder.
        path: PathBuf,
        /// What it has to be.
        wanted: &'static str,
    },
}

/// The folder, and the key to what is in it.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

/// Names one compiled file: by the component it was made from and by everything about the engine that its
/// code depends on, the engine's version included.
#[derive(Clone)]
pub(crate) struct CacheKey(String);

impl CacheKey {
    pub(crate) fn new(wasm_sha256: &[u8; 32], engine: &Engine) -> Self {
        let mut hasher = ShaHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        hasher.0.update(wasm_sha256);
        Self(hex(&hasher.0.finalize()))
    }

    fn file_name(&self) -> String {
        format!("{}{COMPILED}", self.0)
    }
}

impl Cache {
    /// Makes the folder and its key if need be, and checks that nobody else can reach either.
    pub(crate) fn open(folder: &Path) -> Result<Self, CacheError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| CacheError::Io { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(at(folder))?;
        let folder = folder.canonicalize().map_err(at(folder))?;
        let found = folder.metadata().map_err(at(&folder))?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Unsafe { path: folder, wanted: "a folder of mode 0700" });
        }
        if found.mode() & 0o077 != 0 {
            // It is ours, made by hand with the usual mode. What others may have put there is not trusted
            // anyway, so closing it now is enough.
            let closed = Permissions::from_mode(0o700);
            std::fs::set_permissions(&folder, closed).map_err(at(&folder))?;
        }
        let key_file = key_file(&folder);
        let key = read_or_make_key(&key_file).map_err(at(&key_file))?;
        let Some(key) = key else {
            return Err(CacheError::Unsafe { path: key_file, wanted: "a file of mode 0600 and 32 bytes" });
        };
        let cache = Self { folder, key };
        cache.remove(|name, age| name.starts_with(UNFINISHED) && age > LEFTOVER);
        Ok(cache)
    }

    /// What was kept under this key, if it is exactly what was kept. Anything else in its place is treated
    /// as absent, and the next [`Cache::put`] replaces it.
    pub(crate) fn get(&self, key: &CacheKey) -> Option<Vec<u8>> {
        let path = self.folder.join(key.file_name());
        let mut bytes = match read_capped(&path, FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled adapter cannot be read");
                return None;
            }
        };
        let (code, compiled) = bytes.split_at_checked(CODE_BYTES)?;
        if self.code(key, compiled)?.verify_slice(code).is_err() {
            tracing::warn!(path = %path.display(), "a compiled adapter was altered and is not used");
            return None;
        }
        bytes.drain(..CODE_BYTES);
        Some(bytes)
    }

    /// Keeps what was compiled: written beside, then renamed, so that no reader sees half of it.
    pub(crate) fn put(&self, key: &CacheKey, compiled: &[u8]) -> Result<(), Error> {
        let code = self.code(key, compiled).ok_or_else(|| Error::other("no authentication code"))?;
        let unfinished = Unfinished::new(&self.folder, "compiled")?;
        let mut file = create_private(&unfinished.path)?;
        file.write_all(&code.finalize().into_bytes())?;
        file.write_all(compiled)?;
        drop(file);
        std::fs::rename(&unfinished.path, self.folder.join(key.file_name()))?;
        self.forget_oldest(COMPILED, FILES_KEPT);
        Ok(())
    }

    fn code(&self, key: &CacheKey, compiled: &[u8]) -> Option<Hmac<Sha256>> {
        let mut code = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        code.update(PURPOSE);
        code.update(key.0.as_bytes());
        code.update(compiled);
        Some(code)
    }

    /// Removes the oldest files whose name ends so, beyond as many as are kept.
    fn forget_oldest(&self, ending: &str, kept: usize) {
        let mut ages = vec![];
        self.remove(|name, age| {
            if name.ends_with(ending) {
                ages.push(age);
            }
            false
        });
        ages.sort_unstable();
        if let Some(oldest_kept) = ages.get(kept.saturating_sub(1)).copied() {
            self.remove(|name, age| name.ends_with(ending) && age > oldest_kept);
        }
    }

    /// Removes the files of the folder that `doomed` picks by name and age. Failing to is harmless.
    fn remove(&self, mut doomed: impl FnMut(&str, Duration) -> bool) {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|found| found.modified());
            let age = modified.ok().and_then(|then| SystemTime::now().duration_since(then).ok());
            if doomed(&entry.file_name().to_string_lossy(), age.unwrap_or_default()) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// A path for a file in the making, which is removed when this is dropped.
pub(crate) struct Unfinished {
    pub(crate) path: PathBuf,
}

impl Unfinished {
    pub(crate) fn new(folder: &Path, extension: &str) -> Result<Self, Error> {
        let name = hex(&random::<16>()?);
        Ok(Self { path: folder.join(format!("{UNFINISHED}{name}.{extension}")) })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // It was renamed, or it is litter that the next start removes.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A new file that only we can read.
pub(crate) fn create_private(path: &Path) -> Result<File, Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// The key lies beside the folder, not in it: whoever can only write into the folder cannot make a code.
fn key_file(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".key");
    folder.with_file_name(name)
}

/// The key; `None` if the file is not one that only we can have written.
fn read_or_make_key(path: &Path) -> Result<Option<[u8; 32]>, Error> {
    match path.symlink_metadata() {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => make_key(path)?,
        Err(error) => return Err(error),
    }
    let found = path.symlink_metadata()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
    if !found.is_file() || !ours {
        return Ok(None);
    }
    Ok(<[u8; 32]>::try_from(read_capped(path, 32)?).ok())
}

/// Writes a new key beside and links it into place, which fails if another process was first: then its key
/// is the one.
fn make_key(path: &Path) -> Result<(), Error> {
    let unfinished = Unfinished::new(path.parent().unwrap_or(Path::new(".")), "key")?;
    let mut file = create_private(&unfinished.path)?;
    file.write_all(&random::<32>()?)?;
    file.sync_all()?;
    match std::fs::hard_link(&unfinished.path, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Feeds what is hashed into SHA-256 whole, where an ordinary hasher would keep 64 bits of it.
struct ShaHasher(Sha256);

impl Hasher for ShaHasher {
    fn finish(&self) -> u64 {
        // Nobody asks: the digest is taken from the inside.
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}
