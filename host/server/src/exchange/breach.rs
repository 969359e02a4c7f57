//! In which respect a request is not what was declared and granted. Says no value of it, which may be a signature.

use thiserror::Error;

use super::grant::MAX_PARAMETERS;

/// In which respect a request is not one of the granted calls. Names parameters, never their values.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GrantBreach {
    /// Exchange software that many run has no origin of its own.
    #[error("the exchange has no origin of its own: its file needs the key endpoint")]
    NoOrigin,
    /// The adapter's own origin has no TLS.
    #[error(
        "the adapter's own origin is not https: only the key endpoint in the exchange's file may name another"
    )]
    NotTls,
    /// A name that no declared call has.
    #[error("the adapter asks for a call that it does not declare")]
    UnknownCall,
    /// Another method.
    #[error("the adapter asks for another method than the call declares")]
    Method,
    /// A path outside the template.
    #[error("the adapter asks for a path outside the call's template")]
    Path,
    /// A parameter or header that the call does not declare, or that nobody may set.
    #[error("the adapter sets {name:?}, which the call does not declare or nobody may set")]
    Undeclared {
        /// The name.
        name: String,
    },
    /// One name twice.
    #[error("the adapter sets {name:?} twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A pinned parameter with another value, or left out.
    #[error("the adapter does not set {name:?} to its declared value")]
    NotFixed {
        /// The name.
        name: String,
    },
    /// A character that would end the value or the header.
    #[error("the value of {name:?} has a character that cannot be sent")]
    Character {
        /// The name.
        name: String,
    },
    /// A body of another kind than declared, or on a GET.
    #[error("the request's body is not of the declared kind")]
    Body,
    /// Too many parameters.
    #[error("the request has more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// Something too long.
    #[error("the request's {0} is too long")]
    TooLong(&'static str),
    /// Not an address, or one that would change while parsed.
    #[error("the request's address is not one that can be sent as it is")]
    Address,
}
