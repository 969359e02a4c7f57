//! Verifying a pool's record without the pool: every link, every signature, every judgement, every credit.

use std::collections::BTreeMap;
use std::fmt;

use super::body::{Body, RoundBody};
use super::digest::Digest;
use super::entry::{Entry, EntryError, Header, PublicKey, Signature};
use super::merkle::InclusionProof;
use super::receipt::SignedReceipt;
use super::round::coins_text;

mod carried;
mod checked;
mod neighbours;
mod owed;
mod payouts;
mod receipts;
mod round_check;
mod statements;

pub use owed::{MAX_CARRIED_LPS, OwedByRecord, TooMuchOwed};
pub use statements::StatementCheck;

use checked::CheckedBody;
pub use checked::CheckedEntry;

/// Most findings that are kept; the rest is counted.
const MAX_FINDINGS: usize = 1_000;

/// Something that is not as it has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: the number of the entry, if it is about one.
    pub entry: Option<u64>,
    /// The round it is about, by its start.
    pub round: Option<u64>,
    /// What is wrong, in a sentence.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entry) = self.entry {
            write!(f, "entry {entry}")?;
        }
        if let Some(round) = self.round {
            write!(f, " (round {round})")?;
        }
        if self.entry.is_some() || self.round.is_some() {
            f.write_str(": ")?;
        }
        f.write_str(&self.what)
    }
}

/// What an LP's entries come to, in whole 1e-8 of the coin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Credits of rounds, and what was carried forward from entries before the first.
    pub credited_e8: i128,
    /// Corrections.
    pub corrected_e8: i128,
    /// Payouts.
    pub paid_out_e8: i128,
}

impl Balance {
    /// What the LP is owed: credits + corrections − payouts.
    #[must_use]
    pub fn owed_e8(self) -> i128 {
        self.credited_e8.saturating_add(self.corrected_e8).saturating_sub(self.paid_out_e8)
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            credited_e8: self.credited_e8.saturating_add(other.credited_e8),
            corrected_e8: self.corrected_e8.saturating_add(other.corrected_e8),
            paid_out_e8: self.paid_out_e8.saturating_add(other.paid_out_e8),
        }
    }
}

/// What came of verifying.
#[derive(Debug)]
pub struct Verified {
    /// How many entries were read.
    pub entries: u64,
    /// How many of them are rounds.
    pub rounds: u64,
    /// The number of the first entry that was read: above 0 where older ones are forgotten, and balances begin with what
    /// that entry carries forward.
    pub first: Option<u64>,
    /// How many receipts were found to be honoured.
    pub receipts: usize,
    /// How many receipts are about rounds before the first that was read, and were not checked.
    pub receipts_too_old: usize,
    /// What is wrong. Nothing if the record is right.
    pub findings: Vec<Finding>,
    /// Further findings that were only counted.
    pub more_findings: u64,
    /// Each LP's balance by pseudonym.
    pub balances: BTreeMap<Digest, Balance>,
    /// The last header.
    pub head: Option<Header>,
    /// The key that the entries were checked with.
    pub key: Option<PublicKey>,
}

/// Reads entries in their order and notes what is wrong.
#[derive(Debug, Default)]
pub struct Verifier {
    key: Option<PublicKey>,
    last: Option<Header>,
    first: Option<u64>,
    /// Whether the balances are those of all entries, or of all since some were carried forward.
    complete: bool,
    carrying: Option<carried::Carrying>,
    entries: u64,
    rounds: u64,
    findings: Vec<Finding>,
    more_findings: u64,
    balances: BTreeMap<Digest, Balance>,
    /// By round, LP, exchange and unit: the receipts that are still to be found.
    receipts: BTreeMap<(u64, Digest, String, String), Vec<SignedReceipt>>,
    receipts_found: usize,
    /// Heads that were seen elsewhere, by number.
    heads: BTreeMap<u64, Vec<(String, Digest)>>,
    rounds_seen: (Option<u64>, Option<u64>),
    /// The round that was read last.
    last_round: Option<Box<RoundBody>>,
    /// The newest round that an epoch says was published before it.
    published_until: u64,
    /// The entry in which each payout first stood.
    payouts_seen: BTreeMap<String, u64>,
}

