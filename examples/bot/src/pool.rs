//! The pool's side of the wire: two messages and one form of answer.

use std::fmt;

use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::form::{self, CodedAnswer, FORM, MinimalRates};
use crate::http::{AnswerError, Received, client, fetch, fetch_with_headers, receive};
use crate::signer::{SignError, Signed, Value};

/// How long the pool may take to answer, in milliseconds: it asks the exchange meanwhile, which may be slow.
pub const HTTP_TIMEOUT_MS: u64 = 30_000;
/// Letters of a pool's message that are kept.
pub const MAX_MESSAGE_LENGTH: usize = 500;

/// The header by which the pool says that a submission proved the address.
const PROOF_HEADER: &str = "alp-proof";

/// Bytes of a receipt's header that are read: several times what one has.
const MAX_HEADER_BYTES: usize = 8 * 1_024;

/// The pool's words for a key it knows already: as good as registered.
const ALREADY_REGISTERED: &str = "user is already registered";

/// Who submits, to be credited for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The API key.
    pub user: String,
    /// Where rewards are paid to.
    pub address: String,
    /// The exchange's id at the pool.
    pub exchange: String,
    /// The unit at the pool: which of the exchange's markets.
    pub unit: String,
}

/// What the pool said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolAnswer {
    /// Whether it did what it was asked.
    pub success: bool,
    /// Whether it says by a code that it does not know the key; ALP says so in words.
    pub unregistered: bool,
    /// Its words, fit for a log: one line, without control characters, not too long.
    pub message: String,
}

impl PoolAnswer {
    /// Whether this answer to a registration means that the key is registered.
    pub fn means_registered(&self) -> bool {
        self.success || self.message == ALREADY_REGISTERED
    }

    /// Whether this answer to a submission means that the pool has forgotten the registration.
    pub fn means_unregistered(&self, user: &str) -> bool {
        self.unregistered
            || !self.success && self.message == one_line(&format!("user {user} is not registered"))
    }
}

/// What the pool signed beside its answer to a submission.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// The signed receipt, as it came in the header `alp-receipt`.
    pub receipt: Option<String>,
    /// The LP's pseudonym in the pool's record and what opens it, as they came in the header `alp-opening`.
    pub opening: Option<String>,
}

impl Confirmation {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.filter(|value| value.len() <= MAX_HEADER_BYTES).map(str::to_owned)
        };
        Self { receipt: text("alp-receipt"), opening: text("alp-opening") }
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Confirmation(hidden)")
    }
}

/// Speaks to one pool in one name.
pub struct PoolClient {
    http: Client,
    register_url: String,
    liquidity_url: String,
    challenges_url: String,
    head_url: String,
    identity: Identity,
    /// None if the pool is spoken to in JSON, where nobody asks a rate.
    rates: Option<MinimalRates>,
}

/// What the pool says to who asks for a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AskedChallenge {
    /// Whether there is one.
    pub success: bool,
    /// The pool's words.
    #[serde(default, deserialize_with = "words")]
    pub message: String,
    /// Its number.
    #[serde(default)]
    pub challenge: u64,
    /// The pool's id.
    #[serde(default)]
    pub pool: String,
    /// The pool's random bytes, in hexadecimal.
    #[serde(default)]
    pub nonce: String,
    /// The digits, once what was sealed is told.
    #[serde(default)]
    pub digits: Option<String>,
    /// When it lapses, in Unix seconds.
    #[serde(default)]
    pub lapses_at: u64,
}

impl PoolClient {
    /// A client of the pool at `url` (`http://host:3333`, with or without a slash at the end).
    ///
    /// # Errors
    /// If the machine cannot do HTTP at all.
    pub fn new(url: &str, identity: Identity) -> Result<Self, AnswerError> {
        let url = url.trim_end_matches('/');
        Ok(Self {
            http: client(HTTP_TIMEOUT_MS).map_err(AnswerError::Network)?,
            register_url: format!("{url}/register"),
            liquidity_url: format!("{url}/liquidity"),
            challenges_url: format!("{url}/v1/challenges"),
            head_url: format!("{url}/head"),
            identity,
            rates: None,
        })
    }

