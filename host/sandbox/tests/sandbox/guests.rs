//! Adapters made from text: as small as can be, each with one bad habit or none.

use std::fmt::Write;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The contract, as it is.
pub(crate) const WIT: &str = include_str!("../../../../wit/v1/exchange.wit");

/// Where the description lies in the guest's memory, and the text it points to.
const DESCRIPTION: u32 = 4096;
/// Where a call's record lies.
const CALL: u32 = 4224;
/// Where its only note is listed.
const NOTES: u32 = 4200;
/// Where a refusal lies: an answer of `sign`, `start` and `resume` alike.
pub(crate) const REFUSED: u32 = NO_ORDERS + 1_024;
/// Where the names of its headers are listed: room for eight.
const HEADERS: u32 = 4288;
/// Where texts start.
const TEXTS: u32 = 4352;
/// An answer of `start` and of `resume` alike: fine, these are the orders, and there are none.
const NO_ORDERS: u32 = 2048;
/// Where the memory that a guest grows by starts: nothing but zeros.
const FREE: u32 = 2 * 65_536;

/// Memory from the heap's end on, none of which is ever given back.
const REALLOC: &str = "
    (local $at i32)
    (local.set $at (i32.and
        (i32.add (global.get $heap) (i32.sub (local.get 2) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get 2))))
    (global.set $heap (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.add (i32.const 1)
            (i32.div_u (local.get 3) (i32.const 65536)))))))
    (local.get $at)";

/// An adapter in the making: what it says, and a piece of WebAssembly text for each function.
pub(crate) struct Guest {
    pub(crate) exchange: String,
    pub(crate) version: String,
    pub(crate) origin: String,
    pub(crate) path: String,
    /// The headers that its one call declares.
    pub(crate) headers: Vec<String>,
    /// Whether it says what an adapter in earnest says: that its call carries a signature, and a note.
    pub(crate) earnest: bool,
    pub(crate) wit: String,
    /// What the functions do; each leaves the address of its answer.
    pub(crate) describe: String,
    pub(crate) sign: String,
    pub(crate) start: String,
    pub(crate) resume: String,
    /// How the host gets memory in the guest for the arguments of a call.
    pub(crate) realloc: String,
    /// More of the module.
    pub(crate) also: String,
}

impl Guest {
    /// A good one: `start` and `resume` say that there are no orders, `sign` signs nothing with nothing.
    pub(crate) fn named(exchange: &str) -> Self {
        let no_orders = format!("i32.const {NO_ORDERS}");
        Self {
            exchange: exchange.into(),
            version: "0.1.0".into(),
            origin: "https://api.example.com".into(),
            path: "/orders".into(),
            headers: vec![],
            earnest: false,
            wit: WIT.into(),
            describe: format!("i32.const {DESCRIPTION}"),
            sign: format!("i32.const {}", NO_ORDERS + 512),
            start: no_orders.clone(),
            resume: no_orders,
            realloc: REALLOC.into(),
            also: String::new(),
        }
    }

    /// One whose `start` does this.
    pub(crate) fn starting(start: &str) -> Self {
        Self { start: start.into(), ..Self::named("hostile") }
    }

    pub(crate) fn component(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("exchange.wit", &self.wit).unwrap();
        let world = resolve.select_world(&[package], Some("exchange-adapter")).unwrap();
        let mut module = self.core_module();
        let encoding = StringEncoding::UTF8;
        wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
        ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
    }

    pub(crate) fn core_module(&self) -> Vec<u8> {
        let version = self.wit.split("package alp:exchange@").nth(1).unwrap();
        let version = version.split(';').next().unwrap();
        let name = format!("alp:exchange/adapter@{version}");
        let Self { describe, sign, start, resume, realloc, also, .. } = self;
        let text = format!(
            r#"(module
                {also}
                (memory (export "memory") 2)
                (global $heap (mut i32) (i32.const 65536))
                {data}
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    {realloc})
                (func (export "{name}#describe") (result i32) {describe})
                (func (export "{name}#sign") (param i32) (result i32) {sign})
                (func (export "{name}#start") (param i32) (result i32) {start})
                (func (export "{name}#resume") (param i32) (result i32) {resume}))"#,
            data = self.data(),
        );
        wat::parse_str(&text).unwrap()
    }

    /// The description as the canonical ABI lays it out, and the fixed answers.
    fn data(&self) -> String {
        let mut texts = Texts::default();
        let mut record = Record::new(88);
        record.text(0, &self.exchange, &mut texts);
        record.text(8, &self.version, &mut texts);
        record.text(24, &self.origin, &mut texts);
        record.word(32, CALL);
        record.word(36, 1);
        record.0[40] = 2; // The lifetime is unlimited.
        let mut call = Record::new(60);
        call.text(0, "open-orders", &mut texts);
        call.text(24, &self.path, &mut texts);
        let mut headers = Record::new(self.headers.len() * 8);
        for (number, header) in self.headers.iter().enumerate() {
            headers.text(number * 8, header, &mut texts);
        }
        if !self.headers.is_empty() {
            call.word(40, HEADERS);
            call.word(44, u32::try_from(self.headers.len()).unwrap());
        }
        let mut notes = Record::new(8);
        if self.earnest {
            call.0[49] = 1;
            notes.text(0, "Give it no key at all.", &mut texts);
            record.word(16, NOTES);
            record.word(20, 1);
        }
        let mut refused = Record::new(128);
        refused.0[0] = 1;
        refused.text(16, "not for this one", &mut texts);
        let mut fine = Record::new(128);
        fine.0[8] = 2; // The third case of a step: orders.
        let mut signed = Record::new(128);
        signed.text(16, "signature", &mut texts);
        [
            segment(DESCRIPTION, &record.0),
            segment(CALL, &call.0),
            segment(HEADERS, &headers.0),
            segment(NOTES, &notes.0),
            segment(REFUSED, &refused.0),
            segment(NO_ORDERS, &fine.0),
            segment(NO_ORDERS + 512, &signed.0),
            segment(TEXTS, &texts.0),
        ]
        .concat()
    }
}

