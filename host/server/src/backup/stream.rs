//! Sealing a stream of any length: chunks of ChaCha20-Poly1305, each of which opens only in its place, and the last only as
//! the last. So a stream that was cut, changed, or put together of others does not open.
//! It knows bytes and no backups.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};

use crate::kept::{KeyError, read_key};

/// What a sealed stream begins with; the chunks are bound to it.
const MAGIC: &[u8] = b"ALPBACK1";

/// How many random bytes make the key of one stream from the operator's: with a key of its own, a stream may count its
/// chunks from zero.
const SALT_BYTES: usize = 32;

/// What the key of a stream is for.
const KEY_IS_FOR: &[u8] = b"alp backup stream v1";

/// The open bytes of a chunk; only the last one has fewer. Small enough to be held many times over, large enough that the
/// tags are nothing.
const CHUNK_BYTES: usize = 64 * 1024;

/// The bytes that a chunk is longer sealed.
const TAG_BYTES: usize = 16;

/// The operator's key for backups. It has no `Debug`.
pub struct BackupKey([u8; 32]);

impl BackupKey {
    /// Reads a key of 32 bytes from a file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the file and how to make a right one.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        read_key(path).map(Self)
    }

    fn of_stream(&self, salt: &[u8; SALT_BYTES]) -> io::Result<LessSafeKey> {
        let secret = Salt::new(HKDF_SHA256, salt).extract(&self.0);
        let key = secret.expand(&[KEY_IS_FOR], &CHACHA20_POLY1305).map_err(|_| io::Error::other("no key"))?;
        Ok(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Seals what is written to it. What was not [finished](Self::finish) does not open.
pub(super) struct SealedWriter<W: Write> {
    key: LessSafeKey,
    chunk: u64,
    open: Vec<u8>,
    to: W,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a stream.
    ///
    /// # Errors
    /// If the system gives no randomness, or the beginning cannot be written.
    pub(super) fn begin(key: &BackupKey, mut to: W) -> io::Result<Self> {
        let mut salt = [0; SALT_BYTES];
        SystemRandom::new()
            .fill(&mut salt)
            .map_err(|_| io::Error::other("the system gives no random bytes"))?;
        to.write_all(MAGIC)?;
        to.write_all(&salt)?;
        let open = Vec::with_capacity(CHUNK_BYTES.saturating_add(TAG_BYTES));
        Ok(Self { key: key.of_stream(&salt)?, chunk: 0, open, to })
    }

    /// Ends the stream: what was written until now, and nothing else, opens.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(self.chunk, last);
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(MAGIC), &mut self.open)
            .map_err(|_| io::Error::other("a chunk cannot be sealed"))?;
        self.to.write_all(&self.open)?;
        self.open.clear();
        self.chunk =
            self.chunk.checked_add(1).ok_or_else(|| io::Error::other("there are too many chunks"))?;
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk is sealed only when more comes, since it may be the last.
        if self.open.len() == CHUNK_BYTES {
            self.seal(false)?;
        }
        let room = CHUNK_BYTES.saturating_sub(self.open.len());
        let (taken, _) = bytes.split_at(room.min(bytes.len()));
        self.open.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Opens what was sealed. An error of the kind [`ErrorKind::InvalidData`] says that it was sealed with another key, was
/// changed or was cut.
pub(super) struct SealedReader<R: Read> {
    key: LessSafeKey,
    chunk: u64,
    /// The chunk that comes next, sealed; empty after the last.
    next: Vec<u8>,
    open: Vec<u8>,
    taken: usize,
    from: R,
}

impl<R: Read> SealedReader<R> {
    /// Begins to open a stream.
    ///
    /// # Errors
    /// If it does not begin as a sealed stream does.
    pub(super) fn begin(key: &BackupKey, mut from: R) -> io::Result<Self> {
        let (mut magic, mut salt) = ([0; 8], [0; SALT_BYTES]);
        from.read_exact(&mut magic).map_err(cut)?;
        if magic != *MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is no backup of this program"));
        }
        from.read_exact(&mut salt).map_err(cut)?;
        let key = key.of_stream(&salt)?;
        let next = read_sealed(&mut from)?;
        // Even a stream of nothing has its last chunk.
        if next.is_empty() {
            return Err(changed());
        }
        Ok(Self { key, chunk: 0, next, open: Vec::new(), taken: 0, from })
    }

    /// Opens the chunk that comes next. Whether there was one.
    fn advance(&mut self) -> io::Result<bool> {
        if self.next.is_empty() {
            return Ok(false);
        }
        let mut sealed = std::mem::take(&mut self.next);
        self.next = read_sealed(&mut self.from)?;
        let nonce = nonce(self.chunk, self.next.is_empty());
        let opened = self.key.open_in_place(nonce, Aad::from(MAGIC), &mut sealed);
        let length = opened.map(|open| open.len()).map_err(|_| changed())?;
        sealed.truncate(length);
        (self.open, self.taken) = (sealed, 0);
        self.chunk = self.chunk.saturating_add(1);
        Ok(true)
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.open.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let mut rest = self.open.get(self.taken..).unwrap_or_default();
        let read = rest.read(into)?;
        self.taken = self.taken.saturating_add(read);
        Ok(read)
    }
}

/// The place of a chunk, and whether it is the last: no two chunks of a stream have the same.
fn nonce(chunk: u64, last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    for (to, from) in nonce.iter_mut().zip(chunk.to_be_bytes()) {
        *to = from;
    }
    if let Some(end) = nonce.last_mut() {
        *end = u8::from(last);
    }
    Nonce::assume_unique_for_key(nonce)
}

/// A sealed chunk; fewer bytes at the end of the stream, none behind it.
fn read_sealed(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = CHUNK_BYTES.saturating_add(TAG_BYTES);
    let mut sealed = Vec::with_capacity(length);
    from.take(u64::try_from(length).unwrap_or(u64::MAX)).read_to_end(&mut sealed)?;
    Ok(sealed)
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it was sealed with another key, was changed since, or was cut")
}

fn cut(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::UnexpectedEof { changed() } else { error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(bytes: &[u8]) -> Vec<u8> {
        let mut writer = SealedWriter::begin(&BackupKey([7; 32]), Vec::new()).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn opened(sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        SealedReader::begin(&BackupKey([7; 32]), sealed)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn chunks(text: &[u8]) -> Vec<Vec<u8>> {
        let sealed = sealed(text);
        let (head, rest) = sealed.split_at(MAGIC.len() + SALT_BYTES);
        let mut parts = vec![head.to_vec()];
        parts.extend(rest.chunks(CHUNK_BYTES + TAG_BYTES).map(<[u8]>::to_vec));
        parts
    }

    #[test]
    fn what_was_sealed_opens_whatever_its_length() {
        for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_000] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let sealed = sealed(&bytes);
            assert_eq!(opened(&sealed).unwrap(), bytes, "{length}");
            assert!(length < 16 || !sealed.windows(16).any(|window| window == &bytes[..16]));
        }
    }

    #[test]
    fn a_stream_that_was_cut_anywhere_does_not_open() {
        let bytes = vec![3; 3 * CHUNK_BYTES];
        let whole = sealed(&bytes);
        let chunk = CHUNK_BYTES + TAG_BYTES;
        let head = MAGIC.len() + SALT_BYTES;
        for length in [0, 4, head - 1, head, head + 1, head + chunk, head + 2 * chunk, whole.len() - 1] {
            assert!(opened(&whole[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn chunks_in_another_order_or_of_another_stream_do_not_open() {
        let bytes = vec![3; 3 * CHUNK_BYTES + 5];
        let (one, other) = (chunks(&bytes), chunks(&bytes));
        assert_eq!(opened(&one.concat()).unwrap(), bytes);
        let swapped = [&one[0][..], &one[2], &one[1], &one[3], &one[4]].concat();
        assert!(opened(&swapped).is_err());
        let mixed = [&one[0][..], &one[1], &other[2], &one[3], &one[4]].concat();
        assert!(opened(&mixed).is_err());
        let doubled = [&one[0][..], &one[1], &one[2], &one[2], &one[3], &one[4]].concat();
        assert!(opened(&doubled).is_err());
        let longer = [&one.concat()[..], b"x"].concat();
        assert!(opened(&longer).is_err());
    }

    #[test]
    fn a_changed_byte_or_another_key_is_noticed() {
        let whole = sealed(b"a database");
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            assert!(opened(&changed).is_err(), "byte {at}");
        }
        assert!(
            SealedReader::begin(&BackupKey([8; 32]), &whole[..])
                .and_then(|mut reader| reader.read(&mut [0; 8]))
                .is_err()
        );
    }
}
