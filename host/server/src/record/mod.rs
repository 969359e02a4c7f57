//! The pool's published record as a running pool makes it: the key, the head, the openings, and each new entry.
//! It knows no reward rule; what an entry says and how it is checked is the record's own crate.

mod changes;
pub mod key;
mod packed;
mod publisher;
pub mod quotes;
pub mod receipts;
mod signing_together;

pub use key::{SigningKeyError, read_or_make, read_signing_key};
pub use packed::{PackError, pack, unpack};
pub use publisher::{Head, MAX_ATTEMPTS, PublishError, Publisher, SharedPublisher};
