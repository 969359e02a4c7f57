//! The configuration in force, the same for every server of this database. Knows nothing of what is in it.

use sqlx::{AnyConnection, Row};

use crate::error::StoreError;
use crate::leases::end_leases;
use crate::rows::{check_text, count, signed};
use crate::terms::digest_of;
use crate::writer::Lock;
use crate::{Store, connection};

/// The longest configuration kept, in bytes: a few hundred markets fit many times over.
pub const MAX_CONFIGURATION_BYTES: usize = 4 * 1024 * 1024;

/// A configuration in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationInForce {
    /// Its number. Later ones are larger.
    pub configuration_id: u64,
    /// The SHA-256 of its document, in hexadecimal.
    pub digest: String,
    /// The caller's own document.
    pub document: String,
    /// Since when, in Unix milliseconds by the database's clock.
    pub put_in_force_at_ms: u64,
}

impl Store {
    /// The digest by which the store names a configuration: the SHA-256 of its bytes in hexadecimal.
    #[must_use]
    pub fn configuration_digest(document: &str) -> String {
        digest_of(document)
    }

    /// The configuration in force, if there ever was one.
    pub async fn configuration_in_force(&self) -> Result<Option<ConfigurationInForce>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query(
            "SELECT configuration_id, digest, document, put_in_force_at_ms FROM configurations \
             ORDER BY configuration_id DESC LIMIT 1",
        )
        .fetch_optional(&mut *reader)
        .await?;
        row.map(|row| {
            Ok(ConfigurationInForce {
                configuration_id: count(&row, "configuration_id")?,
                digest: row.try_get("digest")?,
                document: row.try_get("document")?,
                put_in_force_at_ms: count(&row, "put_in_force_at_ms")?,
            })
        })
        .transpose()
    }

    /// Puts the first configuration in force; where there is one already, nothing changes. Returns the digest
    /// of the one in force.
    pub async fn begin_configuration(&self, document: &str) -> Result<String, StoreError> {
        check_text("the configuration", document, MAX_CONFIGURATION_BYTES)?;
        self.shared.write.persistently(|| self.put_configuration_once(document, false)).await
    }

    /// Puts a configuration in force, for all servers. Who leads by another one does no more, and cannot again
    /// until it has this one. Returns its digest. Nothing changes if it is the one in force.
    pub async fn put_configuration_in_force(&self, document: &str) -> Result<String, StoreError> {
        check_text("the configuration", document, MAX_CONFIGURATION_BYTES)?;
        self.shared.write.persistently(|| self.put_configuration_once(document, true)).await
    }

    async fn put_configuration_once(&self, document: &str, replace: bool) -> Result<String, StoreError> {
        let digest = digest_of(document);
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        write.lock(&mut transaction, Lock::Configuration).await?;
        if let Some(in_force) = newest_digest(&mut transaction).await?
            && (!replace || in_force == digest)
        {
            return Ok(in_force);
        }
        let now_ms = write.now_ms(&mut transaction).await?;
        sqlx::query(
            "INSERT INTO configurations (configuration_id, digest, document, put_in_force_at_ms) VALUES \
             ((SELECT COALESCE(MAX(configuration_id), 0) + 1 FROM configurations), $1, $2, $3)",
        )
        .bind(digest.as_str())
        .bind(document)
        .bind(signed("the time", now_ms)?)
        .execute(&mut *transaction)
        .await?;
        end_leases(&mut transaction).await?;
        write.commit(transaction).await?;
        Ok(digest)
    }
}

/// The digest of the configuration in force.
pub(crate) async fn newest_digest(on: &mut AnyConnection) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT digest FROM configurations ORDER BY configuration_id DESC LIMIT 1")
        .fetch_optional(on)
        .await?;
    Ok(row.map(|row| row.try_get("digest")).transpose()?)
}