impl Verifier {
    /// A verifier that trusts `key`; without one, it takes the key of the first entry, and its caller says so.
    #[must_use]
    pub fn new(key: Option<PublicKey>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Receipts that the record has to honour.
    pub fn expect_receipts(&mut self, receipts: Vec<SignedReceipt>) {
        for signed in receipts {
            let receipt = &signed.receipt;
            let key = (receipt.round, receipt.lp, receipt.exchange.clone(), receipt.unit.clone());
            self.expect_head(receipt.number, receipt.head, "a receipt");
            self.receipts.entry(key).or_default().push(signed);
        }
    }

    /// A head that somebody else saw: the entry of this number must have this digest.
    pub fn expect_head(&mut self, number: u64, head: Digest, seen_in: &str) {
        self.heads.entry(number).or_default().push((seen_in.to_owned(), head));
    }

    /// Ends the verification.
    #[must_use]
    pub fn finish(mut self) -> Verified {
        self.check_whole(None);
        let receipts_too_old = self.look_for_receipts_of_rounds_that_are_missing();
        Verified {
            entries: self.entries,
            rounds: self.rounds,
            first: self.first,
            receipts: self.receipts_found,
            receipts_too_old,
            findings: self.findings,
            more_findings: self.more_findings,
            balances: self.balances,
            head: self.last,
            key: self.key,
        }
    }

    fn check(&mut self, checked: CheckedBody) {
        let CheckedBody { entry, digest, wrong, credited } = checked;
        let number = entry.header.number;
        self.begin(&entry);
        self.check_key(&entry);
        self.check_link(&entry);
        for (seen_in, head) in self.heads.remove(&number).unwrap_or_default() {
            if head != digest {
                let what = format!("another head was signed or shown for this entry: {seen_in} has {head}");
                self.find(Some(number), None, what);
            }
        }
        if !matches!(entry.body, Body::CarryForward(_)) {
            self.check_whole(Some(number));
        }
        match entry.body {
            // A new epoch may follow a database that was restored, which knows an older round before.
            Body::Epoch(start) => {
                self.last_round = None;
                self.published_until = self.published_until.max(start.last_round);
            }
            Body::Round(round) => {
                self.rounds = self.rounds.saturating_add(1);
                if let Some(before) = self.last_round.take() {
                    for what in neighbours::check(&before, &round) {
                        self.find(Some(number), Some(round.start), what);
                    }
                }
                for what in wrong {
                    self.find(Some(number), Some(round.start), what);
                }
                self.check_order_of_rounds(number, round.start, round.seconds);
                for (lp, credited) in credited {
                    let balance = self.balances.entry(lp).or_default();
                    balance.credited_e8 = balance.credited_e8.saturating_add(credited);
                }
                self.check_receipts(number, &round);
                self.last_round = Some(round);
            }
            Body::Correction(correction) => self.check_correction(number, &correction),
            Body::Payout(payout) => self.check_payout(number, &payout),
            Body::CarryForward(forward) => self.check_carried(number, &forward),
        }
        self.last = Some(entry.header);
    }

    fn check_key(&mut self, entry: &Entry) {
        let signed_by = PublicKey::parse(&entry.signature.key);
        match (self.key, signed_by) {
            (None, key) => self.key = key,
            (Some(trusted), Some(key)) if trusted == key => {}
            (Some(trusted), _) => {
                let what = format!("is signed by {}, not by the pool's key {trusted}", entry.signature.key);
                self.find(Some(entry.header.number), None, what);
            }
        }
    }

    fn check_link(&mut self, entry: &Entry) {
        let Some(last) = self.last.take() else { return };
        let header = &entry.header;
        let expected = last.number.saturating_add(1);
        if header.pool != last.pool {
            self.find(Some(header.number), None, format!("is of pool {}, not of {}", header.pool, last.pool));
        }
        if header.number != expected {
            self.complete = false;
            let what = if header.number > expected {
                format!(
                    "follows entry {}: {} between them are missing",
                    last.number,
                    header.number.abs_diff(expected)
                )
            } else {
                format!("follows entry {}: it is repeated or out of order", last.number)
            };
            self.find(Some(header.number), None, what);
        } else if header.previous != last.digest() {
            let what = format!(
                "names {} as the entry before, which has the digest {}: one of the two was exchanged",
                header.previous,
                last.digest()
            );
            self.find(Some(header.number), None, what);
        }
        let starts_epoch = matches!(entry.body, Body::Epoch(_));
        let epoch = if starts_epoch { last.epoch.saturating_add(1) } else { last.epoch };
        if header.epoch != epoch {
            let what = format!("is of epoch {} where {epoch} is due", header.epoch);
            self.find(Some(header.number), None, what);
        }
    }

    fn check_order_of_rounds(&mut self, number: u64, start: u64, seconds: u32) {
        if self.rounds_seen.1.is_some_and(|end| start < end) {
            self.find(Some(number), Some(start), "begins before the round recorded earlier ended".to_owned());
        }
        if start <= self.published_until {
            let what = "was published before the epoch began, and is signed again".to_owned();
            self.find(Some(number), Some(start), what);
        }
        let first = self.rounds_seen.0.or(Some(start));
        self.rounds_seen = (first, Some(start.saturating_add(u64::from(seconds))));
    }

    /// Receipts whose round was read, or lies between rounds that were, and which no sample answered. How many are about
    /// rounds before those.
    fn look_for_receipts_of_rounds_that_are_missing(&mut self) -> usize {
        let (Some(first), Some(end)) = self.rounds_seen else {
            return self.receipts.values().map(Vec::len).sum();
        };
        let mut too_old = 0_usize;
        for ((round, lp, exchange, unit), receipts) in std::mem::take(&mut self.receipts) {
            if round < first {
                too_old = too_old.saturating_add(receipts.len());
            }
            if round < first || round >= end {
                continue;
            }
            for signed in receipts {
                let signed_by_pool = self.key.is_some_and(|key| signed.is_signed_by(key));
                let what = if signed_by_pool {
                    format!("{lp} has a receipt for {exchange} {unit}, and the record has no sample of it")
                } else {
                    format!("the receipt of {} ms is not signed by the pool", signed.receipt.at_ms)
                };
                self.find(None, Some(round), what);
            }
        }
        too_old
    }

    fn find(&mut self, entry: Option<u64>, round: Option<u64>, what: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { entry, round, what });
        } else {
            self.more_findings = self.more_findings.saturating_add(1);
        }
    }
}

