//! The configurations under which samples were judged, kept so that any credit can be worked out again.

use sha2::{Digest, Sha256};
use sqlx::Row;

use crate::error::StoreError;
use crate::rows::{check_text, signed};
use crate::{Store, connection};

/// The longest document kept, in bytes. A market's configuration has a few hundred.
pub const MAX_TERMS_BYTES: usize = 64 * 1024;

impl Store {
    /// Keeps a market's configuration document and returns its `terms_id`, the SHA-256 of its bytes in
    /// hexadecimal. Has to be called before the first sample under these terms.
    pub async fn record_terms(&self, document: &str) -> Result<String, StoreError> {
        check_text("the terms", document, MAX_TERMS_BYTES)?;
        let terms_id = digest_of(document);
        if self.terms(&terms_id).await?.is_some() {
            return Ok(terms_id);
        }
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        let now_ms = write.now_ms(&mut transaction).await?;
        sqlx::query(
            "INSERT INTO terms (terms_id, document, first_used_ms) VALUES ($1, $2, $3) \
             ON CONFLICT (terms_id) DO NOTHING",
        )
        .bind(terms_id.as_str())
        .bind(document)
        .bind(signed("the time", now_ms)?)
        .execute(&mut *transaction)
        .await?;
        write.commit(transaction).await?;
        Ok(terms_id)
    }

    /// The document of a `terms_id`.
    pub async fn terms(&self, terms_id: &str) -> Result<Option<String>, StoreError> {
        let mut reader = connection(&self.shared.reader).await?;
        let row = sqlx::query("SELECT document FROM terms WHERE terms_id = $1")
            .bind(terms_id)
            .fetch_optional(&mut *reader)
            .await?;
        Ok(row.map(|row| row.try_get("document")).transpose()?)
    }
}

/// The SHA-256 of a text's bytes, in hexadecimal.
pub(crate) fn digest_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
