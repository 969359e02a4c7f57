//! The pool's documents: reward rules, judged samples, and what a round comes to when it is computed from them.
//! No I/O, no clock, no randomness, no database: the same documents give the same credits, whoever computes them.

pub mod chain;
mod computed;
pub mod judged;
mod market_document;
mod market_terms;
mod shared;
mod sightings;
mod terms_document;

pub use computed::{
    ComputeError, Computed, Credited, Evidence, RoundEvidence, Shown, compute_round, longest_look_back_ms,
};
pub use market_document::{read_market, write_market};
pub use market_terms::{CommonRules, MarketTerms, MarketTermsError, SideRule};
pub use sightings::carry_on;
pub use terms_document::{Pair, TermsDocumentError, id_of, read_pair, read_terms, write_terms};
