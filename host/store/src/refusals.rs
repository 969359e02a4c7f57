//! What became of an LP's submissions: what was accepted is told from its samples, and what was refused is kept here.
//! Knows nothing of why.

use sqlx::{AnyConnection, Row};

use crate::error::StoreError;
use crate::rows::{check_name, check_text, count, signed};
use crate::{Store, connection};

/// The most refusals that are kept of an LP and unit.
pub const MAX_REFUSALS: u32 = 20;

/// Longest sentence of a refusal, in bytes.
pub const MAX_SENTENCE_BYTES: usize = 2_048;

/// The most LPs and units whose refusals are added at once.
pub const MAX_REFUSED_AT_ONCE: usize = 500;

/// A submission that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// Who can do something about it: the caller's own word.
    pub who_acts: String,
    /// What the bot was told.
    pub sentence: String,
}

/// What was refused of an LP and unit since it was last written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The LP.
    pub lp_id: i64,
    /// The unit.
    pub unit: String,
    /// How many submissions were refused in each round, by its start in Unix seconds.
    pub rejected: Vec<(u64, u64)>,
    /// The last of them, at most [`MAX_REFUSALS`].
    pub refusals: Vec<Refusal>,
}

/// What became of the submissions of an LP for one unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Became {
    /// The unit.
    pub unit: String,
    /// In how many slices of each round something was accepted, by the round's start in Unix seconds.
    pub accepted: Vec<(u64, u64)>,
    /// How many submissions were refused in each round.
    pub rejected: Vec<(u64, u64)>,
    /// The last refusals, newest first.
    pub refusals: Vec<Refusal>,
}

impl Refused {
    fn check(&self) -> Result<(), StoreError> {
        check_name("unit", &self.unit)?;
        if self.refusals.len() > usize::try_from(MAX_REFUSALS).unwrap_or(usize::MAX) {
            return Err(StoreError::invalid("the list of refusals", "it is too long"));
        }
        for refusal in &self.refusals {
            check_name("who acts", &refusal.who_acts)?;
            check_text("the sentence of a refusal", &refusal.sentence, MAX_SENTENCE_BYTES)?;
        }
        Ok(())
    }
}

impl Store {
    /// Writes down what was refused, of at most [`MAX_REFUSED_AT_ONCE`] LPs and units. Counts are added to what is there.
    pub async fn add_refused(&self, refused: &[Refused]) -> Result<(), StoreError> {
        if refused.len() > MAX_REFUSED_AT_ONCE {
            return Err(StoreError::invalid("the list of what was refused", "it is too long"));
        }
        for of_market in refused {
            of_market.check()?;
        }
        // In one order, so that servers wait for each other and never in a circle.
        let mut refused: Vec<&Refused> = refused.iter().collect();
        refused.sort_by(|a, b| (a.lp_id, &a.unit).cmp(&(b.lp_id, &b.unit)));
        self.shared.write.persistently(|| self.add_once(&refused)).await
    }

    async fn add_once(&self, refused: &[&Refused]) -> Result<(), StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        for of_market in refused {
            count_rejected(&mut transaction, of_market).await?;
            keep_last(&mut transaction, of_market).await?;
        }
        write.commit(transaction).await
    }

    /// What became of an LP's submissions in the rounds from `first` on (Unix seconds), by unit. Whichever server took or
    /// refused them; of refusals the last, however old.
    pub async fn became(&self, lp_id: i64, first: u64) -> Result<Vec<Became>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT 1 AS kind, s.unit, s.round_start AS at, COUNT(*) AS number, '' AS who_acts, '' AS sentence FROM samples s \
             WHERE s.user_id = (SELECT l.user_id FROM lps l WHERE l.lp_id = $1) AND s.round_start >= $2 AND s.lp_id = $1 \
             GROUP BY s.unit, s.round_start \
             UNION ALL SELECT 2, unit, round_start, rejected, '', '' FROM rejections WHERE lp_id = $1 AND round_start >= $2 \
             UNION ALL SELECT 3, unit, at_ms, 0, who_acts, sentence FROM refusals WHERE lp_id = $1 \
             ORDER BY 2, 1, 3 DESC",
        )
        .bind(lp_id)
        .bind(signed("a round", first)?)
        .fetch_all(&mut *reader)
        .await?;
        let mut became: Vec<Became> = Vec::new();
        for row in &rows {
            let unit: String = row.try_get("unit")?;
            if became.last().is_none_or(|last| last.unit != unit) {
                became.push(Became { unit, ..Became::default() });
            }
            let Some(of_unit) = became.last_mut() else { continue };
            let (at, number) = (count(row, "at")?, count(row, "number")?);
            match count(row, "kind")? {
                1 => of_unit.accepted.push((at, number)),
                2 => of_unit.rejected.push((at, number)),
                _ => of_unit.refusals.push(Refusal {
                    at_ms: at,
                    who_acts: row.try_get("who_acts")?,
                    sentence: row.try_get("sentence")?,
                }),
            }
        }
        Ok(became)
    }

    /// Forgets how many were refused in rounds that started before this one, a few thousand at a time. Returns how many.
    pub async fn forget_rejections(&self, before_round: u64) -> Result<u64, StoreError> {
        let delete = "DELETE FROM rejections WHERE (lp_id, unit, round_start) IN \
                      (SELECT lp_id, unit, round_start FROM rejections WHERE round_start < $1 \
                       ORDER BY round_start, lp_id, unit LIMIT $2)";
        self.forget_rows(delete, before_round).await
    }
}

async fn count_rejected(on: &mut AnyConnection, refused: &Refused) -> Result<(), StoreError> {
    for (round_start, rejected) in &refused.rejected {
        sqlx::query(
            "INSERT INTO rejections (lp_id, unit, round_start, rejected) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (lp_id, unit, round_start) DO UPDATE SET rejected = rejections.rejected + excluded.rejected",
        )
        .bind(refused.lp_id)
        .bind(refused.unit.as_str())
        .bind(signed("a round", *round_start)?)
        .bind(signed("the number of refusals", *rejected)?)
        .execute(&mut *on)
        .await?;
    }
    Ok(())
}

async fn keep_last(on: &mut AnyConnection, refused: &Refused) -> Result<(), StoreError> {
    for refusal in &refused.refusals {
        sqlx::query(
            "INSERT INTO refusals (lp_id, unit, at_ms, who_acts, sentence) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (lp_id, unit, at_ms) DO NOTHING",
        )
        .bind(refused.lp_id)
        .bind(refused.unit.as_str())
        .bind(signed("the time", refusal.at_ms)?)
        .bind(refusal.who_acts.as_str())
        .bind(refusal.sentence.as_str())
        .execute(&mut *on)
        .await?;
    }
    sqlx::query(
        "DELETE FROM refusals WHERE lp_id = $1 AND unit = $2 AND at_ms < (SELECT MIN(newest.at_ms) FROM \
         (SELECT at_ms FROM refusals WHERE lp_id = $1 AND unit = $2 ORDER BY at_ms DESC LIMIT $3) AS newest)",
    )
    .bind(refused.lp_id)
    .bind(refused.unit.as_str())
    .bind(i64::from(MAX_REFUSALS))
    .execute(on)
    .await?;
    Ok(())
}