/// Whether two signed headers prove that the pool signed two histories: the sentence that says so.
#[must_use]
pub fn prove_equivocation(one: (&Header, &Signature), other: (&Header, &Signature)) -> Option<Finding> {
    let keys = (one.0.check_signature(one.1).ok()?, other.0.check_signature(other.1).ok()?);
    let same_place = (&one.0.pool, one.0.number) == (&other.0.pool, other.0.number);
    if keys.0 != keys.1 || !same_place || one.0.digest() == other.0.digest() {
        return None;
    }
    let what = format!(
        "the pool's key signed two entries of this number: {} and {}",
        one.0.digest(),
        other.0.digest()
    );
    Some(Finding { entry: Some(one.0.number), round: None, what })
}

/// Whether `proof` shows that its leaf is part of the entry with this signed header.
///
/// # Errors
/// What is wrong with it.
pub fn verify_proof(
    header: &Header,
    signature: &Signature,
    proof: &InclusionProof,
) -> Result<PublicKey, EntryError> {
    let key = header.check_signature(signature)?;
    if proof.root() == header.lps { Ok(key) } else { Err(EntryError::Tree) }
}

fn shown(e8: i128) -> String {
    i64::try_from(e8).map_or_else(|_| format!("{e8}e-8"), coins_text)
}

fn sentence(error: &EntryError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
