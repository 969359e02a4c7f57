//! Challenges: issued so many an hour, open until they lapse or are met.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::error::StoreError;
use crate::rows::{check_name, check_text, count, signed};
use crate::writer::Lock;
use crate::{Store, connection};

/// The longest time a challenge may stay open, in milliseconds.
const MAX_LIFETIME_MS: u64 = 3_600_000;

/// The longest keyed digest, nonce or seal, in bytes of hexadecimal.
const MAX_HEX_BYTES: usize = 64;

/// The most digits.
const MAX_DIGITS: usize = 32;

/// What an LP is to be asked.
#[derive(Clone, PartialEq, Eq)]
pub struct NewChallenge {
    /// The LP.
    pub lp_id: i64,
    /// The unit, which stands for the market.
    pub unit: String,
    /// The address to be proven.
    pub address: String,
    /// The place it was asked from; empty for one that is not known.
    pub asked_from: String,
    /// `amount` or `price`.
    pub shown_by: String,
    /// At how many decimals it is read.
    pub decimals: u32,
    /// The challenge's own random bytes, in hexadecimal.
    pub nonce: String,
    /// The digest of what the asker contributes; empty if nothing.
    pub seal: String,
    /// The digits; empty until what was sealed is told.
    pub digits: String,
    /// For how long it is open, in milliseconds.
    pub lifetime_ms: u64,
    /// How many are issued to one place within `window_ms`.
    pub most: u32,
    /// In milliseconds.
    pub window_ms: u64,
}

/// A challenge as it stands.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge {
    /// Its number.
    pub challenge_id: u64,
    /// The LP.
    pub lp_id: i64,
    /// The unit, which stands for the market.
    pub unit: String,
    /// The address to be proven.
    pub address: String,
    /// `amount` or `price`.
    pub shown_by: String,
    /// At how many decimals it is read.
    pub decimals: u32,
    /// Its random bytes, in hexadecimal.
    pub nonce: String,
    /// The digest of what the asker contributes; empty if nothing.
    pub seal: String,
    /// The digits; empty until what was sealed is told.
    pub digits: String,
    /// When it was issued, in Unix milliseconds by the database's clock.
    pub issued_at_ms: u64,
    /// When it lapses.
    pub lapses_at_ms: u64,
}

/// What became of asking for one.
#[derive(Clone, PartialEq, Eq)]
pub enum Issued {
    /// This one is open; it may be one from before, for the same.
    Open {
        /// The challenge.
        challenge: Challenge,
        /// How many more are issued to this place now.
        left: u32,
    },
    /// There were too many.
    TooMany {
        /// From when on there is another one, in Unix milliseconds.
        again_at_ms: u64,
    },
}

impl NewChallenge {
    fn check(&self) -> Result<(), StoreError> {
        check_name("unit", &self.unit)?;
        check_name("address", &self.address)?;
        for text in [&self.asked_from, &self.nonce, &self.seal] {
            check_text("a digest of a challenge", text, MAX_HEX_BYTES)?;
        }
        check_text("the digits of a challenge", &self.digits, MAX_DIGITS)?;
        if !(1..=MAX_LIFETIME_MS).contains(&self.lifetime_ms) {
            return Err(StoreError::invalid("the time of a challenge", "it is not within 1 ms to an hour"));
        }
        Ok(())
    }
}

impl Store {
    /// Issues a challenge, unless the place it was asked from got `most` within the window. One that is open for the
    /// same (LP, unit, address, number, decimals, seal) is given again, and counts once.
    pub async fn issue_challenge(&self, new: &NewChallenge) -> Result<Issued, StoreError> {
        new.check()?;
        self.shared.write.persistently(|| self.issue_once(new)).await
    }

