//! Hostile replies, made from a good one: what a broken, changed or malicious exchange might send in its place.

use std::ops::Range;

use super::spans::{Kind, Span, spans};

/// Most replies of one family. 1024: every place of a reply of a few orders; longer ones are sampled evenly.
const MOST_REPLIES: usize = 1024;

/// Fewest replies of one family, however long the reply is.
const FEWEST_REPLIES: usize = 64;

/// Bytes of all replies of one family together, which decides how many there are. 32 MiB: a second's work.
const FAMILY_BYTES: usize = 32 << 20;

/// How many orders the largest reply has. The sandbox takes 5000 in one answer, and no exchange lists as many.
const ORDERS: usize = 10_000;

/// Bytes of the largest reply: eight times what a pool reads unless its operator says otherwise.
const LARGEST_REPLY: usize = 16 << 20;

/// How deep lists are nested in a reply that is meant to exhaust a stack.
const DEPTH: usize = 100_000;

/// What proxies and maintenance show.
const PAGE: &[u8] =
    b"<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head><body><h1>502</h1></body></html>\n";

/// What may come of a hostile reply. A fault with a name may always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Orders among the expected ones: no value was changed, or none that could be read.
    Expected,
    /// Well-formed orders: values were changed to others that an exchange might have meant.
    WellFormed,
    /// Well-formed orders whose sides, prices and amounts are among the expected; or a limit of the sandbox.
    Copies,
    /// No orders at all, and a fault of one of these kinds; of any kind, if there are none here.
    Fault(&'static [&'static str]),
}

/// One hostile reply.
pub(super) struct Hostile {
    /// What was done to the good one.
    pub(super) what: String,
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) rule: Rule,
}

/// Replies of one kind.
pub(super) struct Family<'b> {
    pub(super) name: &'static str,
    /// How many there could be; `replies` are evenly chosen from them.
    pub(super) possible: usize,
    pub(super) replies: Box<dyn Iterator<Item = Hostile> + 'b>,
}

/// Everything that is made of one good reply. What needs JSON is left out if it is none.
pub(super) fn families(good: &[u8]) -> Vec<Family<'_>> {
    let mut families = vec![cut(good), page(), statuses(good), empty(), nesting(good), not_utf8(good)];
    let Some(values) = spans(good) else { return families };
    families.push(edited("numbers as texts", good, numbers_as_texts(good, &values)));
    families.push(edited("texts as numbers", good, texts_as_numbers(good, &values)));
    families.push(edited("exponents", good, exponents(good, &values)));
    families.push(other_types(good, &values));
    families.push(missing_members(good, &values));
    families.push(nul_bytes(good, &values));
    families.extend(ten_thousand(good, &values));
    families
}

/// What can be made without a good reply.
pub(super) fn general() -> Vec<Family<'static>> {
    vec![page(), statuses(b"[]"), empty(), nesting(b""), not_utf8(b"[\"\"]")]
}

/// The same replies in other words: replaced values, by where they stand.
type Edits = Vec<(Range<usize>, Vec<u8>)>;

fn cut(good: &[u8]) -> Family<'_> {
    let cuts = sample(good.len(), good.len()).map(|length| Hostile {
        what: format!("cut after {length} bytes"),
        status: 200,
        body: good.get(..length).unwrap_or_default().to_vec(),
        // What is gone by the cut may have been blanks only.
        rule: Rule::Expected,
    });
    Family { name: "cut at every boundary", possible: good.len(), replies: Box::new(cuts) }
}

fn page() -> Family<'static> {
    few("a web page", vec![whole("a web page with status 200", PAGE, Rule::Fault(&[]))])
}

