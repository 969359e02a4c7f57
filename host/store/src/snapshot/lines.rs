//! What an audit reads, in stretches of bounded length, each in the order in which it was written.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Snapshot;
use crate::error::StoreError;
use crate::payouts::{LedgerEntry, PayoutRow, ledger_entry, payouts_after};
use crate::records::{RecordHead, head};
use crate::rows::{count, signed};

/// The most lines that are read at once.
pub const MAX_LINES: u32 = 2_000;

/// The most payouts that are read at once, each with its outputs and its signed transaction.
const MAX_PAYOUTS: u32 = 100;

/// A credit as an audit sees it. It has no `Debug`, since it holds what opens its LP's pseudonym.
#[derive(Clone, PartialEq, Eq)]
pub struct CreditLine {
    /// Its number.
    pub entry_no: u64,
    /// The LP.
    pub lp_id: i64,
    /// The LP's exchange.
    pub exchange: String,
    /// The unit.
    pub unit: String,
    /// The round, by its start in Unix seconds.
    pub round_start: u64,
    /// In 1e-8 of the coin.
    pub amount_e8: i64,
    /// The sum of the LP's credits up to this one, as it is stored.
    pub balance_e8: i64,
    /// The liquidity provided, a decimal.
    pub provided: String,
    /// The LP's API key; empty if there is no such LP.
    pub api_key: String,
    /// What opens the LP's pseudonym; empty if there is nothing.
    pub nonce: String,
}

/// A round as an audit sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundLine {
    /// Its start, in Unix seconds.
    pub round_start: u64,
    /// When it was credited, in Unix milliseconds; none if it is not.
    pub credited_at_ms: Option<u64>,
    /// What all its markets could pay, in 1e-8 of the coin; zero if it is not credited.
    pub reward_e8: i64,
    /// What they paid, in 1e-8 of the coin; zero if it is not credited.
    pub paid_e8: i64,
}

/// An entry of the record as an audit sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedEntry {
    /// Its head, as it is listed.
    pub head: RecordHead,
    /// The entry as it was packed.
    pub packed: Vec<u8>,
}

/// A payout as an audit sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedPayout {
    /// The payout.
    pub payout: PayoutRow,
    /// Whether it was reserved by the pool; else a transaction of the wallet was entered as a payout.
    pub was_reserved: bool,
    /// Its entries in the ledger.
    pub entries: Vec<LedgerEntry>,
}

/// What was deleted of credits and entries of the record because of its age, and what stands for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Credits with a number below this one may have been deleted.
    pub credits_below: u64,
    /// Entries of the record with a number below this one are no more.
    pub records_below: u64,
    /// The newest round of which a credit was deleted, by its start in Unix seconds.
    pub newest_round: u64,
    /// What the deleted credits of each LP come to, in 1e-8 of the coin.
    pub carried: Vec<(i64, i64)>,
}

impl Snapshot {
    /// Credits whose number is above `entry_no`, by rising number, at most [`MAX_LINES`].
    pub async fn credits_after(&mut self, entry_no: u64) -> Result<Vec<CreditLine>, StoreError> {
        let rows = sqlx::query(
            "SELECT c.entry_no, c.lp_id, COALESCE(l.exchange, '') AS exchange, c.unit, c.round_start, c.amount_e8, \
             c.balance_e8, c.provided, COALESCE(u.api_key, '') AS api_key, COALESCE(o.nonce, '') AS nonce \
             FROM credits c LEFT JOIN lps l ON l.lp_id = c.lp_id LEFT JOIN users u ON u.user_id = l.user_id \
             LEFT JOIN openings o ON o.lp_id = c.lp_id WHERE c.entry_no > $1 ORDER BY c.entry_no LIMIT $2",
        )
        .bind(signed("the number of an entry", entry_no)?)
        .bind(i64::from(MAX_LINES))
        .fetch_all(&mut self.on)
        .await?;
        rows.iter().map(credit_line).collect()
    }

    /// Entries of the other half of the ledger whose number is above `entry_no`, by rising number, at most
    /// [`MAX_LINES`].
    pub async fn entries_after(&mut self, entry_no: u64) -> Result<Vec<LedgerEntry>, StoreError> {
        let rows = sqlx::query(
            "SELECT entry_no, lp_id, kind, payout_id, amount_e8, total_e8, why, at_ms FROM ledger_entries \
             WHERE entry_no > $1 ORDER BY entry_no LIMIT $2",
        )
        .bind(signed("the number of an entry", entry_no)?)
        .bind(i64::from(MAX_LINES))
        .fetch_all(&mut self.on)
        .await?;
        rows.iter().map(ledger_entry).collect()
    }

