//! Reading files that others write: bounded, never blocking on what is not a file.

use std::fs::{File, OpenOptions};
use std::io::{Error, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file. A pipe or a device of that name is refused rather than waited for.
pub(crate) fn open_regular(path: &Path) -> Result<File, Error> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Error::other("not a regular file")) }
}

/// The file's bytes, but no more than one beyond `limit`, which tells the caller that it is too large.
pub(crate) fn read_capped(path: &Path, limit: u64) -> Result<Vec<u8>, Error> {
    read_open(open_regular(path)?, limit)
}

/// As [`read_capped`], of a file that is open already.
pub(crate) fn read_open(file: File, limit: u64) -> Result<Vec<u8>, Error> {
    // Room for all of it at once, and for the byte that tells too much: growing step by step would take twice as
    // much, and leave the process larger for good.
    let expected = file.metadata()?.len().min(limit).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).map_err(Error::other)?);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
