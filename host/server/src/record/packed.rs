//! Entries as they are kept: compressed once, when they are made, and served as they lie.
//! It knows gzip and texts, and nothing of what they say.

use std::io::{self, Read, Write};

use alp_record::chain::MAX_ENTRY_BYTES;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use thiserror::Error;

/// How hard it is tried: the digests in an entry cannot be made smaller, and all else is as small at the first level
/// as makes no difference, in a third of the time.
const LEVEL: Compression = Compression::fast();

/// Compresses an entry.
///
/// # Errors
/// [`PackError`], which writing into memory does not have.
pub fn pack(text: &str) -> Result<Vec<u8>, PackError> {
    let mut packed = GzEncoder::new(Vec::with_capacity(text.len() / 3), LEVEL);
    packed.write_all(text.as_bytes())?;
    Ok(packed.finish()?)
}

/// The entry again, of at most [`MAX_ENTRY_BYTES`].
///
/// # Errors
/// [`PackError`] if it is not what was packed.
pub fn unpack(packed: &[u8]) -> Result<String, PackError> {
    let longest = u64::try_from(MAX_ENTRY_BYTES).unwrap_or(u64::MAX);
    let mut text = String::new();
    GzDecoder::new(packed).take(longest).read_to_string(&mut text)?;
    Ok(text)
}

/// An entry cannot be packed or read. The operator's: the database was changed by another hand.
#[derive(Debug, Error)]
#[error("an entry of the record in the database cannot be unpacked")]
pub struct PackError(#[from] io::Error);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_and_a_damaged_one_does_not() {
        let text = "a line\n".repeat(1000);
        let mut packed = pack(&text).unwrap();
        assert!(packed.len() < text.len() / 10);
        assert_eq!(unpack(&packed).unwrap(), text);
        packed.truncate(20);
        assert!(unpack(&packed).is_err());
    }
}
