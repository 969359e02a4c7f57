//! An entry, checked as far as that goes without its neighbours: this part takes the time, and may be done for several
//! entries at once. What is left to compare is little, and stays in the entries' order.

use super::super::body::Body;
use super::super::digest::Digest;
use super::super::entry::{Entry, EntryError, Header};
use super::{Verifier, round_check, sentence};

/// An entry that was read, with what is wrong with it.
#[derive(Debug)]
pub struct CheckedEntry {
    pub(super) read: Result<CheckedBody, Unread>,
}

/// An entry that could be read.
#[derive(Debug)]
pub(super) struct CheckedBody {
    pub(super) entry: Entry,
    /// The digest of its header.
    pub(super) digest: Digest,
    /// What is wrong with its round, a sentence each.
    pub(super) wrong: Vec<String>,
    /// What its round credited each LP, in 1e-8.
    pub(super) credited: Vec<(Digest, i128)>,
}

/// An entry that could not.
#[derive(Debug)]
pub(super) struct Unread {
    /// Its number, if at least the header says one.
    pub(super) number: Option<u64>,
    pub(super) error: EntryError,
}

impl CheckedEntry {
    /// Reads an entry and checks it alone. [`Verifier::push_checked`] does the rest.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let read = match Entry::read(text) {
            Ok(entry) => Ok(CheckedBody::of(entry)),
            Err(error) => {
                let header = text.lines().next().and_then(|line| serde_json::from_str::<Header>(line).ok());
                Err(Unread { number: header.map(|header| header.number), error })
            }
        };
        Self { read }
    }
}

impl CheckedBody {
    fn of(entry: Entry) -> Self {
        let (wrong, credited) = match &entry.body {
            Body::Round(round) => (round_check::check(round), round_check::credited(round)),
            Body::Epoch(_) | Body::Correction(_) | Body::Payout(_) | Body::CarryForward(_) => {
                (Vec::new(), Vec::new())
            }
        };
        let digest = entry.header.digest();
        Self { entry, digest, wrong, credited }
    }
}

impl Verifier {
    /// Reads the next entry. One that cannot be read is a finding like any other.
    pub fn push(&mut self, text: &str) {
        self.push_checked(CheckedEntry::read(text));
    }

    /// Takes the next entry, which was checked by itself before, and compares it with its neighbours.
    pub fn push_checked(&mut self, checked: CheckedEntry) {
        self.entries = self.entries.saturating_add(1);
        match checked.read {
            Ok(checked) => self.check(checked),
            Err(Unread { number, error }) => {
                let place = number.or(self.last.as_ref().map(|last| last.number.saturating_add(1)));
                self.find(place, None, sentence(&error));
                // The chain goes on with whatever follows; its link will be compared with nothing.
                self.last = None;
                self.complete = false;
            }
        }
    }
}
