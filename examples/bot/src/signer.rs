//! Where signatures come from.

use std::error::Error;
use std::fmt;
use std::future::Future;

use crate::nonce::NonceKind;

/// Signs the request for open orders of one key on one market.
pub trait Signer: Send + Sync {
    /// Which kind of nonce `sign` wants.
    fn nonce_kind(&self) -> NonceKind;

    /// A signed request, good once.
    fn sign(&self, now_ms: u64, nonce: String) -> impl Future<Output = Result<Signed, SignError>> + Send;
}

/// What is posted to the pool. A captured one can be used by others, so its `Debug` shows names alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// The members of `req`, in the order in which they are to be written.
    pub members: Vec<(String, Value)>,
    /// The signature.
    pub sign: String,
}

/// The value of a member of `req`.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A JSON string.
    Text(String),
    /// A JSON number, to be written exactly so.
    Number(String),
}

/// Why nothing could be signed. The bot's owner must act: the key, the secret or the configuration is not what
/// the adapter needs, or the adapter is broken.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The adapter says what it misses.
    #[error("the adapter cannot sign: {0}")]
    Refused(String),
    /// The adapter did not answer as it should.
    #[error("the adapter failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// The adapter made a number that JSON cannot write.
    #[error("the adapter wrote a number into `{member}` that is none")]
    NotANumber {
        /// The member's name.
        member: String,
    },
}

impl fmt::Debug for Signed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(|(name, _)| name.as_str()).collect();
        out.debug_struct("Signed").field("members", &names).finish_non_exhaustive()
    }
}