fn statuses(good: &[u8]) -> Family<'_> {
    const OUTAGE: &[&str] = &["unavailable", "unreadable", "throttled", "other"];
    let mut replies = Vec::new();
    for (status, kinds) in [(403, &[][..]), (429, &["throttled"]), (500, OUTAGE), (503, OUTAGE)] {
        let bodies = [
            ("a web page", PAGE, Rule::Fault(kinds)),
            ("no body", b"", Rule::Fault(kinds)),
            ("an empty object", b"{}", Rule::Expected),
            ("the good body", good, Rule::Expected),
        ];
        for (what, body, rule) in bodies {
            replies.push(Hostile { status, ..whole(&format!("HTTP {status} with {what}"), body, rule) });
        }
    }
    few("HTTP 403, 429, 500, 503", replies)
}

fn empty() -> Family<'static> {
    let blank = [("nothing", &b""[..]), ("blanks", b" \r\n")];
    let hollow = [("null", &b"null"[..]), ("{}", b"{}"), ("[]", b"[]"), ("\"\"", b"\"\""), ("0", b"0")];
    let blank = blank.map(|(what, body)| whole(what, body, Rule::Fault(&[])));
    let hollow = hollow.map(|(what, body)| whole(what, body, Rule::Expected));
    few("empty", blank.into_iter().chain(hollow).collect())
}

fn nesting(good: &[u8]) -> Family<'_> {
    let balanced = [b"[".repeat(DEPTH), b"]".repeat(DEPTH)].concat();
    let objects = [&b"{\"a\":".repeat(DEPTH)[..], b"1", &b"}".repeat(DEPTH)].concat();
    let mut replies = vec![
        whole("lists that never end", &b"[".repeat(DEPTH), Rule::Fault(&[])),
        whole("lists in lists", &balanced, Rule::Expected),
        whole("objects in objects", &objects, Rule::Expected),
    ];
    let values = spans(good).unwrap_or_default();
    for value in values.iter().filter(|value| !is_container(value)).take(FEWEST_REPLIES) {
        let what = format!("lists in lists in place of the value at byte {}", value.at.start);
        replies.push(whole(&what, &spliced(good, &value.at, &balanced), Rule::WellFormed));
    }
    few("nesting", replies)
}

fn not_utf8(good: &[u8]) -> Family<'_> {
    let utf16: Vec<u8> = String::from_utf8_lossy(good).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut replies = vec![
        whole("two bytes of no encoding", &[0xff, 0xfe], Rule::Fault(&[])),
        whole("UTF-16", &utf16, Rule::Fault(&[])),
        whole("a byte at the end", &[good, &[0xff]].concat(), Rule::Expected),
    ];
    let texts: Vec<Span> =
        spans(good).unwrap_or_default().into_iter().filter(|value| value.kind == Kind::Text).collect();
    for index in sample(texts.len(), good.len()) {
        let Some(value) = texts.get(index) else { continue };
        let inside = value.at.start.saturating_add(1);
        let what = format!("a byte of no encoding in the text at byte {}", value.at.start);
        replies.push(whole(&what, &spliced(good, &(inside..inside), &[0xff]), Rule::WellFormed));
    }
    few("not UTF-8", replies)
}

fn other_types<'b>(good: &'b [u8], values: &[Span]) -> Family<'b> {
    const OTHERS: [&[u8]; 6] = [b"null", b"true", b"-1", b"\"x\"", b"[]", b"{}"];
    let edits: Vec<(Range<usize>, &[u8])> =
        values.iter().flat_map(|value| OTHERS.map(|other| (value.at.clone(), other))).collect();
    let possible = edits.len();
    let replies = sample(possible, good.len()).filter_map(move |index| {
        let (at, other) = edits.get(index)?;
        let what = format!("{} in place of the value at byte {}", String::from_utf8_lossy(other), at.start);
        Some(whole(&what, &spliced(good, at, other), Rule::WellFormed))
    });
    Family { name: "wrong types", possible, replies: Box::new(replies) }
}

