//! Receipts: whether a round has what the pool confirmed to an LP. It knows nothing of credits.

use std::collections::BTreeMap;

use super::super::body::{LpRound, RoundBody, SampleEntry};
use super::super::receipt::Receipt;
use super::Verifier;
use super::round_check::slice_of;
use crate::market_document::read_market;

impl Verifier {
    /// A receipt is honoured by the sample of its slice, if that is as new as the receipt: within a slice, what comes
    /// later replaces what came before.
    pub(super) fn check_receipts(&mut self, number: u64, round: &RoundBody) {
        if self.receipts.is_empty() {
            return;
        }
        for lp in &round.lps {
            for ((exchange, unit), samples) in by_market(lp) {
                let key = (round.start, lp.lp, exchange.to_owned(), unit.to_owned());
                for signed in self.receipts.remove(&key).unwrap_or_default() {
                    let wrong = wrong_receipt(round, &samples, &signed.receipt);
                    match (wrong, self.key) {
                        (Some(what), Some(key)) if signed.is_signed_by(key) => {
                            self.find(Some(number), Some(round.start), what);
                        }
                        (None, Some(key)) if signed.is_signed_by(key) => {
                            self.receipts_found = self.receipts_found.saturating_add(1);
                        }
                        (_, _) => {
                            let what = format!(
                                "the receipt of {} ms is not signed by the pool",
                                signed.receipt.at_ms
                            );
                            self.find(None, Some(round.start), what);
                        }
                    }
                }
            }
        }
    }
}

fn by_market(lp: &LpRound) -> BTreeMap<(&str, &str), Vec<&SampleEntry>> {
    let mut markets: BTreeMap<(&str, &str), Vec<&SampleEntry>> = BTreeMap::new();
    for sample in &lp.samples {
        markets.entry((&sample.exchange, &sample.unit)).or_default().push(sample);
    }
    markets
}

fn wrong_receipt(round: &RoundBody, samples: &[&SampleEntry], receipt: &Receipt) -> Option<String> {
    let of_its_slice = samples.iter().find(|sample| {
        let terms = round.terms.iter().find(|terms| terms.id == sample.terms);
        let market = terms.and_then(|terms| read_market(&terms.document).ok());
        // Rules that cannot be read are found elsewhere; then every sample of the market may honour it.
        market.is_none_or(|market| slice_of(round, &market, receipt.at_ms) == sample.slice)
    });
    let Some(sample) = of_its_slice.filter(|sample| sample.at_ms >= receipt.at_ms) else {
        return Some(format!(
            "leaves out the submission of {} ms for which there is a receipt",
            receipt.at_ms
        ));
    };
    let other_orders =
        receipt.at_ms == sample.at_ms && receipt.orders != Receipt::orders_digest(&sample.orders);
    other_orders.then(|| format!("has other orders than the receipt of {} ms", receipt.at_ms))
}
