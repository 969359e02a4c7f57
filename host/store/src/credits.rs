//! The ledger of rewards: insert-only, every entry with the running total of its LP.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::rows::{check_name, check_text, credited_e8, runs, statement};
use crate::{Store, connection};

/// The longest account of a credit, in bytes: a thousand orders with every figure of theirs.
pub const MAX_DETAIL_BYTES: usize = 1024 * 1024;

/// The most balances told at once.
pub const MAX_BALANCES_PAGE: u32 = 10_000;

/// What an LP gets for a unit in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditEntry {
    /// The LP.
    pub lp_id: i64,
    /// The unit.
    pub unit: String,
    /// The liquidity provided: a decimal, kept as it is written.
    pub provided: String,
    /// The reward in 1e-8 of the coin; never negative.
    pub amount_e8: i64,
    /// How it came about, order by order: the caller's own JSON. May be empty.
    pub detail: String,
}

/// What an LP was credited in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// The LP.
    pub lp_id: i64,
    /// Its exchange.
    pub exchange: String,
    /// Its payout address.
    pub address: String,
    /// The sum of all its credits, in 1e-8 of the coin.
    pub balance_e8: i64,
}

impl Store {
    /// Balances of the LPs whose number is above `after_lp_id`, by rising number, at most `limit` and at
    /// most [`MAX_BALANCES_PAGE`]. One look into an index for each.
    pub async fn balances(&self, after_lp_id: i64, limit: u32) -> Result<Vec<Balance>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(concat!(
            "SELECT l.lp_id, l.exchange, l.address, ",
            credited_e8!(),
            " AS balance_e8 FROM lps l WHERE l.lp_id > $1 ORDER BY l.lp_id LIMIT $2",
        ))
        .bind(after_lp_id)
        .bind(i64::from(limit.min(MAX_BALANCES_PAGE)))
        .fetch_all(&mut *reader)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Balance {
                    lp_id: row.try_get("lp_id")?,
                    exchange: row.try_get("exchange")?,
                    address: row.try_get("address")?,
                    balance_e8: row.try_get("balance_e8")?,
                })
            })
            .collect()
    }
}

impl CreditEntry {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        check_name("unit", &self.unit)?;
        check_name("the provided liquidity", &self.provided)?;
        check_text("the detail of a credit", &self.detail, MAX_DETAIL_BYTES)?;
        if self.amount_e8 < 0 {
            return Err(StoreError::invalid("the amount of a credit", "it is negative"));
        }
        Ok(())
    }
}

/// Adds the credits of a round to the ledger, within the transaction that records the round.
pub(crate) async fn insert_credits(
    on: &mut AnyConnection,
    dialect: Dialect,
    round_start: i64,
    credits: &[CreditEntry],
) -> Result<(), StoreError> {
    let mut credits: Vec<&CreditEntry> = credits.iter().collect();
    credits.sort_unstable_by_key(|credit| (credit.lp_id, credit.unit.as_str()));
    let entries = number(on, dialect, &credits).await?;
    for run in runs(dialect, &entries) {
        let mut insert = sqlx::query(statement(LEDGER_HEAD, LEDGER_ROW, run.len(), ""));
        for entry in run {
            insert = insert
                .bind(entry.credit.lp_id)
                .bind(entry.credit.unit.as_str())
                .bind(round_start)
                .bind(entry.credit.lp_id)
                .bind(entry.entry_no)
                .bind(entry.credit.amount_e8)
                .bind(entry.balance_e8)
                .bind(entry.credit.provided.as_str());
        }
        insert.execute(&mut *on).await?;
    }
    for run in runs(dialect, &credits) {
        let mut insert = sqlx::query(statement(DETAIL_HEAD, DETAIL_ROW, run.len(), ""));
        for credit in run {
            insert = insert
                .bind(round_start)
                .bind(credit.lp_id)
                .bind(credit.unit.as_str())
                .bind(credit.detail.as_str());
        }
        insert.execute(&mut *on).await?;
    }
    Ok(())
}

const LEDGER_HEAD: &str = "INSERT INTO credits \
     (lp_id, unit, round_start, user_id, entry_no, amount_e8, balance_e8, provided) VALUES";
const LEDGER_ROW: &str = "($, $, $, (SELECT user_id FROM lps WHERE lp_id = $), $, $, $, $)";
const DETAIL_HEAD: &str = "INSERT INTO credit_details (round_start, lp_id, unit, detail) VALUES";
const DETAIL_ROW: &str = "($, $, $, $)";

/// A credit with its place in the ledger.
struct Entry<'a> {
    credit: &'a CreditEntry,
    entry_no: i64,
    balance_e8: i64,
}

