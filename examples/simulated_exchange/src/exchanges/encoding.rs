//! What several exchanges do alike: keyed hashes and how they are written, parameters, times.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Sha256, Sha384, Sha512};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::decimal::Decimal;
use crate::protocol::{Credentials, Listed, RawRequest, Reply};
use crate::refusal::Refusal;

/// Parameters in a request; the call with the most has ten.
const MAX_PARAMETERS: usize = 32;

/// HMAC with SHA-256.
pub(super) fn hmac_sha256(secret: &[u8], text: &[u8]) -> Vec<u8> {
    keyed::<Hmac<Sha256>>(secret, text)
}

/// HMAC with SHA-384.
pub(super) fn hmac_sha384(secret: &[u8], text: &[u8]) -> Vec<u8> {
    keyed::<Hmac<Sha384>>(secret, text)
}

/// HMAC with SHA-512.
pub(super) fn hmac_sha512(secret: &[u8], text: &[u8]) -> Vec<u8> {
    keyed::<Hmac<Sha512>>(secret, text)
}

/// An HMAC takes a secret of any length, so nothing is what no signature equals.
fn keyed<M: Mac + KeyInit>(secret: &[u8], text: &[u8]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Base64 with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The bytes of base64 with padding.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Refuses a signature that is not, letter for letter, the one that is due.
pub(super) fn same_signature(given: Option<&str>, due: &str) -> Result<(), Refusal> {
    if given.is_some_and(|given| !given.is_empty() && given == due) {
        return Ok(());
    }
    Err(Refusal::BadSignature)
}

/// Refuses a signature in hexadecimal digits, small or capital, that is not the one that is due.
pub(super) fn same_signature_in_any_case(given: Option<&str>, due: &str) -> Result<(), Refusal> {
    same_signature(given.map(str::to_ascii_lowercase).as_deref(), due)
}

/// A header, if it is text.
pub(super) fn header<'a>(request: &'a RawRequest, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

/// The body as text.
pub(super) fn body(request: &RawRequest) -> Result<&str, Refusal> {
    std::str::from_utf8(&request.body).map_err(|_| Refusal::Malformed("body"))
}

/// The parameters of a query or a form, in their order. Percent-encoding is left as it is: the one exchange
/// that needs it undoes it itself.
pub(super) struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    /// Reads `a=1&b=2`.
    pub(super) fn read(text: &'a str) -> Result<Self, Refusal> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(Refusal::Malformed("parameter"))?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::Malformed("parameter given twice"));
            }
            if pairs.len() >= MAX_PARAMETERS {
                return Err(Refusal::Malformed("too many parameters"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of this parameter, if it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value).filter(|value| !value.is_empty())
    }

    /// The value of a parameter that has to be there.
    pub(super) fn text(&self, name: &'static str) -> Result<String, Refusal> {
        self.get(name).map(str::to_owned).ok_or(Refusal::Malformed(name))
    }

    /// The value of a parameter that has to be there and a number.
    pub(super) fn number(&self, name: &'static str) -> Result<u64, Refusal> {
        self.get(name).and_then(digits).ok_or(Refusal::Malformed(name))
    }

    /// All parameters, in their order.
    pub(super) fn pairs(&self) -> &[(&'a str, &'a str)] {
        &self.0
    }
}

/// A number in plain digits: no sign.
pub(super) fn digits(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The text without its parameters of these names: what is signed, or what may be logged.
pub(super) fn without(query: &str, names: &[&str]) -> String {
    let kept = query.split('&').filter(|part| !names.contains(&part.split('=').next().unwrap_or_default()));
    kept.collect::<Vec<_>>().join("&")
}

/// What is left of an order, in the base currency.
pub(super) fn remaining(line: &Listed) -> Decimal {
    line.order.amount.saturating_sub(line.order.filled)
}

/// A number on the wire, digit by digit as it is written here.
pub(super) fn number(text: String) -> Box<RawValue> {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// `2025-10-09T08:53:20.123Z`; nothing is written for years beyond 9999.
pub(super) fn iso_ms(unix_ms: u64) -> String {
    format!("{}.{:03}Z", iso_s(unix_ms), unix_ms % 1_000)
}

/// `2025-10-09T08:53:20`, in UTC.
pub(super) fn iso_s(unix_ms: u64) -> String {
    let seconds = i64::try_from(unix_ms / 1_000).unwrap_or(i64::MAX);
    let at = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let text = at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
    text.trim_end_matches('Z').to_owned()
}

/// The Unix milliseconds of `2025-10-09T08:53:20`, with or without a fraction and a `Z`.
pub(super) fn ms_of_iso(text: &str) -> Option<u64> {
    let plain = format!("{}Z", text.trim_end_matches('Z'));
    let at = OffsetDateTime::parse(&plain, &Rfc3339).ok()?;
    u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

/// The reply, with `Retry-After` if there were too many requests.
pub(super) fn with_retry_after(mut reply: Reply, refusal: &Refusal) -> Reply {
    if let Refusal::Throttled { retry_after_s } = refusal {
        reply.headers.push(("retry-after", retry_after_s.to_string()));
    }
    reply
}

/// The names under which a request may have called the exchange: its own, and the one by which it was reached.
pub(super) fn hosts(request: &RawRequest, own: &str) -> Vec<String> {
    [Some(own), header(request, "host")].into_iter().flatten().map(str::to_owned).collect()
}

/// One page of a list: the first page has number 1.
pub(super) fn page(lines: &[Listed], number: u64, size: u64) -> &[Listed] {
    let before = usize::try_from(number.saturating_sub(1).saturating_mul(size)).unwrap_or(usize::MAX);
    let rest = lines.get(before..).unwrap_or_default();
    rest.get(..usize::try_from(size).unwrap_or(usize::MAX)).unwrap_or(rest)
}

/// Refuses a request unless this header is the hexadecimal HMAC-SHA512 of its body.
pub(super) fn verify_body(
    request: &RawRequest,
    credentials: &Credentials,
    name: &str,
) -> Result<(), Refusal> {
    let due = hex(&hmac_sha512(credentials.secret.as_bytes(), &request.body));
    same_signature(header(request, name), &due)
}

/// A number as software writes it that changes to powers of ten for small ones: `("1.5", 7)` is 1.5e-7. `None`
/// for a number that it writes in full.
pub(super) fn scientific(decimal: Decimal) -> Option<(String, usize)> {
    let text = decimal.to_string();
    let digits = text.strip_prefix("0.0000")?;
    let significant = digits.trim_start_matches('0');
    let exponent = digits.len().saturating_sub(significant.len()).saturating_add(5);
    let (first, rest) = significant.split_at_checked(1)?;
    let mantissa = if rest.is_empty() { first.to_owned() } else { format!("{first}.{rest}") };
    Some((mantissa, exponent))
}

/// A JSON number as .NET writes it: `0.0025`, `1.5E-7`.
pub(super) fn dot_net_number(decimal: Decimal) -> Box<RawValue> {
    number(match scientific(decimal) {
        Some((mantissa, exponent)) => format!("{mantissa}E-{exponent}"),
        None => decimal.to_string(),
    })
}

/// How many orders are asked for in the parameter of this name, or the default; refused beyond the most there may be.
pub(super) fn limit(
    request: &RawRequest,
    name: &'static str,
    default: u64,
    most: u64,
) -> Result<u64, Refusal> {
    let parameters = Parameters::read(&request.query)?;
    let limit = parameters.get(name).map_or(Ok(default), |_| parameters.number(name))?;
    if (1..=most).contains(&limit) { Ok(limit) } else { Err(Refusal::Malformed(name)) }
}

/// The lines behind the one that a cursor names; none if there is no such line.
pub(super) fn lines_after(lines: &[Listed], is_named: impl Fn(&Listed) -> bool) -> &[Listed] {
    let place = lines.iter().position(is_named);
    place.and_then(|place| lines.get(place.saturating_add(1)..)).unwrap_or_default()
}

/// The path, with the query if there is one.
pub(super) fn target(request: &RawRequest) -> String {
    let mark = if request.query.is_empty() { "" } else { "?" };
    format!("{}{mark}{}", request.path, request.query)
}

/// The parameters sorted by name, and one more among them if it is given, as `a=1&b=2`.
pub(super) fn sorted(query: &str, more: Option<(&str, &str)>) -> Result<String, Refusal> {
    let parameters = Parameters::read(query)?;
    let mut pairs: Vec<(&str, &str)> = parameters.pairs().iter().copied().chain(more).collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(pairs.join("&"))
}

/// The reply with every number in the orders of its `data` spoilt, however many digits it has: for exchanges that
/// write more of them than a `Decimal` has.
pub(super) fn spoilt_data(right: Reply) -> Reply {
    let is_number =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let mut body: Value = serde_json::from_str(&right.body).unwrap_or_default();
    let orders = body.get_mut("data").and_then(Value::as_array_mut).into_iter().flatten();
    for member in orders.filter_map(Value::as_object_mut).flat_map(|order| order.values_mut()) {
        match member {
            Value::String(text) if is_number(text) => *member = "NaN".into(),
            Value::Number(_) => *member = Value::Array(vec![member.take()]),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {}
        }
    }
    Reply { body: body.to_string(), ..right }
}