    async fn issue_once(&self, new: &NewChallenge) -> Result<Issued, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Challenges).await?;
        let now_ms = write.now_ms(&mut transaction).await?;
        let issued = issued_since(&mut transaction, new, now_ms.saturating_sub(new.window_ms)).await?;
        let used = u32::try_from(issued.len()).unwrap_or(u32::MAX);
        if let Some(challenge) = open_one(&mut transaction, new, now_ms).await? {
            return Ok(Issued::Open { challenge, left: new.most.saturating_sub(used) });
        }
        if used >= new.most {
            // One more is free when so many are left in the window that another one fits.
            let place = usize::try_from(used.saturating_sub(new.most)).unwrap_or(usize::MAX);
            let oldest_ms = issued.get(place).copied().unwrap_or(now_ms);
            let again_at_ms = oldest_ms.saturating_add(new.window_ms);
            return Ok(Issued::TooMany { again_at_ms });
        }
        let challenge_id = insert(&mut transaction, new, now_ms).await?;
        let challenge = by_id(&mut transaction, challenge_id).await?;
        write.commit(transaction).await?;
        let challenge = challenge.ok_or(StoreError::corrupt("a challenge that was written is missing"))?;
        Ok(Issued::Open { challenge, left: new.most.saturating_sub(used.saturating_add(1)) })
    }

    /// A challenge, if it is open.
    pub async fn open_challenge(&self, challenge_id: u64) -> Result<Option<Challenge>, StoreError> {
        let now_ms = self.clock_ms().await?;
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT * FROM challenges WHERE challenge_id = $1 AND met_at_ms = 0")
            .bind(signed("the challenge", challenge_id)?)
            .fetch_optional(&mut *reader)
            .await?;
        let challenge = row.as_ref().map(challenge).transpose()?;
        Ok(challenge.filter(|challenge| challenge.lapses_at_ms > now_ms))
    }

    /// The LPs that have an open challenge with digits.
    pub async fn challenged_lps(&self) -> Result<BTreeSet<i64>, StoreError> {
        let now_ms = signed("the time", self.clock_ms().await?)?;
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT lp_id FROM challenges WHERE lapses_at_ms > $1 AND met_at_ms = 0 AND digits <> ''",
        )
        .bind(now_ms)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(|row| Ok(row.try_get("lp_id")?)).collect()
    }

    /// The open challenges of an LP that have digits, oldest first. There are as many as were issued within their time.
    pub async fn challenges_of(&self, lp_id: i64) -> Result<Vec<Challenge>, StoreError> {
        let now_ms = signed("the time", self.clock_ms().await?)?;
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT * FROM challenges WHERE lp_id = $1 AND lapses_at_ms > $2 AND met_at_ms = 0 \
             AND digits <> '' ORDER BY challenge_id",
        )
        .bind(lp_id)
        .bind(now_ms)
        .fetch_all(&mut *reader)
        .await?;
        rows.iter().map(challenge).collect()
    }

    /// Gives a sealed challenge its digits. Whether it was open and had none.
    pub async fn set_digits(&self, challenge_id: u64, digits: &str) -> Result<bool, StoreError> {
        check_text("the digits of a challenge", digits, MAX_DIGITS)?;
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        let now_ms = write.now_ms(&mut transaction).await?;
        let updated = sqlx::query(
            "UPDATE challenges SET digits = $2 WHERE challenge_id = $1 AND digits = '' AND met_at_ms = 0 \
             AND lapses_at_ms > $3",
        )
        .bind(signed("the challenge", challenge_id)?)
        .bind(digits)
        .bind(signed("the time", now_ms)?)
        .execute(&mut *transaction)
        .await?;
        write.commit(transaction).await?;
        Ok(updated.rows_affected() == 1)
    }

    /// Forgets challenges that lapsed before this time without being met, a few thousand at a time. Returns how many.
    pub async fn forget_lapsed_challenges(&self, before_ms: u64) -> Result<u64, StoreError> {
        let delete = "DELETE FROM challenges WHERE challenge_id IN (SELECT challenge_id FROM challenges \
                      WHERE lapses_at_ms < $1 AND met_at_ms = 0 ORDER BY lapses_at_ms LIMIT $2)";
        self.forget_rows(delete, before_ms).await
    }
}

