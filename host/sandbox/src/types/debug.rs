//! `Debug` for whatever carries a secret, a signature or something signed: shapes and sizes, no values.
//! A captured signed request can be replayed at some exchanges, so it has no business in a log.

use std::fmt::{Debug, Formatter, Result};

use super::{
    Body, Field, LookUp, Member, Pending, Reply, Request, Scalar, SignQuery, Signed, Started, Submission,
};

const HIDDEN: &str = "(hidden)";

/// The names of fields, without their values.
fn names(fields: &[Field]) -> Vec<&str> {
    fields.iter().map(|field| field.name.as_str()).collect()
}

impl Debug for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(_) => f.write_str("Text(hidden)"),
            Self::Number(_) => f.write_str("Number(hidden)"),
        }
    }
}

impl Debug for Member {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}: {:?}", self.name, self.value)
    }
}

impl Debug for Submission {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Submission")
            .field("user", &self.user)
            .field("members", &self.members)
            .field("sign", &HIDDEN)
            .field("market", &self.market)
            .field("endpoint", &self.endpoint)
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}

impl Debug for SignQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SignQuery")
            .field("user", &self.user)
            .field("secret", &HIDDEN)
            .field("parameters", &names(&self.parameters))
            .field("market", &self.market)
            .field("endpoint", &self.endpoint)
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}

impl Debug for Signed {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Signed").field("members", &self.members).field("sign", &HIDDEN).finish()
    }
}

impl Debug for Body {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Form(fields) => f.debug_tuple("Form").field(&names(fields)).finish(),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}

impl Debug for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Request")
            .field("call", &self.call)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &names(&self.query))
            .field("headers", &names(&self.headers))
            .field("body", &self.body)
            .finish()
    }
}

impl Debug for Reply {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &names(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl Debug for Pending {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Pending")
            .field("request", &self.request)
            .field("state_bytes", &self.state.len())
            .finish()
    }
}

impl Debug for LookUp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("LookUp")
            .field("request", &self.request)
            .field("state_bytes", &self.state.len())
            .field("cache_ms", &self.cache_ms)
            .finish()
    }
}

impl Debug for Started {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Started")
            .field("step", &self.step)
            .field("freshness", &self.freshness)
            .field("signed_texts", &self.signed.len())
            .finish()
    }
}
