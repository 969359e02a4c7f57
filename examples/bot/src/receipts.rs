//! What the pool signed, kept: its receipts for accepted submissions and the heads of its record, in the form in which
//! `alp verify --receipts` and `--heads` read them. Whoever keeps them can prove what a pool left out or told otherwise.
//! It knows files and days, and nothing of when a bot submits.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use alp_record::chain::{Digest, Header, PublicKey, Signature, SignedReceipt};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

use crate::pool::{Confirmation, Identity};

/// Most receipts, and most heads, in a folder: as many as `alp verify` reads.
pub const MAX_KEPT: u64 = 100_000;
/// Bytes of a day's file that are read at a start: all of a folder's receipts in one day.
const MAX_DAY_BYTES: u64 = 256 * 1_024 * 1_024;
/// Most different openings that are kept: a pool gives an LP one, once and for all.
const MAX_OPENINGS: usize = 100;

/// What the names of files end with.
const RECEIPTS: &str = "receipts";
const HEADS: &str = "heads";

/// The folder within that of receipts in which heads are kept, a file for each day.
pub const HEADS_FOLDER: &str = "heads";
/// The folder within that of receipts which holds what opens the LP's pseudonym. It is for nobody else.
pub const OPENING_FOLDER: &str = "opening";

/// Keeps what a pool signs.
#[derive(Debug)]
pub struct ReceiptFolder {
    folder: PathBuf,
    key: Option<PublicKey>,
    keep_days: u32,
    receipts: Option<Day>,
    heads: Option<Day>,
    last_head: Option<u64>,
}

/// The file of a day that is written to.
#[derive(Debug)]
struct Day {
    name: String,
    lines: u64,
}

/// A header with its signature, as the pool's `/head` shows it.
#[derive(Deserialize)]
struct SignedHead {
    header: Header,
    signature: Signature,
}

impl ReceiptFolder {
    /// Opens a folder, or makes it. With the pool's `key`, what another one signed is not kept. Files of days more than
    /// `keep_days` ago are removed.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn open(folder: &Path, key: Option<PublicKey>, keep_days: u32) -> Result<Self, KeepError> {
        for folder in [folder.to_owned(), folder.join(HEADS_FOLDER), folder.join(OPENING_FOLDER)] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|source| KeepError::File { path: folder, source })?;
        }
        let folder = folder.to_owned();
        Ok(Self { folder, key, keep_days, receipts: None, heads: None, last_head: None })
    }

    /// Keeps what came with the answer to an accepted submission, if it is about this message.
    ///
    /// # Errors
    /// [`KeepError`]; then the receipt is not kept.
    pub fn keep(
        &mut self,
        confirmation: &Confirmation,
        identity: &Identity,
        message: &[u8],
        now_ms: u64,
    ) -> Result<(), KeepError> {
        if let Some(opening) = &confirmation.opening {
            self.keep_opening(opening)?;
        }
        let receipt = confirmation.receipt.as_deref().ok_or(KeepError::None)?;
        self.check(receipt, identity, message)?;
        let folder = self.folder.clone();
        append(&folder, RECEIPTS, &mut self.receipts, self.keep_days, receipt, now_ms)
    }

    /// Keeps a head of the pool's record, as its `/head` shows it, unless it is the one that was kept last.
    ///
    /// # Errors
    /// [`KeepError`]; then it is not kept.
    pub fn keep_head(&mut self, text: &str, now_ms: u64) -> Result<(), KeepError> {
        let line = text.trim();
        let head: SignedHead = serde_json::from_str(line).map_err(|_| KeepError::NotOne("head"))?;
        let signed_by = head.header.check_signature(&head.signature);
        let right = signed_by.is_ok_and(|key| self.key.is_none_or(|trusted| trusted == key));
        if !right || line.contains('\n') {
            return Err(KeepError::NotSigned("head"));
        }
        if self.last_head == Some(head.header.number) {
            return Ok(());
        }
        let folder = self.folder.join(HEADS_FOLDER);
        append(&folder, HEADS, &mut self.heads, self.keep_days, line, now_ms)?;
        self.last_head = Some(head.header.number);
        Ok(())
    }

    fn check(&self, receipt: &str, identity: &Identity, message: &[u8]) -> Result<(), KeepError> {
        let json = STANDARD.decode(receipt).map_err(|_| KeepError::NotOne("receipt"))?;
        let signed: SignedReceipt =
            serde_json::from_slice(&json).map_err(|_| KeepError::NotOne("receipt"))?;
        if self.key.is_some_and(|key| !signed.is_signed_by(key)) {
            return Err(KeepError::NotSigned("receipt"));
        }
        let receipt = &signed.receipt;
        let market = receipt.exchange == identity.exchange && receipt.unit == identity.unit;
        if !market || receipt.submission != Digest::of(&[message]) {
            return Err(KeepError::Other);
        }
        Ok(())
    }

    fn keep_opening(&self, opening: &str) -> Result<(), KeepError> {
        let path = self.folder.join(OPENING_FOLDER).join("openings");
        let failed = |source| KeepError::File { path: path.clone(), source };
        let known = match read(&path) {
            Ok(known) => known,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        if known.lines().any(|line| line == opening) {
            return Ok(());
        }
        if known.lines().count() >= MAX_OPENINGS {
            return Err(KeepError::Full);
        }
        write_line(&path, opening).map_err(failed)
    }
}

