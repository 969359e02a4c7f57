//! The file of the key by which the pool signs its record.
//! It knows a file and 32 bytes; what is signed is others' business.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use alp_record::chain::{Digest, PoolKey};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// Longest file that is read, in bytes: 64 digits and the end of the line, and room to see that there is more.
const MAX_BYTES: u64 = 80;

/// Who may read the file: its owner.
const MODE: u32 = 0o600;

/// Reads the key, or makes it where there is no file. Says whether it was made.
///
/// # Errors
/// [`SigningKeyError`] for the operator.
pub fn read_or_make(path: &Path) -> Result<(PoolKey, bool), SigningKeyError> {
    match read_signing_key(path) {
        Err(SigningKeyError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
        read => return read.map(|key| (key, false)),
    }
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| SigningKeyError::NoRandomness)?;
    write_new(path, &seed).map_err(|source| SigningKeyError::NotMade { path: path.to_owned(), source })?;
    // What counts is what is on the disk: another server may have been first.
    read_signing_key(path).map(|key| (key, true))
}

/// Reads the key.
///
/// # Errors
/// [`SigningKeyError`] for the operator.
pub fn read_signing_key(path: &Path) -> Result<PoolKey, SigningKeyError> {
    let unreadable = |source| SigningKeyError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(SigningKeyError::Open { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(unreadable)?;
    // A seed is written as a digest is: 64 digits.
    let seed = Digest::parse(text.trim_end()).map(|digits| digits.0);
    let key = seed.and_then(|seed| PoolKey::from_seed(&seed).ok());
    key.ok_or_else(|| SigningKeyError::NoKey { path: path.to_owned() })
}

/// A file that appears whole or not at all, and never in place of another.
fn write_new(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    let beside = path.with_extension(format!("part-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&beside)?;
    let written = writeln!(file, "{}", Digest(*seed)).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| match std::fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    std::fs::remove_file(&beside)?;
    linked
}

/// What is wrong with the key. The operator's.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// It cannot be read.
    #[error("the key that signs the pool's record, {}, cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be made.
    #[error("the key that signs the pool's record, {}, cannot be made", path.display())]
    NotMade {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read it.
    #[error("{} can be read by others than its owner, who could sign as the pool: chmod 600 it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It is no key.
    #[error("{} is no key: it has to be 64 hexadecimal digits in lower case; restore your copy of it", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes to make a key of")]
    NoRandomness,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("alp-key-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_read_from_then_on() {
        let folder = folder("made");
        let file = folder.join("alp.key");
        let (made, new) = read_or_make(&file).unwrap();
        let (read, again) = read_or_make(&file).unwrap();
        assert_eq!((made.public(), new, again), (read.public(), true, false));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        assert!(!format!("{made:?}").contains(std::fs::read_to_string(&file).unwrap().trim()));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let folder = folder("refused");
        let file = folder.join("alp.key");
        read_or_make(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read_or_make(&file), Err(SigningKeyError::Open { .. })));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&file, "no key").unwrap();
        assert!(matches!(read_or_make(&file), Err(SigningKeyError::NoKey { .. })));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
