//! The address of the database as it is connected to: with the password from its file. Shows it to nobody.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use alp_store::{StoreError, postgres_url_with_password};
use thiserror::Error;

use crate::config::PoolConfig;

/// The longest password, in bytes. A file that is longer is not one.
const MAX_PASSWORD_BYTES: u64 = 1024;

/// The bits of a file's mode by which others than its owner could read or change it.
const OTHERS: u32 = 0o077;

/// The address to connect to. Without a file for the password, PostgreSQL's own ways hold: `PGPASSWORD` in the
/// environment, or a `.pgpass` file.
///
/// # Errors
/// [`PasswordError`] if the file cannot be used.
pub fn database_url(pool: &PoolConfig) -> Result<String, PasswordError> {
    match database_password(pool)? {
        Some(password) => Ok(postgres_url_with_password(&pool.database, &password)?),
        None => Ok(pool.database.clone()),
    }
}

/// The password in its file; none without one.
///
/// # Errors
/// [`PasswordError`] if the file cannot be used.
pub(crate) fn database_password(pool: &PoolConfig) -> Result<Option<String>, PasswordError> {
    pool.database_password_file.as_deref().map(read_password).transpose()
}

/// The password in a file that only its owner can use.
///
/// # Errors
/// [`PasswordError`].
pub(crate) fn read_password(path: &Path) -> Result<String, PasswordError> {
    let failed = |source| PasswordError::Unreadable { path: path.to_owned(), source };
    let unusable = |reason| PasswordError::Unusable { path: path.to_owned(), reason };
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.permissions().mode() & OTHERS != 0 {
        return Err(unusable("others than its owner can use it: chmod 600"));
    }
    let mut password = String::new();
    file.take(MAX_PASSWORD_BYTES + 1).read_to_string(&mut password).map_err(failed)?;
    if u64::try_from(password.len()).unwrap_or(u64::MAX) > MAX_PASSWORD_BYTES {
        return Err(unusable("it is longer than a password"));
    }
    let password = password.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(unusable("it is empty"));
    }
    Ok(password.to_owned())
}

/// Why the password of the database cannot be had. The operator's.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// The file cannot be read.
    #[error("the database's password file {path:?} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// What is in the file, or who can read it.
    #[error("the database's password file {path:?} cannot be used: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address takes no password.
    #[error(transparent)]
    Address(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_file_that_others_can_read_or_that_is_empty_is_refused() {
        let folder = std::env::temp_dir().join(format!("alp-password-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("password");
        std::fs::write(&path, "secret\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_password(&path), Err(PasswordError::Unusable { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read_password(&path).unwrap(), "secret");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(read_password(&path), Err(PasswordError::Unusable { .. })));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
