//! What happened to the address of each LP: insert-only, every row with what holds after it.

use std::collections::BTreeMap;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::dialect::{Dialect, Hold};
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::payouts::{MAX_NOTE_BYTES, PayoutOutput};
use crate::rows::{check_name, check_text, count, runs, signed, statement, unsigned};
use crate::writer::Lock;
use crate::{Store, connection};

/// The most rows told at once.
pub const MAX_ADDRESSES_PAGE: u32 = 10_000;

/// Something that happened to an LP's address, and what holds after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRecord {
    /// Its number.
    pub change_no: u64,
    /// The LP.
    pub lp_id: i64,
    /// `proven`, `begun`, `withdrawn` or `stopped`.
    pub kind: String,
    /// The challenge that was met; `None` where the operator stopped a change.
    pub challenge_id: Option<u64>,
    /// The address in force.
    pub address: String,
    /// Whether it is proven.
    pub proven: bool,
    /// The address that replaces it, and from when on, in Unix milliseconds.
    pub next: Option<(String, u64)>,
    /// Why.
    pub why: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// What is to be written of an LP's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddressRecord {
    /// The LP.
    pub lp_id: i64,
    /// `proven`, `begun`, `withdrawn` or `stopped`.
    pub kind: &'static str,
    /// The address in force.
    pub address: String,
    /// Whether it is proven.
    pub proven: bool,
    /// The address that replaces it, and from when on, in Unix milliseconds.
    pub next: Option<(String, u64)>,
    /// Why.
    pub why: String,
}

/// What became of a challenge that an order met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// It is met, and what follows is written.
    Done,
    /// Something happened to the address since the caller looked: look again.
    Changed,
    /// It was met before, or it has lapsed.
    NotOpen,
}

impl Store {
    /// What happened last to an LP's address. `None` if nothing ever did.
    pub async fn newest_address(&self, lp_id: i64) -> Result<Option<AddressRecord>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        newest(&mut reader, lp_id).await
    }

    /// What happened last to the address of each LP whose number is above `after_lp_id`, by rising number, at most
    /// `limit` and at most [`MAX_ADDRESSES_PAGE`]. LPs to whose address nothing happened are not among them.
    pub async fn newest_addresses(
        &self,
        after_lp_id: i64,
        limit: u32,
    ) -> Result<Vec<AddressRecord>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT a.* FROM address_changes a WHERE a.lp_id > $1 AND a.change_no = \
             (SELECT MAX(b.change_no) FROM address_changes b WHERE b.lp_id = a.lp_id) ORDER BY a.lp_id LIMIT $2",
        )
        .bind(after_lp_id)
        .bind(i64::from(limit.min(MAX_ADDRESSES_PAGE)))
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(record).collect()
    }

    /// Everything that happened to an LP's address, oldest first, at most [`MAX_ADDRESSES_PAGE`].
    pub async fn address_history(&self, lp_id: i64) -> Result<Vec<AddressRecord>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query("SELECT * FROM address_changes WHERE lp_id = $1 ORDER BY change_no LIMIT $2")
            .bind(lp_id)
            .bind(i64::from(MAX_ADDRESSES_PAGE))
            .fetch_all(&mut *reader)
            .await?;
        rows.iter().map(record).collect()
    }

    /// Every address that an LP has, had or is about to have beside the one it registered with, by LP.
    pub async fn changed_addresses(&self) -> Result<Vec<(i64, String)>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT lp_id, address FROM address_changes UNION \
             SELECT lp_id, next_address AS address FROM address_changes WHERE next_address <> '' \
             ORDER BY lp_id, address",
        )
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("lp_id")?, row.try_get("address")?))).collect()
    }

    /// Notes that a challenge is met, and writes what follows for the address, if anything does: all or nothing, and
    /// only if `before` is still the number of what happened last to the address (zero: nothing did). Of two servers
    /// that see the same order exactly one gets [`Met::Done`].
    pub async fn meet_challenge(
        &self,
        challenge_id: u64,
        before: u64,
        follows: Option<&NewAddressRecord>,
    ) -> Result<Met, StoreError> {
        follows.map_or(Ok(()), NewAddressRecord::check)?;
        self.shared.write.persistently(|| self.meet_once(challenge_id, before, follows)).await
    }

    async fn meet_once(
        &self,
        challenge_id: u64,
        before: u64,
        follows: Option<&NewAddressRecord>,
    ) -> Result<Met, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let id = signed("the challenge", challenge_id)?;
        let met = sqlx::query(
            "UPDATE challenges SET met_at_ms = $2 WHERE challenge_id = $1 AND met_at_ms = 0 \
             AND lapses_at_ms > $2 AND digits <> '' RETURNING lp_id",
        )
        .bind(id)
        .bind(signed("the time", at_ms)?)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(met) = met else { return Ok(Met::NotOpen) };
        let lp_id: i64 = met.try_get("lp_id")?;
        if number_of_newest(&mut transaction, lp_id).await? != before {
            return Ok(Met::Changed);
        }
        if let Some(follows) = follows {
            if follows.lp_id != lp_id {
                return Err(StoreError::invalid("what follows a challenge", "it is about another LP"));
            }
            insert(&mut transaction, follows, Some(id), at_ms).await?;
        }
        write.commit(transaction).await?;
        Ok(Met::Done)
    }

    /// Writes that the operator stopped a change, if `before` is still the number of what happened last to the address.
    /// Whether it was.
    pub async fn stop_address_change(
        &self,
        lease: &Lease,
        before: u64,
        stopped: &NewAddressRecord,
    ) -> Result<bool, StoreError> {
        stopped.check()?;
        self.shared.write.persistently(|| self.stop_once(lease, before, stopped)).await
    }

    async fn stop_once(
        &self,
        lease: &Lease,
        before: u64,
        stopped: &NewAddressRecord,
    ) -> Result<bool, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        if number_of_newest(&mut transaction, stopped.lp_id).await? != before {
            return Ok(false);
        }
        insert(&mut transaction, stopped, None, at_ms).await?;
        write.commit(transaction).await?;
        Ok(true)
    }
}

