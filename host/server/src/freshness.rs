//! One signature, once: what is signed has to rise from request to request of a key, or to be new.
//! The rule is a pure function of what was seen; it knows neither exchanges nor how anything is signed.
//!
//! What the exchange *took* is kept in the database, in the transaction of the sample, and every server of the pool
//! is held to it. What was only *sent* is remembered here for a while: whoever posts junk under somebody else's key
//! must not raise what that key has to exceed. So after a crash between a call and its commit one request can be sent
//! once more. It lists orders, and a sample replaces the one before it, so nothing is credited twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use alp_sandbox::types::{Freshness, Lifetime};
use alp_store::{Store, StoreError, UsedRequest, Uses};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// The name of the key of digests in the database.
const KEY_NAME: &str = "requests";

/// Most LPs whose numbers are in memory, about 100 bytes each and those of what they sent. Beyond it the memory starts
/// afresh, from the database.
const MAX_LPS: usize = 65_536;

/// How many requests of an LP are remembered that were sent and not taken: a few minutes' worth of what a key may post.
pub const MAX_SENT: usize = 64;

/// The largest number that is taken, so that it fits the database. Nanoseconds reach it in the year 2262.
const MAX_RISING: u64 = i64::MAX as u64;

/// Below this a number that is a time counts seconds.
const SECONDS_BELOW: u64 = 100_000_000_000;

/// What was signed, as the adapter told it.
#[derive(Clone, Copy)]
pub struct SignedRequests<'a> {
    /// The LP.
    pub lp_id: i64,
    /// One entry for each signed request.
    pub freshness: &'a [Freshness],
    /// What the bot sent as the signature.
    pub sign: &'a str,
    /// How long a request can be used.
    pub lifetime: &'a Lifetime,
    /// Whether the operator accepts requests that cannot be told from their repetition.
    pub accept_repeatable: bool,
    /// The host's time in Unix milliseconds.
    pub now_ms: u64,
}

/// Why a request is not sent: the sentence for the bot, who signs a new one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Repetition {
    /// The number does not exceed the highest.
    #[error(
        "a request of this key with {highest} was seen, and this one has {number}: sign each one with a larger \
         number than the one before{}", seconds_hint(*.seconds)
    )]
    NotRising {
        /// What this one has.
        number: u64,
        /// The highest.
        highest: u64,
        /// Whether the number counts seconds.
        seconds: bool,
    },
    /// The same request was there before.
    #[error("this signed request was sent before, and each is sent once: sign a new one")]
    Repeated,
    /// The number is too large.
    #[error(
        "the number {number} that this request was signed with is too large: it has to be at most {MAX_RISING}"
    )]
    TooLarge {
        /// The number.
        number: u64,
    },
    /// There is nothing by which a repetition could be told.
    #[error(
        "this request was signed with neither a nonce nor a time, so whoever saw it could repeat it for ever: sign \
         one with a nonce"
    )]
    Repeatable,
}

fn seconds_hint(seconds: bool) -> &'static str {
    if seconds { "; these count seconds, so post at most once a second" } else { "" }
}

/// What is in memory of one LP.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// The highest number of a request that an exchange took.
    pub highest: Option<u64>,
    /// Digests of what was sent and not taken, oldest first.
    sent: VecDeque<[u8; 32]>,
}

impl Seen {
    /// Whether these requests may be sent, all of which carry numbers from `lowest` to `highest`, if any carries one.
    /// `whole` is the digest of the whole submission.
    ///
    /// # Errors
    /// [`Repetition`].
    pub fn send(&mut self, rising: Option<(u64, u64)>, whole: [u8; 32]) -> Result<(), Repetition> {
        if let (Some((number, _)), Some(highest)) = (rising, self.highest)
            && number <= highest
        {
            return Err(Repetition::NotRising { number, highest, seconds: number < SECONDS_BELOW });
        }
        if self.sent.contains(&whole) {
            return Err(Repetition::Repeated);
        }
        if self.sent.len() >= MAX_SENT {
            self.sent.pop_front();
        }
        self.sent.push_back(whole);
        Ok(())
    }

    /// Notes that an exchange took requests up to this number.
    pub fn take(&mut self, rising: Option<(u64, u64)>) {
        self.highest = self.highest.max(rising.map(|(_, highest)| highest));
    }
}

/// What was seen of all LPs.
#[derive(Default)]
pub struct FreshnessLedger {
    key: tokio::sync::OnceCell<hmac::Key>,
    seen: Mutex<BTreeMap<i64, Seen>>,
}