/// Gives each credit its number and its running total. Nobody else adds to the ledger meanwhile.
async fn number<'a>(
    on: &mut AnyConnection,
    dialect: Dialect,
    credits: &[&'a CreditEntry],
) -> Result<Vec<Entry<'a>>, StoreError> {
    let too_large = || StoreError::invalid("the balance of an LP", "it is beyond 63 bits");
    let row =
        sqlx::query("SELECT COALESCE(MAX(entry_no), 0) AS newest FROM credits").fetch_one(&mut *on).await?;
    let mut entry_no: i64 = row.try_get("newest")?;
    let mut balances = balances_of(on, dialect, credits).await?;
    let mut entries = Vec::with_capacity(credits.len());
    for &credit in credits {
        entry_no = entry_no.checked_add(1).ok_or_else(too_large)?;
        let balance_e8 = balances.entry(credit.lp_id).or_insert(0);
        *balance_e8 = balance_e8.checked_add(credit.amount_e8).ok_or_else(too_large)?;
        entries.push(Entry { credit, entry_no, balance_e8: *balance_e8 });
    }
    Ok(entries)
}

/// The balance of every LP that is credited, from its newest entry.
async fn balances_of(
    on: &mut AnyConnection,
    dialect: Dialect,
    credits: &[&CreditEntry],
) -> Result<BTreeMap<i64, i64>, StoreError> {
    let mut lp_ids: Vec<i64> = credits.iter().map(|credit| credit.lp_id).collect();
    lp_ids.dedup();
    let mut balances = BTreeMap::new();
    for run in runs(dialect, &lp_ids) {
        let mut select = sqlx::query(statement(
            concat!("SELECT l.lp_id, ", credited_e8!(), " AS balance_e8 FROM lps l WHERE l.lp_id IN ("),
            "$",
            run.len(),
            ")",
        ));
        for lp_id in run {
            select = select.bind(*lp_id);
        }
        for row in select.fetch_all(&mut *on).await? {
            balances.insert(row.try_get("lp_id")?, row.try_get("balance_e8")?);
        }
    }
    Ok(balances)
}

/// A credit of a user.
pub(crate) struct UserCredit {
    pub(crate) round_start: i64,
    pub(crate) round_seconds: i64,
    pub(crate) provided: String,
    pub(crate) amount_e8: i64,
}

/// The sum of everything a user was credited, over all exchanges, and the credits in the newest rounds in which there
/// are any, newest first. Both are of one moment, so that what came before the oldest of them is the difference: the
/// rounds are found together with the sum, what was credited in a round never changes, and one that is credited
/// meanwhile is left out.
///
/// How many rounds there are stands in the statement, and which they are is told to the next one. Of what it does not
/// know PostgreSQL takes a tenth for the one and a third for the other: of a hundred million credits, plans that read
/// far more than is there.
pub(crate) async fn newest_of_user(
    on: &mut AnyConnection,
    user_id: i64,
    rounds: u64,
) -> Result<(i64, Vec<UserCredit>), StoreError> {
    let newest = sqlx::query(AssertSqlSafe(format!(
        concat!(
            "SELECT newest.round_start, \
             (SELECT CAST(COALESCE(SUM(balances.balance_e8), 0) AS BIGINT) FROM (SELECT ",
            credited_e8!(),
            " AS balance_e8 FROM lps l WHERE l.user_id = $1) AS balances) AS total_e8 \
             FROM (SELECT DISTINCT round_start FROM credits WHERE user_id = $1 \
             ORDER BY round_start DESC LIMIT {}) AS newest ORDER BY newest.round_start DESC",
        ),
        rounds
    )))
    .bind(user_id)
    .fetch_all(&mut *on)
    .await?;
    let total_e8 = newest.first().map(|row| row.try_get("total_e8")).transpose()?.unwrap_or(0);
    let newest = newest.iter().map(|row| row.try_get("round_start")).collect::<Result<Vec<i64>, _>>()?;
    let Some((first, last)) = newest.first().zip(newest.last()) else { return Ok((0, Vec::new())) };
    let rows = sqlx::query(
        "SELECT c.round_start, \
         (SELECT r.round_seconds FROM rounds r WHERE r.round_start = c.round_start) AS round_seconds, \
         c.provided, c.amount_e8 FROM credits c \
         WHERE c.user_id = $1 AND c.round_start >= $2 AND c.round_start <= $3 ORDER BY c.round_start DESC",
    )
    .bind(user_id)
    .bind(*last)
    .bind(*first)
    .fetch_all(on)
    .await?;
    let mut credits = Vec::with_capacity(rows.len());
    for row in &rows {
        let round_start = row.try_get("round_start")?;
        if newest.contains(&round_start) {
            credits.push(UserCredit {
                round_start,
                round_seconds: row.try_get("round_seconds")?,
                provided: row.try_get("provided")?,
                amount_e8: row.try_get("amount_e8")?,
            });
        }
    }
    Ok((total_e8, credits))
}
