//! Statements: all that changed what one API key is owed in a period, put together from the ledger and signed.
//! It knows dates and forms, and nothing of HTTP.

mod csv;
mod journal;

use std::collections::BTreeMap;

use alp_record::chain::{
    CorrectionLine, CreditsLine, Digest, Opening, PayoutLine, STATEMENT_VERSION, SignedCoins, Statement,
    StatementAccount, StatementHead, StatementLine, TextForm, sign_text_form,
};
use alp_store::{AccountOfUser, ForgottenCredits, MAX_STATEMENT_CHANGES, PublishedChange, Store, StoreError};
use thiserror::Error;

use crate::calendar::{read_moment, show_moment};
use crate::proof::{shortened, standing_after};
use crate::record::{Head, PublishError, Publisher};

/// Seconds of a day in UTC.
const DAY: u64 = 86_400;

/// Most days of a statement: a quarter.
pub const MAX_DAYS: u64 = 92;

/// How many days a statement has if nothing is said.
pub const USUAL_DAYS: u64 = 31;

/// How often a statement is put together anew because something was published meanwhile, which happens once a round.
const MAX_ATTEMPTS: u32 = 5;

/// The days of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first second, in Unix seconds.
    pub from: u64,
    /// The first second after it.
    pub until: u64,
}

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The document itself, a line of JSON.
    Json,
    /// A text.
    Text(TextForm),
}

/// Who asks, and with what.
#[derive(Debug)]
pub struct Asking<'a> {
    /// The API key.
    pub user: &'a str,
    /// The days.
    pub period: Period,
    /// What the asker says opens pseudonyms: those that do are named.
    pub openings: &'a [Opening],
}

impl Form {
    /// The form of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "csv" => Some(Self::Text(TextForm::Csv)),
            "ledger" => Some(Self::Text(TextForm::Ledger)),
            _ => None,
        }
    }

    /// The type that it is served as.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text(TextForm::Csv) => "text/csv; charset=utf-8",
            Self::Text(TextForm::Ledger) => "text/plain; charset=utf-8",
        }
    }

    /// A statement in this form, signed.
    #[must_use]
    pub fn sign(self, statement: Statement, publisher: &Publisher) -> String {
        match self {
            Self::Json => statement.sign(publisher.key()).text(),
            Self::Text(form) => {
                let body = match form {
                    TextForm::Csv => csv::write(&statement),
                    TextForm::Ledger => journal::write(&statement),
                };
                sign_text_form(form, &body, publisher.key())
            }
        }
    }
}

impl Period {
    /// The days that the dates `from` and `to` name, both within; by default the last ones up to today.
    ///
    /// # Errors
    /// [`StatementFault::Dates`] or [`StatementFault::TooLong`].
    pub fn read(from: Option<&str>, to: Option<&str>, now_s: u64) -> Result<Self, StatementFault> {
        let day = |date: &str| match read_moment(&format!("{date}T00:00:00Z")) {
            Some(start) if date.len() == 10 => Ok(start),
            _ => Err(StatementFault::Dates),
        };
        let last = match to {
            Some(date) => day(date)?,
            None => now_s.saturating_sub(now_s.checked_rem(DAY).unwrap_or(0)),
        };
        let first = match from {
            Some(date) => day(date)?,
            None => last.saturating_sub(DAY.saturating_mul(USUAL_DAYS.saturating_sub(1))),
        };
        let until = last.saturating_add(DAY);
        if first > last {
            return Err(StatementFault::Dates);
        }
        if until.saturating_sub(first) > DAY.saturating_mul(MAX_DAYS) {
            return Err(StatementFault::TooLong);
        }
        Ok(Self { from: first, until })
    }
}

/// Puts a statement together. None if the API key is not registered.
///
/// # Errors
/// [`StatementFault`].
pub async fn statement_of(
    store: &Store,
    publisher: &Publisher,
    asking: &Asking<'_>,
) -> Result<Option<Statement>, StatementFault> {
    let accounts = store.accounts_of(asking.user).await?;
    if accounts.is_empty() {
        return Ok(None);
    }
    let mut head = publisher.read_head(store).await?;
    for _ in 0..MAX_ATTEMPTS {
        let at_ms = store.clock_ms().await?;
        let read = read_accounts(store, publisher, (asking, at_ms), &accounts).await?;
        // Whatever changes a balance moves the head: with the same head before and after, all was read of one moment.
        let now = publisher.read_head(store).await?;
        if now == head {
            let Head { header, digest } = head;
            return Ok(Some(Statement {
                version: STATEMENT_VERSION,
                pool: publisher.pool().to_owned(),
                from: asking.period.from,
                until: asking.period.until,
                at_ms,
                head: StatementHead { epoch: header.epoch, number: header.number, digest },
                accounts: read,
            }));
        }
        head = now;
    }
    Err(StatementFault::HeadMoves)
}