/// What `start` does to answer so many orders, each all zeros.
pub(crate) fn answer_orders(count: u32) -> String {
    let pages = count * 72 / 65_536 + 1;
    format!(
        "(drop (memory.grow (i32.const {pages})))
         (i32.store8 (i32.const {step}) (i32.const 2))
         (i32.store (i32.const {list}) (i32.const {FREE}))
         (i32.store (i32.const {length}) (i32.const {count}))
         (i32.const {FREE_ANSWER})",
        step = FREE_ANSWER + 8,
        list = FREE_ANSWER + 16,
        length = FREE_ANSWER + 20,
    )
}

/// What `start` does to answer a request with a state of so many bytes.
pub(crate) fn answer_state(bytes: u32) -> String {
    let pages = bytes / 65_536 + 1;
    // The state follows the request; all zeros are a GET of nothing.
    format!(
        "(drop (memory.grow (i32.const {pages})))
         (i32.store (i32.const {at}) (i32.const {FREE}))
         (i32.store (i32.const {length}) (i32.const {bytes}))
         (i32.const {FREE_ANSWER})",
        at = FREE_ANSWER + 16 + REQUEST_BYTES,
        length = FREE_ANSWER + 20 + REQUEST_BYTES,
    )
}

/// Where such an answer is put together.
const FREE_ANSWER: u32 = 8_192;

/// The size of a request: call, method, path, query, headers, body.
const REQUEST_BYTES: u32 = 8 + 4 + 8 + 8 + 8 + 12;

/// What a function does that never ends.
pub(crate) const FOR_EVER: &str = "(loop (br 0)) unreachable";

/// A record as the canonical ABI lays it out, in the making.
pub(crate) struct Record(pub(crate) Vec<u8>);

impl Record {
    pub(crate) fn new(size: usize) -> Self {
        Self(vec![0; size])
    }

    pub(crate) fn word(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn text(&mut self, at: usize, text: &str, texts: &mut Texts) {
        let start = TEXTS + u32::try_from(texts.0.len()).unwrap();
        self.word(at, start);
        self.word(at + 4, u32::try_from(text.len()).unwrap());
        texts.0.extend_from_slice(text.as_bytes());
    }
}

#[derive(Default)]
struct Texts(Vec<u8>);

/// Bytes in the guest's memory, as a part of its text.
pub(crate) fn segment(at: u32, bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "\\{byte:02x}").unwrap();
    }
    format!("(data (i32.const {at}) \"{text}\")\n")
}

/// Components each of which instantiates the one before ten times: ten times as much at every level, in a
/// few bytes. Empty inside, it would be harmless, so there is a core module at the bottom.
pub(crate) fn compile_bomb(levels: u32) -> Vec<u8> {
    let module = "(core module $m (func (export \"f\"))) (core instance (instantiate $m))";
    let mut text = format!("(component (component $c0 {module})\n");
    for level in 1..=levels {
        let below = level - 1;
        let copies = "(instance (instantiate $below))".repeat(10);
        writeln!(text, "(component $c{level} (alias outer 1 $c{below} (component $below)) {copies})")
            .unwrap();
    }
    writeln!(text, "(instance (instantiate $c{levels})))").unwrap();
    wat::parse_str(&text).unwrap()
}

/// A component in a component in a component.
pub(crate) fn nested(depth: usize) -> Vec<u8> {
    wat::parse_str(format!("(component {}{})", "(component ".repeat(depth), ")".repeat(depth))).unwrap()
}
