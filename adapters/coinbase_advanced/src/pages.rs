//! What was seen on the pages so far: the adapter's notes between two steps.

use std::collections::BTreeSet;

use alp_adapter::*;

/// Most pages for one submission. Three of 250 orders: the notes of two pages are as much as the pool takes.
const MAX_PAGES: usize = 3;
/// The longest notes, in bytes. The pool takes 64 KiB, which is more than 500 orders as the exchange writes them.
const MAX_NOTES: usize = 60 << 10;
/// The longest cursor, in bytes. The exchange's have about a hundred.
const MAX_CURSOR: usize = 1024;

/// An order as it is noted: id, whether it buys, price, what is left, when it was opened.
type Noted = (String, bool, String, String, Option<u64>);

/// The orders of the pages so far.
pub(crate) struct Pages {
    /// Pages before this one.
    count: usize,
    orders: Vec<Order>,
    /// Their ids.
    seen: BTreeSet<String>,
}

impl Pages {
    /// Those in the notes; there are none at the first page.
    pub(crate) fn of_notes(notes: &[u8]) -> Result<Self, Fault> {
        if notes.is_empty() {
            return Ok(Pages { count: 0, orders: Vec::new(), seen: BTreeSet::new() });
        }
        let (count, noted): (usize, Vec<Noted>) = serde_json::from_slice(notes)
            .map_err(|error| Fault::Unreadable(format!("the adapter's notes are not its own: {error}")))?;
        let orders = noted.into_iter().map(|(id, is_bid, price, amount, opened_ms)| {
            let side = if is_bid { Side::Bid } else { Side::Ask };
            Order { id, side, price, amount, opened_ms, closed_ms: None, extras: Vec::new() }
        });
        let orders: Vec<Order> = orders.collect();
        let seen = orders.iter().map(|order| order.id.clone()).collect();
        Ok(Pages { count, orders, seen })
    }

    /// Whether there was a page before this one.
    pub(crate) fn is_begun(&self) -> bool {
        self.count > 0
    }

    /// Adds an order, unless it was there before: pages move while orders come and go.
    pub(crate) fn add(&mut self, order: Option<Order>) {
        self.orders.extend(order.filter(|order| self.seen.insert(order.id.clone())));
    }

    /// The notes for the page that begins at this cursor; none if that would be too much.
    pub(crate) fn notes_for(&self, cursor: &str) -> Option<Vec<u8>> {
        let count = self.count + 1;
        let noted = |order: &Order| -> Noted {
            let Order { id, side, price, amount, opened_ms, .. } = order.clone();
            (id, side == Side::Bid, price, amount, opened_ms)
        };
        let is_usable = (1..=MAX_CURSOR).contains(&cursor.len()) && count < MAX_PAGES;
        let notes = serde_json::to_vec(&(count, self.orders.iter().map(noted).collect::<Vec<_>>())).ok();
        notes.filter(|notes| is_usable && notes.len() <= MAX_NOTES)
    }

    /// These are all orders that are to be seen.
    pub(crate) fn done(self, maybe_truncated: bool) -> Step {
        Step::Orders(OrderList { orders: self.orders, account: None, maybe_truncated })
    }
}
