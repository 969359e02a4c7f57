//! Carrying balances forward in the published record: once a day an entry says what all before it came to. When it is old
//! enough itself, the entries before it may go.
//!
//! The balances are added up from the record and not from the ledger, so that whoever kept the old entries finds exactly
//! these, whatever happened to the ledger in a restore or before there was a record.

use std::sync::PoisonError;

use alp_record::chain::{Body, Entry, MAX_CARRIED_LPS, OwedByRecord};
use alp_store::{Appended, EntryOf, Lease, NewEntry};

use super::{DAY_MS, Retention, RetentionError, Step};
use crate::record::{Head, unpack};

/// How long after balances were carried forward they are again, in milliseconds.
const EVERY_MS: u64 = DAY_MS;

/// The most entries added up in a step: of a large pool each takes some hundredths of a second.
const ENTRIES_AT_A_TIME: u64 = 16;

/// What the record comes to up to some entry.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// The number of the first entry that is not in it.
    next: u64,
    owed: OwedByRecord,
    /// Whether anything is in it that was not carried forward already.
    news: bool,
}

impl Retention {
    /// Adds up some more of the record, or publishes what it comes to.
    pub(super) async fn carry_record(
        &self,
        lease: &Lease,
        days: u64,
        now_ms: u64,
    ) -> Result<Step, RetentionError> {
        let newest = self.store.newest_carried(now_ms).await?;
        if newest.is_some_and(|(_, at_ms)| now_ms.saturating_sub(at_ms) < EVERY_MS) {
            return Ok(Step::Idle);
        }
        let oldest = newest.map_or(0, |(number, _)| number);
        let known = self.counted.lock().unwrap_or_else(PoisonError::into_inner).take();
        let known = known.filter(|counted| counted.next >= oldest);
        let counted = known.unwrap_or_else(|| Counted { next: oldest, ..Counted::default() });
        let head = self.publisher.read_head(&self.store).await?;
        if counted.next <= head.header.number {
            let last = head.header.number.min(counted.next.saturating_add(ENTRIES_AT_A_TIME - 1));
            let before = counted.next;
            self.keep(self.count(counted, last).await?);
            return Ok(Step::Counted(last.saturating_sub(before).saturating_add(1)));
        }
        if !counted.news {
            self.keep(counted);
            return Ok(Step::Idle);
        }
        let entries = self.sign(counted.owed.clone(), head, days, now_ms).await?;
        let appended =
            self.written("carry the record forward", self.store.append_entries(lease, &entries)).await?;
        if appended == Appended::HeadMoved {
            // Another entry came first: it is added up, and then all is signed anew.
            self.keep(counted);
            return Ok(Step::Counted(0));
        }
        self.publisher.read_head(&self.store).await?;
        Ok(Step::Carried)
    }

    fn keep(&self, counted: Counted) {
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted);
    }

    /// Adds the entries up to this number.
    async fn count(&self, mut counted: Counted, last: u64) -> Result<Counted, RetentionError> {
        for number in counted.next..=last {
            let entry = self.store.packed_entry(EntryOf::Number(number)).await?;
            let (_, packed) = entry.ok_or(RetentionError::Missing { number })?;
            counted = off_thread(move || {
                let entry = Entry::read(&unpack(&packed)?)
                    .map_err(|source| RetentionError::Entry { number, source })?;
                counted.news |= !matches!(entry.body, Body::CarryForward(_));
                counted.owed.add(&entry.body);
                counted.next = number.saturating_add(1);
                Ok(counted)
            })
            .await?;
        }
        Ok(counted)
    }

    /// The entries that carry balances forward, signed to follow the head.
    async fn sign(
        &self,
        owed: OwedByRecord,
        mut head: Head,
        days: u64,
        now_ms: u64,
    ) -> Result<Vec<NewEntry>, RetentionError> {
        let publisher = std::sync::Arc::clone(&self.publisher);
        off_thread(move || {
            let why = format!("entries that are older than {days} days may be forgotten");
            let mut entries = Vec::new();
            for body in owed.carry_forward(&why, MAX_CARRIED_LPS)? {
                let (entry, new) = publisher.sign(&head, now_ms, body)?;
                head = Head { digest: entry.header.digest(), header: entry.header };
                entries.push(new);
            }
            Ok(entries)
        })
        .await
    }
}

/// Reading and signing take as long as an entry is large: not on a thread that answers bots.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RetentionError> + Send + 'static,
) -> Result<T, RetentionError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| RetentionError::Interrupted)?
}
