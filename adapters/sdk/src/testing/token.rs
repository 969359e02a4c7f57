//! Signatures that are tokens: ECDSA has many right signatures of one text, so they are verified.

use serde::Deserialize;

use super::SignedCall;
use crate::jwt::Token;

/// Whether a signature is as good as the fixture's: it is the same, or both are tokens of the same content that
/// the fixture's public key verifies.
pub(super) fn is_as_good(sign: &str, call: &SignedCall) -> bool {
    if sign == call.sign {
        return true;
    }
    let Some(key) = call.credentials.get("public_key") else { return false };
    let right = |sign: &str| {
        Token::read(sign).is_ok_and(|token| token.signed() == call.string_to_sign && token.is_signed_by(key))
    };
    right(sign) && right(&call.sign)
}

/// The nonce in the header of the fixture's token, for exchanges that want it there.
pub(super) fn nonce(call: &SignedCall) -> Option<String> {
    #[derive(Deserialize)]
    struct Header {
        nonce: String,
    }
    let token = Token::read(&call.sign).ok()?;
    token.header::<Header>().ok().map(|header| header.nonce)
}
