//! Payouts: what was taken from whose balance, how far each payout is, and the marks an operator leaves.
//! Knows neither a wallet nor which stage may follow which: it only moves a payout from the stage that the caller saw.
//!
//! Every write holds the lease of the server that leads, so that one who wakes up late changes nothing. A payout's
//! debits and its row are one transaction, and so are its return and its end.

mod documents;
mod ledger;
mod marks;
mod published;
mod statements;
mod writes;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::error::StoreError;
use crate::rows::{count, signed};
use crate::{Store, connection};

pub use documents::{AdoptedPayout, NewPayout, PayoutChange, PayoutDebit, PayoutOutput};
pub(crate) use ledger::{Below, NewEntry as LedgerAddition, insert_entries, ledger_entry};
pub use ledger::{LedgerEntry, Owing};
pub use marks::{AddressMark, Alarm, Approval, Foreign};
pub(crate) use published::note_correction;
pub use published::{NewCorrection, Published, Unpublished};
pub use statements::{
    AccountOfUser, CreditedUntil, ForgottenCredits, MAX_STATEMENT_BOUNDS, MAX_STATEMENT_CHANGES,
    PublishedChange,
};
pub(crate) use writes::void_unsent;

/// The most payouts of one planning: at the default of a hundred outputs they pay the most LPs planned for at once.
pub const MAX_NEW_PAYOUTS: usize = 1_000;

/// The most outputs of one payout.
pub const MAX_PAYOUT_OUTPUTS: usize = 1_000;

/// The most payouts told at once.
pub const MAX_PAYOUTS_PAGE: u64 = 1_000;

/// The longest transaction kept, in bytes of its hex: twice what networks of the Bitcoin family relay.
pub const MAX_TRANSACTION_BYTES: usize = 400_000;

/// The longest note, reason or sentence kept, in bytes.
pub const MAX_NOTE_BYTES: usize = 4_096;

/// A payout as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRow {
    /// Its number.
    pub payout_id: u64,
    /// `plain`, `prepared` or `manual`.
    pub method: String,
    /// `reserved`, `prepared`, `calling`, `sent`, `paid` or `void`.
    pub stage: String,
    /// The sum of its outputs, in 1e-8 of the coin.
    pub total_e8: i64,
    /// Address and amount of each output, in 1e-8 of the coin, by rising address.
    pub outputs: Vec<(String, i64)>,
    /// What the wallet knows it by.
    pub comment: String,
    /// The id of its transaction; empty if it is not known.
    pub txid: String,
    /// The signed transaction, in hex; empty if it was not prepared.
    pub hex: String,
    /// The coins it spends, as the caller writes them; empty if it was not prepared.
    pub inputs: String,
    /// A block from before the wallet was called; empty if none is known.
    pub since_block: String,
    /// When it was reserved, in Unix milliseconds.
    pub created_at_ms: u64,
    /// When the wallet was about to be called; zero if it was not.
    pub called_at_ms: u64,
    /// When it was known to be sent; zero if it is not.
    pub sent_at_ms: u64,
    /// When it was paid or void; zero if it is neither.
    pub ended_at_ms: u64,
}

/// Something that happened to a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutEvent {
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// The stage after it.
    pub stage: String,
    /// What it was.
    pub note: String,
}

/// A payout as one of its LPs sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPayout {
    /// Its number.
    pub payout_id: u64,
    /// How far it is.
    pub stage: String,
    /// The LP's address when it was reserved.
    pub address: String,
    /// The exchange of the LP.
    pub exchange: String,
    /// What the LP is paid, in 1e-8 of the coin.
    pub paid_e8: i64,
    /// What the LP is charged, in 1e-8 of the coin.
    pub fee_e8: i64,
    /// The id of the transaction; empty if it is not known yet.
    pub txid: String,
    /// When it was reserved, in Unix milliseconds.
    pub created_at_ms: u64,
    /// When it was paid or void; zero if it is neither.
    pub ended_at_ms: u64,
}

/// When payouts were planned last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayoutSchedule {
    /// The time they were planned for, in Unix milliseconds.
    pub last_slot_ms: u64,
    /// When one that failed is planned again; zero if none failed.
    pub retry_at_ms: u64,
}

const COLUMNS: &str = "SELECT payout_id, method, stage, total_e8, outputs, comment, txid, hex, inputs, \
     since_block, created_at_ms, called_at_ms, sent_at_ms, ended_at_ms FROM payouts";

