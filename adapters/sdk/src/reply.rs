//! The exchange's answer: its JSON, or the fault of whoever must act.

use serde::Deserialize;

use crate::{Fault, Reply, Throttle};

/// How much of an answer is repeated in a fault. Enough to recognise an error page by.
const MAX_EXCERPT: usize = 200;

/// What stands for an error without a text.
const NO_REASON: &str = "the exchange gave no reason";

/// How an exchange words its failures, for those whose wording matters: parts of its error texts, compared
/// without regard to case. Whatever matches none is a refusal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wording {
    /// Too many requests.
    pub throttled: &'static [&'static str],
    /// Out of service.
    pub unavailable: &'static [&'static str],
    /// The market or a parameter of the operator's is unknown to the exchange.
    pub misconfigured: &'static [&'static str],
}

impl Wording {
    /// The fault that an error text of the exchange stands for.
    pub fn fault(&self, words: &str) -> Fault {
        let lower = words.to_ascii_lowercase();
        let is_among = |parts: &[&str]| parts.iter().any(|part| lower.contains(&part.to_ascii_lowercase()));
        let message = if words.trim().is_empty() { NO_REASON.to_owned() } else { clean(words) };
        if is_among(self.throttled) {
            Fault::Throttled(Throttle { message, retry_after_ms: None })
        } else if is_among(self.unavailable) {
            Fault::Unavailable(message)
        } else if is_among(self.misconfigured) {
            Fault::Misconfigured(message)
        } else {
            Fault::Refused(message)
        }
    }
}

/// The body of an error.
pub trait ErrorBody<'a>: Deserialize<'a> {
    /// Whether the exchange refuses with HTTP 500, too: then its words say who must act, and not the status.
    const REFUSES_WITH_500: bool = false;

    /// What it says, with its code; `None` if this body is no error after all.
    fn words(&self) -> Option<String>;
}

/// Decodes an answer: `T` where it succeeded, else the fault that the status and the words of `E` stand for.
/// A body with status 200 that is no `T` is tried as an `E`, too.
///
/// # Errors
/// * 418 and 429: throttled, with the time in `retry-after`, if it is in seconds.
/// * 500 and above: unavailable; but 500 with an error text by `wording`, if `E` says so.
/// * A web page instead of JSON: unavailable, since that is what proxies and maintenance show.
/// * Error texts: by `wording`, else refused.
/// * Anything else: unreadable, with the beginning of the body.
pub fn decode<'a, T, E>(reply: &'a Reply, wording: &Wording) -> Result<T, Fault>
where
    T: Deserialize<'a>,
    E: ErrorBody<'a>,
{
    let Ok(text) = std::str::from_utf8(&reply.body) else {
        return Err(failure::<E>(reply, "a body that is not text", None, wording));
    };
    let mut why = format!("HTTP {}", reply.status);
    if is_success(reply.status) {
        match serde_json::from_str(text) {
            Ok(decoded) => return Ok(decoded),
            Err(error) => why = error.to_string(),
        }
    }
    let words = serde_json::from_str::<E>(text).ok().and_then(|body| body.words());
    if words.is_none() && is_success(reply.status) && !is_page(text) {
        return Err(Fault::Unreadable(clean(&format!("{why}; the body begins: {}", excerpt(text)))));
    }
    Err(failure::<E>(reply, text, words, wording))
}

/// As [`decode`], for exchanges whose error stands in the same envelope as their success.
///
/// # Errors
/// As [`decode`].
pub fn decode_envelope<'a, T: ErrorBody<'a>>(reply: &'a Reply, wording: &Wording) -> Result<T, Fault> {
    let envelope: T = decode::<T, T>(reply, wording)?;
    match envelope.words() {
        Some(words) => Err(wording.fault(&words)),
        None => Ok(envelope),
    }
}

/// Parses a piece of a reply.
///
/// # Errors
/// Unreadable, with what is missing or wrong.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Fault> {
    serde_json::from_str(json)
        .map_err(|error| Fault::Unreadable(clean(&format!("{error}; the piece begins: {}", excerpt(json)))))
}

/// Takes control characters out of a text from outside and cuts it to 200 characters.
pub fn clean(text: &str) -> String {
    let visible = |char: char| if char.is_control() { ' ' } else { char };
    let mut cleaned: String = text.trim().chars().take(MAX_EXCERPT).map(visible).collect();
    if text.trim().chars().nth(MAX_EXCERPT).is_some() {
        cleaned.truncate(cleaned.char_indices().nth(MAX_EXCERPT - 3).map_or(0, |(end, _)| end));
        cleaned.push_str("...");
    }
    cleaned
}

fn failure<'a, E: ErrorBody<'a>>(
    reply: &Reply,
    text: &str,
    words: Option<String>,
    wording: &Wording,
) -> Fault {
    let status = reply.status;
    let has_words = words.is_some();
    let said = words.unwrap_or_else(|| format!("HTTP {status}: {}", excerpt(text)));
    match status {
        418 | 429 => {
            Fault::Throttled(Throttle { message: clean(&said), retry_after_ms: retry_after_ms(reply) })
        }
        500 if has_words && E::REFUSES_WITH_500 => wording.fault(&said),
        500.. => Fault::Unavailable(clean(&said)),
        _ if has_words => wording.fault(&said),
        _ if is_page(text) => Fault::Unavailable(clean(&format!("a web page instead of an answer, {said}"))),
        400..500 => Fault::Refused(clean(&said)),
        _ => Fault::Unreadable(clean(&said)),
    }
}

fn retry_after_ms(reply: &Reply) -> Option<u64> {
    let header = reply.headers.iter().find(|header| header.name.eq_ignore_ascii_case("retry-after"))?;
    header.value.trim().parse::<u64>().ok()?.checked_mul(1000)
}

fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

fn is_page(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// The beginning of a body: enough for `clean` to cut.
fn excerpt(text: &str) -> String {
    let beginning: String = text.trim().chars().take(MAX_EXCERPT).collect();
    if beginning.is_empty() { "nothing".to_owned() } else { beginning }
}
