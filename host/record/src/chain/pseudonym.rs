//! Pseudonyms of LPs and commitments to order ids.
//!
//! A pseudonym is a commitment: the digest of the pool's id, the LP's API key and a nonce of 128 random bits that only
//! that LP is told. Whoever holds a list of keys cannot try them, because the nonce is missing; and no two LPs can
//! open the same pseudonym, because the key is within the digest.

use std::fmt;
use std::io::Write;

use super::digest::{Digest, hex, parse_hex};

/// Length of an LP's nonce in bytes: 128 bits cannot be guessed.
pub const NONCE_BYTES: usize = 16;

/// What opens one LP's pseudonym and order ids. For that LP alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening([u8; NONCE_BYTES]);

impl Opening {
    /// An opening from random bytes.
    #[must_use]
    pub fn new(nonce: [u8; NONCE_BYTES]) -> Self {
        Self(nonce)
    }

    /// Reads what [`Opening::reveal`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut nonce = [0; NONCE_BYTES];
        parse_hex(text, &mut nonce)?;
        Some(Self(nonce))
    }

    /// The nonce in hexadecimal: to be told to its LP, and to be kept by the pool.
    #[must_use]
    pub fn reveal(&self) -> String {
        hex(&self.0)
    }

    /// The LP's pseudonym in the pool's records.
    #[must_use]
    pub fn pseudonym(&self, pool: &str, api_key: &str) -> Digest {
        Digest::of(&[
            b"alp lp v1\n",
            pool.len().to_string().as_bytes(),
            b" ",
            pool.as_bytes(),
            api_key.len().to_string().as_bytes(),
            b" ",
            api_key.as_bytes(),
            &self.0,
        ])
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(..)")
    }
}

/// Room for what most commitments are made of: there is one for each order of each submission.
const USUAL_COMMITMENT: usize = 160;

/// The commitment to an order's id: salted with its LP's nonce, so that nobody else can tell which order it is, and
/// the same in each round, so that its LP and the pool cannot disagree later.
#[must_use]
pub fn order_commitment(opening: &Opening, exchange: &str, unit: &str, order_id: &str) -> Digest {
    let mut salted = Vec::with_capacity(USUAL_COMMITMENT);
    salted.extend_from_slice(b"alp order v1\n");
    salted.extend_from_slice(&opening.0);
    for part in [exchange, unit, order_id] {
        let _ = write!(salted, "{} {part}", part.len());
    }
    Digest::of(&[&salted])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_hides_the_key_and_belongs_to_one_key() {
        let (one, other) = (Opening::new([7; 16]), Opening::new([8; 16]));
        assert_eq!(
            one.pseudonym("pool", "key"),
            Opening::parse(&one.reveal()).unwrap().pseudonym("pool", "key")
        );
        assert_ne!(one.pseudonym("pool", "key"), other.pseudonym("pool", "key"));
        assert_ne!(one.pseudonym("pool", "key"), one.pseudonym("pool", "kez"));
        assert_ne!(one.pseudonym("poolk", "ey"), one.pseudonym("pool", "key"));
        assert_eq!(format!("{one:?}"), "Opening(..)");
    }

    #[test]
    fn an_order_has_another_commitment_on_another_market_and_for_another_lp() {
        let (one, other) = (Opening::new([7; 16]), Opening::new([8; 16]));
        let base = order_commitment(&one, "binance", "btc", "77");
        assert_ne!(base, order_commitment(&one, "binance", "usd", "77"));
        assert_ne!(base, order_commitment(&one, "binanceb", "tc", "77"));
        assert_ne!(base, order_commitment(&other, "binance", "btc", "77"));
    }
}