    /// Rounds that start after `round_start`, at most [`MAX_LINES`].
    pub async fn rounds_after(&mut self, round_start: Option<u64>) -> Result<Vec<RoundLine>, StoreError> {
        let after = round_start.map_or(Ok(-1), |start| signed("round_start", start))?;
        let rows = sqlx::query(
            "SELECT round_start, credited_at_ms, reward_e8, paid_e8 FROM rounds WHERE round_start > $1 \
             ORDER BY round_start LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(MAX_LINES))
        .fetch_all(&mut self.on)
        .await?;
        rows.iter().map(round_line).collect()
    }

    /// One round.
    pub async fn round(&mut self, round_start: u64) -> Result<Option<RoundLine>, StoreError> {
        let row = sqlx::query(
            "SELECT round_start, credited_at_ms, reward_e8, paid_e8 FROM rounds WHERE round_start = $1",
        )
        .bind(signed("round_start", round_start)?)
        .fetch_optional(&mut self.on)
        .await?;
        row.as_ref().map(round_line).transpose()
    }

    /// The entry of the record that follows the one of this number; the first one for none.
    pub async fn entry_after(&mut self, number: Option<u64>) -> Result<Option<PublishedEntry>, StoreError> {
        let after = number.map_or(Ok(-1), |number| signed("the number of an entry", number))?;
        let row = sqlx::query(
            "SELECT number, epoch, round_start, digest, header, signature, at_ms, packed FROM records \
             WHERE number > $1 ORDER BY number LIMIT 1",
        )
        .bind(after)
        .fetch_optional(&mut self.on)
        .await?;
        row.map(|row| Ok(PublishedEntry { head: head(&row)?, packed: row.try_get("packed")? })).transpose()
    }

    /// The number of the entry about a round.
    pub async fn entry_of_round(&mut self, round_start: u64) -> Result<Option<u64>, StoreError> {
        let row = sqlx::query("SELECT number FROM records WHERE round_start = $1")
            .bind(signed("round_start", round_start)?)
            .fetch_optional(&mut self.on)
            .await?;
        row.map(|row| count(&row, "number")).transpose()
    }

    /// Payouts whose number is above `payout_id`, by rising number, with all that the ledger has of them. A stretch of
    /// bounded length; the last one is empty.
    pub async fn payouts_after(&mut self, payout_id: u64) -> Result<Vec<AuditedPayout>, StoreError> {
        let payouts = payouts_after(&mut self.on, payout_id, MAX_PAYOUTS).await?;
        let mut audited = Vec::with_capacity(payouts.len());
        for payout in payouts {
            let id = signed("the payout", payout.payout_id)?;
            let rows = sqlx::query(
                "SELECT entry_no, lp_id, kind, payout_id, amount_e8, total_e8, why, at_ms FROM ledger_entries \
                 WHERE payout_id = $1 ORDER BY entry_no",
            )
            .bind(id)
            .fetch_all(&mut self.on)
            .await?;
            let entries = rows.iter().map(ledger_entry).collect::<Result<_, _>>()?;
            let first = sqlx::query("SELECT stage FROM payout_events WHERE payout_id = $1 AND event_no = 1")
                .bind(id)
                .fetch_optional(&mut self.on)
                .await?;
            let first: Option<String> = first.map(|row| row.try_get("stage")).transpose()?;
            let was_reserved = first.is_none_or(|stage| stage == "reserved");
            audited.push(AuditedPayout { payout, was_reserved, entries });
        }
        Ok(audited)
    }

    /// Addresses of the LPs whose number is above `lp_id`, by rising number, at most [`MAX_LINES`].
    pub async fn addresses_after(&mut self, lp_id: i64) -> Result<Vec<(i64, String)>, StoreError> {
        let rows = sqlx::query("SELECT lp_id, address FROM lps WHERE lp_id > $1 ORDER BY lp_id LIMIT $2")
            .bind(lp_id)
            .bind(i64::from(MAX_LINES))
            .fetch_all(&mut self.on)
            .await?;
        rows.iter().map(|row| Ok((row.try_get("lp_id")?, row.try_get("address")?))).collect()
    }

    /// Addresses that LPs have or had beside those that they registered with, from the changes whose number is above
    /// `change_no`, by rising number, at most [`MAX_LINES`].
    pub async fn changed_addresses_after(
        &mut self,
        change_no: i64,
    ) -> Result<Vec<(i64, [String; 2])>, StoreError> {
        let rows = sqlx::query(
            "SELECT change_no, address, next_address FROM address_changes WHERE change_no > $1 \
             ORDER BY change_no LIMIT $2",
        )
        .bind(change_no)
        .bind(i64::from(MAX_LINES))
        .fetch_all(&mut self.on)
        .await?;
        rows.iter()
            .map(|row| {
                let addresses = [row.try_get("address")?, row.try_get("next_address")?];
                Ok((row.try_get("change_no")?, addresses))
            })
            .collect()
    }

    /// What was deleted because of its age.
    pub async fn forgotten(&mut self) -> Result<Forgotten, StoreError> {
        let mut forgotten = Forgotten::default();
        let there = super::tables(&mut self.on, self.dialect).await?;
        if !there.iter().any(|table| table == "credits_carried") {
            return Ok(forgotten);
        }
        for row in sqlx::query("SELECT what, below FROM forgotten").fetch_all(&mut self.on).await? {
            let (what, below): (String, u64) = (row.try_get("what")?, count(&row, "below")?);
            match what.as_str() {
                "credits" => forgotten.credits_below = below,
                "records" => forgotten.records_below = below,
                _ => return Err(StoreError::corrupt("what was forgotten is nothing that can be")),
            }
        }
        let rows =
            sqlx::query("SELECT lp_id, amount_e8, last_round FROM credits_carried ORDER BY lp_id, unit")
                .fetch_all(&mut self.on)
                .await?;
        for row in &rows {
            forgotten.newest_round = forgotten.newest_round.max(count(row, "last_round")?);
            forgotten.carried.push((row.try_get("lp_id")?, row.try_get("amount_e8")?));
        }
        Ok(forgotten)
    }

    /// Whether the operator said of a transaction of the wallet that it is no payout.
    pub async fn is_foreign(&mut self, txid: &str) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) AS noted FROM payout_foreign WHERE txid = $1")
            .bind(txid)
            .fetch_one(&mut self.on)
            .await?;
        Ok(count(&row, "noted")? > 0)
    }

    /// The sums of what was paid in all credited rounds, and the number of the newest credit.
    pub async fn paid_in_all(&mut self) -> Result<(i128, u64), StoreError> {
        let (mut sum_e8, mut after) = (0_i128, None);
        loop {
            let rounds = self.rounds_after(after).await?;
            let Some(last) = rounds.last() else { break };
            after = Some(last.round_start);
            sum_e8 = rounds.iter().fold(sum_e8, |sum, round| sum.saturating_add(i128::from(round.paid_e8)));
        }
        let row = sqlx::query("SELECT COALESCE(MAX(entry_no), 0) AS newest FROM credits")
            .fetch_one(&mut self.on)
            .await?;
        Ok((sum_e8, count(&row, "newest")?))
    }
}

fn credit_line(row: &AnyRow) -> Result<CreditLine, StoreError> {
    Ok(CreditLine {
        entry_no: count(row, "entry_no")?,
        lp_id: row.try_get("lp_id")?,
        exchange: row.try_get("exchange")?,
        unit: row.try_get("unit")?,
        round_start: count(row, "round_start")?,
        amount_e8: row.try_get("amount_e8")?,
        balance_e8: row.try_get("balance_e8")?,
        provided: row.try_get("provided")?,
        api_key: row.try_get("api_key")?,
        nonce: row.try_get("nonce")?,
    })
}

fn round_line(row: &AnyRow) -> Result<RoundLine, StoreError> {
    let credited_at_ms: Option<i64> = row.try_get("credited_at_ms")?;
    Ok(RoundLine {
        round_start: count(row, "round_start")?,
        credited_at_ms: credited_at_ms.map(crate::rows::unsigned).transpose()?,
        reward_e8: row.try_get::<Option<i64>, _>("reward_e8")?.unwrap_or(0),
        paid_e8: row.try_get::<Option<i64>, _>("paid_e8")?.unwrap_or(0),
    })
}