    /// Speaks the protocol of the first pools, which takes minimal rates.
    #[must_use]
    pub fn asking(self, rates: MinimalRates) -> Self {
        Self { rates: Some(rates), ..self }
    }

    /// In whose name.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Registers the key.
    ///
    /// # Errors
    /// If there is no pool's answer.
    pub async fn register(&self) -> Result<PoolAnswer, AnswerError> {
        if self.rates.is_some() {
            return self.post(&self.register_url, form::registration(&self.identity)).await;
        }
        let Identity { user, address, exchange, unit } = &self.identity;
        let body = serde_json::json!({
            "user": user, "address": address, "exchange": exchange, "unit": unit,
        });
        self.post(&self.register_url, body.to_string()).await
    }

    /// Submits a signed request. It is sent once, whatever happens.
    ///
    /// # Errors
    /// If there is no pool's answer.
    pub async fn submit(&self, message: Submission) -> Result<(PoolAnswer, Confirmation), AnswerError> {
        let (answer, headers) = self.answered(&self.liquidity_url, message.0).await?;
        Ok((answer, Confirmation::of(&headers)))
    }

    /// Submits a signed request, and tells what it proved, if it did. It is sent once, whatever happens.
    ///
    /// # Errors
    /// If there is no pool's answer.
    pub async fn submit_for_proof(
        &self,
        message: Submission,
    ) -> Result<(PoolAnswer, Option<String>), AnswerError> {
        let (answer, headers) = self.answered(&self.liquidity_url, message.0).await?;
        let proven = headers.get(PROOF_HEADER).and_then(|value| value.to_str().ok()).map(one_line);
        Ok((answer, proven))
    }

    /// Asks for a challenge to prove the address, with the seal of what the bot contributes.
    ///
    /// # Errors
    /// If there is no pool's answer.
    pub async fn ask_challenge(
        &self,
        by: &str,
        decimals: u32,
        seal: &str,
    ) -> Result<AskedChallenge, AnswerError> {
        let Identity { user, address, exchange, unit } = &self.identity;
        let body = serde_json::json!({
            "user": user, "address": address, "exchange": exchange, "unit": unit,
            "by": by, "decimals": decimals, "seal": seal,
        });
        self.challenge(body.to_string()).await
    }

    /// Tells what was sealed, and gets the digits.
    ///
    /// # Errors
    /// If there is no pool's answer.
    pub async fn open_challenge(&self, challenge: u64, salt: &str) -> Result<AskedChallenge, AnswerError> {
        let Identity { user, exchange, unit, .. } = &self.identity;
        let body = serde_json::json!({
            "user": user, "exchange": exchange, "unit": unit, "challenge": challenge, "salt": salt,
        });
        self.challenge(body.to_string()).await
    }

    async fn challenge(&self, body: String) -> Result<AskedChallenge, AnswerError> {
        fetch(self.http.post(&self.challenges_url).header(CONTENT_TYPE, "application/json").body(body)).await
    }

    /// The newest head of the pool's record, as it shows it.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn head(&self) -> Result<String, AnswerError> {
        let Received { body, .. } = receive(self.http.get(&self.head_url)).await?;
        Ok(String::from_utf8_lossy(&body).into_owned())
    }

    /// The message for a signed request.
    ///
    /// # Errors
    /// If the signer wrote a number that is none.
    pub fn submission(&self, signed: &Signed) -> Result<Submission, SignError> {
        if let Some(rates) = &self.rates {
            return Ok(Submission(form::submission(&self.identity, rates, signed)));
        }
        for (member, value) in &signed.members {
            if let Value::Number(text) = value {
                number(text).ok_or_else(|| SignError::NotANumber { member: member.clone() })?;
            }
        }
        let message = Message {
            user: &self.identity.user,
            req: Members(&signed.members),
            sign: &signed.sign,
            exchange: &self.identity.exchange,
            unit: &self.identity.unit,
        };
        let text = serde_json::to_string(&message);
        text.map(Submission).map_err(|error| SignError::Failed(error.into()))
    }

    async fn post(&self, url: &str, body: String) -> Result<PoolAnswer, AnswerError> {
        Ok(self.answered(url, body).await?.0)
    }

    async fn answered(&self, url: &str, body: String) -> Result<(PoolAnswer, HeaderMap), AnswerError> {
        let request = self.http.post(url).body(body);
        if self.rates.is_some() {
            let (answer, headers): (CodedAnswer, _) =
                fetch_with_headers(request.header(CONTENT_TYPE, FORM)).await?;
            return Ok((answer.into(), headers));
        }
        let (answer, headers): (WireAnswer, _) =
            fetch_with_headers(request.header(CONTENT_TYPE, "application/json")).await?;
        let message = one_line(&answer.message);
        Ok((PoolAnswer { success: answer.success, unregistered: false, message }, headers))
    }
}

