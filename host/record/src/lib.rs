//! The pool's documents: reward rules, judged samples, and what a round comes to when it is computed from them.
//! No I/O, no clock, no randomness, no database: the same documents give the same credits, whoever computes them.

pub mod chain;
mod computed;
pub mod judged;
mod terms_document;

pub use computed::{ComputeError, Computed, Credited, Evidence, compute_round};
pub use terms_document::{TermsDocumentError, id_of, read_terms, write_terms};
