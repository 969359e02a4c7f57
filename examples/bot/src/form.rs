//! The pool's side of the wire in the protocol of the first pools: the same messages as forms, with minimal rates.

use serde::Deserialize;

use crate::pool::{Identity, PoolAnswer, one_line};
use crate::signer::{Signed, Value};

/// The media type of its messages.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The code for a message that was taken.
const TAKEN: i64 = 0;

/// The code for a key that the pool does not know.
const UNKNOWN_USER: i64 = 11;

/// The least that is asked for each coin of base a day: decimals, such as `0.0025` for a quarter of a per cent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinimalRates {
    /// On offers to sell.
    pub ask: String,
    /// On offers to buy.
    pub bid: String,
}

impl MinimalRates {
    /// Whether both are decimals in plain digits.
    pub fn are_decimals(&self) -> bool {
        [&self.ask, &self.bid].into_iter().all(|text| {
            let digits = text.replacen('.', "", 1);
            !digits.is_empty() && digits.len() <= 40 && digits.bytes().all(|digit| digit.is_ascii_digit())
        })
    }
}

/// The message to `/register`: for every unit of the exchange.
pub(crate) fn registration(identity: &Identity) -> String {
    let fields = [("key", &identity.user), ("address", &identity.address), ("name", &identity.exchange)];
    form(fields.into_iter().map(|(name, value)| (name, value.as_str())))
}

/// The message to `/liquidity`: what was signed stands among the other fields. The exchange is the one that the key is
/// registered at.
pub(crate) fn submission(identity: &Identity, rates: &MinimalRates, signed: &Signed) -> String {
    let own = [
        ("user", identity.user.as_str()),
        ("sign", signed.sign.as_str()),
        ("unit", identity.unit.as_str()),
        ("ask", rates.ask.as_str()),
        ("bid", rates.bid.as_str()),
    ];
    let members = signed.members.iter().map(|(name, value)| {
        let (Value::Text(text) | Value::Number(text)) = value;
        (name.as_str(), text.as_str())
    });
    form(own.into_iter().chain(members))
}

/// `{"code": …, "message": …}`.
#[derive(Deserialize)]
pub(crate) struct CodedAnswer {
    code: i64,
    #[serde(default)]
    message: String,
}

impl From<CodedAnswer> for PoolAnswer {
    fn from(answer: CodedAnswer) -> Self {
        Self {
            success: answer.code == TAKEN,
            unregistered: answer.code == UNKNOWN_USER,
            message: one_line(&answer.message),
        }
    }
}

fn form<'f>(fields: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let mut written = String::new();
    for (name, value) in fields {
        if !written.is_empty() {
            written.push('&');
        }
        escape(&mut written, name);
        written.push('=');
        escape(&mut written, value);
    }
    written
}

fn escape(written: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_stands_among_the_fields_escaped() {
        let text = |text: &str| text.to_owned();
        let identity =
            Identity { user: text("k/1"), address: text("B"), exchange: text("poloniex"), unit: text("btc") };
        let rates = MinimalRates { ask: text("0.001"), bid: text("0") };
        let members = vec![
            (text("nonce"), Value::Number(text("1760000000000000000000123"))),
            (text("market"), Value::Text(text("NBT&BTC é"))),
        ];
        let signed = Signed { members, sign: text("00+/=") };
        assert_eq!(
            submission(&identity, &rates, &signed),
            "user=k%2F1&sign=00%2B%2F%3D&unit=btc&ask=0.001&bid=0&nonce=1760000000000000000000123\
             &market=NBT%26BTC%20%C3%A9"
        );
        assert_eq!(registration(&identity), "key=k%2F1&address=B&name=poloniex");
    }

    #[test]
    fn rates_are_decimals() {
        let are = |ask: &str| MinimalRates { ask: ask.to_owned(), bid: "0".to_owned() }.are_decimals();
        assert!(are("0.0025") && are("1") && are(".5"));
        assert!(!are("") && !are(".") && !are("-1") && !are("1e-3") && !are("0.25%") && !are("1.2.3"));
    }
}