async fn read_accounts(
    store: &Store,
    publisher: &Publisher,
    (asking, at_ms): (&Asking<'_>, u64),
    accounts: &[AccountOfUser],
) -> Result<Vec<StatementAccount>, StatementFault> {
    let Period { from, until } = asking.period;
    let step = usize::try_from(DAY).unwrap_or(usize::MAX);
    let moments: Vec<u64> = (from..=until).step_by(step).collect();
    let lp_ids: Vec<i64> = accounts.iter().map(|account| account.lp_id).collect();
    let mut credited: BTreeMap<(i64, u64), i64> = BTreeMap::new();
    for told in store.credited_until(&lp_ids, &moments).await? {
        credited.insert((told.lp_id, told.at_s), told.sum_e8);
    }
    let mut read = Vec::with_capacity(accounts.len());
    for account in accounts {
        let (from_ms, until_ms) = (from.saturating_mul(1_000), until.saturating_mul(1_000));
        let before_e8 = store.published_before(account.lp_id, from_ms).await?;
        let changes = store.published_changes(account.lp_id, from_ms, until_ms).await?;
        if u64::try_from(changes.len()).unwrap_or(u64::MAX) >= MAX_STATEMENT_CHANGES {
            return Err(StatementFault::TooLong);
        }
        let forgotten = store.forgotten_credits(account.lp_id).await?;
        let sums = moments.iter().map(|at_s| match credited.get(&(account.lp_id, *at_s)) {
            Some(sum_e8) => Ok((*at_s, *sum_e8)),
            None => Ok((*at_s, forgotten_before(forgotten, *at_s)?)),
        });
        let sums = sums.collect::<Result<Vec<(u64, i64)>, StatementFault>>()?;
        let lp = pseudonym(publisher, asking, account);
        let newest = store.newest_address(account.lp_id).await?;
        let address = standing_after(&account.address, newest.as_ref()).at(at_ms).address;
        // An API key alone is told no more than the ends of an address, as elsewhere.
        let address = if lp.is_some() { address } else { shortened(&address) };
        let named = (account.exchange.clone(), address, lp);
        read.push(put_together(named, &sums, before_e8, changes)?);
    }
    Ok(read)
}

/// What was credited before a moment from before which no credit is kept.
fn forgotten_before(forgotten: Option<ForgottenCredits>, at_s: u64) -> Result<i64, StatementFault> {
    match forgotten {
        Some(ForgottenCredits { last_round, sum_e8, .. }) if last_round < at_s => Ok(sum_e8),
        Some(ForgottenCredits { first_round, last_round, .. }) if first_round < at_s => {
            Err(StatementFault::Forgotten { day: date(last_round.saturating_add(DAY)) })
        }
        Some(_) | None => Ok(0),
    }
}

/// The pseudonym of an account, if the asker has shown what opens it.
fn pseudonym(publisher: &Publisher, asking: &Asking<'_>, account: &AccountOfUser) -> Option<Digest> {
    let named = |opening: &Opening| opening.pseudonym(publisher.pool(), asking.user);
    let right = named(&Opening::parse(account.nonce.as_deref()?)?);
    asking.openings.iter().map(named).find(|shown| *shown == right)
}

/// An account from what was credited before each of the days' starts, and from what was paid and corrected.
fn put_together(
    (exchange, address, lp): (String, String, Option<Digest>),
    sums: &[(u64, i64)],
    before_e8: i64,
    changes: Vec<PublishedChange>,
) -> Result<StatementAccount, StatementFault> {
    let credited_before = sums.first().map_or(0, |(_, sum_e8)| *sum_e8);
    let opening_e8 = credited_before.checked_add(before_e8).ok_or(StatementFault::Damaged)?;
    let days = sums.iter().zip(sums.iter().skip(1));
    let mut lines: Vec<StatementLine> = days
        .map(|((day, before_e8), (_, after_e8))| (*day, after_e8.saturating_sub(*before_e8)))
        .filter(|(_, e8)| *e8 != 0)
        .map(|(day, e8)| StatementLine::Credits(CreditsLine { day, amount: SignedCoins(e8) }))
        .collect();
    lines.extend(changes.into_iter().map(line));
    lines.sort_by_key(StatementLine::at_s);
    let closing =
        lines.iter().map(StatementLine::change_e8).fold(i128::from(opening_e8), i128::saturating_add);
    Ok(StatementAccount {
        exchange,
        address,
        lp,
        opening: SignedCoins(opening_e8),
        lines,
        closing: SignedCoins(i64::try_from(closing).map_err(|_| StatementFault::Damaged)?),
    })
}

fn line(change: PublishedChange) -> StatementLine {
    let PublishedChange { lp_id: _, record_no: entry, at_ms, amount_e8, fee_e8, payout, who, why } = change;
    match payout {
        Some((payout, txid)) => StatementLine::Payout(PayoutLine {
            at_ms,
            entry,
            payout: payout.to_string(),
            txid,
            amount: SignedCoins(amount_e8.saturating_sub(fee_e8)),
            fee: SignedCoins(fee_e8),
        }),
        None => {
            let amount = SignedCoins(amount_e8);
            StatementLine::Correction(CorrectionLine { at_ms, entry, amount, who, why })
        }
    }
}

/// A day as `2026-11-27`.
fn date(unix_seconds: u64) -> String {
    show_moment(unix_seconds).chars().take(10).collect()
}

/// The last second of a period.
fn last_second(statement: &Statement) -> u64 {
    statement.until.saturating_sub(1)
}

/// Longest text of others' that is repeated.
const MAX_TEXT: usize = 256;

/// Text of others' as one line without control characters.
fn one_line(text: &str) -> String {
    alp_sandbox::clean_text(text, MAX_TEXT)
}

/// What a text says of the whole statement, a line each, without what makes it a comment.
fn preface(statement: &Statement) -> Vec<String> {
    let Statement { pool, from, head, .. } = statement;
    let mut lines = vec![
        format!("pool {pool}"),
        format!("period {} to {}, days in UTC", date(*from), date(last_second(statement))),
        format!("head entry {} of epoch {}, {}", head.number, head.epoch, head.digest),
    ];
    for account in &statement.accounts {
        let named = account.lp.map_or_else(String::new, |lp| format!(", in the record {lp}"));
        lines.push(format!("account {} is paid to {}{named}", account.exchange, one_line(&account.address)));
    }
    lines
}

/// Why there is no statement.
#[derive(Debug, Error)]
pub enum StatementFault {
    /// The asker's: the dates.
    #[error("from and to are days in UTC such as 2026-11-27, and from is not after to")]
    Dates,
    /// The asker's: the period.
    #[error(
        "a statement has at most {MAX_DAYS} days and {MAX_STATEMENT_CHANGES} payouts: ask for fewer days"
    )]
    TooLong,
    /// The asker's: the pool keeps no credits of each day from then.
    #[error("credits of earlier days were added up and are told no more one by one: ask from {day} on")]
    Forgotten {
        /// The first day that can be told.
        day: String,
    },
    /// Nobody's: it is asked again.
    #[error("the record went on while the statement was put together: ask again")]
    HeadMoves,
    /// The operator's: the database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operator's: the record.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The operator's: a balance that cannot be.
    #[error("a balance in the database is beyond all coins; restore a backup")]
    Damaged,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_788_000;

    #[test]
    fn credits_that_were_deleted_are_told_as_their_sum_or_not_at_all() {
        let forgotten = Some(ForgottenCredits { first_round: 1_000, last_round: NOW, sum_e8: 7 });
        assert_eq!(forgotten_before(None, NOW).unwrap(), 0);
        assert_eq!(forgotten_before(forgotten, 1_000).unwrap(), 0);
        assert_eq!(forgotten_before(forgotten, NOW + 1).unwrap(), 7);
        for between in [1_001, NOW] {
            let refused = forgotten_before(forgotten, between).unwrap_err().to_string();
            assert!(refused.ends_with("ask from 2026-11-28 on"), "{refused}");
        }
    }

    #[test]
    fn a_period_is_whole_days_and_of_the_last_month_unless_dates_say_otherwise() {
        let read =
            |from, to| Period::read(from, to, NOW).map(|period| (date(period.from), date(period.until - 1)));
        let days = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(read(None, None).unwrap(), days("2026-10-28", "2026-11-27"));
        assert_eq!(read(Some("2026-11-27"), Some("2026-11-27")).unwrap(), days("2026-11-27", "2026-11-27"));
        assert_eq!(read(Some("2026-09-01"), Some("2026-12-01")).unwrap(), days("2026-09-01", "2026-12-01"));
        assert!(matches!(read(Some("2026-08-31"), Some("2026-12-01")), Err(StatementFault::TooLong)));
        for (from, to) in [(Some("soon"), None), (Some("1"), None), (Some("2026-11-27"), Some("2026-11-26"))]
        {
            assert!(matches!(read(from, to), Err(StatementFault::Dates)), "{from:?} {to:?}");
        }
    }
}