/// Bounds in place of an equality, for the same reason as in `rows::credited_e8`.
const PAYOUTS_OF_LP: &str = "SELECT e.entry_no, p.payout_id, p.stage, p.txid, p.created_at_ms, p.ended_at_ms, \
     l.exchange, COALESCE((SELECT CASE WHEN a.next_from_ms BETWEEN 1 AND p.created_at_ms THEN a.next_address \
     ELSE a.address END FROM address_changes a WHERE a.lp_id = l.lp_id AND a.at_ms <= p.created_at_ms \
     ORDER BY a.change_no DESC LIMIT 1), l.address) AS address, \
     -e.amount_e8 AS paid_e8, COALESCE(-f.amount_e8, 0) AS fee_e8 FROM ledger_entries e \
     JOIN payouts p ON p.payout_id = e.payout_id JOIN lps l ON l.lp_id = e.lp_id \
     LEFT JOIN ledger_entries f ON f.payout_id = e.payout_id AND f.lp_id = e.lp_id AND f.kind = 'fee' \
     WHERE e.lp_id >= $1 AND e.lp_id <= $1 AND e.kind = 'payout' ORDER BY e.lp_id DESC, e.entry_no DESC LIMIT $2";

impl Store {
    /// Payouts that are neither paid nor void, oldest first, at most [`MAX_PAYOUTS_PAGE`].
    pub async fn open_payouts(&self) -> Result<Vec<PayoutRow>, StoreError> {
        let filter = "WHERE stage IN ('reserved', 'prepared', 'calling', 'sent') ORDER BY payout_id LIMIT $1";
        self.select_payouts(filter, MAX_PAYOUTS_PAGE).await
    }

    /// The newest payouts, newest first, at most `limit` and at most [`MAX_PAYOUTS_PAGE`].
    pub async fn newest_payouts(&self, limit: u64) -> Result<Vec<PayoutRow>, StoreError> {
        self.select_payouts("ORDER BY payout_id DESC LIMIT $1", limit.min(MAX_PAYOUTS_PAGE)).await
    }

    /// The newest payout that is paid.
    pub async fn last_paid_payout(&self) -> Result<Option<PayoutRow>, StoreError> {
        let filter = "WHERE stage = 'paid' ORDER BY payout_id DESC LIMIT $1";
        Ok(self.select_payouts(filter, 1).await?.pop())
    }

    /// One payout.
    pub async fn payout(&self, payout_id: u64) -> Result<Option<PayoutRow>, StoreError> {
        Ok(self.select_payouts("WHERE payout_id = $1", payout_id).await?.pop())
    }

    /// Whether the ledger knows a transaction by its id or its comment, as a payout that stands or as a foreign one. What
    /// a void payout took was given back, so a transaction that still made it is one that the ledger does not count.
    pub async fn known_in_ledger(&self, txid: &str, comment: &str) -> Result<bool, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM payouts WHERE (comment = $2 OR txid = $1) AND stage <> 'void') + \
             (SELECT COUNT(*) FROM payout_foreign WHERE txid = $1) AS known",
        )
        .bind(txid)
        .bind(comment)
        .fetch_one(&mut *reader)
        .await?;
        Ok(count(&row, "known")? > 0)
    }

    /// Everything that happened to a payout, oldest first.
    pub async fn payout_events(&self, payout_id: u64) -> Result<Vec<PayoutEvent>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT at_ms, stage, note FROM payout_events WHERE payout_id = $1 ORDER BY event_no LIMIT 10000",
        )
        .bind(signed("the payout", payout_id)?)
        .fetch_all(&mut *reader)
        .await?;
        let event = |row: &AnyRow| {
            let at_ms = count(row, "at_ms")?;
            Ok(PayoutEvent { at_ms, stage: row.try_get("stage")?, note: row.try_get("note")? })
        };
        rows.iter().map(event).collect()
    }

    /// What the payouts that are not void came to which were reserved from `from_ms` on, in 1e-8 of the coin.
    pub async fn paid_out_since(&self, from_ms: u64) -> Result<i64, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT CAST(COALESCE(SUM(total_e8), 0) AS BIGINT) AS total_e8 FROM payouts \
             WHERE created_at_ms >= $1 AND stage <> 'void'",
        )
        .bind(signed("the time", from_ms)?)
        .fetch_one(&mut *reader)
        .await?;
        Ok(row.try_get("total_e8")?)
    }

    /// When payouts were planned last; `None` if they never were.
    pub async fn payout_schedule(&self) -> Result<Option<PayoutSchedule>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT last_slot_ms, retry_at_ms FROM payout_schedule WHERE name = 'payouts'")
            .fetch_optional(&mut *reader)
            .await?;
        let schedule = |row: AnyRow| {
            let last_slot_ms = count(&row, "last_slot_ms")?;
            Ok(PayoutSchedule { last_slot_ms, retry_at_ms: count(&row, "retry_at_ms")? })
        };
        row.map(schedule).transpose()
    }

    /// The newest payouts of an API key, newest first, at most `limit` and at most [`MAX_PAYOUTS_PAGE`]. `None` if
    /// it is not registered.
    pub async fn payouts_of(&self, user: &str, limit: u64) -> Result<Option<Vec<UserPayout>>, StoreError> {
        if !crate::rows::is_storable(user) {
            return Ok(None);
        }
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT user_id FROM users WHERE api_key = $1")
            .bind(user)
            .fetch_optional(&mut *reader)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let user_id: i64 = row.try_get("user_id")?;
        let limit = limit.min(MAX_PAYOUTS_PAGE);
        let lps = sqlx::query("SELECT lp_id FROM lps WHERE user_id = $1 ORDER BY lp_id")
            .bind(user_id)
            .fetch_all(&mut *reader)
            .await?;
        // One LP after the other, each by its own entries: nobody's answer has to look through those of others.
        let mut payouts: Vec<(u64, UserPayout)> = Vec::new();
        for lp in &lps {
            let rows = sqlx::query(PAYOUTS_OF_LP)
                .bind(lp.try_get::<i64, _>("lp_id")?)
                .bind(signed("the number of payouts", limit)?)
                .fetch_all(&mut *reader)
                .await?;
            for row in &rows {
                payouts.push((count(row, "entry_no")?, user_payout(row)?));
            }
        }
        payouts.sort_unstable_by_key(|(entry_no, _)| std::cmp::Reverse(*entry_no));
        payouts.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Some(payouts.into_iter().map(|(_, payout)| payout).collect()))
    }

    async fn select_payouts(
        &self,
        filter: &'static str,
        parameter: u64,
    ) -> Result<Vec<PayoutRow>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        select(&mut reader, filter, signed("the number", parameter)?).await
    }
}

