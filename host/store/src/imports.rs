//! What is taken over from another pool's server: LPs, balances, what waits for the operator, and a mark that it was done.
//! Knows neither that server nor what is owed there.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::error::StoreError;
use crate::lps::{RegisterOutcome, Registration, register_in};
use crate::payouts::{Below, LedgerAddition, MAX_NOTE_BYTES, insert_entries, note_correction};
use crate::records::{Appended, NewEntry, append_in};
use crate::rows::{check_name, check_text, count, signed};
use crate::writer::{Lock, WriteConnection};
use crate::{Store, connection};

/// Who corrects what is owed by an import, in the ledger and in the record.
pub const IMPORTED_BY: &str = "alp import";

/// Registrations written in one transaction: as many as are written together otherwise.
const REGISTRATIONS_PER_COMMIT: usize = 512;

/// The longest report kept, in bytes: the most LPs and holds take about half.
pub const MAX_REPORT_BYTES: usize = 64 * 1024 * 1024;

/// The most balances, holds and foreign transactions of one import.
pub const MAX_IMPORTED: usize = 200_000;

/// An LP to be registered.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLp {
    /// Its exchange.
    pub exchange: String,
    /// Its API key.
    pub user: String,
    /// Its payout address.
    pub address: String,
    /// Its units.
    pub units: Vec<String>,
}

/// Everything that an import enters besides registrations.
#[derive(Clone, PartialEq, Eq)]
pub struct NewImport {
    /// The digest of its source.
    pub import_id: String,
    /// What it is from.
    pub source: String,
    /// What was found, as the caller writes it.
    pub report: String,
    /// What each LP is owed, in 1e-8 of the coin, above zero.
    pub balances: Vec<(i64, i64)>,
    /// Why, for the ledger.
    pub why: String,
    /// What waits.
    pub holds: Vec<NewHold>,
    /// Transactions of the wallet that are no payouts of this pool.
    pub foreign: Vec<String>,
    /// Whether there may be imports of other sources already.
    pub beside_others: bool,
    /// What the published record says of it: each entry follows the one before.
    pub record: Vec<NewEntry>,
}

/// A balance that waits for the operator.
#[derive(Clone, PartialEq, Eq)]
pub struct NewHold {
    /// The API key.
    pub user: String,
    /// Its exchange.
    pub exchange: String,
    /// Its units.
    pub units: Vec<String>,
    /// The addresses that were given for it.
    pub addresses: Vec<String>,
    /// What is owed, in 1e-8 of the coin.
    pub amount_e8: i64,
    /// Why it waits.
    pub why: String,
}

/// A balance that waits, as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct ImportHold {
    /// Its number.
    pub hold_no: u64,
    /// What it is.
    pub hold: NewHold,
    /// Whether it was released.
    pub released: bool,
}

/// An import that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// The digest of its source.
    pub import_id: String,
    /// What it was from.
    pub source: String,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// What became of an import or of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// It is entered.
    Entered,
    /// It was before: nothing was changed.
    Before,
    /// An import of another source was, and there may be one only: nothing was changed.
    Other,
    /// The record has another head by now: the entries have to be made again. Nothing was changed.
    HeadMoved,
}

impl Store {
    /// Registers LPs, each for all its units. One that has another address keeps it, and is told of so.
    pub async fn register_all(&self, lps: &[NewLp]) -> Result<Vec<RegisterOutcome>, StoreError> {
        for lp in lps {
            check_lp(lp)?;
        }
        let mut outcomes = Vec::with_capacity(lps.len());
        for some in lps.chunks(REGISTRATIONS_PER_COMMIT) {
            outcomes.extend(self.shared.write.persistently(|| self.register_some(some)).await?);
        }
        Ok(outcomes)
    }

