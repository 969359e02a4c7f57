//! Heads that were seen elsewhere, held against the record: two that the pool's key signed for one place prove a lie.

use std::collections::BTreeMap;
use std::path::Path;

use alp_record::chain::{Finding, Header, Signature, prove_equivocation};
use serde::Deserialize;

use super::VerifyError;
use super::source::{Source, files_in, read_text};

/// Most heads that are read: a year of days a thousand times over.
const MAX_HEADS: usize = 100_000;

/// A header with its signature, as `GET /head` shows it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SignedHead {
    pub(super) header: Header,
    pub(super) signature: Signature,
}

impl SignedHead {
    /// The head of an entry's text.
    pub(super) fn of_entry(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let header = serde_json::from_str(lines.next()?).ok()?;
        let signature = serde_json::from_str(lines.nth(1)?).ok()?;
        Some(Self { header, signature })
    }
}

/// Heads by number, each with where it was seen.
#[derive(Default)]
pub(super) struct Heads {
    seen: BTreeMap<u64, Vec<(String, SignedHead)>>,
    findings: Vec<Finding>,
    compared: usize,
}

impl Heads {
    /// Reads a file of heads, one a line, or every such file of a folder.
    pub(super) fn read(&mut self, place: &Path) -> Result<(), VerifyError> {
        let files = if place.is_dir() { files_in(place)? } else { vec![place.to_owned()] };
        files.iter().try_for_each(|file| self.read_file(file))
    }

    fn read_file(&mut self, file: &Path) -> Result<(), VerifyError> {
        for (line, number) in read_text(file)?.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
            if number > MAX_HEADS {
                let (path, what) = (file.to_owned(), "heads");
                return Err(VerifyError::TooMany { path, what, limit: MAX_HEADS });
            }
            let not_one = |_| VerifyError::NotOne { path: file.to_owned(), what: "head", line: number };
            let head: SignedHead = serde_json::from_str(line).map_err(not_one)?;
            self.add(format!("line {number} of {}", file.display()), head);
        }
        Ok(())
    }

    /// Asks somebody else for every head up to the newest one shown there.
    pub(super) async fn ask(&mut self, peer: &Source, name: &str) -> Result<(), VerifyError> {
        self.add(name.to_owned(), peer.head().await?);
        for group in peer.numbers().await?.chunks(super::source::AT_A_TIME) {
            for (_, text) in peer.entries(group).await? {
                if let Some(head) = SignedHead::of_entry(&text) {
                    self.add(name.to_owned(), head);
                }
            }
        }
        Ok(())
    }

    /// Holds an entry of the record against the heads of its number.
    pub(super) fn compare(&mut self, text: &str) {
        let Some(ours) = SignedHead::of_entry(text) else { return };
        let number = ours.header.number;
        let mut wrong = Vec::new();
        for (place, seen) in self.seen.remove(&number).unwrap_or_default() {
            self.compared = self.compared.saturating_add(1);
            if seen.header.digest() == ours.header.digest() {
                continue;
            }
            let proven = prove_equivocation((&ours.header, &ours.signature), (&seen.header, &seen.signature));
            let what = match proven {
                Some(proof) => format!("{}; the other one is from {place}: this is proof", proof.what),
                None => format!(
                    "{place} shows another head, {}, which the same key did not sign",
                    seen.header.digest()
                ),
            };
            let finding = Finding { entry: Some(number), round: None, what };
            if !wrong.contains(&finding) {
                wrong.push(finding);
            }
        }
        self.findings.extend(wrong);
    }

    /// How many heads were compared.
    pub(super) fn compared(&self) -> usize {
        self.compared
    }

    /// How many heads are about entries before the record's first, and cannot be compared.
    pub(super) fn too_old(&self, first: Option<u64>) -> usize {
        self.seen.range(..first.unwrap_or(0)).map(|(_, seen)| seen.len()).sum()
    }

    /// What is wrong, with those heads whose entry never came: the record was cut off before them. Of what is older than
    /// the record's first entry nothing can be said.
    pub(super) fn findings(mut self, first: Option<u64>) -> Vec<Finding> {
        for (number, seen) in self.seen.range(first.unwrap_or(0)..) {
            for (place, head) in seen {
                let signed = head.header.check_signature(&head.signature).is_ok();
                let what = if signed {
                    format!("a signed head was seen in {place}, and the record has no such entry")
                } else {
                    format!("the head seen in {place} has a wrong signature")
                };
                self.findings.push(Finding { entry: Some(*number), round: None, what });
            }
        }
        self.findings
    }

    pub(super) fn add(&mut self, place: String, head: SignedHead) {
        self.seen.entry(head.header.number).or_default().push((place, head));
    }
}
