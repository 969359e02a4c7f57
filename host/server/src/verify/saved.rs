//! A folder of entries that were saved before: what it has is not written over, and it goes on where a pool has forgotten.

use std::collections::BTreeSet;
use std::path::Path;

use alp_record::chain::{Body, Entry};

use super::heads::{Heads, SignedHead};
use super::source::{file_name, numbers_in, read_text};
use super::{VerifyError, file_error};

/// Has the entries of the folder compared with those of the record, which are `numbers`, and answers with those that
/// belong before the first of these: from the oldest on that a record can begin with, without a gap.
pub(super) fn before(folder: &Path, numbers: &[u64], heads: &mut Heads) -> Result<Vec<String>, VerifyError> {
    let there: BTreeSet<u64> = match numbers_in(folder) {
        Ok(there) => there.into_iter().collect(),
        Err(VerifyError::NoEntries { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let first = numbers.first().copied().unwrap_or(0);
    for number in there.range(first..) {
        let file = folder.join(file_name(*number));
        if let Some(head) = SignedHead::of_entry(&read_text(&file)?) {
            heads.add(file.display().to_string(), head);
        }
    }
    let mut texts = Vec::new();
    for number in there.range(..first) {
        let text = read_text(&folder.join(file_name(*number)))?;
        let gap = texts.last().is_some_and(|(before, _): &(u64, String)| before.saturating_add(1) != *number);
        if gap {
            texts.clear();
        }
        if !texts.is_empty() || can_begin(&text) {
            texts.push((*number, text));
        }
    }
    let reaches = texts.last().is_some_and(|(number, _)| number.saturating_add(1) == first);
    Ok(if reaches { texts.into_iter().map(|(_, text)| text).collect() } else { Vec::new() })
}

/// Writes an entry, unless another one is there already.
pub(super) fn keep(folder: &Path, number: u64, text: &str) -> Result<(), VerifyError> {
    let file = folder.join(file_name(number));
    let there = if file.exists() { SignedHead::of_entry(&read_text(&file)?) } else { None };
    let other = there.zip(SignedHead::of_entry(text)).is_some_and(|(old, new)| old.header != new.header);
    if other {
        return Ok(());
    }
    std::fs::write(&file, text).map_err(|source| file_error(&file, source))
}

fn can_begin(text: &str) -> bool {
    Entry::read(text).is_ok_and(|entry| {
        entry.header.number == 0 || matches!(&entry.body, Body::CarryForward(forward) if forward.part == 1)
    })
}
