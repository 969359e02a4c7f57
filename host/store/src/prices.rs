//! The newest quote of each unit, so that all servers judge by the same. Knows no decimals.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::dialect::Hold;
use crate::error::StoreError;
use crate::leases::{Lease, hold_lease};
use crate::rows::{check_name, check_text, count, signed};
use crate::samples::MAX_PRICE_BYTES;
use crate::{Store, connection};

/// The most quotes told at once, one a unit.
pub const MAX_QUOTES: u32 = 10_000;

/// What a unit was quoted at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The price: a decimal, kept as it is written.
    pub price: String,
    /// What each feed said: the caller's own JSON. May be empty.
    pub quotes: String,
    /// When it was fetched, in Unix milliseconds by the database's clock.
    pub at_ms: u64,
}

impl Store {
    /// Puts a price that was fetched just now in force, in place of the unit's one before.
    /// [`StoreError::NotLeader`] if another server leads.
    pub async fn put_price(
        &self,
        lease: &Lease,
        unit: &str,
        price: &str,
        quotes: &str,
    ) -> Result<(), StoreError> {
        check_name("unit", unit)?;
        check_name("the price", price)?;
        check_text("the quotes of a price", quotes, MAX_PRICE_BYTES)?;
        self.shared.write.persistently(|| self.put_price_once(lease, unit, price, quotes)).await
    }

    async fn put_price_once(
        &self,
        lease: &Lease,
        unit: &str,
        price: &str,
        quotes: &str,
    ) -> Result<(), StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Shared).await?;
        let now_ms = write.now_ms(&mut transaction).await?;
        sqlx::query(
            "INSERT INTO prices (unit, price, at_ms, quotes) VALUES ($1, $2, $3, $4) ON CONFLICT (unit) \
             DO UPDATE SET price = excluded.price, at_ms = excluded.at_ms, quotes = excluded.quotes",
        )
        .bind(unit)
        .bind(price)
        .bind(signed("the time", now_ms)?)
        .bind(quotes)
        .execute(&mut *transaction)
        .await?;
        write.commit(transaction).await
    }

    /// The newest quote of each unit, of at most [`MAX_QUOTES`] units.
    pub async fn prices(&self) -> Result<BTreeMap<String, Quote>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query("SELECT unit, price, at_ms, quotes FROM prices ORDER BY unit LIMIT $1")
            .bind(i64::from(MAX_QUOTES))
            .fetch_all(&mut *reader)
            .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    row.try_get("unit")?,
                    Quote {
                        price: row.try_get("price")?,
                        quotes: row.try_get("quotes")?,
                        at_ms: count(row, "at_ms")?,
                    },
                ))
            })
            .collect()
    }
}
