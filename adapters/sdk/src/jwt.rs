//! JSON Web Tokens (RFC 7515) with ES256 signatures, for exchanges that take one in place of a signature.
//!
//! Signing is deterministic, as RFC 6979 says: it needs no randomness.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::SecretKey;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey};
use serde::Deserialize;

use crate::{Fault, sign};

/// The tokens of exchanges take 600 to 800 characters.
const MAX_TOKEN: usize = 2048;

/// A token that arrived, taken apart. Its signature is not checked: that is for the exchange, which has the key.
pub struct Token<'t> {
    signed: &'t str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Takes a token apart: three pieces in unpadded base64 of the URL-safe alphabet, joined with dots.
    ///
    /// # Errors
    /// The bot's fault, if it is no such thing or has more than 2048 characters. The text does not repeat it.
    pub fn read(token: &'t str) -> Result<Self, Fault> {
        let decode = |piece: &str| URL_SAFE_NO_PAD.decode(piece).ok().filter(|bytes| !bytes.is_empty());
        let read = || {
            let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MAX_TOKEN)?;
            let (header, claims) = signed.split_once('.')?;
            let (header, claims) = (decode(header)?, decode(claims)?);
            Some(Token { signed, header, claims, signature: decode(signature)? })
        };
        read().ok_or_else(|| {
            let text = format!("the signature should be a JSON Web Token of at most {MAX_TOKEN} characters");
            Fault::Unusable(text)
        })
    }

    /// What is signed: the first two pieces, with the dot.
    pub fn signed(&self) -> &'t str {
        self.signed
    }

    /// The header.
    ///
    /// # Errors
    /// The bot's fault, if it is no JSON or not of this form.
    pub fn header<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        parse("header", &self.header)
    }

    /// The claims.
    ///
    /// # Errors
    /// The bot's fault, if they are no JSON or not of this form.
    pub fn claims<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        parse("claims", &self.claims)
    }

    /// Whether the signature is ES256 by the owner of this public key in PEM.
    pub fn is_signed_by(&self, public_key: &str) -> bool {
        let key = VerifyingKey::from_public_key_pem(public_key);
        let signature = Signature::from_slice(&self.signature);
        matches!((key, signature), (Ok(key), Ok(signature))
            if key.verify(self.signed.as_bytes(), &signature).is_ok())
    }
}

/// A whole token: `header` and `claims`, both JSON, signed with ES256. The key is in PEM, as `EC PRIVATE KEY` or
/// `PRIVATE KEY`; its line breaks may be written `\n`, as they are in the JSON files that exchanges hand out.
///
/// # Errors
/// The caller's fault, if the key is none of P-256 in PEM. The text does not repeat the key.
pub fn sign_es256(private_key: &str, header: &str, claims: &str) -> Result<String, Fault> {
    let pem = private_key.replace("\\n", "\n");
    let key = SecretKey::from_sec1_pem(&pem).or_else(|_| SecretKey::from_pkcs8_pem(&pem).map_err(|_| ()));
    let Ok(key) = key else {
        let text = "the API secret of this exchange is a private key of P-256 in PEM; this one is not";
        return Err(Fault::Unusable(text.to_owned()));
    };
    let signed = format!("{}.{}", sign::base64url(header.as_bytes()), sign::base64url(claims.as_bytes()));
    let signature = signature(&SigningKey::from(key), &signed);
    Ok(format!("{signed}.{signature}"))
}

fn signature(key: &SigningKey, signed: &str) -> String {
    let signature: Signature = key.sign(signed.as_bytes());
    sign::base64url(&signature.to_bytes())
}

fn parse<'a, T: Deserialize<'a>>(what: &str, json: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(json).map_err(|error| {
        let why = crate::reply::clean(&error.to_string());
        Fault::Unusable(format!("the {what} of the JSON Web Token cannot be read: {why}"))
    })
}

#[cfg(test)]
mod tests {
    use p256::pkcs8::EncodePublicKey;
    use p256::pkcs8::LineEnding;

    use super::*;

    /// The example in RFC 7515, A.3: what is signed, its signature, and the private key.
    const RFC_SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
        Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const RFC_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-\
        Kg6NU1Q";
    const RFC_KEY: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

    fn rfc_key() -> SigningKey {
        SigningKey::from_slice(&URL_SAFE_NO_PAD.decode(RFC_KEY).unwrap()).unwrap()
    }

    fn public_pem(key: &SigningKey) -> String {
        p256::PublicKey::from(key.verifying_key()).to_public_key_pem(LineEnding::LF).unwrap()
    }

    #[test]
    fn the_example_of_rfc_7515_is_read_and_verified() {
        #[derive(Deserialize)]
        struct Claims {
            iss: String,
            exp: u64,
        }
        let text = format!("{RFC_SIGNED}.{RFC_SIGNATURE}");
        let token = Token::read(&text).unwrap();
        let claims: Claims = token.claims().unwrap();
        assert_eq!((claims.iss.as_str(), claims.exp), ("joe", 1_300_819_380));
        assert_eq!(token.signed(), RFC_SIGNED);
        assert!(token.is_signed_by(&public_pem(&rfc_key())));
        let other = SigningKey::from_slice(&[1; 32]).unwrap();
        assert!(!token.is_signed_by(&public_pem(&other)) && !token.is_signed_by("no key"));
    }

    #[test]
    fn the_own_signature_of_that_example_is_another_and_verifies_too() {
        let own = signature(&rfc_key(), RFC_SIGNED);
        assert_ne!(own, RFC_SIGNATURE);
        let text = format!("{RFC_SIGNED}.{own}");
        assert!(Token::read(&text).unwrap().is_signed_by(&public_pem(&rfc_key())));
        let text = format!("{}.{own}", RFC_SIGNED.replace("zODAs", "zODEs"));
        assert!(!Token::read(&text).unwrap().is_signed_by(&public_pem(&rfc_key())));
    }

    #[test]
    fn the_signature_of_rfc_6979_comes_out() {
        let scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
        let bytes: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&scalar[2 * at..2 * at + 2], 16).unwrap()).collect();
        let made = signature(&SigningKey::from_slice(&bytes).unwrap(), "sample");
        assert_eq!(
            sign::hex(&URL_SAFE_NO_PAD.decode(made).unwrap()),
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
             f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        );
    }

    #[test]
    fn what_is_no_token_and_what_is_no_key_is_refused_without_repeating_it() {
        let long = format!("{RFC_SIGNED}.{}", "A".repeat(MAX_TOKEN));
        for wrong in
            ["", "e30", "e30.e30", "e30..e30", "e30.e30.e30=", "e30.e30.e30.e30", "e30.e 0.e30", &long]
        {
            let Err(Fault::Unusable(text)) = Token::read(wrong).map(|_| ()) else { panic!("{wrong}") };
            assert!(wrong.is_empty() || !text.contains(wrong));
        }
        let pem = "-----BEGIN EC PRIVATE KEY-----\nc2VjcmV0\n-----END EC PRIVATE KEY-----\n";
        let Err(Fault::Unusable(text)) = sign_es256(pem, "{}", "{}") else { panic!("it was accepted") };
        assert!(!text.contains("c2VjcmV0"));
    }

    #[test]
    fn claims_that_are_not_as_they_should_be_are_named() {
        let token = Token::read("e30.e30.e30").unwrap();
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only its form matters")]
        struct Claims {
            exp: u64,
        }
        let Err(Fault::Unusable(text)) = token.claims::<Claims>() else { panic!("it was accepted") };
        assert!(text.contains("`exp`"), "{text}");
    }
}