    async fn register_some(&self, lps: &[NewLp]) -> Result<Vec<RegisterOutcome>, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Registrations).await?;
        let now_ms = write.now_ms(&mut transaction).await?;
        let mut outcomes = Vec::with_capacity(lps.len());
        for lp in lps {
            let mut outcome = None;
            for unit in &lp.units {
                let registration = Registration::new(&lp.exchange, &lp.user, &lp.address, unit);
                outcome = Some(register_in(&mut transaction, &registration, now_ms).await?);
            }
            outcomes.push(outcome.ok_or(StoreError::invalid("an LP", "it has no units"))?);
        }
        write.commit(transaction).await?;
        Ok(outcomes)
    }

    /// Enters an import: balances as corrections, holds, foreign transactions, the mark, and the entries of the record,
    /// all or nothing.
    pub async fn enter_import(&self, import: &NewImport) -> Result<Entered, StoreError> {
        import.check()?;
        self.shared.write.persistently(|| self.enter_once(import)).await
    }

    async fn enter_once(&self, import: &NewImport) -> Result<Entered, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let before = imports_in(&mut transaction).await?;
        if before.iter().any(|row| row.import_id == import.import_id) {
            return Ok(Entered::Before);
        }
        if !before.is_empty() && !import.beside_others {
            return Ok(Entered::Other);
        }
        sqlx::query("INSERT INTO imports (import_id, source, report, at_ms) VALUES ($1, $2, $3, $4)")
            .bind(import.import_id.as_str())
            .bind(import.source.as_str())
            .bind(import.report.as_str())
            .bind(signed("the time", at_ms)?)
            .execute(&mut *transaction)
            .await?;
        let balances: Vec<LedgerAddition<'_>> = import
            .balances
            .iter()
            .map(|(lp_id, amount_e8)| correction(*lp_id, *amount_e8, &import.why))
            .collect();
        let last = insert_entries(&mut transaction, write.dialect, &balances, at_ms, Below::Refused).await?;
        insert_holds(&mut transaction, import).await?;
        for txid in &import.foreign {
            sqlx::query(
                "INSERT INTO payout_foreign (txid, why, at_ms) VALUES ($1, $2, $3) ON CONFLICT (txid) DO NOTHING",
            )
            .bind(txid.as_str())
            .bind(import.why.as_str())
            .bind(signed("the time", at_ms)?)
            .execute(&mut *transaction)
            .await?;
        }
        if append_all(&mut transaction, write, last, &balances, &import.record).await? == Appended::HeadMoved
        {
            return Ok(Entered::HeadMoved);
        }
        write.commit(transaction).await?;
        Ok(Entered::Entered)
    }

    /// The imports that were made.
    pub async fn imports(&self) -> Result<Vec<ImportRow>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        imports_in(&mut reader).await
    }

    /// The balances that wait or waited, by number.
    pub async fn import_holds(&self) -> Result<Vec<ImportHold>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT hold_no, api_key, exchange, units, addresses, amount_e8, why, released_at_ms FROM import_holds \
             ORDER BY hold_no",
        )
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(import_hold).collect()
    }

    /// Gives what waits to an LP: the correction, the mark that it was given, and the entries of the record, all or
    /// nothing. [`Entered::Before`] if it was given already, or there is no hold of this number.
    pub async fn release_hold(
        &self,
        hold_no: u64,
        lp_id: i64,
        why: &str,
        record: &[NewEntry],
    ) -> Result<Entered, StoreError> {
        check_text("the reason", why, MAX_NOTE_BYTES)?;
        record.iter().try_for_each(NewEntry::check)?;
        self.shared.write.persistently(|| self.release_once(hold_no, lp_id, why, record)).await
    }

    async fn release_once(
        &self,
        hold_no: u64,
        lp_id: i64,
        why: &str,
        record: &[NewEntry],
    ) -> Result<Entered, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Ledger).await?;
        let at_ms = write.now_ms(&mut transaction).await?;
        let row = sqlx::query(
            "UPDATE import_holds SET released_at_ms = $1, lp_id = $2 WHERE hold_no = $3 AND released_at_ms = 0 \
             RETURNING amount_e8",
        )
        .bind(signed("the time", at_ms)?)
        .bind(lp_id)
        .bind(signed("the hold", hold_no)?)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = row else { return Ok(Entered::Before) };
        let amount_e8: i64 = row.try_get("amount_e8")?;
        let corrections = if amount_e8 > 0 { vec![correction(lp_id, amount_e8, why)] } else { Vec::new() };
        let last =
            insert_entries(&mut transaction, write.dialect, &corrections, at_ms, Below::Refused).await?;
        if append_all(&mut transaction, write, last, &corrections, record).await? == Appended::HeadMoved {
            return Ok(Entered::HeadMoved);
        }
        write.commit(transaction).await?;
        Ok(Entered::Entered)
    }
}

const fn correction(lp_id: i64, amount_e8: i64, why: &str) -> LedgerAddition<'_> {
    LedgerAddition { lp_id, kind: "correction", payout_id: None, amount_e8, why, who: IMPORTED_BY }
}

