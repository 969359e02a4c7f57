//! SHA-256 digests, written in lower-case hexadecimal.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// What stands where there is nothing before: all zeros.
    pub const NOTHING: Self = Self([0; 32]);

    /// The digest of the parts, one after the other. Callers separate them so that no two lists of parts read alike.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The digest that a text of 64 hexadecimal digits in lower case names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        parse_hex(text, &mut bytes)?;
        Some(Self(bytes))
    }

    fn digits(&self) -> [u8; 64] {
        let mut digits = [0; 64];
        write_hex(&self.0, &mut digits);
        digits
    }
}

/// Hexadecimal digits are text.
fn text_of(digits: &[u8]) -> &str {
    std::str::from_utf8(digits).unwrap_or_default()
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(text_of(&self.digits()))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text_of(&self.digits()))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Digits)
    }
}

/// Reads a digest from a text, wherever that is kept.
struct Digits;

impl Visitor<'_> for Digits {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 hexadecimal digits in lower case")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
        Digest::parse(text).ok_or_else(|| E::custom("not 64 hexadecimal digits in lower case"))
    }
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

/// Two digits for each byte.
fn write_hex(bytes: &[u8], digits: &mut [u8]) {
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0');
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        for (place, nibble) in pair.iter_mut().zip([byte >> 4, byte & 0x0f]) {
            *place = digit(nibble);
        }
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len().saturating_mul(2)];
    write_hex(bytes, &mut digits);
    String::from_utf8(digits).unwrap_or_default()
}

/// Reads lower-case hexadecimal of exactly the wanted length.
pub(crate) fn parse_hex(text: &str, into: &mut [u8]) -> Option<()> {
    let digits = text.as_bytes();
    if Some(digits.len()) != into.len().checked_mul(2) {
        return None;
    }
    for (pair, byte) in digits.chunks_exact(2).zip(into) {
        let [high, low] = pair else { return None };
        *byte = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(())
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a').and_then(|above| above.checked_add(10)),
        _ => None,
    }
}
