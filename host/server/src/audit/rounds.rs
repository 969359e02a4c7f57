//! The half of the ledger that rounds write, and the published record beside it: both were written in the same order, so
//! both are read in step, and nothing of them is held but one round.

use std::collections::VecDeque;

use alp_pool::audit::RunningTotals;
use alp_pool::credit::LpId;
use alp_record::chain::{Body, BookedCredit, Opening, PublicKey, RoundBody, credit_differences, stated_sums};
use alp_store::{CreditLine, Forgotten, PublishedEntry};

use super::{Audit, AuditError, verifier};
use crate::record::unpack;

/// Credits of one round that stand together in the ledger.
struct Group {
    round_start: u64,
    lines: Vec<CreditLine>,
}

impl Group {
    /// Whether others of its round may be gone: credits are deleted by rising number, but for the newest of each LP.
    fn may_be_thinned(&self, forgotten: &Forgotten) -> bool {
        self.lines.first().is_some_and(|first| first.entry_no <= forgotten.credits_below)
    }
}

/// Credits as they are read, and their running totals.
struct Credits {
    totals: RunningTotals,
    read: VecDeque<CreditLine>,
    after: u64,
    newest: u64,
}

impl Audit<'_> {
    /// Every credit's running total, every entry of the record, and each round in both.
    pub(super) async fn rounds(&mut self, key: PublicKey) -> Result<(), AuditError> {
        let (paid_e8, newest) = self.snapshot.paid_in_all().await?;
        let forgotten = self.snapshot.forgotten().await?;
        let carried = forgotten.carried.iter().map(|(lp, e8)| (LpId(*lp), i128::from(*e8)));
        let totals = RunningTotals::carrying(carried, forgotten.credits_below);
        let mut credits = Credits { totals, read: VecDeque::new(), after: 0, newest };
        let mut verifier = verifier(key);
        let (mut number, mut first_at_ms) = (forgotten.records_below.checked_sub(1), None);
        let mut group = self.next_group(&mut credits).await?;
        while let Some(entry) = self.snapshot.entry_after(number).await? {
            number = Some(entry.head.number);
            let first_at_ms = *first_at_ms.get_or_insert(entry.head.at_ms);
            self.audited.published = self.audited.published.saturating_add(1);
            let Some((text, body)) = self.opened(&entry) else { continue };
            verifier.push(&text);
            let Some(Body::Round(round)) = body else { continue };
            while let Some(earlier) = group.take_if(|group| group.round_start != round.start) {
                let place = self.place_of(&earlier, &forgotten).await?;
                if place.is_some_and(|place| place > entry.head.number) {
                    group = Some(earlier);
                    break;
                }
                self.not_published(&earlier, place.is_some(), Some(first_at_ms), &forgotten).await?;
                group = self.next_group(&mut credits).await?;
            }
            let mine = group.take_if(|group| group.round_start == round.start);
            self.compare(&entry, &round, mine.as_ref(), &forgotten).await?;
            if mine.is_some() {
                group = self.next_group(&mut credits).await?;
            }
        }
        while let Some(later) = group {
            let place = self.place_of(&later, &forgotten).await?;
            self.not_published(&later, place.is_some(), first_at_ms, &forgotten).await?;
            group = self.next_group(&mut credits).await?;
        }
        self.record(verifier);
        let sum_e8 = credits.totals.sum();
        if sum_e8 != paid_e8 {
            self.find(
                "credits",
                format!("all of them come to {sum_e8}e-8, and all rounds paid {paid_e8}e-8"),
            );
        }
        for wrong in credits.totals.finish() {
            self.find("credits", wrong.to_string());
        }
        self.rounds_without_entry(first_at_ms).await
    }

    /// Which entry is about the round of these credits.
    async fn place_of(&mut self, group: &Group, forgotten: &Forgotten) -> Result<Option<u64>, AuditError> {
        let place = self.snapshot.entry_of_round(group.round_start).await?;
        Ok(place.filter(|place| *place >= forgotten.records_below))
    }

    async fn next_group(&mut self, credits: &mut Credits) -> Result<Option<Group>, AuditError> {
        let mut group: Option<Group> = None;
        loop {
            if credits.read.is_empty() {
                credits.read = self.snapshot.credits_after(credits.after).await?.into();
                let Some(last) = credits.read.back() else { return Ok(group) };
                credits.after = last.entry_no;
                self.listener.read("credits", credits.after, credits.newest);
            }
            let of_group = |line: &CreditLine, group: &Option<Group>| {
                group.as_ref().is_none_or(|group| group.round_start == line.round_start)
            };
            while let Some(line) = credits.read.pop_front() {
                if !of_group(&line, &group) {
                    credits.read.push_front(line);
                    return Ok(group);
                }
                self.audited.credits = self.audited.credits.saturating_add(1);
                let wrong =
                    credits.totals.push(line.entry_no, LpId(line.lp_id), line.amount_e8, line.balance_e8);
                for wrong in wrong {
                    self.find("credits", wrong.to_string());
                }
                let round_start = line.round_start;
                group.get_or_insert_with(|| Group { round_start, lines: Vec::new() }).lines.push(line);
            }
        }
    }

    /// The entry's text and what it says. The columns beside it have to be its own.
    fn opened(&mut self, entry: &PublishedEntry) -> Option<(String, Option<Body>)> {
        let place = format!("record {}", entry.head.number);
        let text = match unpack(&entry.packed) {
            Ok(text) => text,
            Err(error) => {
                self.find(place, error.to_string());
                return None;
            }
        };
        let mut lines = text.lines();
        let (header, body, signature) = (lines.next(), lines.next(), lines.next());
        if header != Some(&entry.head.header) || signature != Some(&entry.head.signature) {
            self.find(place, "its header or signature is listed otherwise than it stands in the entry");
        }
        let body = body.and_then(|body| serde_json::from_str(body).ok());
        Some((text, body))
    }

    /// A published round, and what the ledger has of it.
    async fn compare(
        &mut self,
        entry: &PublishedEntry,
        round: &RoundBody,
        group: Option<&Group>,
        forgotten: &Forgotten,
    ) -> Result<(), AuditError> {
        self.audited.rounds = self.audited.rounds.saturating_add(1);
        let place = format!("round {}", round.start);
        let pool = serde_json::from_str::<alp_record::chain::Header>(&entry.head.header);
        let pool = pool.map(|header| header.pool).unwrap_or_default();
        let lines = group.map(|group| group.lines.as_slice()).unwrap_or_default();
        let mut booked = Vec::with_capacity(lines.len());
        for line in lines {
            let Some(opening) = Opening::parse(&line.nonce) else {
                let what = format!("LP {} is credited, and nothing opens its pseudonym", line.lp_id);
                self.find(place.clone(), what);
                continue;
            };
            booked.push(BookedCredit {
                lp: opening.pseudonym(&pool, &line.api_key),
                exchange: line.exchange.clone(),
                unit: line.unit.clone(),
                provided: line.provided.clone(),
                amount_e8: line.amount_e8,
            });
        }
        let may_be_gone = match group {
            Some(group) => group.may_be_thinned(forgotten),
            None => round.start <= forgotten.newest_round,
        };
        let differences = credit_differences(round, &booked).into_iter();
        for difference in differences.filter(|one| !(may_be_gone && one.booked.is_none())) {
            self.find(place.clone(), difference.to_string());
        }
        let stored = self.snapshot.round(round.start).await?;
        let stored = stored.map(|stored| (stored.reward_e8, stored.paid_e8));
        if stored != stated_sums(round) {
            self.find(place, "its reward or what it paid is not what was published");
        }
        Ok(())
    }

    /// Credits of a round that were not where its entry has them.
    async fn not_published(
        &mut self,
        group: &Group,
        elsewhere: bool,
        first_at_ms: Option<u64>,
        forgotten: &Forgotten,
    ) -> Result<(), AuditError> {
        let place = format!("round {}", group.round_start);
        let entries = group.lines.first().zip(group.lines.last());
        let (from, to) = entries.map_or((0, 0), |(first, last)| (first.entry_no, last.entry_no));
        if elsewhere {
            let what = format!("credits {from} to {to} stand away from the others of their round");
            self.find(place, what);
            return Ok(());
        }
        let stored = self.snapshot.round(group.round_start).await?;
        let credited_at_ms = stored.as_ref().and_then(|stored| stored.credited_at_ms);
        if is_before(credited_at_ms, first_at_ms) {
            self.audited.unpublished = self.audited.unpublished.saturating_add(1);
            let sum =
                group.lines.iter().fold(0_i128, |sum, line| sum.saturating_add(i128::from(line.amount_e8)));
            let paid = stored.map_or(0, |stored| i128::from(stored.paid_e8));
            // What is left of a round whose other credits were deleted cannot come to more than it paid.
            if sum != paid && (sum > paid || !group.may_be_thinned(forgotten)) {
                self.find(place, format!("its credits come to {sum}e-8, and it paid {paid}e-8"));
            }
            return Ok(());
        }
        self.find(place, format!("credits {from} to {to} were never published"));
        Ok(())
    }

    /// Rounds that are credited although the record says nothing of them.
    async fn rounds_without_entry(&mut self, first_at_ms: Option<u64>) -> Result<(), AuditError> {
        let mut after = None;
        loop {
            let rounds = self.snapshot.rounds_after(after).await?;
            let Some(last) = rounds.last() else { return Ok(()) };
            after = Some(last.round_start);
            for round in rounds.iter().filter(|round| round.paid_e8 == 0 && round.credited_at_ms.is_some()) {
                let published = self.snapshot.entry_of_round(round.round_start).await?;
                if published.is_none() && !is_before(round.credited_at_ms, first_at_ms) {
                    self.find(
                        format!("round {}", round.round_start),
                        "it is credited and was never published",
                    );
                }
            }
        }
    }
}

/// Whether a round was credited before the record's first entry that is there.
fn is_before(credited_at_ms: Option<u64>, first_at_ms: Option<u64>) -> bool {
    first_at_ms.is_none_or(|first| credited_at_ms.is_some_and(|at| at < first))
}