/// Payouts whose number is above `payout_id`, by rising number.
pub(crate) async fn payouts_after(
    on: &mut AnyConnection,
    payout_id: u64,
    limit: u32,
) -> Result<Vec<PayoutRow>, StoreError> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{COLUMNS} WHERE payout_id > $1 ORDER BY payout_id LIMIT $2"
    )))
    .bind(signed("the payout", payout_id)?)
    .bind(i64::from(limit))
    .fetch_all(on)
    .await?;
    rows.iter().map(payout_row).collect()
}

/// Payouts by a filter that is a constant of this module.
async fn select(
    on: &mut AnyConnection,
    filter: &'static str,
    parameter: i64,
) -> Result<Vec<PayoutRow>, StoreError> {
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} {filter}"))).bind(parameter).fetch_all(on).await?;
    rows.iter().map(payout_row).collect()
}

fn payout_row(row: &AnyRow) -> Result<PayoutRow, StoreError> {
    let outputs: String = row.try_get("outputs")?;
    Ok(PayoutRow {
        payout_id: count(row, "payout_id")?,
        method: row.try_get("method")?,
        stage: row.try_get("stage")?,
        total_e8: row.try_get("total_e8")?,
        outputs: outputs_from(&outputs)?,
        comment: row.try_get("comment")?,
        txid: row.try_get("txid")?,
        hex: row.try_get("hex")?,
        inputs: row.try_get("inputs")?,
        since_block: row.try_get("since_block")?,
        created_at_ms: count(row, "created_at_ms")?,
        called_at_ms: count(row, "called_at_ms")?,
        sent_at_ms: count(row, "sent_at_ms")?,
        ended_at_ms: count(row, "ended_at_ms")?,
    })
}

fn user_payout(row: &AnyRow) -> Result<UserPayout, StoreError> {
    Ok(UserPayout {
        payout_id: count(row, "payout_id")?,
        stage: row.try_get("stage")?,
        address: row.try_get("address")?,
        exchange: row.try_get("exchange")?,
        paid_e8: row.try_get("paid_e8")?,
        fee_e8: row.try_get("fee_e8")?,
        txid: row.try_get("txid")?,
        created_at_ms: count(row, "created_at_ms")?,
        ended_at_ms: count(row, "ended_at_ms")?,
    })
}

/// Outputs as they are stored: a line for each, address, blank, amount in 1e-8. Addresses have no blanks.
fn outputs_text(outputs: &[(String, i64)]) -> String {
    outputs.iter().map(|(address, amount_e8)| format!("{address} {amount_e8}\n")).collect()
}

fn outputs_from(text: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let output = |line: &str| {
        let (address, amount_e8) = line.rsplit_once(' ')?;
        Some((address.to_owned(), amount_e8.parse().ok()?))
    };
    let outputs: Option<Vec<_>> = text.lines().map(output).collect();
    outputs.ok_or(StoreError::corrupt("the outputs of a payout"))
}