impl NewAddressRecord {
    fn check(&self) -> Result<(), StoreError> {
        check_name("the address", &self.address)?;
        check_text("the reason", &self.why, MAX_NOTE_BYTES)?;
        match &self.next {
            Some((address, from_ms)) if *from_ms > 0 => check_name("the next address", address),
            Some(_) => Err(StoreError::invalid("the next address", "it has no time")),
            None => Ok(()),
        }
    }
}

/// Whether an LP that registered with `registered` has this address, or is about to: then it may register with it.
pub(crate) async fn is_address_of(
    on: &mut AnyConnection,
    lp_id: i64,
    registered: &str,
    address: &str,
    now_ms: u64,
) -> Result<bool, StoreError> {
    let Some(newest) = newest(on, lp_id).await? else { return Ok(registered == address) };
    let is_next = newest.next.as_ref().is_some_and(|(next, _)| next == address);
    Ok(is_next || newest.in_force(now_ms).0 == address)
}

/// Refuses outputs that would pay an LP elsewhere than at its address, or while that changes. Of LPs to whose address
/// nothing ever happened there is nothing to look at. To be asked with the ledger's lock.
pub(crate) async fn check_payable(
    on: &mut AnyConnection,
    dialect: Dialect,
    outputs: &[PayoutOutput],
    now_ms: u64,
) -> Result<(), StoreError> {
    let paid_at: BTreeMap<i64, &str> = outputs
        .iter()
        .flat_map(|output| output.debits.iter().map(|debit| (debit.lp_id, output.address.as_str())))
        .collect();
    let lp_ids: Vec<i64> = paid_at.keys().copied().collect();
    for run in runs(dialect, &lp_ids) {
        let mut select = sqlx::query(statement(
            "SELECT a.* FROM address_changes a WHERE a.change_no = \
             (SELECT MAX(b.change_no) FROM address_changes b WHERE b.lp_id = a.lp_id) AND a.lp_id IN (",
            "$",
            run.len(),
            ")",
        ));
        for lp_id in run {
            select = select.bind(*lp_id);
        }
        for row in select.fetch_all(&mut *on).await? {
            let newest = record(&row)?;
            let (address, changing) = newest.in_force(now_ms);
            if changing || paid_at.get(&newest.lp_id) != Some(&address) {
                return Err(StoreError::invalid(
                    "an output",
                    "the address of its LP has changed, or is about to",
                ));
            }
        }
    }
    Ok(())
}

impl AddressRecord {
    /// The address that is in force at this time, and whether it is about to be replaced.
    fn in_force(&self, now_ms: u64) -> (&str, bool) {
        match &self.next {
            Some((next, from_ms)) if *from_ms <= now_ms => (next, false),
            Some(_) => (&self.address, true),
            None => (&self.address, false),
        }
    }
}

async fn newest(on: &mut AnyConnection, lp_id: i64) -> Result<Option<AddressRecord>, StoreError> {
    let row = sqlx::query("SELECT * FROM address_changes WHERE lp_id = $1 ORDER BY change_no DESC LIMIT 1")
        .bind(lp_id)
        .fetch_optional(on)
        .await?;
    row.as_ref().map(record).transpose()
}

async fn number_of_newest(on: &mut AnyConnection, lp_id: i64) -> Result<u64, StoreError> {
    Ok(newest(on, lp_id).await?.map_or(0, |newest| newest.change_no))
}

async fn insert(
    on: &mut AnyConnection,
    new: &NewAddressRecord,
    challenge_id: Option<i64>,
    at_ms: u64,
) -> Result<(), StoreError> {
    let (next_address, next_from_ms) =
        new.next.as_ref().map_or(("", 0), |(address, from_ms)| (address.as_str(), *from_ms));
    sqlx::query(
        "INSERT INTO address_changes (change_no, lp_id, kind, challenge_id, address, proven, next_address, \
         next_from_ms, why, at_ms) VALUES ((SELECT COALESCE(MAX(change_no), 0) + 1 FROM address_changes), \
         $1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(new.lp_id)
    .bind(new.kind)
    .bind(challenge_id)
    .bind(new.address.as_str())
    .bind(i64::from(new.proven))
    .bind(next_address)
    .bind(signed("the time", next_from_ms)?)
    .bind(new.why.as_str())
    .bind(signed("the time", at_ms)?)
    .execute(on)
    .await?;
    Ok(())
}

fn record(row: &AnyRow) -> Result<AddressRecord, StoreError> {
    let challenge_id: Option<i64> = row.try_get("challenge_id")?;
    let next_address: String = row.try_get("next_address")?;
    let next_from_ms = count(row, "next_from_ms")?;
    Ok(AddressRecord {
        change_no: count(row, "change_no")?,
        lp_id: row.try_get("lp_id")?,
        kind: row.try_get("kind")?,
        challenge_id: challenge_id.map(unsigned).transpose()?,
        address: row.try_get("address")?,
        proven: count(row, "proven")? != 0,
        next: (!next_address.is_empty()).then_some((next_address, next_from_ms)),
        why: row.try_get("why")?,
        at_ms: count(row, "at_ms")?,
    })
}
