//! Who signs: makes each new entry for the head that is there, and hands out what opens pseudonyms.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use alp_record::chain::{
    Body, Digest, Entry, EntryError, EpochStart, Header, NONCE_BYTES, Opening, PoolKey, Receipt,
    SignedReceipt,
};
use alp_store::{Appended, KnownOpening, Lease, NewEntry, Published, RecordHead, Store, StoreError};
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;
use tokio::sync::{Mutex as AsyncMutex, Semaphore, SemaphorePermit};

use super::packed::{PackError, pack, unpack};
use super::signing_together::SigningTogether;

/// How often an entry is made again because another one came first. Only payouts, corrections and rounds add entries,
/// and only the server that leads.
pub const MAX_ATTEMPTS: u32 = 10;

/// How long a head that another server may have moved on is still told in receipts: entries come once a round.
const HEAD_FOR: Duration = Duration::from_secs(1);

/// Most openings that are remembered: a few megabytes. Beyond it the memory starts afresh.
const MAX_REMEMBERED: usize = 16_384;

/// Most entries that are read for others at a time: each may be many megabytes.
const MAX_READERS: usize = 4;

/// Why a record begins that was not there.
const BEGINS: &str = "the record of this pool begins";

/// Signs the pool's record.
pub struct Publisher {
    key: PoolKey,
    pool: String,
    head: Mutex<(Head, Instant)>,
    openings: Mutex<HashMap<i64, Opening>>,
    readers: Semaphore,
    receipts: SigningTogether,
    /// The lease under which everything was published that the ledger had before.
    pub(super) caught_up: AsyncMutex<u64>,
}

/// An LP with its pseudonym and what opens it.
type LpOpened = (i64, Digest, Opening);

/// LPs with their pseudonyms; or the new nonces of those among them that have none yet.
type OpenedOrNew = Result<Vec<LpOpened>, Vec<(i64, String)>>;

/// The newest entry, as receipts and the next entry refer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its header.
    pub header: Header,
    /// The header's digest.
    pub digest: Digest,
}

impl Publisher {
    /// Opens the record with the key that signs it, and begins it where there is none: then the key's public half is
    /// the pool's id from now on.
    ///
    /// # Errors
    /// [`PublishError`] for the operator.
    pub async fn open(store: &Store, key: PoolKey) -> Result<Self, PublishError> {
        let public = key.public().to_string();
        if store.record_head().await?.is_none() {
            let start =
                EpochStart { reason: BEGINS.to_owned(), last_published: Digest::NOTHING, last_round: 0 };
            let at_ms = store.clock_ms().await?;
            let entry = Entry::sign(&key, &public, 1, None, at_ms, Body::Epoch(start));
            // If another server was first, what it began counts.
            store.begin_record(&new_entry(&entry, None)?).await?;
        }
        let stored = store.record_head().await?.ok_or(PublishError::Damaged)?;
        let (head, signed_by) = read_head(&stored)?;
        if signed_by != public {
            return Err(PublishError::OtherKey { signed_by, public });
        }
        let pool = head.header.pool.clone();
        let openings = Mutex::default();
        let readers = Semaphore::new(MAX_READERS);
        let (head, caught_up) = (Mutex::new((head, Instant::now())), AsyncMutex::new(0));
        let receipts = SigningTogether::default();
        Ok(Self { key, pool, head, openings, readers, receipts, caught_up })
    }

    /// The pool's id.
    #[must_use]
    pub fn pool(&self) -> &str {
        &self.pool
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &PoolKey {
        &self.key
    }

    /// Signs a receipt, with those of other submissions that were stored in the same moment.
    pub async fn sign_receipt(&self, receipt: Receipt) -> SignedReceipt {
        self.receipts.sign(receipt, &self.key).await
    }

    /// The newest entry, at most a second old; older if the database does not answer.
    pub async fn head(&self, store: &Store) -> Head {
        let (known, read_at) = self.head.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if read_at.elapsed() < HEAD_FOR {
            return known;
        }
        match self.read_head(store).await {
            Ok(head) => head,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the record's head cannot be read");
                known
            }
        }
    }

