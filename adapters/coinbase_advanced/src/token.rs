//! The JSON Web Token: made on the LP's machine, looked into by the pool.

use alp_adapter::jwt::{self, Token};
use alp_adapter::*;
use serde::Serialize;

/// The longest time, in seconds, that the exchange lets a token live.
pub(crate) const LIFETIME_S: u64 = 120;
/// What the exchange's keys sign with. `sign` makes the first.
const ALGORITHMS: [&str; 2] = ["ES256", "EdDSA"];

#[derive(Serialize)]
struct OwnHeader<'a> {
    alg: &'a str,
    kid: &'a str,
    nonce: &'a str,
    typ: &'a str,
}

#[derive(Serialize)]
struct OwnClaims<'a> {
    sub: &'a str,
    iss: &'a str,
    nbf: u64,
    exp: u64,
    uri: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    nonce: Option<String>,
}

/// Some clients write `uris`, a list, in place of `uri`.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    nbf: u64,
    exp: u64,
    uri: Option<String>,
    #[serde(default)]
    uris: Vec<String>,
}

/// A token for this one call.
pub(crate) fn sign(query: &SignQuery, uri: &str) -> Result<String, Fault> {
    let (user, nbf) = (query.user.as_str(), query.now_ms / 1000);
    let header = OwnHeader { alg: "ES256", kid: user, nonce: &query.nonce, typ: "JWT" };
    let claims = OwnClaims { sub: user, iss: "cdp", nbf, exp: nbf.saturating_add(LIFETIME_S), uri };
    jwt::sign_es256(&query.secret, &json(&header)?, &json(&claims)?)
}

/// Checks that a submission's token is the key's own, for this one call, and neither over nor too long. Answers
/// with its freshness and with what is signed.
pub(crate) fn check<'s>(submission: &'s Submission, uri: &str) -> Result<(Freshness, &'s str), Fault> {
    let token = Token::read(&submission.sign)?;
    let (header, claims): (Header, Claims) = (token.header()?, token.claims()?);
    let unusable = |text: String| Err(Fault::Unusable(text));
    if !ALGORITHMS.contains(&header.alg.as_str()) {
        return unusable(format!("`alg` of the token should be one of {}", ALGORITHMS.join(", ")));
    }
    if header.kid != submission.user || claims.sub != submission.user {
        return unusable(
            "`kid` and `sub` of the token should be the key's name, the same as `user`".to_owned(),
        );
    }
    let mut uris = claims.uri.iter().chain(&claims.uris).peekable();
    if uris.peek().is_none() || uris.any(|stated| stated != uri) {
        return unusable(format!("`uri` of the token should be `{uri}` and nothing else"));
    }
    if claims.exp > claims.nbf.saturating_add(LIFETIME_S) {
        return unusable(format!("`exp` of the token should be at most {LIFETIME_S} seconds after `nbf`"));
    }
    let expires_ms = claims.exp.saturating_mul(1000);
    if expires_ms <= submission.now_ms {
        return unusable("the token has expired: make one for each submission".to_owned());
    }
    let nonce = header.nonce.unwrap_or_else(|| claims.nbf.to_string());
    let freshness = Freshness { nonce: Some(nonce), rising: Some(claims.nbf), expires_ms: Some(expires_ms) };
    Ok((freshness, token.signed()))
}

fn json<T: Serialize>(value: &T) -> Result<String, Fault> {
    serde_json::to_string(value)
        .map_err(|error| Fault::Unusable(format!("the token cannot be written: {error}")))
}