/// Appends a line to the file of a day.
fn append(
    folder: &Path,
    ending: &str,
    day: &mut Option<Day>,
    keep_days: u32,
    line: &str,
    now_ms: u64,
) -> Result<(), KeepError> {
    let today = date(now_ms)?;
    let name = format!("{today}.{ending}");
    let path = folder.join(&name);
    let failed = |source| KeepError::File { path: path.clone(), source };
    if day.as_ref().is_none_or(|day| day.name != name) {
        let oldest = today.checked_sub(Duration::days(i64::from(keep_days))).ok_or(KeepError::Time)?;
        remove_older(folder, &format!("{oldest}.{ending}"), ending).map_err(failed)?;
        *day = Some(Day { name, lines: mend(&path).map_err(failed)? });
    }
    let Some(day) = day else { return Ok(()) };
    // So all days that are kept hold no more than is read.
    if day.lines >= MAX_KEPT.checked_div(u64::from(keep_days).saturating_add(1)).unwrap_or(0) {
        return Err(KeepError::Full);
    }
    write_line(&path, line).map_err(failed)?;
    day.lines = day.lines.saturating_add(1);
    Ok(())
}

fn date(now_ms: u64) -> Result<time::Date, KeepError> {
    let seconds = i64::try_from(now_ms / 1_000).map_err(|_| KeepError::Time)?;
    OffsetDateTime::from_unix_timestamp(seconds).map(OffsetDateTime::date).map_err(|_| KeepError::Time)
}

/// A line that a crash cut off is taken away, so that the rest can be read. Says how many lines there are.
fn mend(path: &Path) -> io::Result<u64> {
    let text = match read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let whole = text.rfind('\n').map_or(0, |end| end.saturating_add(1));
    if whole < text.len() {
        let length = u64::try_from(whole).unwrap_or(0);
        OpenOptions::new().write(true).open(path)?.set_len(length)?;
    }
    let lines = text.get(..whole).unwrap_or_default().lines().count();
    Ok(u64::try_from(lines).unwrap_or(u64::MAX))
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_DAY_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// The whole line at once, and on the disk before anything else happens: a receipt is of use when things went wrong.
fn write_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    file.sync_data()
}

/// Removes the files of days before the one that a name tells. Names of days sort as the days do.
fn remove_older(folder: &Path, oldest: &str, ending: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|extension| extension == ending);
        let older = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.len() == oldest.len() && name < oldest);
        if ours && older && path.is_file() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Why something is not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// A file. The bot's owner must act.
    #[error("cannot read or write {}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No receipt. The pool's operator switched them off, or something between removes them.
    #[error("the pool took the submission and sent no receipt")]
    None,
    /// Not what it should be. The pool is at fault.
    #[error("what the pool sent as a {0} is none")]
    NotOne(&'static str),
    /// Another key. Either this is another pool, or `receipts.pool_key` is not its key.
    #[error("the {0} is not signed by the pool's key")]
    NotSigned(&'static str),
    /// Of another message. The pool is at fault.
    #[error("the receipt is for another submission than the one that was sent")]
    Other,
    /// The limit.
    #[error("so many are kept of this day already that no more are")]
    Full,
    /// A clock that is far off.
    #[error("the time is beyond any calendar")]
    Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;

    #[test]
    fn days_have_files_of_their_own_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut day = None;
        let mut keep = |now_ms: u64, line: &str| append(folder.path(), RECEIPTS, &mut day, 2, line, now_ms);
        for (number, line) in [(0, "a"), (0, "b"), (1, "c"), (2, "d"), (3, "e")] {
            keep(1_760_000_040_000 + number * DAY_MS, line).unwrap();
        }
        std::fs::write(folder.path().join("notes"), "mine").unwrap();
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["2025-10-10.receipts", "2025-10-11.receipts", "2025-10-12.receipts", "notes"]);
    }

    #[test]
    fn a_line_that_was_cut_off_is_mended_and_a_day_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("2025-10-09.receipts");
        std::fs::write(&path, "one\ntwo\nthr").unwrap();
        let mut day = None;
        // Of 99 999 days and today each has one.
        let keep = |day: &mut Option<Day>, line| {
            append(folder.path(), RECEIPTS, day, 33_332, line, 1_760_000_040_000)
        };
        keep(&mut day, "three").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
        assert!(matches!(keep(&mut day, "four"), Err(KeepError::Full)));
    }
}
