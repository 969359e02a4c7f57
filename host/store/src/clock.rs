//! The one clock by which rounds are told apart: the database's, so that two servers agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AnyConnection, Row};

use crate::dialect::Dialect;
use crate::error::StoreError;
use crate::rows::unsigned;
use crate::{Store, connection};

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// From the database.
    #[default]
    Database,
    /// From this number of Unix milliseconds. For tests, which move it as they like.
    Fixed(Arc<AtomicU64>),
}

impl Store {
    /// The time in Unix milliseconds by the clock that places samples into rounds.
    pub async fn clock_ms(&self) -> Result<u64, StoreError> {
        if let Clock::Fixed(now_ms) = &self.shared.write.clock {
            return Ok(now_ms.load(Ordering::SeqCst));
        }
        let mut reader = connection(&self.shared.reader).await?;
        self.shared.write.clock.read_ms(self.shared.write.dialect, &mut reader).await
    }
}

impl Clock {
    /// Reads the time on a connection.
    pub(crate) async fn read_ms(&self, dialect: Dialect, on: &mut AnyConnection) -> Result<u64, StoreError> {
        match self {
            Self::Fixed(now_ms) => Ok(now_ms.load(Ordering::SeqCst)),
            Self::Database => {
                let row = sqlx::query(dialect.clock_ms()).fetch_one(on).await?;
                unsigned(row.try_get("now_ms")?)
            }
        }
    }
}
