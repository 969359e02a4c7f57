//! Signatures: every flavour that exchanges ask for, and what a signature looks like when it arrives.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::digest::block_api::{BlockSizeUser, EagerHash};
use hmac::{Hmac, KeyInit, Mac};
use sha2::digest::Output;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::Fault;

/// HMAC-SHA256 of `message`, 32 bytes.
pub fn hmac_sha256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::<Sha256>(secret, message)
}

/// HMAC-SHA384 of `message`, 48 bytes.
pub fn hmac_sha384(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::<Sha384>(secret, message)
}

/// HMAC-SHA512 of `message`, 64 bytes.
pub fn hmac_sha512(secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::<Sha512>(secret, message)
}

/// SHA-256 of `message`, 32 bytes.
pub fn sha256(message: &[u8]) -> Vec<u8> {
    Sha256::digest(message).to_vec()
}

/// SHA-512 of `message`, 64 bytes.
pub fn sha512(message: &[u8]) -> Vec<u8> {
    Sha512::digest(message).to_vec()
}

/// Hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Base64 with the alphabet that has `+` and `/`, padded.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Base64 with the alphabet that has `-` and `_`, not padded, as JSON Web Tokens use it.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key inside a secret that the exchange hands out in base64.
///
/// # Errors
/// The bot's fault, if it is not base64. The text does not repeat the secret.
pub fn base64_secret(secret: &str) -> Result<Vec<u8>, Fault> {
    STANDARD.decode(secret.trim()).map_err(|_| {
        Fault::Unusable("the API secret of this exchange is base64 text; this one is not".to_owned())
    })
}

/// Checks that a signature which arrived is `bytes` bytes in hexadecimal digits, of either case.
///
/// # Errors
/// The bot's fault, if not. The text does not repeat the signature.
pub fn expect_hex(sign: &str, bytes: usize) -> Result<&str, Fault> {
    let digits = bytes.saturating_mul(2);
    if sign.len() == digits && sign.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(sign);
    }
    Err(Fault::Unusable(format!("the signature should be {digits} hexadecimal digits; it is not")))
}

/// Checks that a signature which arrived is `bytes` bytes in padded base64.
///
/// # Errors
/// The bot's fault, if not. The text does not repeat the signature.
pub fn expect_base64(sign: &str, bytes: usize) -> Result<&str, Fault> {
    match STANDARD.decode(sign) {
        Ok(decoded) if decoded.len() == bytes => Ok(sign),
        Ok(_) | Err(_) => {
            Err(Fault::Unusable(format!("the signature should be {bytes} bytes in base64; it is not")))
        }
    }
}

fn hmac<D: EagerHash + Digest + BlockSizeUser>(secret: &[u8], message: &[u8]) -> Vec<u8>
where
    Hmac<D>: KeyInit + Mac,
{
    // A key of exactly one block can be given without the possibility of an error: a longer secret is
    // hashed and a shorter one filled up with zeros, as RFC 2104 says.
    let mut key = hmac::digest::Key::<Hmac<D>>::default();
    if secret.len() > key.len() {
        let hashed: Output<D> = D::digest(secret);
        key.iter_mut().zip(hashed).for_each(|(slot, byte)| *slot = byte);
    } else {
        key.iter_mut().zip(secret).for_each(|(slot, byte)| *slot = *byte);
    }
    let mut mac = <Hmac<D> as KeyInit>::new(&key);
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4231_come_out() {
        let (secret, message) = (b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            hex(&hmac_sha256(secret, message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex(&hmac_sha384(secret, message)),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"
        );
        assert!(
            hex(&hmac_sha512(secret, message))
                .starts_with("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd6")
        );
    }

    #[test]
    fn a_secret_longer_than_a_block_is_hashed_first() {
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(&hmac_sha256(&[0xaa; 131], message)),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_signature_of_the_wrong_form_is_refused_without_repeating_it() {
        assert!(expect_hex("00ff00FF", 4).is_ok());
        for wrong in ["00ff00f", "00ff00fg", "", "00ff00ff00"] {
            let Err(Fault::Unusable(text)) = expect_hex(wrong, 4) else { panic!("`{wrong}` was accepted") };
            assert!(wrong.is_empty() || !text.contains(wrong));
        }
        assert!(expect_base64("AAAA", 3).is_ok());
        assert!(expect_base64("AAAA", 4).is_err());
        assert!(expect_base64("AA\nAA", 3).is_err());
    }

    #[test]
    fn a_secret_that_is_not_base64_is_not_repeated() {
        let Err(Fault::Unusable(text)) = base64_secret("not*base64") else { panic!("it was accepted") };
        assert!(!text.contains("not*"));
    }
}
