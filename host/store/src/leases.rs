//! Who leads: at most one server at a time runs rounds and payouts, for as long as it renews its lease.
//!
//! Time alone would not do, since a server can be paused right before it writes. So a lease has an epoch that
//! rises with every holder, and every transaction of a leader holds the lease's row and looks at the epoch: who
//! wakes up late finds another one there, and writes nothing.

use sqlx::{AnyConnection, Row};

use crate::Store;
use crate::configuration::newest_digest;
use crate::dialect::{Dialect, Hold};
use crate::error::StoreError;
use crate::rows::{check_name, count, signed};
use crate::writer::Lock;

/// The longest time a lease can be asked for, in milliseconds: nobody would take over for longer than this.
pub const MAX_LEASE_MS: u64 = 3_600_000;

/// The right to lead, as long as nobody else got it. Only the store makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
    epoch: u64,
}

/// What became of asking for a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acquired {
    /// It is the caller's.
    Granted(Lease),
    /// Another server has it.
    HeldBy {
        /// Who.
        holder: String,
        /// For how many milliseconds yet, unless it is renewed.
        remaining_ms: u64,
    },
}

impl Lease {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who has it.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The number that no earlier and no later holder has.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    fn over(&self) -> StoreError {
        StoreError::NotLeader { lease: self.name.clone(), epoch: self.epoch }
    }
}

impl Store {
    /// Asks for a lease for `ttl_ms` milliseconds by the database's clock, at most [`MAX_LEASE_MS`]. It is
    /// granted if it is free, if its time is over, or to the one who has it: a server that was killed and
    /// started again does not wait for itself. With every grant, earlier leases of that name are over.
    ///
    /// `digest` is that of the caller's configuration: with another one than that in force, the answer is
    /// [`StoreError::OtherConfiguration`], whoever holds the lease.
    pub async fn acquire_lease(
        &self,
        name: &str,
        holder: &str,
        ttl_ms: u64,
        digest: &str,
    ) -> Result<Acquired, StoreError> {
        check_name("the lease's name", name)?;
        check_name("the lease's holder", holder)?;
        check_name("the configuration's digest", digest)?;
        check_ttl(ttl_ms)?;
        self.shared.write.persistently(|| self.acquire_once(name, holder, ttl_ms, digest)).await
    }

    async fn acquire_once(
        &self,
        name: &str,
        holder: &str,
        ttl_ms: u64,
        digest: &str,
    ) -> Result<Acquired, StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        // Nobody puts another configuration in force between the look at it and the grant.
        write.lock(&mut transaction, Lock::Configuration).await?;
        match newest_digest(&mut transaction).await? {
            Some(in_force) if in_force != digest => {
                return Err(StoreError::OtherConfiguration { own: digest.to_owned(), in_force });
            }
            Some(_) => {}
            None => return Err(StoreError::invalid("a lease", "no configuration is in force yet")),
        }
        sqlx::query(
            "INSERT INTO leases (name, holder, epoch, expires_at_ms) VALUES ($1, '', 0, 0) \
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .execute(&mut *transaction)
        .await?;
        let select = write
            .dialect
            .holding("SELECT holder, epoch, expires_at_ms FROM leases WHERE name = $1", Hold::Alone);
        let row = sqlx::query(select).bind(name).fetch_one(&mut *transaction).await?;
        // Read after the wait for the row.
        let now_ms = write.now_ms(&mut transaction).await?;
        let (before, expires_at_ms): (String, u64) = (row.try_get("holder")?, count(&row, "expires_at_ms")?);
        if before != holder && expires_at_ms > now_ms {
            return Ok(Acquired::HeldBy { holder: before, remaining_ms: expires_at_ms - now_ms });
        }
        let epoch = count(&row, "epoch")?.saturating_add(1);
        let lease = Lease { name: name.to_owned(), holder: holder.to_owned(), epoch };
        sqlx::query("UPDATE leases SET holder = $2, epoch = $3, expires_at_ms = $4 WHERE name = $1")
            .bind(name)
            .bind(holder)
            .bind(signed("the epoch", epoch)?)
            .bind(signed("the time", now_ms.saturating_add(ttl_ms))?)
            .execute(&mut *transaction)
            .await?;
        write.commit(transaction).await?;
        Ok(Acquired::Granted(lease))
    }

    /// Keeps a lease for `ttl_ms` milliseconds from now on. One whose time is over is kept too, if nobody else
    /// took it. [`StoreError::NotLeader`] if somebody did.
    pub async fn renew_lease(&self, lease: &Lease, ttl_ms: u64) -> Result<(), StoreError> {
        check_ttl(ttl_ms)?;
        self.shared.write.persistently(|| self.set_expiry(lease, Some(ttl_ms))).await
    }

    /// Gives a lease back, so that another server takes over at once. Nothing happens if it is over.
    pub async fn release_lease(&self, lease: &Lease) -> Result<(), StoreError> {
        match self.shared.write.persistently(|| self.set_expiry(lease, None)).await {
            Ok(()) | Err(StoreError::NotLeader { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn set_expiry(&self, lease: &Lease, ttl_ms: Option<u64>) -> Result<(), StoreError> {
        let write = &self.shared.write;
        let mut transaction = write.begin().await?;
        hold_lease(&mut transaction, write.dialect, lease, Hold::Alone).await?;
        let until_ms = match ttl_ms {
            Some(ttl_ms) => write.now_ms(&mut transaction).await?.saturating_add(ttl_ms),
            None => 0,
        };
        sqlx::query("UPDATE leases SET expires_at_ms = $2 WHERE name = $1")
            .bind(lease.name.as_str())
            .bind(signed("the time", until_ms)?)
            .execute(&mut *transaction)
            .await?;
        write.commit(transaction).await
    }
}

/// Holds a lease within a transaction: until it ends, nobody else can get it. Whether its time is over does not
/// matter, since nobody else took it.
pub(crate) async fn hold_lease(
    on: &mut AnyConnection,
    dialect: Dialect,
    lease: &Lease,
    hold: Hold,
) -> Result<(), StoreError> {
    let select = dialect.holding("SELECT epoch FROM leases WHERE name = $1", hold);
    let row = sqlx::query(select).bind(lease.name.as_str()).fetch_optional(on).await?;
    let epoch = row.map(|row| count(&row, "epoch")).transpose()?;
    if epoch == Some(lease.epoch) { Ok(()) } else { Err(lease.over()) }
}

/// Ends every lease, within a transaction that has the lock of configurations.
pub(crate) async fn end_leases(on: &mut AnyConnection) -> Result<(), StoreError> {
    sqlx::query("UPDATE leases SET holder = '', epoch = epoch + 1, expires_at_ms = 0").execute(on).await?;
    Ok(())
}

fn check_ttl(ttl_ms: u64) -> Result<(), StoreError> {
    if (1..=MAX_LEASE_MS).contains(&ttl_ms) {
        return Ok(());
    }
    Err(StoreError::invalid("the time of a lease", "it is not within 1 ms to an hour"))
}