/// When challenges were issued to the same place after this time, oldest first.
async fn issued_since(
    on: &mut AnyConnection,
    new: &NewChallenge,
    after_ms: u64,
) -> Result<Vec<u64>, StoreError> {
    let rows = sqlx::query(
        "SELECT issued_at_ms FROM challenges WHERE lp_id = $1 AND asked_from = $2 AND issued_at_ms > $3 \
         ORDER BY issued_at_ms",
    )
    .bind(new.lp_id)
    .bind(new.asked_from.as_str())
    .bind(signed("the time", after_ms)?)
    .fetch_all(on)
    .await?;
    rows.iter().map(|row| count(row, "issued_at_ms")).collect()
}

async fn open_one(
    on: &mut AnyConnection,
    new: &NewChallenge,
    now_ms: u64,
) -> Result<Option<Challenge>, StoreError> {
    let row = sqlx::query(
        "SELECT * FROM challenges WHERE lp_id = $1 AND unit = $2 AND address = $3 AND shown_by = $4 \
         AND decimals = $5 AND seal = $6 AND lapses_at_ms > $7 AND met_at_ms = 0 \
         ORDER BY challenge_id DESC LIMIT 1",
    )
    .bind(new.lp_id)
    .bind(new.unit.as_str())
    .bind(new.address.as_str())
    .bind(new.shown_by.as_str())
    .bind(i64::from(new.decimals))
    .bind(new.seal.as_str())
    .bind(signed("the time", now_ms)?)
    .fetch_optional(on)
    .await?;
    row.as_ref().map(challenge).transpose()
}

async fn insert(on: &mut AnyConnection, new: &NewChallenge, now_ms: u64) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO challenges (challenge_id, lp_id, unit, address, asked_from, shown_by, decimals, nonce, \
         seal, digits, issued_at_ms, lapses_at_ms) VALUES \
         ((SELECT COALESCE(MAX(challenge_id), 0) + 1 FROM challenges), $1, $2, $3, $4, $5, $6, $7, $8, $9, \
          $10, $11) RETURNING challenge_id",
    )
    .bind(new.lp_id)
    .bind(new.unit.as_str())
    .bind(new.address.as_str())
    .bind(new.asked_from.as_str())
    .bind(new.shown_by.as_str())
    .bind(i64::from(new.decimals))
    .bind(new.nonce.as_str())
    .bind(new.seal.as_str())
    .bind(new.digits.as_str())
    .bind(signed("the time", now_ms)?)
    .bind(signed("the time", now_ms.saturating_add(new.lifetime_ms))?)
    .fetch_one(on)
    .await?;
    Ok(row.try_get("challenge_id")?)
}

async fn by_id(on: &mut AnyConnection, challenge_id: i64) -> Result<Option<Challenge>, StoreError> {
    let row = sqlx::query("SELECT * FROM challenges WHERE challenge_id = $1")
        .bind(challenge_id)
        .fetch_optional(on)
        .await?;
    row.as_ref().map(challenge).transpose()
}

fn challenge(row: &AnyRow) -> Result<Challenge, StoreError> {
    let decimals = u32::try_from(row.try_get::<i64, _>("decimals")?);
    Ok(Challenge {
        challenge_id: count(row, "challenge_id")?,
        lp_id: row.try_get("lp_id")?,
        unit: row.try_get("unit")?,
        address: row.try_get("address")?,
        shown_by: row.try_get("shown_by")?,
        decimals: decimals.map_err(|_| StoreError::corrupt("the decimals of a challenge"))?,
        nonce: row.try_get("nonce")?,
        seal: row.try_get("seal")?,
        digits: row.try_get("digits")?,
        issued_at_ms: count(row, "issued_at_ms")?,
        lapses_at_ms: count(row, "lapses_at_ms")?,
    })
}
