//! Hostile components, each built here, and what stops each. They run in a process of their own, one at a time,
//! so that its memory and descriptors can be measured. No test here knows how the sandbox does it.
//!
//! `ALP_HOSTILE_TABLE=FILE cargo test -p alp-sandbox --test hostile` also writes the results to a file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and its table is a result"
)]

mod answering;
#[allow(dead_code, reason = "the tests of the whole pool use the rest")]
mod answers;
mod binary;
#[path = "../sandbox/built.rs"]
mod built;
mod compiling;
mod contract;
mod describing;
mod files;
#[allow(dead_code, reason = "the other tests of the sandbox use the rest")]
#[path = "../sandbox/guests.rs"]
mod guests;
mod log;
mod measure;
mod runner;
mod running;
mod table;

use alp_sandbox::types::{Market, Reply, SignQuery, Submission};

fn market() -> Market {
    Market { base: "NBT".into(), quote: "BTC".into(), parameters: vec![] }
}

fn submission() -> Submission {
    Submission {
        user: "key".into(),
        members: vec![],
        sign: "signature".into(),
        market: market(),
        endpoint: None,
        now_ms: 1_760_000_000_000,
        explain: false,
        extras: vec![],
    }
}

fn query() -> SignQuery {
    SignQuery {
        user: "key".into(),
        secret: "secret".into(),
        parameters: vec![],
        market: market(),
        endpoint: None,
        now_ms: 1,
        nonce: String::new(),
        extras: vec![],
    }
}

fn reply(body: &str) -> Reply {
    Reply { status: 200, headers: vec![], body: body.into() }
}
