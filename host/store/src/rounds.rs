//! Rounds: closed once, credited once, each in one transaction.

use std::collections::BTreeSet;

use sqlx::Row;

use crate::credits::{CreditEntry, insert_credits};
use crate::dialect::Hold;
use crate::edge::hold_alone;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::records::{Appended, NewEntry, append_in};
use crate::rows::{check_text, count, signed, unsigned};
use crate::writer::Lock;
use crate::{Store, connection};

/// The most credits of one round: ten times the largest pool the project measures itself against.
pub const MAX_CREDITS: usize = 100_000;

/// The longest statistics kept of a round, in bytes. Every market's totals by side and rank are far below.
pub const MAX_STATISTICS_BYTES: usize = 4 * 1024 * 1024;

/// The most unfinished rounds told at once: a week of minutes. The rest is told when these are done.
pub const MAX_UNFINISHED: u64 = 10_080;

/// The most rounds looked back upon for gaps: a week of minutes.
pub const MAX_GAPS_LOOKBACK: u64 = 10_080;

/// What [`Store::close_round`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The round was open and is closed now.
    Closed {
        /// How long it is: it keeps the length it began with.
        round_seconds: u64,
    },
    /// It was closed before, and is not credited: its run was broken off.
    AlreadyClosed {
        /// How long it is.
        round_seconds: u64,
    },
    /// It is credited. There is nothing left to do.
    AlreadyCredited,
}

/// What [`Store::record_round`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The round is credited now.
    Recorded,
    /// It was credited before, and nothing was written.
    AlreadyRecorded,
    /// Another entry of the published record came before the round's, and nothing was written: the entry has to be
    /// made again, for the head that is there now.
    HeadMoved,
}

/// All that comes of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundRecord {
    /// Start of the round, in Unix seconds.
    pub round_start: u64,
    /// What each LP gets; at most one entry for an LP and a unit.
    pub credits: Vec<CreditEntry>,
    /// The caller's own JSON about the whole round.
    pub statistics: String,
    /// The pots of all markets together, in 1e-8 of the coin.
    pub reward_e8: i64,
    /// The sum of the credits, in 1e-8 of the coin. The rest of the reward is unspent.
    pub paid_e8: i64,
}

impl Store {
    /// Closes a round: from now on samples go into later ones, whichever server takes them, and every sample that
    /// was answered with this round is in it. A round that has not ended by the database's clock is refused with
    /// [`StoreError::RoundStillOpen`]; one who does not lead, with [`StoreError::NotLeader`]. Calling it again
    /// changes nothing.
    pub async fn close_round(&self, lease: &Lease, round_start: u64) -> Result<Closed, StoreError> {
        self.shared.write.persistently(|| self.close_once(lease, round_start)).await
    }

    async fn close_once(&self, lease: &Lease, round_start: u64) -> Result<Closed, StoreError> {
        let start = signed("round_start", round_start)?;
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        let held = hold_alone(&mut transaction, write.dialect, start, write.round_seconds).await?;
        let known = sqlx::query("SELECT state, round_seconds FROM rounds WHERE round_start = $1")
            .bind(start)
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(known) = known {
            let state: String = known.try_get("state")?;
            let round_seconds = count(&known, "round_seconds")?;
            transaction.rollback().await?;
            return Ok(match state.as_str() {
                "credited" => Closed::AlreadyCredited,
                _ => Closed::AlreadyClosed { round_seconds },
            });
        }
        let held = held.ok_or(StoreError::corrupt("a round that was not recorded lost its row"))?;
        // A round keeps the length it began with, though the configuration may have changed since.
        let round_seconds = held.round_seconds;
        // Read after everybody was waited for who writes into the round.
        let now_ms = write.now_ms(&mut transaction).await?;
        let end_ms = round_start.saturating_add(round_seconds).saturating_mul(1000);
        if end_ms > now_ms {
            transaction.rollback().await?;
            return Err(StoreError::RoundStillOpen { round_start, remaining_ms: end_ms - now_ms });
        }
        sqlx::query(
            "INSERT INTO rounds (round_start, round_seconds, state, closed_at_ms) \
             VALUES ($1, $2, 'closed', $3) ON CONFLICT (round_start) DO NOTHING",
        )
        .bind(start)
        .bind(signed("round_seconds", round_seconds)?)
        .bind(signed("the time", now_ms)?)
        .execute(&mut *transaction)
        .await?;
        held.leave(&mut transaction, start).await?;
        write.commit(transaction).await?;
        Ok(Closed::Closed { round_seconds })
    }

    /// Credits a closed round: its record, every credit and every running total, all or nothing. A round
    /// that is credited already is left as it is. One who does not lead is refused with
    /// [`StoreError::NotLeader`].
    pub async fn record_round(&self, lease: &Lease, record: &RoundRecord) -> Result<Recorded, StoreError> {
        record.check()?;
        self.shared.write.persistently(|| self.record_once(lease, record, None)).await
    }

