//! To whom each sum belongs: to an LP with one right address, or to nobody yet.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::doubles::{Doubles, LpCredits, MAX_CREDITS_OF_ORDER, MAX_OWED_LPS};
use super::registered::{KeyRegistrations, Registrations};
use super::reward::to_e8;
use crate::address::{AddressError, AddressRules};
use crate::money::Coins;

/// Longest name of a key, an exchange or a unit that is kept, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// An LP that is registered and paid as every other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwedLp {
    /// Its API key.
    pub key: String,
    /// Its exchange.
    pub exchange: String,
    /// Its one address.
    pub address: String,
    /// The units it is registered for, or was credited for.
    pub units: BTreeSet<String>,
    /// What it is owed.
    pub owed: Coins,
}

/// A key on an exchange that is not registered and not paid until the operator says to which address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The API key, or what stands for one that is too long.
    pub key: String,
    /// The exchange.
    pub exchange: String,
    /// The units it is registered for, or was credited for.
    pub units: BTreeSet<String>,
    /// The addresses it is registered under.
    pub addresses: BTreeSet<String>,
    /// What is owed.
    pub owed: Coins,
    /// Why it waits.
    pub why: HoldWhy,
}

/// Why a balance waits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HoldWhy {
    /// Several addresses claim it, and a registration proves nothing.
    #[error(
        "the key is registered under {0} addresses, and ALP-Server asked for no proof: say which one is the owner's"
    )]
    SeveralAddresses(usize),
    /// Nobody is registered under the key.
    #[error(
        "nobody is registered under the key, so ALP-Server would not have paid it: say which address it is"
    )]
    NotRegistered,
    /// No coins can be sent there.
    #[error(
        "its address cannot be paid ({0}), and would have kept every payout of ALP-Server from being made"
    )]
    BadAddress(AddressError),
    /// The key cannot be kept.
    #[error("the key is empty or longer than {MAX_NAME_BYTES} bytes, so no bot can be registered under it")]
    BadKey,
    /// The exchange or a unit cannot be kept.
    #[error("the name of its exchange or of a unit is empty or longer than {MAX_NAME_BYTES} bytes")]
    BadName,
    /// Some of what was recorded is no amount.
    #[error(
        "{0} of its credits have no readable reward; what is readable waits here: correct it before it is paid"
    )]
    Unreadable(u64),
}

/// What is owed to whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Owing {
    /// LPs, by key and exchange. Some are owed nothing.
    pub lps: Vec<OwedLp>,
    /// What waits, by key and exchange. Some of it is nothing.
    pub holds: Vec<Hold>,
    /// What rounding to 1e-8 gave (above zero) or took, over all, in 1e-18.
    pub rounding_e18: i128,
}

/// Puts sums and registrations together.
///
/// # Errors
/// [`TakeoverError`] if a sum is beyond all coins.
pub fn owing(
    registrations: &Registrations,
    credits: &BTreeMap<(String, String), LpCredits>,
    doubles: Doubles,
    rules: &AddressRules,
) -> Result<Owing, TakeoverError> {
    let mut pairs: BTreeSet<(&str, &str)> =
        credits.keys().map(|(key, exchange)| (key.as_str(), exchange.as_str())).collect();
    for (key, registered) in registrations.keys() {
        pairs.extend(registered.registrations.iter().map(|(_, exchange, _)| (key, exchange.as_str())));
    }
    let mut owing = Owing::default();
    for (key, exchange) in pairs {
        let credited = credits.get(&(key.to_owned(), exchange.to_owned()));
        let registered = registrations.of(key);
        let sum = credited.map_or(Some(0), |credits| credits.owed_e18(doubles));
        let (e8, rounding) = to_e8(sum.ok_or(TakeoverError::TooMuch)?);
        let owed = u64::try_from(e8).ok().and_then(Coins::from_e8).ok_or(TakeoverError::TooMuch)?;
        owing.rounding_e18 = owing.rounding_e18.saturating_add(rounding);
        let mut units: BTreeSet<String> =
            registered.into_iter().flat_map(|of| of.units(exchange)).map(ToOwned::to_owned).collect();
        units.extend(credited.into_iter().flat_map(|credits| credits.units.iter().cloned()));
        let addresses = registered.map(KeyRegistrations::addresses).unwrap_or_default();
        match why_held(key, exchange, registered, credited, &units, rules) {
            None => owing.lps.push(OwedLp {
                key: key.to_owned(),
                exchange: exchange.to_owned(),
                address: addresses.first().copied().unwrap_or_default().to_owned(),
                units,
                owed,
            }),
            Some(why) => owing.holds.push(Hold {
                key: key.to_owned(),
                exchange: exchange.to_owned(),
                units,
                addresses: addresses.into_iter().map(ToOwned::to_owned).collect(),
                owed,
                why,
            }),
        }
    }
    Ok(owing)
}

fn why_held(
    key: &str,
    exchange: &str,
    registered: Option<&KeyRegistrations>,
    credited: Option<&LpCredits>,
    units: &BTreeSet<String>,
    rules: &AddressRules,
) -> Option<HoldWhy> {
    let bad = |name: &str| name.is_empty() || name.len() > MAX_NAME_BYTES;
    if bad(key) || registered.is_some_and(|registered| registered.too_long) {
        return Some(HoldWhy::BadKey);
    }
    if bad(exchange) || units.is_empty() || units.iter().any(|unit| bad(unit)) {
        return Some(HoldWhy::BadName);
    }
    let Some(registered) = registered else { return Some(HoldWhy::NotRegistered) };
    let addresses = registered.addresses();
    if addresses.len() > 1 {
        return Some(HoldWhy::SeveralAddresses(addresses.len()));
    }
    if let Some(error) = addresses.first().and_then(|address| rules.check(address).err()) {
        return Some(HoldWhy::BadAddress(error));
    }
    let unreadable = credited.map_or(0, |credits| credits.unreadable);
    (unreadable > 0).then_some(HoldWhy::Unreadable(unreadable))
}

/// Why nothing can be taken over. The operator's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TakeoverError {
    /// Too many LPs.
    #[error("unpaid credits of more than {MAX_OWED_LPS} LPs are not taken over at once")]
    TooManyLps,
    /// Too many users.
    #[error("the old server has more registrations than are read; remove those that attackers made")]
    TooManyRegistrations,
    /// Too many credits of one order.
    #[error(
        "one order has more than {MAX_CREDITS_OF_ORDER} credits, which no order that stood for years can have"
    )]
    TooManyCredits,
    /// Too much.
    #[error("an LP is owed more than there are coins: look at the rewards in the old server's credits")]
    TooMuch,
}
