//! Whether the orders that an adapter reported stand in what the exchange sent.
//!
//! An adapter is trusted for credit: it could invent orders. This makes it harder, not impossible: each order's id has
//! to stand, by itself, in the bytes of a signed reply. It does not know what a reply means, so that an adapter cannot
//! choose how it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use memchr::memmem;
use thiserror::Error;

/// Most adapters whose invented orders were logged already; beyond it they are logged again.
const MAX_LOGGED: usize = 1_000;

/// An order that no reply shows.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the order {id} is in none of the exchange's signed replies")]
pub struct UnseenOrder {
    /// The id, as the adapter reported it.
    pub id: String,
}

/// Checks that each of the ids stands in one of the replies: as it is, or as JSON writes it, and neither as a part of
/// a longer word nor of a longer number.
///
/// # Errors
/// [`UnseenOrder`] for the first that does not.
pub fn check_ids<'i>(
    ids: impl IntoIterator<Item = &'i str>,
    replies: &[impl AsRef<[u8]>],
) -> Result<(), UnseenOrder> {
    // Adapters keep the order of the reply: the next id stands behind the last one, and all are found in one pass.
    let (mut current, mut from) = (0, 0);
    for id in ids {
        let found = spellings(id).iter().find_map(|spelling| find(spelling, replies, current, from));
        match found {
            Some((reply, end)) => (current, from) = (reply, end),
            None => return Err(UnseenOrder { id: id.to_owned() }),
        }
    }
    Ok(())
}

/// How an id can be written in a reply: as it is, and with the escapes of JSON. Some exchanges escape slashes too.
fn spellings(id: &str) -> Vec<String> {
    let mut spellings = vec![id.to_owned()];
    if id.contains(['"', '\\']) {
        spellings.push(id.replace('\\', "\\\\").replace('"', "\\\""));
    }
    if id.contains('/') {
        spellings.extend(spellings.clone().iter().map(|spelling| spelling.replace('/', "\\/")));
    }
    spellings
}

/// Looks from a place onwards, then through all the rest. Answers with the reply and the place behind what was found.
fn find(word: &str, replies: &[impl AsRef<[u8]>], current: usize, from: usize) -> Option<(usize, usize)> {
    let here = replies.get(current).and_then(|reply| find_word(word, reply.as_ref(), from));
    if let Some(end) = here {
        return Some((current, end));
    }
    replies
        .iter()
        .enumerate()
        .find_map(|(index, reply)| find_word(word, reply.as_ref(), 0).map(|end| (index, end)))
}

fn find_word(word: &str, text: &[u8], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let belongs = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    memmem::find_iter(rest, word.as_bytes()).find_map(|at| {
        let start = from.saturating_add(at);
        let end = start.saturating_add(word.len());
        let before = start.checked_sub(1).and_then(|before| text.get(before));
        // A digit behind a point goes on the number before it: `1` is not in `0.1`.
        let fraction = before == Some(&b'.')
            && start.checked_sub(2).and_then(|at| text.get(at)).is_some_and(u8::is_ascii_digit);
        (!word.is_empty() && !belongs(before) && !fraction && !belongs(text.get(end))).then_some(end)
    })
}

/// How often adapters reported orders that no reply showed, by exchange.
#[derive(Debug, Default)]
pub struct UnseenOrders(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    by_exchange: BTreeMap<String, u64>,
    /// The adapters, by SHA-256, of which the log speaks already.
    logged: BTreeSet<String>,
}

impl UnseenOrders {
    /// Counts one submission. Answers whether it is the first of this adapter, and so to be logged.
    pub fn count(&self, exchange: &str, adapter_sha256: &str) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counted.by_exchange.entry(exchange.to_owned()).or_default();
        *count = count.saturating_add(1);
        if counted.logged.len() >= MAX_LOGGED {
            counted.logged.clear();
        }
        counted.logged.insert(adapter_sha256.to_owned())
    }

    /// The counts since the pool started, by exchange.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_exchange.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_seen(id: &str, reply: &str) -> bool {
        check_ids([id], &[reply.as_bytes()]).is_ok()
    }

    #[test]
    fn an_id_is_a_word_of_its_own() {
        assert!(is_seen("42", r#"{"id":42,"price":"0.5"}"#));
        assert!(is_seen("42", r#"{"id":"42"}"#));
        assert!(is_seen("1.2e3", r#"{"id":1.2e3}"#));
        assert!(is_seen("O6OHE3-TKLLU-KCIDQM", r#"{"O6OHE3-TKLLU-KCIDQM":{}}"#));
        for reply in [r#"{"id":421}"#, r#"{"id":142}"#, r#"{"price":0.42}"#, r#"{"id":"x42"}"#, "", "[]"] {
            assert!(!is_seen("42", reply), "{reply}");
        }
        assert!(!is_seen("", "[]"));
    }

    #[test]
    fn an_id_may_stand_as_json_writes_it() {
        assert!(is_seen("a/b", r#"{"id":"a\/b"}"#));
        assert!(is_seen("a\"b", r#"{"id":"a\"b"}"#));
        assert!(is_seen("a\\b/c", r#"{"id":"a\\b\/c"}"#));
        assert!(!is_seen("a/b", r#"{"id":"a\\b"}"#));
    }

    #[test]
    fn ids_are_found_in_any_order_and_in_any_of_the_replies() {
        let replies = [r#"[{"id":1},{"id":2}]"#, r#"[{"id":3}]"#].map(str::as_bytes);
        assert_eq!(check_ids(["1", "2", "3"], &replies), Ok(()));
        assert_eq!(check_ids(["3", "2", "1"], &replies), Ok(()));
        let unseen = UnseenOrder { id: "4".to_owned() };
        assert_eq!(check_ids(["1", "4", "2"], &replies), Err(unseen));
    }

    #[test]
    fn an_adapter_is_logged_once_and_counted_each_time() {
        let unseen = UnseenOrders::default();
        assert!(unseen.count("binance", "aa"));
        assert!(!unseen.count("binance", "aa"));
        assert!(unseen.count("binance", "bb"));
        assert_eq!(unseen.counts(), BTreeMap::from([("binance".to_owned(), 3)]));
    }
}