/// Adds the entries of the record that tell of corrections, one each, of which the newest is `last` in the ledger.
/// Corrections without an entry are published by whoever leads next.
async fn append_all(
    on: &mut AnyConnection,
    write: &WriteConnection,
    last: i64,
    corrections: &[LedgerAddition<'_>],
    record: &[NewEntry],
) -> Result<Appended, StoreError> {
    let before = last.saturating_sub(i64::try_from(corrections.len()).unwrap_or(i64::MAX));
    let mut corrections = (before.saturating_add(1)..).zip(corrections);
    for entry in record {
        if append_in(on, write, entry).await? == Appended::HeadMoved {
            return Ok(Appended::HeadMoved);
        }
        if let Some((entry_no, correction)) = corrections.next() {
            note_correction(on, correction.lp_id, entry_no, correction.amount_e8, &entry.head).await?;
        }
    }
    Ok(Appended::Appended)
}

async fn insert_holds(on: &mut AnyConnection, import: &NewImport) -> Result<(), StoreError> {
    for hold in &import.holds {
        sqlx::query(
            "INSERT INTO import_holds (hold_no, import_id, api_key, exchange, units, addresses, amount_e8, why) VALUES \
             ((SELECT COALESCE(MAX(hold_no), 0) + 1 FROM import_holds), $1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(import.import_id.as_str())
        .bind(hold.user.as_str())
        .bind(hold.exchange.as_str())
        .bind(hold.units.join("\n"))
        .bind(hold.addresses.join("\n"))
        .bind(hold.amount_e8)
        .bind(hold.why.as_str())
        .execute(&mut *on)
        .await?;
    }
    Ok(())
}

async fn imports_in(on: &mut AnyConnection) -> Result<Vec<ImportRow>, StoreError> {
    let rows =
        sqlx::query("SELECT import_id, source, at_ms FROM imports ORDER BY at_ms, import_id LIMIT 1000")
            .fetch_all(on)
            .await?;
    let import = |row: &AnyRow| {
        let (import_id, source) = (row.try_get("import_id")?, row.try_get("source")?);
        Ok(ImportRow { import_id, source, at_ms: count(row, "at_ms")? })
    };
    rows.iter().map(import).collect()
}

fn import_hold(row: &AnyRow) -> Result<ImportHold, StoreError> {
    let lines = |text: String| text.lines().map(ToOwned::to_owned).collect();
    let hold = NewHold {
        user: row.try_get("api_key")?,
        exchange: row.try_get("exchange")?,
        units: lines(row.try_get("units")?),
        addresses: lines(row.try_get("addresses")?),
        amount_e8: row.try_get("amount_e8")?,
        why: row.try_get("why")?,
    };
    Ok(ImportHold { hold_no: count(row, "hold_no")?, hold, released: count(row, "released_at_ms")? > 0 })
}

fn check_lp(lp: &NewLp) -> Result<(), StoreError> {
    check_name("the exchange", &lp.exchange)?;
    check_name("the user", &lp.user)?;
    check_name("the address", &lp.address)?;
    lp.units.iter().try_for_each(|unit| check_name("the unit", unit))
}

impl NewImport {
    fn check(&self) -> Result<(), StoreError> {
        check_name("the id of an import", &self.import_id)?;
        check_name("the source of an import", &self.source)?;
        check_text("the report of an import", &self.report, MAX_REPORT_BYTES)?;
        check_text("the reason", &self.why, MAX_NOTE_BYTES)?;
        if [self.balances.len(), self.holds.len(), self.foreign.len()]
            .into_iter()
            .any(|len| len > MAX_IMPORTED)
        {
            return Err(StoreError::invalid("an import", "it has too many LPs, holds or transactions"));
        }
        if self.balances.iter().any(|(_, amount_e8)| *amount_e8 <= 0)
            || self.holds.iter().any(|hold| hold.amount_e8 < 0)
        {
            return Err(StoreError::invalid("an import", "a balance in it is not above zero"));
        }
        for hold in &self.holds {
            check_text("the reason of a hold", &hold.why, MAX_NOTE_BYTES)?;
        }
        self.foreign.iter().try_for_each(|txid| check_name("the transaction", txid))?;
        self.record.iter().try_for_each(NewEntry::check)
    }
}
