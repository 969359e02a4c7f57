//! Bitfinex, version 2.
//!
//! Path, nonce and body are signed, in hexadecimal digits of HMAC-SHA384. There is no clock: the nonce has to rise,
//! so a request works once. Orders are lists of 32 members with JSON numbers; what is left of an order has the
//! sign of its side. Refusals are lists, too.

use axum::http::Method;

use super::encoding::{
    body, digits, header, hex, hmac_sha384, remaining, same_signature, scientific, with_retry_after,
};
use crate::books::{Market, Side};
use crate::decimal::Decimal;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Nonce, Operation, Outcome, Proof, Protocol, RawRequest, Reply, Validity,
};
use crate::refusal::{Fault, Refusal};

/// The call; a slash and a symbol may follow.
const PATH: &str = "/v2/auth/r/orders";
/// The largest nonce: what a double holds exactly.
const MAX_NONCE: u64 = 9_007_199_254_740_991;
/// Order ids have twelve digits.
const ID_OFFSET: u64 = 219_000_000_000;
/// The number below which numbers are written with a power of ten is 1e-6.
const FIRST_EXPONENT: usize = 7;

/// The protocol of Bitfinex.
pub(super) struct Bitfinex;

impl Protocol for Bitfinex {
    fn symbol(&self, market: &Market) -> String {
        let (base, quote) = (code(&market.base), code(&market.quote));
        let colon = if base.len() > 3 || quote.len() > 3 { ":" } else { "" };
        format!("t{base}{colon}{quote}")
    }

    fn loggable_query(&self, query: &str) -> String {
        query.to_owned()
    }

    fn read(&self, request: &RawRequest) -> Result<Call, Refusal> {
        let rest = request.path.strip_prefix(PATH).filter(|_| request.method == Method::POST);
        let symbol = match rest.ok_or(Refusal::UnknownCall)? {
            "" => None,
            rest => Some(rest.strip_prefix('/').ok_or(Refusal::UnknownCall)?.to_owned()),
        };
        if body(request)? != "{}" {
            return Err(Refusal::Malformed("body"));
        }
        let key = header(request, "bfx-apikey").ok_or(Refusal::UnknownKey)?.to_owned();
        let nonce = header(request, "bfx-nonce").and_then(digits).filter(|nonce| *nonce <= MAX_NONCE);
        let nonce = Nonce::Rising(nonce.ok_or(Refusal::Malformed("nonce"))?);
        let proof = Proof { key, validity: Validity::ALWAYS, nonce };
        Ok(Call::Signed(proof, Operation::OpenOrders { symbol }))
    }

    fn verify(&self, request: &RawRequest, credentials: &Credentials) -> Result<(), Refusal> {
        let nonce = header(request, "bfx-nonce").unwrap_or_default();
        let text = format!("/api{}{nonce}{}", request.path, body(request)?);
        let due = hex(&hmac_sha384(credentials.secret.as_bytes(), text.as_bytes()));
        same_signature(header(request, "bfx-signature"), &due)
    }

    fn decoys(&self) -> &'static [Kind] {
        &[Kind::Stop, Kind::Elsewhere, Kind::Filled]
    }

    fn write(&self, _: &RawRequest, answer: Result<&Outcome, &Refusal>) -> Reply {
        match answer {
            Ok(Outcome::Orders(lines)) => {
                let orders: Vec<String> = lines.iter().map(|line| self.order(line)).collect();
                Reply::new(200, format!("[{}]", orders.join(",")))
            }
            Ok(_) => refusal_reply(&Refusal::UnknownCall),
            Err(refusal) => refusal_reply(refusal),
        }
    }
}

impl Bitfinex {
    /// As text, since the numbers have to stand there digit by digit.
    fn order(&self, line: &Listed) -> String {
        let order = &line.order;
        let sign = match order.side {
            Side::Buy => "",
            Side::Sell => "-",
        };
        let signed = |amount: Decimal| {
            if amount.is_zero() { "0".to_owned() } else { format!("{sign}{}", number(amount)) }
        };
        let (id, symbol, at) =
            (ID_OFFSET.saturating_add(order.id), self.symbol(&line.market), order.opened_ms);
        let (left, original, price) = (signed(remaining(line)), signed(order.amount), number(order.price));
        let kind = if line.kind == Kind::Stop { "EXCHANGE STOP LIMIT" } else { "EXCHANGE LIMIT" };
        let fills = format!("@ {price}({})", signed(order.filled));
        let status = match line.kind {
            Kind::Filled => format!("EXECUTED {fills}"),
            Kind::Open | Kind::Stop | Kind::Elsewhere if order.filled.is_zero() => "ACTIVE".to_owned(),
            Kind::Open | Kind::Stop | Kind::Elsewhere => format!("PARTIALLY FILLED {fills}"),
        };
        let average = if order.filled.is_zero() { "0" } else { &price };
        let limit = if line.kind == Kind::Stop { &price } else { "0" };
        format!(
            "[{id},null,{at},\"{symbol}\",{at},{at},{left},{original},\"{kind}\",null,null,null,0,\"{status}\",\
             null,null,{price},{average},0,{limit},null,null,null,0,0,null,null,null,\"API>BFX\",null,null,{{}}]"
        )
    }
}

/// The exchange has codes of its own.
fn code(currency: &str) -> &str {
    if currency == "USDT" { "UST" } else { currency }
}

fn number(decimal: Decimal) -> String {
    match scientific(decimal) {
        Some((mantissa, exponent)) if exponent >= FIRST_EXPONENT => format!("{mantissa}e-{exponent}"),
        Some(_) | None => decimal.to_string(),
    }
}

fn refusal_reply(refusal: &Refusal) -> Reply {
    let (status, code, message) = match refusal.fault() {
        Fault::Key | Fault::Passphrase | Fault::Account => (500, 10_100, "apikey: invalid"),
        Fault::Signature => (500, 10_112, "signature: invalid"),
        Fault::Nonce | Fault::Time => (500, 10_114, "nonce: small"),
        Fault::Market => (500, 10_020, "symbol: invalid"),
        Fault::Request | Fault::Order => (500, 10_020, "request: invalid"),
        Fault::Call => (404, 10_020, "path: invalid"),
        Fault::Busy => (429, 11_010, "ratelimit: error"),
        Fault::Down => (503, 20_060, "maintenance"),
    };
    with_retry_after(Reply::new(status, format!("[\"error\",{code},\"{message}\"]")), refusal)
}
