//! An adapter that only ever asks: every answer of it is the same request. Made from text, as small as can be. It
//! behaves while it is looked at: it refuses by name what a self-check sends, whose signature is one character long.

use std::fmt::Write;

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// The contract.
const WIT: &str = include_str!("../../wit/v1/exchange.wit");

/// Where the answer of `start` and `resume` lies in the guest's memory.
const ANSWER: usize = 0;
/// A fault: what it answers to a self-check, and to whoever wants something signed.
const REFUSED: usize = 512;
const DESCRIPTION: usize = 1024;
const CALL: usize = 1152;
const QUERY: usize = 1280;
const NOTES: usize = 1408;
const TEXTS: usize = 2048;

/// What the adapter says and asks for.
pub struct AskingGuest<'a> {
    /// The exchange it is for.
    pub exchange: &'a str,
    /// The origin that it names as the exchange's own.
    pub origin: &'a str,
    /// A parameter of the query that it sets without having declared it.
    pub undeclared: Option<&'a str>,
}

impl AskingGuest<'_> {
    /// The component.
    pub fn component(&self) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let package = resolve.push_str("exchange.wit", WIT).unwrap();
        let world = resolve.select_world(&[package], Some("exchange-adapter")).unwrap();
        let mut module = wat::parse_str(self.text()).unwrap();
        let encoding = StringEncoding::UTF8;
        wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
        ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
    }

    fn text(&self) -> String {
        let name = "alp:exchange/adapter@1.0.0";
        let mut image = String::new();
        for byte in self.memory() {
            write!(image, "\\{byte:02x}").unwrap();
        }
        // What the host hands in is put behind everything and never looked at.
        format!(
            r#"(module
                (memory (export "memory") 4)
                (global $heap (mut i32) (i32.const 65536))
                (data (i32.const 4096) "{image}")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
                    (global.set $heap (i32.add (local.get $at) (local.get 3)))
                    (local.get $at))
                (func (export "{name}#describe") (result i32) (i32.const {describe}))
                (func (export "{name}#sign") (param i32) (result i32) (i32.const {refused}))
                (func (export "{name}#start") (param i32) (result i32)
                    (select (i32.const {refused}) (i32.const {answer})
                        (i32.eq (i32.load offset=20 (local.get 0)) (i32.const 1))))
                (func (export "{name}#resume") (param i32) (result i32) (i32.const {answer})))"#,
            describe = BASE + DESCRIPTION,
            refused = BASE + REFUSED,
            answer = BASE + ANSWER,
        )
    }

    /// The records as the canonical ABI lays them out.
    fn memory(&self) -> Vec<u8> {
        let mut memory = Memory(vec![0; TEXTS]);
        // A step that sends: its request begins behind the two tags.
        memory.text(ANSWER + 16, "open-orders");
        memory.text(ANSWER + 28, "/orders");
        if let Some(undeclared) = self.undeclared {
            memory.word(ANSWER + 36, BASE + QUERY);
            memory.word(ANSWER + 40, 1);
            memory.text(QUERY, undeclared);
            memory.text(QUERY + 8, "1");
        }
        // The second case of a result, and in it the first of a fault: unusable.
        memory.0[REFUSED] = 1;
        memory.text(REFUSED + 16, "not for this one");
        memory.text(DESCRIPTION, self.exchange);
        memory.text(DESCRIPTION + 8, "0.1.0");
        memory.word(DESCRIPTION + 16, BASE + NOTES);
        memory.word(DESCRIPTION + 20, 1);
        memory.text(NOTES, "Give it no key at all.");
        memory.text(DESCRIPTION + 24, self.origin);
        memory.word(DESCRIPTION + 32, BASE + CALL);
        memory.word(DESCRIPTION + 36, 1);
        // The third case of a lifetime: unlimited.
        memory.0[DESCRIPTION + 40] = 2;
        memory.text(CALL, "open-orders");
        memory.text(CALL + 24, "/orders");
        // It says of its call that it carries a signature.
        memory.0[CALL + 49] = 1;
        memory.0
    }
}

/// Where all of it is put.
const BASE: usize = 4096;

struct Memory(Vec<u8>);

impl Memory {
    fn word(&mut self, at: usize, value: usize) {
        self.0[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
    }

    fn text(&mut self, at: usize, text: &str) {
        self.word(at, BASE + self.0.len());
        self.word(at + 4, text.len());
        self.0.extend_from_slice(text.as_bytes());
    }
}