    /// As [`Store::record_round`], with the entry that publishes the round in the same transaction: what is credited
    /// is published, and nothing else is.
    pub async fn publish_round(
        &self,
        lease: &Lease,
        record: &RoundRecord,
        entry: &NewEntry,
    ) -> Result<Recorded, StoreError> {
        record.check()?;
        entry.check()?;
        self.shared.write.persistently(|| self.record_once(lease, record, Some(entry))).await
    }

    async fn record_once(
        &self,
        lease: &Lease,
        record: &RoundRecord,
        entry: Option<&NewEntry>,
    ) -> Result<Recorded, StoreError> {
        let round_start = signed("round_start", record.round_start)?;
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let now_ms = write.now_ms(&mut transaction).await?;
        let updated = sqlx::query(
            "UPDATE rounds SET state = 'credited', credited_at_ms = $2, reward_e8 = $3, paid_e8 = $4, \
             statistics = $5 WHERE round_start = $1 AND state = 'closed'",
        )
        .bind(round_start)
        .bind(signed("the time", now_ms)?)
        .bind(record.reward_e8)
        .bind(record.paid_e8)
        .bind(record.statistics.as_str())
        .execute(&mut *transaction)
        .await?;
        if updated.rows_affected() == 0 {
            let known = sqlx::query("SELECT state FROM rounds WHERE round_start = $1")
                .bind(round_start)
                .fetch_optional(&mut *transaction)
                .await?;
            transaction.rollback().await?;
            return match known {
                Some(_) => Ok(Recorded::AlreadyRecorded),
                None => Err(StoreError::RoundNotClosed { round_start: record.round_start }),
            };
        }
        insert_credits(&mut transaction, write.dialect, round_start, &record.credits).await?;
        sqlx::query("DELETE FROM uncredited_rounds WHERE round_start = $1")
            .bind(round_start)
            .execute(&mut *transaction)
            .await?;
        if let Some(entry) = entry
            && append_in(&mut transaction, write, entry).await? == Appended::HeadMoved
        {
            transaction.rollback().await?;
            return Ok(Recorded::HeadMoved);
        }
        write.commit(transaction).await?;
        Ok(Recorded::Recorded)
    }

    /// Starts of the rounds that ended at `now_ms` or before, have samples and are not credited, oldest
    /// first; closed ones too. Reads one row a round that is left to do, whatever the length of history.
    pub async fn unfinished_rounds(&self, now_ms: u64) -> Result<Vec<u64>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT round_start FROM uncredited_rounds WHERE (round_start + round_seconds) * 1000 <= $1 \
             ORDER BY round_start LIMIT $2",
        )
        .bind(signed("the time", now_ms)?)
        .bind(signed("the number of rounds", MAX_UNFINISHED)?)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(|row| count(row, "round_start")).collect()
    }

    /// Starts of those among the `last` rounds before `now_ms` of which nothing is known: no sample and no
    /// record, because the pool did not run. Oldest first, none before the pool's first round.
    pub async fn gaps(&self, now_ms: u64, last: u64) -> Result<Vec<u64>, StoreError> {
        let round_seconds = self.shared.write.round_seconds;
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT MIN(round_start) AS first FROM rounds").fetch_one(&mut *reader).await?;
        let Some(first) = row.try_get::<Option<i64>, _>("first")? else { return Ok(Vec::new()) };
        let now_s = now_ms / 1000;
        let end = now_s - now_s % round_seconds;
        let span = last.min(MAX_GAPS_LOOKBACK).saturating_mul(round_seconds);
        let from = end.saturating_sub(span).max(unsigned(first)?);
        let rows = sqlx::query(
            "SELECT round_start FROM rounds WHERE round_start >= $1 AND round_start < $2 UNION \
             SELECT round_start FROM uncredited_rounds WHERE round_start >= $1 AND round_start < $2",
        )
        .bind(signed("the time", from)?)
        .bind(signed("the time", end)?)
        .fetch_all(&mut *reader)
        .await?;
        let known = rows.iter().map(|row| count(row, "round_start")).collect::<Result<BTreeSet<_>, _>>()?;
        let step = usize::try_from(round_seconds).unwrap_or(usize::MAX);
        let aligned = from.next_multiple_of(round_seconds);
        Ok((aligned..end).step_by(step).filter(|start| !known.contains(start)).collect())
    }
}

impl RoundRecord {
    /// The sums must hold before anything is written: whatever the caller got wrong, no money appears.
    fn check(&self) -> Result<(), StoreError> {
        let unbalanced = |reason| StoreError::Unbalanced { round_start: self.round_start, reason };
        if self.credits.len() > MAX_CREDITS {
            return Err(StoreError::invalid("the list of credits", "it is too long"));
        }
        check_text("the statistics", &self.statistics, MAX_STATISTICS_BYTES)?;
        let mut sum_e8 = 0_i64;
        for credit in &self.credits {
            credit.check()?;
            sum_e8 = sum_e8
                .checked_add(credit.amount_e8)
                .ok_or(unbalanced("the sum of the credits is beyond 63 bits"))?;
        }
        if sum_e8 != self.paid_e8 {
            return Err(unbalanced("the credits do not add up to what is paid"));
        }
        if self.paid_e8 > self.reward_e8 {
            return Err(unbalanced("more is paid than the reward"));
        }
        Ok(())
    }
}
