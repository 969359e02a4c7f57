//! Old credits become sums: one for an LP and a unit, in the transaction that deletes them.
//!
//! The ledger is shortened from its beginning, in the order of its numbers, and never a row that is the newest of its
//! LP. So every running total that is left still says what it said, whoever reads a balance needs to know nothing of
//! this, and the next round goes on from the same row.

use sqlx::{AnyConnection, Row};

use super::{Forgot, note_forgotten};
use crate::credits::MAX_BALANCES_PAGE;
use crate::dialect::Hold;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::rows::{count, signed};
use crate::writer::Lock;
use crate::{Store, connection};

/// The most numbers of the ledger that one transaction goes on by: some tens of milliseconds' worth, since rounds and
/// payouts wait for the ledger meanwhile.
pub const MAX_CREDITS_CARRIED: u32 = 1_000;

/// What an LP's deleted credits for a unit come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarriedCredits {
    /// The LP.
    pub lp_id: i64,
    /// The unit.
    pub unit: String,
    /// How many credits they were.
    pub entries: u64,
    /// Their sum, in 1e-8 of the coin.
    pub amount_e8: i64,
    /// The oldest of their rounds, by its start in Unix seconds.
    pub first_round: u64,
    /// The newest of their rounds, by its start in Unix seconds.
    pub last_round: u64,
    /// The highest number that one of them had in the ledger.
    pub last_entry_no: u64,
}

/// Which credits go: those below a number, but for the newest of each LP. One that was the newest when its number was
/// passed, and is no more, goes with the next of its LP.
macro_rules! credits_that_go {
    () => {
        "entry_no < $2 AND lp_id IN (SELECT b.lp_id FROM credits b WHERE b.entry_no >= $1 AND b.entry_no < $2) \
         AND entry_no < (SELECT n.entry_no FROM credits n \
         WHERE n.lp_id >= credits.lp_id AND n.lp_id <= credits.lp_id ORDER BY n.lp_id DESC, n.entry_no DESC LIMIT 1)"
    };
}

const CARRY: &str = concat!(
    "INSERT INTO credits_carried (lp_id, unit, entries, amount_e8, first_round, last_round, last_entry_no) \
     SELECT lp_id, unit, COUNT(*), CAST(SUM(amount_e8) AS BIGINT), MIN(round_start), MAX(round_start), \
     MAX(entry_no) FROM credits WHERE ",
    credits_that_go!(),
    " GROUP BY lp_id, unit ON CONFLICT (lp_id, unit) DO UPDATE SET \
     entries = credits_carried.entries + excluded.entries, \
     amount_e8 = credits_carried.amount_e8 + excluded.amount_e8, \
     first_round = CASE WHEN excluded.first_round < credits_carried.first_round \
     THEN excluded.first_round ELSE credits_carried.first_round END, \
     last_round = CASE WHEN excluded.last_round > credits_carried.last_round \
     THEN excluded.last_round ELSE credits_carried.last_round END, \
     last_entry_no = excluded.last_entry_no"
);

const DELETE: &str = concat!("DELETE FROM credits WHERE ", credits_that_go!());

impl Store {
    /// Carries credits forward that are the oldest of the ledger and of rounds that start before `before_round`: they
    /// are deleted, and one row for each LP and unit stands for their sum. Goes on by at most `limit` numbers of the
    /// ledger, and at most [`MAX_CREDITS_CARRIED`]. A credit that was entered late, after younger ones, waits for them; those
    /// of the newest credited round stay.
    /// [`StoreError::NotLeader`] if another server leads.
    pub async fn carry_credits(
        &self,
        lease: &Lease,
        before_round: u64,
        limit: u32,
    ) -> Result<Forgot, StoreError> {
        self.shared.write.persistently(|| self.carry_credits_once(lease, before_round, limit)).await
    }

    async fn carry_credits_once(
        &self,
        lease: &Lease,
        before_round: u64,
        limit: u32,
    ) -> Result<Forgot, StoreError> {
        let write = &self.shared.write;
        let limit = limit.min(MAX_CREDITS_CARRIED);
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let from = credits_from(&mut transaction).await?;
        // What the newest round came to for a user is told as long as it is the newest.
        let before_round = before_round.min(newest_round(&mut transaction).await?);
        let Some(aged) = aged_entries(&mut transaction, from, before_round, limit).await? else {
            return Ok(Forgot::default());
        };
        let below = aged.last.saturating_add(1);
        for change in [CARRY, DELETE] {
            sqlx::query(change)
                .bind(signed("the number of a credit", from)?)
                .bind(signed("the number of a credit", below)?)
                .execute(&mut *transaction)
                .await?;
        }
        note_forgotten(&mut transaction, "credits", below).await?;
        write.commit(transaction).await?;
        Ok(Forgot { rows: aged.count, more: aged.count == u64::from(limit) })
    }

    /// What the deleted credits of the LPs come to whose number is above `after_lp_id`, by rising number and unit, of at
    /// most [`MAX_BALANCES_PAGE`] LPs and units.
    pub async fn carried_credits(&self, after_lp_id: i64) -> Result<Vec<CarriedCredits>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT lp_id, unit, entries, amount_e8, first_round, last_round, last_entry_no \
             FROM credits_carried WHERE lp_id > $1 ORDER BY lp_id, unit LIMIT $2",
        )
        .bind(after_lp_id)
        .bind(i64::from(MAX_BALANCES_PAGE))
        .fetch_all(&mut *reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(CarriedCredits {
                    lp_id: row.try_get("lp_id")?,
                    unit: row.try_get("unit")?,
                    entries: count(row, "entries")?,
                    amount_e8: row.try_get("amount_e8")?,
                    first_round: count(row, "first_round")?,
                    last_round: count(row, "last_round")?,
                    last_entry_no: count(row, "last_entry_no")?,
                })
            })
            .collect()
    }
}

/// The oldest entries of the ledger that are old enough: how many, and the number of the last of them.
struct Aged {
    count: u64,
    last: u64,
}

async fn credits_from(on: &mut AnyConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT COALESCE(MAX(below), 0) AS below FROM forgotten WHERE what = 'credits'")
        .fetch_one(on)
        .await?;
    count(&row, "below")
}

/// The start of the newest credited round, in Unix seconds.
async fn newest_round(on: &mut AnyConnection) -> Result<u64, StoreError> {
    let row = sqlx::query(
        "SELECT round_start FROM rounds WHERE state = 'credited' ORDER BY round_start DESC LIMIT 1",
    )
    .fetch_optional(on)
    .await?;
    row.map_or(Ok(0), |row| count(&row, "round_start"))
}

async fn aged_entries(
    on: &mut AnyConnection,
    from: u64,
    before_round: u64,
    limit: u32,
) -> Result<Option<Aged>, StoreError> {
    let rows = sqlx::query(
        "SELECT entry_no, round_start FROM credits WHERE entry_no >= $1 ORDER BY entry_no LIMIT $2",
    )
    .bind(signed("the number of a credit", from)?)
    .bind(i64::from(limit))
    .fetch_all(on)
    .await?;
    let mut aged = None;
    for row in &rows {
        if count(row, "round_start")? >= before_round {
            break;
        }
        let before = aged.map_or(0, |Aged { count, .. }| count);
        aged = Some(Aged { count: before.saturating_add(1), last: count(row, "entry_no")? });
    }
    Ok(aged)
}
