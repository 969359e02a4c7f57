//! Signing through the adapter of the exchange, in the sandbox: the same component that the pool runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_sandbox::Adapter;
use alp_sandbox::types::{self, Fault, Field, Market, Member, ParameterNeed, Scalar, SignQuery};

use crate::nonce::NonceKind;
use crate::secret::Secret;
use crate::signer::{SignError, Signed, Signer, Value};

/// What a signature is made from, apart from time and nonce.
#[derive(Clone, Debug)]
pub struct Account {
    /// The API key.
    pub key: String,
    /// The API secret.
    pub secret: Secret,
    /// What the adapter wants beyond key and secret, by its names.
    pub parameters: BTreeMap<String, Secret>,
    /// The currency that is provided, in capitals.
    pub base: String,
    /// The currency it is priced in, in capitals.
    pub quote: String,
    /// What the adapter wants to know of the market, by its names.
    pub market_parameters: BTreeMap<String, String>,
    /// The exchange's origin, if it is not the adapter's own.
    pub endpoint: Option<String>,
}

/// The adapter needs something that is not configured. The bot's owner must act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the adapter of {exchange} needs the {kind} parameter `{name}`: {purpose}")]
pub struct MissingParameter {
    /// The adapter's exchange.
    pub exchange: String,
    /// `market` or `credential`.
    pub kind: &'static str,
    /// The parameter's name.
    pub name: String,
    /// What it is, in the adapter's words.
    pub purpose: String,
}

/// Signs through an adapter.
pub struct ComponentSigner {
    adapter: Arc<Adapter>,
    account: Account,
}

impl ComponentSigner {
    /// A signer for one account on one market.
    ///
    /// # Errors
    /// If the adapter needs a parameter that the account does not have.
    pub fn new(adapter: Arc<Adapter>, account: Account) -> Result<Self, MissingParameter> {
        let description = adapter.description();
        let exchange = &description.exchange;
        let market = &account.market_parameters;
        require(exchange, "market", &description.market_parameters, market)?;
        let credentials = &account.parameters;
        require(exchange, "credential", &description.credential_parameters, credentials)?;
        Ok(Self { adapter, account })
    }

    fn query(&self, now_ms: u64, nonce: String) -> SignQuery {
        let account = &self.account;
        let parameters = account.parameters.iter();
        let market_parameters = account.market_parameters.iter();
        SignQuery {
            user: account.key.clone(),
            secret: account.secret.expose().to_owned(),
            parameters: parameters.map(|(name, value)| field(name, value.expose())).collect(),
            market: Market {
                base: account.base.clone(),
                quote: account.quote.clone(),
                parameters: market_parameters.map(|(name, value)| field(name, value)).collect(),
            },
            endpoint: account.endpoint.clone(),
            now_ms,
            nonce,
            extras: Vec::new(),
        }
    }
}

impl Signer for ComponentSigner {
    fn nonce_kind(&self) -> NonceKind {
        match self.adapter.description().nonce {
            types::NonceKind::None => NonceKind::None,
            types::NonceKind::Seconds => NonceKind::Seconds,
            types::NonceKind::Milliseconds => NonceKind::Milliseconds,
            types::NonceKind::Microseconds => NonceKind::Microseconds,
            types::NonceKind::Uuid => NonceKind::Uuid,
            types::NonceKind::Hex => NonceKind::Hex,
        }
    }

    async fn sign(&self, now_ms: u64, nonce: String) -> Result<Signed, SignError> {
        let answer = self.adapter.sign(&self.query(now_ms, nonce)).await;
        let signed = answer
            .map_err(|error| SignError::Failed(error.into()))?
            .map_err(|fault| SignError::Refused(words(fault)))?;
        let members = signed.members.into_iter().map(member).collect();
        Ok(Signed { members, sign: signed.sign })
    }
}

fn require<V>(
    exchange: &str,
    kind: &'static str,
    needs: &[ParameterNeed],
    given: &BTreeMap<String, V>,
) -> Result<(), MissingParameter> {
    let missing = needs.iter().find(|need| !need.optional && !given.contains_key(&need.name));
    missing.map_or(Ok(()), |need| {
        Err(MissingParameter {
            exchange: exchange.to_owned(),
            kind,
            name: need.name.clone(),
            purpose: need.purpose.clone(),
        })
    })
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned() }
}

fn member(member: Member) -> (String, Value) {
    let value = match member.value {
        Scalar::Text(text) => Value::Text(text),
        Scalar::Number(text) => Value::Number(text),
    };
    (member.name, value)
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Unusable(text)
        | Fault::Refused(text)
        | Fault::Unavailable(text)
        | Fault::Unreadable(text)
        | Fault::Misconfigured(text) => text,
        Fault::Throttled(throttle) => throttle.message,
        Fault::Other(other) => other.message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(optional: bool) -> Vec<ParameterNeed> {
        let (name, purpose) = ("passphrase".to_owned(), "chosen with the key".to_owned());
        vec![ParameterNeed { name, purpose, optional }]
    }

    #[test]
    fn a_parameter_that_is_missing_is_named_with_its_purpose() {
        let none = BTreeMap::<String, Secret>::new();
        let missing = require("okx", "credential", &need(false), &none).unwrap_err();
        let words = "the adapter of okx needs the credential parameter `passphrase`: chosen with the key";
        assert_eq!(missing.to_string(), words);
    }

    #[test]
    fn a_parameter_may_be_missing_if_it_is_optional_and_is_enough_if_it_is_there() {
        let none = BTreeMap::<String, Secret>::new();
        assert_eq!(require("okx", "credential", &need(true), &none), Ok(()));
        let given = BTreeMap::from([("passphrase".to_owned(), Secret::new("p"))]);
        assert_eq!(require("okx", "credential", &need(false), &given), Ok(()));
    }
}