fn missing_members<'b>(good: &'b [u8], values: &[Span]) -> Family<'b> {
    let members: Vec<Range<usize>> = values
        .iter()
        .filter(|value| value.parent.is_some())
        .map(|value| with_its_comma(good, &value.member))
        .collect();
    let possible = members.len();
    let replies = sample(possible, good.len()).filter_map(move |index| {
        let member = members.get(index)?;
        let what = format!("without bytes {} to {}", member.start, member.end);
        Some(whole(&what, &spliced(good, member, b""), Rule::WellFormed))
    });
    Family { name: "missing members", possible, replies: Box::new(replies) }
}

fn nul_bytes<'b>(good: &'b [u8], values: &[Span]) -> Family<'b> {
    let texts: Vec<usize> = values
        .iter()
        .filter(|value| value.kind == Kind::Text)
        .map(|value| value.at.start.saturating_add(1))
        .collect();
    let around = [
        whole("a NUL byte in front", &[b"\0", good].concat(), Rule::Expected),
        whole("a NUL byte at the end", &[good, b"\0"].concat(), Rule::Expected),
    ];
    let possible = texts.len().saturating_mul(2).saturating_add(around.len());
    let replies = sample(texts.len(), good.len().saturating_mul(2)).flat_map(move |index| {
        let inside = texts.get(index).copied().unwrap_or_default();
        let replies = [("a NUL byte", &b"\0"[..]), ("an escaped NUL", b"\\u0000")].map(|(what, nul)| {
            let body = spliced(good, &(inside..inside), nul);
            whole(&format!("{what} in the text at byte {inside}"), &body, Rule::WellFormed)
        });
        replies.into_iter()
    });
    Family { name: "NUL bytes", possible, replies: Box::new(around.into_iter().chain(replies)) }
}

/// The list (or object) of orders, repeated until there are ten thousand.
fn ten_thousand<'b>(good: &'b [u8], values: &[Span]) -> Option<Family<'b>> {
    let list = list_of_orders(values)?;
    let inside = |child: &&Span| child.parent == Some(list) && is_container(child);
    let children: Vec<&Span> = values.iter().filter(inside).collect();
    let outer = values.get(list)?;
    let mut body = good.get(..outer.at.start.saturating_add(1))?.to_vec();
    let mut count = 0_usize;
    for (number, child) in children.iter().cycle().take(ORDERS).enumerate() {
        if body.len() > LARGEST_REPLY {
            break;
        }
        if number > 0 {
            body.push(b',');
        }
        if outer.kind == Kind::Object {
            let name = good.get(child.member.start.saturating_add(1)..child.at.start)?;
            let name = name.get(..name.iter().rposition(|byte| *byte == b'"')?)?;
            body.extend([b"\"", name, format!("-{number}\":").as_bytes()].concat());
        }
        body.extend(good.get(child.at.clone())?);
        count = number.saturating_add(1);
    }
    body.extend(good.get(outer.at.end.saturating_sub(1)..)?);
    Some(few("10 000 orders", vec![whole(&format!("{count} orders"), &body, Rule::Copies)]))
}

/// The list whose members look most like orders: containers with the most plain values in them, all together.
fn list_of_orders(values: &[Span]) -> Option<usize> {
    let mut plain = vec![0_usize; values.len()];
    for value in values.iter().filter(|value| !is_container(value)) {
        let order = value.parent.and_then(|parent| values.get(parent));
        if let Some(count) = order.and_then(|order| plain.get_mut(order.parent?)) {
            *count = count.saturating_add(1);
        }
    }
    let (list, count) = plain.iter().enumerate().max_by_key(|(_, count)| **count)?;
    (*count > 0).then_some(list)
}

fn numbers_as_texts(good: &[u8], values: &[Span]) -> Edits {
    let numbers = values.iter().filter(|value| value.kind == Kind::Number);
    numbers.map(|value| (value.at.clone(), [b"\"", bytes(good, &value.at), b"\""].concat())).collect()
}

fn texts_as_numbers(good: &[u8], values: &[Span]) -> Edits {
    let texts = values.iter().filter(|value| value.kind == Kind::Text);
    texts.filter_map(|value| Some((value.at.clone(), inner_number(good, value)?.to_vec()))).collect()
}