    /// The newest entry, read now.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn read_head(&self, store: &Store) -> Result<Head, PublishError> {
        let stored = store.record_head().await?.ok_or(PublishError::Damaged)?;
        let (head, _) = read_head(&stored)?;
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = (head.clone(), Instant::now());
        Ok(head)
    }

    /// Signs a body as the entry after `head`. It takes as long as the body is large: not for a thread that answers.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn sign(&self, head: &Head, at_ms: u64, body: Body) -> Result<(Entry, NewEntry), PackError> {
        let epoch = head.header.epoch;
        let epoch = if matches!(body, Body::Epoch(_)) { epoch.saturating_add(1) } else { epoch };
        let entry = Entry::sign(&self.key, &self.pool, epoch, Some(&head.header), at_ms, body);
        let new = new_entry(&entry, Some(head.digest))?;
        Ok((entry, new))
    }

    /// A place among those who read entries, to be kept while one is read. None if the pool ends.
    pub async fn reading(&self) -> Option<SemaphorePermit<'_>> {
        self.readers.acquire().await.ok()
    }

    /// Adds an entry that tells of nothing else in the database, such as what is carried forward.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn append(&self, store: &Store, lease: &Lease, body: Body) -> Result<Header, PublishError> {
        let appended = self.publish(store, body, |entry| async move {
            Ok::<_, PublishError>(match store.append_entry(lease, &entry).await? {
                Appended::Appended => Published::Published,
                Appended::HeadMoved => Published::HeadMoved,
            })
        });
        appended.await?.ok_or(PublishError::HeadMoves)
    }

    /// Signs a body for the head that is there, and hands the entry to `write`, which adds it together with what it
    /// tells of, or writes nothing. If another entry came first, it is signed anew. Nothing if what it tells of is not
    /// as the caller saw it.
    ///
    /// # Errors
    /// [`PublishError`], and whatever `write` fails with.
    pub async fn publish<E: From<PublishError>, W: Future<Output = Result<Published, E>>>(
        &self,
        store: &Store,
        body: Body,
        write: impl Fn(NewEntry) -> W,
    ) -> Result<Option<Header>, E> {
        let mut body = body;
        for _ in 0..MAX_ATTEMPTS {
            let head = self.read_head(store).await?;
            let at_ms = store.clock_ms().await.map_err(PublishError::from)?;
            let (entry, new) = self.sign(&head, at_ms, body).map_err(PublishError::from)?;
            match write(new).await? {
                Published::Published => {
                    self.read_head(store).await?;
                    return Ok(Some(entry.header));
                }
                Published::Unchanged => return Ok(None),
                Published::HeadMoved => body = entry.body,
            }
        }
        Err(PublishError::HeadMoves.into())
    }

    /// Begins an epoch, as it has to be after the database was restored. No server may run meanwhile.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn begin_epoch(&self, store: &Store, start: EpochStart) -> Result<Header, PublishError> {
        let head = self.read_head(store).await?;
        let (entry, new) = self.sign(&head, store.clock_ms().await?, Body::Epoch(start))?;
        match store.begin_record(&new).await? {
            Appended::Appended => {
                self.read_head(store).await?;
                Ok(entry.header)
            }
            Appended::HeadMoved => Err(PublishError::HeadMoves),
        }
    }

    /// What opens the pseudonym of one LP; it is made where there is none.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn opening(&self, store: &Store, lp_id: i64) -> Result<Opening, PublishError> {
        if let Some(known) = self.openings.lock().unwrap_or_else(PoisonError::into_inner).get(&lp_id) {
            return Ok(known.clone());
        }
        let mut nonce = store.opening(lp_id).await?;
        if nonce.is_none() {
            store.give_openings(&[(lp_id, new_opening()?.reveal())]).await?;
            nonce = store.opening(lp_id).await?;
        }
        let opening = nonce.as_deref().and_then(Opening::parse).ok_or(PublishError::Damaged)?;
        let mut known = self.openings.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(lp_id, opening.clone());
        Ok(opening)
    }

    /// The LPs that have samples in a round, with their pseudonyms and openings, by rising number.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn lps_of_round(&self, store: &Store, round_start: u64) -> Result<Vec<LpOpened>, PublishError> {
        let known = store.openings_of_round(round_start).await?;
        match self.opened(&known)? {
            Ok(lps) => Ok(lps),
            Err(given) => {
                store.give_openings(&given).await?;
                self.opened(&store.openings_of_round(round_start).await?)?.map_err(|_| PublishError::Damaged)
            }
        }
    }

    /// The pseudonyms of these LPs. One that has none yet gets one.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn pseudonyms(
        &self,
        store: &Store,
        lp_ids: &[i64],
    ) -> Result<BTreeMap<i64, Digest>, PublishError> {
        let lps = match self.opened(&store.openings_of(lp_ids).await?)? {
            Ok(lps) => lps,
            Err(given) => {
                store.give_openings(&given).await?;
                self.opened(&store.openings_of(lp_ids).await?)?.map_err(|_| PublishError::Damaged)?
            }
        };
        Ok(lps.into_iter().map(|(lp_id, pseudonym, _)| (lp_id, pseudonym)).collect())
    }

    /// The LPs with their pseudonyms; or new nonces, if some have none.
    fn opened(&self, known: &[KnownOpening]) -> Result<OpenedOrNew, PublishError> {
        let missing = known.iter().filter(|lp| lp.nonce.is_none()).map(|lp| lp.lp_id);
        let given = missing.map(|lp_id| Ok((lp_id, new_opening()?.reveal())));
        let given = given.collect::<Result<Vec<_>, PublishError>>()?;
        if !given.is_empty() {
            return Ok(Err(given));
        }
        let lps = known.iter().map(|lp| {
            let opening = lp.nonce.as_deref().and_then(Opening::parse).ok_or(PublishError::Damaged)?;
            Ok((lp.lp_id, opening.pseudonym(&self.pool, &lp.api_key), opening))
        });
        lps.collect::<Result<_, PublishError>>().map(Ok)
    }

    /// What the epoch that runs began with.
    ///
    /// # Errors
    /// [`PublishError`].
    pub async fn epoch(&self, store: &Store) -> Result<EpochStart, PublishError> {
        let packed = store.newest_of_kind("epoch").await?.ok_or(PublishError::Damaged)?;
        match Entry::read(&unpack(&packed)?)?.body {
            Body::Epoch(start) => Ok(start),
            Body::Round(_) | Body::Correction(_) | Body::Payout(_) | Body::CarryForward(_) => {
                Err(PublishError::Damaged)
            }
        }
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// A shared publisher.
pub type SharedPublisher = Arc<Publisher>;

fn new_opening() -> Result<Opening, PublishError> {
    let mut nonce = [0; NONCE_BYTES];
    SystemRandom::new().fill(&mut nonce).map_err(|_| PublishError::NoRandomness)?;
    Ok(Opening::new(nonce))
}

fn new_entry(entry: &Entry, previous: Option<Digest>) -> Result<NewEntry, PackError> {
    let (kind, round_start) = match &entry.body {
        Body::Epoch(_) => ("epoch", None),
        Body::Round(round) => ("round", Some(round.start)),
        Body::Correction(_) => ("correction", None),
        Body::Payout(_) => ("payout", None),
        Body::CarryForward(forward) if forward.part == 1 => ("carry_forward", None),
        Body::CarryForward(_) => ("carry_forward_part", None),
    };
    let head = RecordHead {
        number: entry.header.number,
        epoch: entry.header.epoch,
        round_start,
        digest: entry.header.digest().to_string(),
        header: entry.header.line(),
        signature: serde_json::to_string(&entry.signature).unwrap_or_default(),
        at_ms: entry.header.at_ms,
    };
    let previous = previous.map(|previous| previous.to_string());
    Ok(NewEntry { head, previous, kind: kind.to_owned(), packed: pack(&entry.text())? })
}

/// The head, and the key it says it was signed by.
fn read_head(stored: &RecordHead) -> Result<(Head, String), PublishError> {
    let header: Header = serde_json::from_str(&stored.header).map_err(|_| PublishError::Damaged)?;
    let signature = serde_json::from_str(&stored.signature).map_err(|_| PublishError::Damaged)?;
    let signed_by = header.check_signature(&signature)?;
    let digest = header.digest();
    if digest.to_string() != stored.digest {
        return Err(PublishError::Damaged);
    }
    Ok((Head { header, digest }, signed_by.to_string()))
}

/// Why the record cannot be published. The operator's.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry cannot be packed.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The record in the database was changed by another hand.
    #[error("the newest entry of the record in the database is not as it was written")]
    Entry(#[from] EntryError),
    /// The record in the database was changed by another hand.
    #[error("the record in the database is damaged; restore a backup")]
    Damaged,
    /// The key is not the one that signed before.
    #[error(
        "the pool's record is signed by the key {signed_by}, and signing_key_file holds the key {public}: give the \
         pool its own key back, which every server of this database needs; a pool cannot change its key"
    )]
    OtherKey {
        /// The public key that signed before.
        signed_by: String,
        /// The public key of the file.
        public: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a pseudonym")]
    NoRandomness,
    /// Others add entries all the time.
    #[error(
        "the record's head moved {MAX_ATTEMPTS} times while an entry was made for it; it is tried again later"
    )]
    HeadMoves,
}
