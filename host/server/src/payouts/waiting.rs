//! What the operator is told of those who are not paid though they are owed something.

use std::collections::BTreeSet;

use alp_pool::money::Coins;
use alp_pool::payout::{HeldBack, HeldBecause, Plan};
use alp_pool::proof::NotPaid;
use alp_store::Lease;

use super::{Payer, StepError};

/// The alarm about an LP whose address changes; its subject is the LP.
const CHANGING: &str = "address";

/// The alarm about all who have no proven address, under one subject: there can be as many as LPs.
const UNPROVEN: (&str, &str) = ("unproven", "addresses");

impl Payer {
    pub(super) async fn tell_who_waits(&self, lease: &Lease, plan: &Plan) -> Result<(), StepError> {
        let mut changing = BTreeSet::new();
        for held in &plan.held_back {
            if let Some((kind, subject, sentence)) = told(held) {
                self.alarm(lease, kind, &subject, &sentence).await?;
                if kind == CHANGING {
                    changing.insert(subject);
                }
            }
        }
        for output in plan.payouts.iter().flat_map(|payout| &payout.outputs) {
            self.end_alarm(lease, "approval", &output.address).await?;
            self.end_alarm(lease, "ceiling", &output.address).await?;
        }
        for alarm in self.store.alarms().await? {
            if alarm.kind == CHANGING && !changing.contains(&alarm.subject) {
                self.end_alarm(lease, CHANGING, &alarm.subject).await?;
            }
        }
        self.tell_of_unproven(lease, plan).await
    }

    async fn tell_of_unproven(&self, lease: &Lease, plan: &Plan) -> Result<(), StepError> {
        let unproven = plan
            .held_back
            .iter()
            .filter(|held| matches!(held.because, HeldBecause::Address(_, NotPaid::NotProven)));
        let (count, owed) = unproven.fold((0_u64, Coins::ZERO), |(count, owed), held| {
            // Of the sum only as much is told as can be counted.
            (count.saturating_add(1), owed.plus(held.coins).unwrap_or(owed))
        });
        let (kind, subject) = UNPROVEN;
        // What was told before has other numbers.
        self.end_alarm(lease, kind, subject).await?;
        if count == 0 {
            return Ok(());
        }
        let sentence = format!(
            "{count} LPs are owed {owed} in all and wait: require_proof pays proven addresses only, and theirs are not"
        );
        self.alarm(lease, kind, subject, &sentence).await
    }
}

/// The alarm about somebody who waits: its kind, its subject, and a sentence.
fn told(held: &HeldBack) -> Option<(&'static str, String, String)> {
    let (address, coins) = (&held.address, held.coins);
    let of_address = |kind, sentence| Some((kind, address.clone(), sentence));
    match held.because {
        HeldBecause::NeedsApproval => of_address(
            "approval",
            format!("{address} is owed {coins}, above hold_above: `alp payouts approve {address} {coins}`"),
        ),
        HeldBecause::DailyCeiling => {
            of_address("ceiling", format!("{address} is owed {coins} and waits: daily_ceiling is reached"))
        }
        HeldBecause::Address(lp, NotPaid::Changing) => {
            let lp = lp.0;
            let sentence = format!(
                "LP {lp} is owed {coins} and waits: another address is about to replace {address}. `alp lps history {lp}` \
                 says how that came, and `alp lps stop {lp}` ends it"
            );
            Some((CHANGING, format!("LP {lp}"), sentence))
        }
        HeldBecause::Address(_, NotPaid::NotProven) | HeldBecause::RefusedByWallet => None,
    }
}