/// Numbers with a point, in other words: `0.00152100` as `152100e-8`. Those without one may be ids.
fn exponents(good: &[u8], values: &[Span]) -> Edits {
    let numbers = values.iter().filter_map(|value| {
        let (written, quote) = match value.kind {
            Kind::Number => (bytes(good, &value.at), ""),
            Kind::Text => (inner_number(good, value)?, "\""),
            Kind::Word | Kind::List | Kind::Object => return None,
        };
        let written = std::str::from_utf8(written).ok()?;
        let (sign, magnitude) = written.strip_prefix('-').map_or(("", written), |rest| ("-", rest));
        let (whole, fraction) = magnitude.split_once('.')?;
        if fraction.contains(['e', 'E']) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let digits = match digits.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let text = format!("{quote}{sign}{digits}e-{}{quote}", fraction.len());
        Some((value.at.clone(), text.into_bytes()))
    });
    numbers.collect()
}

/// The number that a JSON text holds, if it would be one without its quotes.
fn inner_number<'b>(good: &'b [u8], value: &Span) -> Option<&'b [u8]> {
    let inner = bytes(good, &value.at).strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let begins_so = inner.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
    let is_number = begins_so && serde_json::from_slice::<serde::de::IgnoredAny>(inner).is_ok();
    is_number.then_some(inner)
}

/// A family of edits that change no value: all of them at once, then each alone.
fn edited<'b>(name: &'static str, good: &'b [u8], edits: Edits) -> Family<'b> {
    let possible = edits.len();
    let mut all = good.to_vec();
    for (at, new) in edits.iter().rev() {
        all = spliced(&all, at, new);
    }
    let all = (possible > 0).then(|| whole(&format!("all {possible} of them"), &all, Rule::Expected));
    let each = sample(possible, good.len()).filter_map(move |index| {
        let (at, new) = edits.get(index)?;
        Some(whole(&format!("the value at byte {}", at.start), &spliced(good, at, new), Rule::Expected))
    });
    Family { name, possible, replies: Box::new(all.into_iter().chain(each)) }
}

fn few(name: &'static str, replies: Vec<Hostile>) -> Family<'static> {
    Family { name, possible: replies.len(), replies: Box::new(replies.into_iter()) }
}

fn whole(what: &str, body: &[u8], rule: Rule) -> Hostile {
    Hostile { what: what.to_owned(), status: 200, body: body.to_vec(), rule }
}

/// Evenly chosen indices below `count`: all of them, if replies of `size` bytes are not too many bytes then.
fn sample(count: usize, size: usize) -> impl Iterator<Item = usize> {
    let most = FAMILY_BYTES.checked_div(size).unwrap_or(MOST_REPLIES).clamp(FEWEST_REPLIES, MOST_REPLIES);
    let taken = count.min(most);
    (0..taken).map(move |index| index.saturating_mul(count).checked_div(taken).unwrap_or(index))
}

fn with_its_comma(good: &[u8], member: &Range<usize>) -> Range<usize> {
    let after = good.get(member.end..).unwrap_or_default();
    match after.iter().position(|byte| !byte.is_ascii_whitespace()) {
        Some(blanks) if after.get(blanks) == Some(&b',') => {
            member.start..member.end.saturating_add(blanks).saturating_add(1)
        }
        Some(_) | None => member.clone(),
    }
}

fn spliced(good: &[u8], at: &Range<usize>, new: &[u8]) -> Vec<u8> {
    [good.get(..at.start).unwrap_or_default(), new, good.get(at.end..).unwrap_or_default()].concat()
}

fn bytes<'b>(good: &'b [u8], at: &Range<usize>) -> &'b [u8] {
    good.get(at.clone()).unwrap_or_default()
}

fn is_container(value: &Span) -> bool {
    matches!(value.kind, Kind::List | Kind::Object)
}
