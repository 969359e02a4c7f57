//! Liquidity providers: one API key on one exchange, one payout address, one or more units.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sqlx::{AnyConnection, Row};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::proof::is_address_of;
use crate::rows::{check_name, is_storable, signed};
use crate::writer::Job;
use crate::{Store, connection};

/// The most LPs remembered as registered: about 10 MB. Beyond it the memory starts afresh.
const MAX_REMEMBERED_LPS: usize = 16_384;

/// A liquidity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lp {
    /// The number by which samples and credits name the LP.
    pub lp_id: i64,
    /// The address it registered with, which never changes. It is paid there unless it proved another one.
    pub address: String,
    /// The units the LP is registered for, in alphabetical order. At least one; grows only.
    pub units: Vec<String>,
}

/// An exchange that an API key is registered at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredAt {
    /// The exchange.
    pub exchange: String,
    /// The LP there.
    pub lp: Lp,
}

/// What became of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// The LP is registered for the unit now, and was not before.
    Registered {
        /// The LP.
        lp_id: i64,
    },
    /// The same was registered before.
    AlreadyRegistered {
        /// The LP.
        lp_id: i64,
    },
    /// The key has another address on this exchange, for whichever unit. Nothing was changed.
    OtherAddress {
        /// The address it registered with.
        address: String,
    },
}

impl Store {
    /// Registers an API key on an exchange for a unit. Of any number of identical calls at the same time
    /// exactly one gets [`RegisterOutcome::Registered`].
    pub async fn register(
        &self,
        exchange: &str,
        user: &str,
        address: &str,
        unit: &str,
    ) -> Result<RegisterOutcome, StoreError> {
        check_name("exchange", exchange)?;
        check_name("user", user)?;
        check_name("address", address)?;
        check_name("unit", unit)?;
        let registration = Registration::new(exchange, user, address, unit);
        let (answer, outcome) = oneshot::channel();
        self.enqueue(Job::Registration(registration, answer))?;
        outcome.await.unwrap_or(Err(StoreError::Closed))
    }

    /// The LP of an API key on an exchange, if it is registered for any unit there.
    pub async fn find_lp(&self, exchange: &str, user: &str) -> Result<Option<Lp>, StoreError> {
        if !is_storable(user) || !is_storable(exchange) {
            return Ok(None);
        }
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT l.lp_id, l.address, n.unit FROM users u \
             JOIN lps l ON l.user_id = u.user_id JOIN lp_units n ON n.lp_id = l.lp_id \
             WHERE u.api_key = $1 AND l.exchange = $2",
        )
        .bind(user)
        .bind(exchange)
        .fetch_all(&mut *reader)
        .await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let (lp_id, address) = (first.try_get("lp_id")?, first.try_get("address")?);
        let mut units = rows.iter().map(|row| row.try_get("unit")).collect::<Result<Vec<String>, _>>()?;
        units.sort_unstable();
        Ok(Some(Lp { lp_id, address, units }))
    }

    /// Every exchange that an API key is registered at, in alphabetical order.
    pub async fn registrations_of(&self, user: &str) -> Result<Vec<RegisteredAt>, StoreError> {
        if !is_storable(user) {
            return Ok(Vec::new());
        }
        let mut reader = connection(&self.shared.reader).await?;
        let rows = sqlx::query(
            "SELECT l.exchange, l.lp_id, l.address, n.unit FROM users u \
             JOIN lps l ON l.user_id = u.user_id JOIN lp_units n ON n.lp_id = l.lp_id WHERE u.api_key = $1",
        )
        .bind(user)
        .fetch_all(&mut *reader)
        .await?;
        // Sorted here, since databases do not agree on the order of texts.
        let mut found: BTreeMap<String, Lp> = BTreeMap::new();
        for row in &rows {
            let (lp_id, address) = (row.try_get("lp_id")?, row.try_get("address")?);
            let lp =
                found.entry(row.try_get("exchange")?).or_insert(Lp { lp_id, address, units: Vec::new() });
            lp.units.push(row.try_get("unit")?);
        }
        let sorted = found.into_iter().map(|(exchange, mut lp)| {
            lp.units.sort_unstable();
            RegisteredAt { exchange, lp }
        });
        Ok(sorted.collect())
    }

    /// The LP of an API key on an exchange, if it is registered for this unit there. Registrations never
    /// go away, so a positive answer is given from memory the next time.
    pub async fn registered_lp(
        &self,
        exchange: &str,
        user: &str,
        unit: &str,
    ) -> Result<Option<i64>, StoreError> {
        let known = self.shared.registered.find(exchange, user, unit);
        if known.is_some() {
            return Ok(known);
        }
        let Some(lp) = self.find_lp(exchange, user).await? else { return Ok(None) };
        if !lp.units.iter().any(|registered| registered == unit) {
            return Ok(None);
        }
        self.shared.registered.remember(exchange, user, unit, lp.lp_id);
        Ok(Some(lp.lp_id))
    }

    /// Puts a job into the next transaction.
    pub(crate) fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        self.shared.jobs.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Busy,
            TrySendError::Closed(_) => StoreError::Closed,
        })
    }
}

