//! Answers that a guest gives, laid out in its memory: requests, orders, faults.
//! It knows the layout of the contract's types, and nothing of who takes the answers.

use super::guests::{Record, segment};

/// What a function does to answer the request of [`sending`].
pub(crate) const SENT: &str = "i32.const 16384";
/// What a function does to answer the orders of [`listing`].
pub(crate) const LISTED: &str = "i32.const 28672";

/// Where the request lies, its headers, and its texts.
const SENT_AT: (u32, u32, u32) = (16_384, 16_640, 20_480);
/// Where the list lies, its orders, and its texts.
const LISTED_AT: (u32, u32, u32) = (28_672, 28_928, 45_056);
/// Where the memory that a guest grows by starts.
const GROWN: u32 = 2 * 65_536;
/// Where an answer is put together by code.
const BUILT: u32 = 8_192;
/// The size of an order.
const ORDER_BYTES: u32 = 72;

/// A part of a module: the answer `send` of a GET of this path with these headers and no state.
pub(crate) fn sending(path: &str, headers: &[(&str, &str)]) -> String {
    let (at, headers_at, texts_at) = SENT_AT;
    let mut texts = Texts { at: texts_at, bytes: vec![] };
    let mut answer = Record::new(128);
    texts.put(&mut answer, 16, "open-orders");
    texts.put(&mut answer, 28, path);
    let mut fields = Record::new(headers.len() * 16);
    for (number, (name, value)) in headers.iter().enumerate() {
        texts.put(&mut fields, number * 16, name);
        texts.put(&mut fields, number * 16 + 8, value);
    }
    answer.word(44, headers_at);
    answer.word(48, u32::try_from(headers.len()).unwrap());
    [segment(at, &answer.0), segment(headers_at, &fields.0), segment(texts_at, &texts.bytes)].concat()
}

/// A part of a module: the answer `orders` of these asks: id, price and amount of each.
pub(crate) fn listing(orders: &[[&str; 3]]) -> String {
    let (at, orders_at, texts_at) = LISTED_AT;
    let mut texts = Texts { at: texts_at, bytes: vec![] };
    let mut answer = Record::new(128);
    answer.0[8] = 2;
    answer.word(16, orders_at);
    answer.word(20, u32::try_from(orders.len()).unwrap());
    let mut list = Record::new(orders.len() * ORDER_BYTES as usize);
    for (number, [id, price, amount]) in orders.iter().enumerate() {
        let order = number * ORDER_BYTES as usize;
        texts.put(&mut list, order, id);
        list.0[order + 8] = 1;
        texts.put(&mut list, order + 12, price);
        texts.put(&mut list, order + 20, amount);
    }
    [segment(at, &answer.0), segment(orders_at, &list.0), segment(texts_at, &texts.bytes)].concat()
}

/// What a function does to refuse with a text of so many zero bytes.
pub(crate) fn answer_fault(bytes: u32) -> String {
    format!(
        "(drop (memory.grow (i32.const {pages})))
         (i32.store8 (i32.const {BUILT}) (i32.const 1))
         (i32.store (i32.const {text}) (i32.const {GROWN}))
         (i32.store (i32.const {length}) (i32.const {bytes}))
         (i32.const {BUILT})",
        pages = bytes / 65_536 + 1,
        text = BUILT + 16,
        length = BUILT + 20,
    )
}

/// What a function does to answer so many orders whose ids are all one text of so many bytes.
pub(crate) fn answer_aliased(orders: u32, id_bytes: u32) -> String {
    let texts = GROWN + orders * ORDER_BYTES;
    format!(
        "(local $order i32)
         (drop (memory.grow (i32.const {pages})))
         (i32.store8 (i32.const {step}) (i32.const 2))
         (i32.store (i32.const {list}) (i32.const {GROWN}))
         (i32.store (i32.const {length}) (i32.const {orders}))
         (local.set $order (i32.const {GROWN}))
         (loop
            (i32.store (local.get $order) (i32.const {texts}))
            (i32.store offset=4 (local.get $order) (i32.const {id_bytes}))
            (local.set $order (i32.add (local.get $order) (i32.const {ORDER_BYTES})))
            (br_if 0 (i32.lt_u (local.get $order) (i32.const {texts}))))
         (i32.const {BUILT})",
        pages = (orders * ORDER_BYTES + id_bytes) / 65_536 + 1,
        step = BUILT + 8,
        list = BUILT + 16,
        length = BUILT + 20,
    )
}

/// What a function does to answer a request with a path of so many zero bytes.
pub(crate) fn answer_path(bytes: u32) -> String {
    format!(
        "(drop (memory.grow (i32.const {pages})))
         (i32.store (i32.const {path}) (i32.const {GROWN}))
         (i32.store (i32.const {length}) (i32.const {bytes}))
         (i32.const {BUILT})",
        pages = bytes / 65_536 + 1,
        path = BUILT + 28,
        length = BUILT + 32,
    )
}

/// What `resume` does to answer with twice the state that it was handed, and one byte.
pub(crate) fn answer_more_state() -> String {
    // Its arguments lie in memory: a submission of 88 bytes, then where the state is and how long.
    format!(
        "(local $bytes i32)
         (local.set $bytes (i32.add (i32.mul (i32.load offset=92 (local.get 0)) (i32.const 2)) (i32.const 1)))
         (drop (memory.grow (i32.add (i32.div_u (local.get $bytes) (i32.const 65536)) (i32.const 1))))
         (i32.store (i32.const {state}) (i32.const {GROWN}))
         (i32.store (i32.const {length}) (local.get $bytes))
         (i32.const {BUILT})",
        state = BUILT + 64,
        length = BUILT + 68,
    )
}

/// Texts that records point to.
struct Texts {
    at: u32,
    bytes: Vec<u8>,
}

impl Texts {
    fn put(&mut self, record: &mut Record, at: usize, text: &str) {
        record.word(at, self.at + u32::try_from(self.bytes.len()).unwrap());
        record.word(at + 4, u32::try_from(text.len()).unwrap());
        self.bytes.extend_from_slice(text.as_bytes());
    }
}
