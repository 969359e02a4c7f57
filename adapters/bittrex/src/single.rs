//! The older form of a submission: `req` holds up to two whole URLs, each asking for one order and each with a
//! signature of its own. A URL from a stranger is taken apart and checked piece by piece, and the request is put
//! together again from the pieces.

use alp_adapter::serde_json::value::RawValue;
use alp_adapter::*;

use crate::{ORIGIN, OpenOrder, count};

pub(crate) const UUIDS_PURPOSE: &str = "The ids of one or two orders, with a comma between: signs one request for each instead of one for the list.";
const PATH: &str = "/api/v1.1/account/getorder";
const CALL: &str = "order";
/// One bid and one ask: more is what the list is for.
const MAX_URLS: usize = 2;
/// Two URLs with the longest key, or two signatures, with room for the punctuation.
const MAX_LIST_BYTES: usize = 1024;
/// Several times as long as an order is.
const MAX_ORDER_BYTES: usize = 4096;
/// The member `sign` has no meaning here, and cannot be left empty.
const NO_SIGN: &str = "see signs";
const REQ: [Declared; 2] = [
    fields::text("requests", Chars::Printable).at_most(MAX_LIST_BYTES),
    fields::text("signs", Chars::Printable).at_most(MAX_LIST_BYTES),
];

struct SignedUrl {
    user: String,
    nonce: String,
    uuid: String,
    sign: String,
}

pub(crate) fn call() -> Call {
    Call::get(CALL, PATH).with(&["apikey", "nonce", "uuid"]).headers(&["apisign"])
}

pub(crate) fn sign(query: &SignQuery, uuids: &str, nonce: u64) -> Result<Signed, Fault> {
    let uuids: Vec<&str> = uuids.split(',').map(str::trim).collect();
    if uuids.len() > MAX_URLS || !uuids.iter().all(|uuid| is_uuid(uuid)) {
        return Err(Fault::Unusable(
            "`uuids` should be one or two order ids with a comma between".to_owned(),
        ));
    }
    let urls = uuids
        .iter()
        .zip(nonce..)
        .map(|(uuid, nonce)| form(&query.user, &nonce.to_string(), uuid).url(query.origin(ORIGIN), PATH));
    let urls: Vec<String> = urls.collect();
    let signature = |url: &String| sign::hex(&sign::hmac_sha512(query.secret.as_bytes(), url.as_bytes()));
    let signs: Vec<String> = urls.iter().map(signature).collect();
    let members = [Member::text("requests", json_list(&urls)?), Member::text("signs", json_list(&signs)?)];
    Ok(Signed::new(members, NO_SIGN.to_owned()))
}

pub(crate) fn start(submission: &Submission) -> Result<Started, Fault> {
    let urls = read_urls(submission)?;
    let step = send(urls.first(), Vec::new())?;
    let freshness = urls.iter().map(|url| Freshness::of_nonce("requests", &url.nonce));
    let whole_url = |url: &SignedUrl| url.form().url(submission.origin(ORIGIN), PATH);
    let signed = if submission.explain { urls.iter().map(whole_url).collect() } else { Vec::new() };
    Ok(Started { step, freshness: freshness.collect::<Result<_, Fault>>()?, signed })
}

/// The notes between the steps are a JSON list of the orders that were seen so far, as they came.
pub(crate) fn resume(submission: &Submission, state: &[u8], result: &str) -> Result<Step, Fault> {
    let unreadable = |error: serde_json::Error| Fault::Unreadable(error.to_string());
    if result.len() > MAX_ORDER_BYTES {
        return Err(Fault::Unreadable(format!(
            "the reply has an order of more than {MAX_ORDER_BYTES} bytes"
        )));
    }
    let state = if state.is_empty() { b"[]" } else { state };
    let mut seen: Vec<&RawValue> = serde_json::from_slice(state).map_err(unreadable)?;
    seen.push(serde_json::from_str(result).map_err(unreadable)?);
    let urls = read_urls(submission)?;
    if seen.len() < urls.len() {
        return send(urls.get(seen.len()), serde_json::to_vec(&seen).map_err(unreadable)?);
    }
    let seen = seen.iter().map(|order| order.get()).filter(|order| *order != "null");
    let orders: Vec<OpenOrder> = seen.map(reply::parse).collect::<Result<_, _>>()?;
    count(&orders, &submission.market)
}

impl SignedUrl {
    fn form(&self) -> Form {
        form(&self.user, &self.nonce, &self.uuid)
    }
}

fn send(url: Option<&SignedUrl>, state: Vec<u8>) -> Result<Step, Fault> {
    let url = url.ok_or_else(wrong_count)?;
    let request = Request::get(CALL, PATH, url.form()).header("apisign", &url.sign);
    Ok(Step::Send(Pending { request, state }))
}

fn read_urls(submission: &Submission) -> Result<Vec<SignedUrl>, Fault> {
    let [requests, signs] = fields::take(submission, REQ)?;
    let (urls, signs) = (read_list("requests", requests)?, read_list("signs", signs)?);
    if urls.is_empty() || urls.len() > MAX_URLS || urls.len() != signs.len() {
        return Err(wrong_count());
    }
    let user = fields::user(submission, Chars::Token)?;
    let prefix = format!("{}{PATH}?apikey={user}&nonce=", submission.origin(ORIGIN));
    let pairs = urls.iter().zip(&signs).map(|(url, sign)| {
        let rest = url.strip_prefix(&prefix).and_then(|rest| rest.split_once("&uuid="));
        let checked = rest.filter(|(nonce, uuid)| is_nonce(nonce) && is_uuid(uuid));
        let (nonce, uuid) = checked.ok_or_else(|| {
            Fault::Unusable(format!("a URL in `req.requests` should be `{prefix}<digits>&uuid=<order id>`"))
        })?;
        let sign = sign::expect_hex(sign, 64)?.to_owned();
        Ok(SignedUrl { user: user.to_owned(), nonce: nonce.to_owned(), uuid: uuid.to_owned(), sign })
    });
    pairs.collect()
}

fn read_list(name: &str, json: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(json).map_err(|_| {
        Fault::Unusable(format!("`req.{name}` should be a JSON list of texts, written as a text"))
    })
}

fn json_list(list: &[String]) -> Result<String, Fault> {
    serde_json::to_string(list).map_err(|error| Fault::Unusable(error.to_string()))
}

fn wrong_count() -> Fault {
    Fault::Unusable(format!("`req` should have 1 to {MAX_URLS} `requests` and as many `signs`"))
}

fn is_nonce(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn form(user: &str, nonce: &str, uuid: &str) -> Form {
    Form::new().with("apikey", user).with("nonce", nonce).with("uuid", uuid)
}