/// One who wants to be registered.
pub(crate) struct Registration {
    exchange: String,
    user: String,
    address: String,
    unit: String,
}

impl Registration {
    pub(crate) fn new(exchange: &str, user: &str, address: &str, unit: &str) -> Self {
        let [exchange, user, address, unit] = [exchange, user, address, unit].map(ToOwned::to_owned);
        Self { exchange, user, address, unit }
    }
}

/// Registers within a transaction that has the lock of registrations.
pub(crate) async fn register_in(
    on: &mut AnyConnection,
    registration: &Registration,
    now_ms: u64,
) -> Result<RegisterOutcome, StoreError> {
    let known = sqlx::query(
        "SELECT l.lp_id, l.address FROM users u JOIN lps l ON l.user_id = u.user_id \
         WHERE u.api_key = $1 AND l.exchange = $2",
    )
    .bind(registration.user.as_str())
    .bind(registration.exchange.as_str())
    .fetch_optional(&mut *on)
    .await?;
    let lp_id = if let Some(known) = known {
        let (lp_id, address): (i64, String) = (known.try_get("lp_id")?, known.try_get("address")?);
        if !is_address_of(on, lp_id, &address, &registration.address, now_ms).await? {
            return Ok(RegisterOutcome::OtherAddress { address });
        }
        lp_id
    } else {
        insert_lp(on, registration, signed("the time", now_ms)?).await?
    };
    let inserted = sqlx::query(
        "INSERT INTO lp_units (registration_no, lp_id, unit, registered_ms) VALUES \
         ((SELECT COALESCE(MAX(registration_no), 0) + 1 FROM lp_units), $1, $2, $3) \
         ON CONFLICT (lp_id, unit) DO NOTHING",
    )
    .bind(lp_id)
    .bind(registration.unit.as_str())
    .bind(signed("the time", now_ms)?)
    .execute(&mut *on)
    .await?;
    Ok(if inserted.rows_affected() == 1 {
        RegisterOutcome::Registered { lp_id }
    } else {
        RegisterOutcome::AlreadyRegistered { lp_id }
    })
}

async fn insert_lp(
    on: &mut AnyConnection,
    registration: &Registration,
    now_ms: i64,
) -> Result<i64, StoreError> {
    sqlx::query(
        "INSERT INTO users (user_id, api_key) VALUES \
         ((SELECT COALESCE(MAX(user_id), 0) + 1 FROM users), $1) ON CONFLICT (api_key) DO NOTHING",
    )
    .bind(registration.user.as_str())
    .execute(&mut *on)
    .await?;
    let row = sqlx::query(
        "INSERT INTO lps (lp_id, user_id, exchange, address, registered_ms) VALUES \
         ((SELECT COALESCE(MAX(lp_id), 0) + 1 FROM lps), \
          (SELECT user_id FROM users WHERE api_key = $1), $2, $3, $4) RETURNING lp_id",
    )
    .bind(registration.user.as_str())
    .bind(registration.exchange.as_str())
    .bind(registration.address.as_str())
    .bind(now_ms)
    .fetch_one(&mut *on)
    .await?;
    Ok(row.try_get("lp_id")?)
}

/// Who is known to be registered. Every submission asks, and the answer cannot turn to no.
#[derive(Default)]
pub(crate) struct RegisteredLps(Mutex<HashMap<String, i64>>);

impl RegisteredLps {
    fn find(&self, exchange: &str, user: &str, unit: &str) -> Option<i64> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&Self::key(exchange, user, unit)).copied()
    }

    fn remember(&self, exchange: &str, user: &str, unit: &str, lp_id: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_REMEMBERED_LPS {
            known.clear();
        }
        known.insert(Self::key(exchange, user, unit), lp_id);
    }

    /// One text for the three. The lengths in front keep `a` + `bc` apart from `ab` + `c`.
    fn key(exchange: &str, user: &str, unit: &str) -> String {
        format!("{} {} {exchange}{user}{unit}", exchange.len(), user.len())
    }
}