/// The text of a submission. It carries a signature, so it cannot be printed.
pub struct Submission(String);

impl Submission {
    /// Its bytes, as they are sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[derive(Deserialize)]
struct WireAnswer {
    success: bool,
    #[serde(default)]
    message: String,
}

#[derive(Serialize)]
struct Message<'a> {
    user: &'a str,
    req: Members<'a>,
    sign: &'a str,
    exchange: &'a str,
    unit: &'a str,
}

/// Written in their order, numbers exactly as they are: exchanges check signatures over these very texts.
struct Members<'a>(&'a [(String, Value)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                Value::Text(text) => map.serialize_entry(name, text)?,
                Value::Number(text) => {
                    let number = number(text).ok_or_else(|| S::Error::custom("not a number"))?;
                    map.serialize_entry(name, &number)?;
                }
            }
        }
        map.end()
    }
}

/// The text as JSON, if it is a number and nothing but a number.
fn number(text: &str) -> Option<Box<RawValue>> {
    let first = text.bytes().next()?;
    let last = text.bytes().next_back()?;
    if !(first == b'-' || first.is_ascii_digit()) || !last.is_ascii_digit() {
        return None;
    }
    RawValue::from_string(text.to_owned()).ok()
}

fn words<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(one_line(&String::deserialize(deserializer)?))
}

/// Words of a stranger, fit for a log.
pub(crate) fn one_line(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.take(MAX_MESSAGE_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> PoolClient {
        let identity = Identity {
            user: "key".to_owned(),
            address: "address".to_owned(),
            exchange: "test_exchange".to_owned(),
            unit: "btc".to_owned(),
        };
        PoolClient::new("http://127.0.0.1:1/", identity).unwrap()
    }

    fn signed(members: &[(&str, Value)]) -> Signed {
        let members = members.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Signed { members: members.collect(), sign: "\"s\"".to_owned() }
    }

    #[test]
    fn members_keep_their_order_and_numbers_their_digits() {
        let signed = signed(&[
            ("nonce", Value::Number("1760000000000000000000123".to_owned())),
            ("market", Value::Text("NBT\"BTC".to_owned())),
            ("amount", Value::Number("1.50e3".to_owned())),
        ]);
        let text = pool().submission(&signed).map(|submission| submission.0).unwrap();
        let expected = concat!(
            r#"{"user":"key","req":{"nonce":1760000000000000000000123,"market":"NBT\"BTC","#,
            r#""amount":1.50e3},"sign":"\"s\"","exchange":"test_exchange","unit":"btc"}"#,
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_number_that_is_none_is_not_sent() {
        for text in ["", "1,\"x\":2", "NaN", "[1]", "true", "1 ", " 1", "0x1", "01", "+1", "-"] {
            let signed = signed(&[("nonce", Value::Number(text.to_owned()))]);
            let refused = pool().submission(&signed).map(|_| ());
            assert!(matches!(refused, Err(SignError::NotANumber { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_strangers_words_are_one_short_line() {
        let line = one_line(&format!("a\nb\u{1b}[2J{}", "x".repeat(10_000)));
        assert!(line.starts_with("a b [2Jx"));
        assert_eq!(line.chars().count(), MAX_MESSAGE_LENGTH);
    }
}
