//! Who is registered at an ALP-Server, under which addresses, and how often that made it pay each credit.

use std::collections::{BTreeMap, BTreeSet};

use super::TakeoverError;
use super::doubles::{Doubles, LpCredits};

/// Most keys that are read: ten times the LPs of the largest pool.
const MAX_KEYS: usize = 1_000_000;

/// Most different registrations of one key: every market there is, and room for an attacker's.
const MAX_REGISTRATIONS_OF_KEY: usize = 10_000;

/// A row of its table of users. Missing texts are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrationRow<'a> {
    /// The API key, or what stands for one that is too long to be kept.
    pub key: &'a str,
    /// Whether it is too long to be kept.
    pub too_long: bool,
    /// The payout address.
    pub address: &'a str,
    /// The exchange.
    pub exchange: &'a str,
    /// The unit.
    pub unit: &'a str,
}

/// The registrations of one key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRegistrations {
    /// How many rows, equal ones among them: so often each of its credits was paid.
    pub rows: u64,
    /// Whether the key is too long to be kept.
    pub too_long: bool,
    /// Address, exchange and unit of each that differs.
    pub registrations: BTreeSet<(String, String, String)>,
}

/// How often the credits of a key would have been paid too much, by fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Multiplied {
    /// PB-01: for each further market that the key is registered for under an address it has already.
    pub markets: u64,
    /// PB-02: for each further address.
    pub addresses: u64,
    /// PB-03: for each row that is there twice.
    pub repeated: u64,
}

/// What would have been paid too much for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Excess {
    /// Of how many keys.
    pub keys: u64,
    /// How much, in 1e-18. Sums beyond 128 bits stay at the most there is.
    pub e18: u128,
}

/// What the old server would have paid beyond what it recorded, by fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Multiples {
    /// PB-01.
    pub markets: Excess,
    /// PB-02.
    pub addresses: Excess,
    /// PB-03.
    pub repeated: Excess,
}

/// Everybody.
#[derive(Debug, Default)]
pub struct Registrations(BTreeMap<String, KeyRegistrations>);

impl Registrations {
    /// Takes the next row.
    ///
    /// # Errors
    /// [`TakeoverError`] if there are more than are looked at.
    pub fn add(&mut self, row: &RegistrationRow<'_>) -> Result<(), TakeoverError> {
        if self.0.len() >= MAX_KEYS && !self.0.contains_key(row.key) {
            return Err(TakeoverError::TooManyRegistrations);
        }
        let key = self.0.entry(row.key.to_owned()).or_default();
        if key.registrations.len() >= MAX_REGISTRATIONS_OF_KEY {
            return Err(TakeoverError::TooManyRegistrations);
        }
        key.rows = key.rows.saturating_add(1);
        key.too_long |= row.too_long;
        key.registrations.insert((row.address.to_owned(), row.exchange.to_owned(), row.unit.to_owned()));
        Ok(())
    }

    /// Those of a key.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<&KeyRegistrations> {
        self.0.get(key)
    }

    /// All keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &KeyRegistrations)> {
        self.0.iter().map(|(key, registrations)| (key.as_str(), registrations))
    }

    /// What the old server would have paid beyond the unpaid credits that it recorded, doubles among them.
    #[must_use]
    pub fn multiples(&self, credits: &BTreeMap<(String, String), LpCredits>) -> Multiples {
        let mut multiples = Multiples::default();
        for (key, registered) in &self.0 {
            // The first pair of this key, and all that follow it.
            let of_key = credits.range((key.clone(), String::new())..).take_while(|((of, _), _)| of == key);
            let sums = of_key.map(|(_, credits)| credits.owed_e18(Doubles::Keep).unwrap_or(u128::MAX));
            let recorded = sums.fold(0, u128::saturating_add);
            let times = registered.multiplied();
            multiples.markets.add(times.markets, recorded);
            multiples.addresses.add(times.addresses, recorded);
            multiples.repeated.add(times.repeated, recorded);
        }
        multiples
    }

    /// Every address that anybody is registered under.
    #[must_use]
    pub fn addresses(&self) -> BTreeSet<&str> {
        self.0.values().flat_map(KeyRegistrations::addresses).collect()
    }
}

impl Excess {
    fn add(&mut self, times: u64, recorded_e18: u128) {
        if times > 0 && recorded_e18 > 0 {
            self.keys = self.keys.saturating_add(1);
            self.e18 = self.e18.saturating_add(recorded_e18.saturating_mul(u128::from(times)));
        }
    }
}

impl KeyRegistrations {
    /// The addresses, in order.
    #[must_use]
    pub fn addresses(&self) -> BTreeSet<&str> {
        self.registrations.iter().map(|(address, _, _)| address.as_str()).collect()
    }

    /// The units it is registered for on an exchange.
    #[must_use]
    pub fn units(&self, exchange: &str) -> BTreeSet<&str> {
        let on = self.registrations.iter().filter(|(_, of, _)| of == exchange);
        on.map(|(_, _, unit)| unit.as_str()).collect()
    }

    /// How often its credits would have been paid beyond once.
    #[must_use]
    pub fn multiplied(&self) -> Multiplied {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let (different, addresses) = (count(self.registrations.len()), count(self.addresses().len()));
        Multiplied {
            markets: different.saturating_sub(addresses),
            addresses: addresses.saturating_sub(1),
            repeated: self.rows.saturating_sub(different),
        }
    }
}
