//! The kit for authors of exchange adapters: `alp adapter new`, `build`, `inspect`, `check`, `record`.
//! It knows no exchange and no pool, and it refuses to know how requests are sent: the program it is part of does that.
//!
//! [`run`] is the command line, [`check`] the conformance run, [`self_check`] what a server asks of a component before
//! it serves. The folder also holds `WRITE_AN_ADAPTER.md`, the tutorial, and `FIXTURES.md`, the format of fixtures.

mod build;
mod check;
mod command;
mod driver;
mod grant;
mod imports;
mod inspect;
mod new;
mod record;
mod wire;

pub use alp_adapter::testing::Http;
pub use build::BuildArguments;
pub use check::{Line, Report, SelfChecked, Verdict, check, self_check};
pub use command::{CheckArguments, Command, Tools, run};
pub use driver::{ComponentDriver, LIMIT, NOT_GRANTED, TRAP};
pub use grant::{
    BODY_KINDS, BOUND_PARTS, METHODS, NONCE_KINDS, ORDER_ID_SCOPES, UNLIMITED, UNTIL_NEXT_NONCE, bound_words,
    grant_lines, word_of,
};
pub use inspect::InspectArguments;
pub use new::NewArguments;
pub use record::RecordArguments;
pub use wire::{Sending, Wire};
