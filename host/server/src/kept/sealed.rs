//! Sealing what is kept: ChaCha20-Poly1305 under a key that lies in a file of the operator's.
//! It knows bytes and no replies.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

/// Length of a key, in bytes.
const KEY_BYTES: usize = 32;

/// What a sealed file begins with.
const MAGIC: &[u8] = b"ALPKEPT1";

/// A key that seals and opens. It has no `Debug` that shows it.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    /// Reads a key of 32 bytes from a file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the file and how to make a right one.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &read_key(path)?);
        key.map(|key| Self(LessSafeKey::new(key))).map_err(|_| KeyError::Length { path: path.to_owned() })
    }

    /// Seals a text. Only who names the same `about` can open it.
    ///
    /// # Errors
    /// [`SealError`] if the system gives no randomness. The nonce is random: 96 bits do for billions of files.
    pub fn seal(&self, about: &str, mut text: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealError)?;
        let sealed = Nonce::assume_unique_for_key(nonce);
        self.0
            .seal_in_place_append_tag(sealed, Aad::from(about.as_bytes()), &mut text)
            .map_err(|_| SealError)?;
        Ok([MAGIC, &nonce, &text].concat())
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// [`SealError`] if it is about something else, was changed, or was sealed with another key.
    pub fn open(&self, about: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let rest = sealed.strip_prefix(MAGIC).ok_or(SealError)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut text = text.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::from(about.as_bytes()), &mut text);
        opened.map(|opened| opened.to_vec()).map_err(|_| SealError)
    }
}

/// Reads the bytes of a key from a file that only its owner can read.
pub(crate) fn read_key(path: &Path) -> Result<[u8; KEY_BYTES], KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyError::Open { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(KEY_BYTES.saturating_add(1));
    let longest = u64::try_from(KEY_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    file.take(longest).read_to_end(&mut bytes).map_err(unreadable)?;
    <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| KeyError::Length { path: path.to_owned() })
}

/// What is wrong with the file of a key. The operator's.
#[derive(Debug, Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("{} cannot be read ({source}): make it with `head -c 32 /dev/urandom`, after `umask 077`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read it.
    #[error("{} can be read by others than its owner: chmod 600 it, or make a new one", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// It is no key.
    #[error("{} does not have exactly {KEY_BYTES} bytes: make it with `head -c 32 /dev/urandom`", path.display())]
    Length {
        /// The file.
        path: PathBuf,
    },
}

/// Sealing or opening failed: another key, another file, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it was sealed with another key, or was changed since")]
pub struct SealError;