/// Why requests are not sent.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// The bot's.
    #[error(transparent)]
    Repetition(#[from] Repetition),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FreshnessLedger {
    /// Lets signed requests go out once. Answers with what they use up as soon as the exchange takes them.
    ///
    /// # Errors
    /// [`NotSent`].
    pub async fn send(&self, store: &Store, signed: SignedRequests<'_>) -> Result<Uses, NotSent> {
        let key = self.key.get_or_try_init(|| pool_key(store, KEY_NAME)).await?;
        let uses = uses_of(key, signed)?;
        for request in &uses.requests {
            if store.was_used(signed.lp_id, &request.digest).await? {
                return Err(Repetition::Repeated.into());
            }
        }
        let known = self.locked().contains_key(&signed.lp_id);
        let stored = if known { None } else { store.highest_rising(signed.lp_id).await? };
        let mut seen = self.locked();
        if seen.len() >= MAX_LPS {
            seen.clear();
        }
        let of_lp = seen.entry(signed.lp_id).or_default();
        of_lp.highest = of_lp.highest.max(stored);
        if !uses.is_empty() {
            of_lp.send(uses.rising, whole_digest(key, signed))?;
        }
        Ok(uses)
    }

    /// Notes that the exchange took requests.
    pub fn take(&self, lp_id: i64, uses: &Uses) {
        self.locked().entry(lp_id).or_default().take(uses.rising);
    }

    /// Reads an LP's numbers from the database the next time: another server was faster.
    pub fn read_again(&self, lp_id: i64) {
        self.locked().remove(&lp_id);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, BTreeMap<i64, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What requests use up. One without a number is named by its nonce, since that is what the exchange goes by, and
/// nobody can give it another without the secret; one without a nonce by its signature.
fn uses_of(key: &hmac::Key, signed: SignedRequests<'_>) -> Result<Uses, Repetition> {
    let mut uses = Uses::default();
    let nothing = [Freshness { nonce: None, rising: None, expires_ms: None }];
    let freshness = if signed.freshness.is_empty() { &nothing } else { signed.freshness };
    for fresh in freshness {
        if let Some(number) = fresh.rising {
            if number > MAX_RISING {
                return Err(Repetition::TooLarge { number });
            }
            let (lowest, highest) = uses.rising.unwrap_or((number, number));
            uses.rising = Some((lowest.min(number), highest.max(number)));
            continue;
        }
        let expires_at_ms = fresh.expires_ms.or(match signed.lifetime {
            // Twice, since the LP's clock may be as far ahead as the exchange allows.
            Lifetime::Milliseconds(ms) => signed.now_ms.checked_add(ms.saturating_mul(2)),
            Lifetime::UntilNextNonce | Lifetime::Unlimited => None,
        });
        if fresh.nonce.is_none() && expires_at_ms.is_none() {
            if signed.accept_repeatable {
                continue;
            }
            return Err(Repetition::Repeatable);
        }
        let (kind, text) = fresh.nonce.as_deref().map_or(("sign", signed.sign), |nonce| ("nonce", nonce));
        let digest = digest(key, &[&signed.lp_id.to_string(), kind, text]);
        let digest = alp_record::chain::Digest(digest).to_string();
        let expires_at_ms = expires_at_ms.map(|ms| ms.min(MAX_RISING));
        uses.requests.push(UsedRequest { digest, expires_at_ms });
    }
    Ok(uses)
}

/// Names one submission exactly: junk with somebody's next nonce and another signature is another one.
fn whole_digest(key: &hmac::Key, signed: SignedRequests<'_>) -> [u8; 32] {
    let numbers = signed.freshness.iter().map(|fresh| format!("{:?} {:?}", fresh.nonce, fresh.rising));
    digest(key, &[&signed.lp_id.to_string(), signed.sign, &numbers.collect::<Vec<_>>().join(" ")])
}

/// A keyed digest of texts, each with its length in front.
fn digest(key: &hmac::Key, texts: &[&str]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for text in texts {
        context.update(format!("{} ", text.len()).as_bytes());
        context.update(text.as_bytes());
    }
    let mut digest = [0; 32];
    for (byte, of_tag) in digest.iter_mut().zip(context.sign().as_ref()) {
        *byte = *of_tag;
    }
    digest
}

/// The key of this name for keyed digests, which all servers of a database share.
pub(crate) async fn pool_key(store: &Store, name: &str) -> Result<hmac::Key, StoreError> {
    let mut random = [0; 32];
    // Without randomness the digests are as unique, but could be tried out by who steals the database.
    if SystemRandom::new().fill(&mut random).is_err() {
        tracing::warn!("this machine has no randomness for the key of digests");
    }
    let candidate: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = store.pool_key(name, &candidate).await?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, b"key")
    }

    fn signed<'a>(freshness: &'a [Freshness], sign: &'a str, accept_repeatable: bool) -> SignedRequests<'a> {
        let lifetime = &Lifetime::Unlimited;
        SignedRequests { lp_id: 1, freshness, sign, lifetime, accept_repeatable, now_ms: 5 }
    }

    fn fresh(nonce: Option<&str>, rising: Option<u64>) -> Freshness {
        Freshness { nonce: nonce.map(str::to_owned), rising, expires_ms: None }
    }

    proptest! {
        /// Whatever is posted, and whichever of it the exchange takes: numbers that it took rise, and no signature is
        /// sent twice in a row of as many as are remembered.
        #[test]
        fn what_was_taken_rises_and_nothing_is_sent_twice(
            posts in proptest::collection::vec((0_u64..20, 0_u8..4, any::<bool>()), 1..200)
        ) {
            let mut seen = Seen::default();
            let mut taken: Option<u64> = None;
            let mut sent: Vec<[u8; 32]> = Vec::new();
            for (number, signature, takes) in posts {
                let freshness = [fresh(None, Some(number))];
                let whole = whole_digest(&key(), signed(&freshness, &signature.to_string(), false));
                let outcome = seen.send(Some((number, number)), whole);
                let rises = taken.is_none_or(|taken| number > taken);
                let recent = sent.iter().rev().take(MAX_SENT).any(|before| *before == whole);
                prop_assert_eq!(outcome.is_ok(), rises && !recent);
                if outcome.is_ok() {
                    sent.push(whole);
                    if takes {
                        seen.take(Some((number, number)));
                        taken = Some(number);
                    }
                }
                prop_assert_eq!(seen.highest, taken);
            }
        }
    }

    #[test]
    fn junk_that_no_exchange_took_does_not_raise_what_the_owner_has_to_exceed() {
        let mut seen = Seen::default();
        seen.take(Some((5, 5)));
        assert_eq!(seen.send(Some((MAX_RISING, MAX_RISING)), [1; 32]), Ok(()));
        assert_eq!(seen.send(Some((6, 6)), [2; 32]), Ok(()));
        assert_eq!(seen.send(Some((6, 6)), [2; 32]), Err(Repetition::Repeated));
    }

    #[test]
    fn of_several_requests_the_lowest_has_to_rise() {
        let freshness = [fresh(Some("9"), Some(9)), fresh(Some("7"), Some(7))];
        assert_eq!(uses_of(&key(), signed(&freshness, "s", false)).unwrap().rising, Some((7, 9)));
        let mut seen = Seen { highest: Some(7), ..Seen::default() };
        let refused = seen.send(Some((7, 9)), [0; 32]).unwrap_err().to_string();
        assert!(refused.contains("with 7 was seen, and this one has 7"), "{refused}");
        assert!(refused.ends_with("post at most once a second"), "{refused}");
    }

    #[test]
    fn without_nonce_and_time_a_request_needs_the_operators_consent_and_a_nonce_names_it_otherwise() {
        let (bare, nonce) = ([fresh(None, None)], [fresh(Some("ab"), None)]);
        assert_eq!(uses_of(&key(), signed(&bare, "s", false)), Err(Repetition::Repeatable));
        assert_eq!(uses_of(&key(), signed(&[], "s", false)), Err(Repetition::Repeatable));
        assert!(uses_of(&key(), signed(&bare, "s", true)).unwrap().is_empty());
        let named = uses_of(&key(), signed(&nonce, "s", true)).unwrap();
        assert_eq!(named, uses_of(&key(), signed(&nonce, "t", true)).unwrap());
        assert_eq!((named.requests.len(), named.requests[0].expires_at_ms), (1, None));
    }

    #[test]
    fn a_number_beyond_63_bits_is_told_to_be_too_large() {
        let freshness = [fresh(None, Some(u64::MAX))];
        let refused = uses_of(&key(), signed(&freshness, "s", true)).unwrap_err();
        assert_eq!(refused, Repetition::TooLarge { number: u64::MAX });
    }
}
