//! One entry of the chain: its header, its body, and the pool's signature.

use std::fmt;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::body::Body;
use super::canonical::root_if_canonical;
use super::digest::{Digest, hex, parse_hex};
use super::merkle::{self, InclusionProof};

/// The version of the form of entries.
pub const VERSION: u32 = 1;

/// Largest entry that is read, in bytes: a round of ten thousand LPs with ten orders each takes about forty million.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024 * 1024;

/// What stands before a header when it is signed, so that the signature is good for nothing else.
const SIGNED_AS: &str = "alp record v1\n";

/// What is signed of an entry. The members are written in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`VERSION`].
    pub version: u32,
    /// The pool's id.
    pub pool: String,
    /// Counts the times that the pool's database was restored, from 1.
    pub epoch: u64,
    /// The entry's place in the chain, from 0.
    pub number: u64,
    /// The digest of the header before; nothing for the first.
    pub previous: Digest,
    /// When it was made, in Unix milliseconds by the database's clock.
    pub at_ms: u64,
    /// The digest of the body's line.
    pub body: Digest,
    /// The root of the tree over the LPs' parts of the body.
    pub lps: Digest,
}

/// A signature over a header, a receipt or a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The public key, in hexadecimal.
    pub key: String,
    /// The ed25519 signature, in hexadecimal.
    pub signature: String,
}

/// An entry that was read or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its header.
    pub header: Header,
    /// Its body.
    pub body: Body,
    /// The signature over the header.
    pub signature: Signature,
}

impl Header {
    /// The header's digest: by it the next entry, and receipts, refer to this one.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&[self.line().as_bytes()])
    }

    /// The header as it is written and signed.
    #[must_use]
    pub fn line(&self) -> String {
        // Numbers and texts have no way to fail to be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether `signature` is one over this header.
    ///
    /// # Errors
    /// [`EntryError::Signature`].
    pub fn check_signature(&self, signature: &Signature) -> Result<PublicKey, EntryError> {
        let key = PublicKey::parse(&signature.key).ok_or(EntryError::Signature)?;
        if key.verifies(SIGNED_AS, &self.line(), signature) { Ok(key) } else { Err(EntryError::Signature) }
    }
}

impl Entry {
    /// Makes the entry that follows `previous` (the header before, if any), and signs it.
    #[must_use]
    pub fn sign(
        key: &PoolKey,
        pool: &str,
        epoch: u64,
        previous: Option<&Header>,
        at_ms: u64,
        body: Body,
    ) -> Self {
        let header = Header {
            version: VERSION,
            pool: pool.to_owned(),
            epoch,
            number: previous.map_or(0, |previous| previous.number.saturating_add(1)),
            previous: previous.map_or(Digest::NOTHING, Header::digest),
            at_ms,
            body: Digest::of(&[body.line().as_bytes()]),
            lps: merkle::root(&body.leaves()),
        };
        let signature = key.sign(SIGNED_AS, &header.line());
        Self { header, body, signature }
    }

    /// The entry as it is kept and served: header, body and signature, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let signature = serde_json::to_string(&self.signature).unwrap_or_default();
        format!("{}\n{}\n{signature}\n", self.header.line(), self.body.line())
    }

    /// Reads an entry and checks all that can be checked of it alone: that it is written in the one way there is,
    /// that header and body belong together, and that the signature is right.
    ///
    /// # Errors
    /// [`EntryError`] says what is not.
    pub fn read(text: &str) -> Result<Self, EntryError> {
        if text.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLarge);
        }
        let mut lines = text.lines();
        let (Some(header_line), Some(body_line), Some(signature_line), None) =
            (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(EntryError::Lines);
        };
        let form = |what| move |source| EntryError::Form { what, source };
        let header: Header = serde_json::from_str(header_line).map_err(form("header"))?;
        if header.version != VERSION {
            return Err(EntryError::Version(header.version));
        }
        let signature: Signature = serde_json::from_str(signature_line).map_err(form("signature"))?;
        if header.line() != header_line {
            return Err(EntryError::NotCanonical("header"));
        }
        header.check_signature(&signature)?;
        // The body is read only once it is known to be the signed one.
        if Digest::of(&[body_line.as_bytes()]) != header.body {
            return Err(EntryError::Body);
        }
        let mut body: Body = serde_json::from_str(body_line).map_err(form("body"))?;
        let root = root_if_canonical(&mut body, body_line).ok_or(EntryError::NotCanonical("body"))?;
        if root != header.lps {
            return Err(EntryError::Tree);
        }
        Ok(Self { header, body, signature })
    }

    /// The proof that one LP's part is in this entry.
    #[must_use]
    pub fn prove(&self, pseudonym: Digest) -> Option<InclusionProof> {
        let place = self.body.lps().iter().position(|lp| *lp == pseudonym)?;
        merkle::prove(&self.body.leaves(), place)
    }
}

/// The key by which a pool signs.
pub struct PoolKey(Ed25519KeyPair);

impl PoolKey {
    /// The key that 32 secret random bytes make.
    ///
    /// # Errors
    /// [`EntryError::Key`], which 32 bytes rule out.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, EntryError> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| EntryError::Key)
    }

    /// What others check the signatures with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(self.0.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey(key)
    }

    pub(crate) fn sign(&self, signed_as: &str, line: &str) -> Signature {
        let signature = self.0.sign(format!("{signed_as}{line}").as_bytes());
        Signature { key: self.public().to_string(), signature: hex(signature.as_ref()) }
    }
}

impl fmt::Debug for PoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PoolKey({})", self.public())
    }
}

/// The public half of a pool's key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Reads 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = [0; 32];
        parse_hex(text, &mut key)?;
        Some(Self(key))
    }

    pub(crate) fn verifies(self, signed_as: &str, line: &str, signature: &Signature) -> bool {
        let mut bytes = [0; 64];
        signature.key == self.to_string()
            && parse_hex(&signature.signature, &mut bytes).is_some()
            && UnparsedPublicKey::new(&ED25519, self.0)
                .verify(format!("{signed_as}{line}").as_bytes(), &bytes)
                .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What is wrong with one entry.
#[derive(Debug, Error)]
pub enum EntryError {
    /// More bytes than are read.
    #[error("it is larger than {MAX_ENTRY_BYTES} bytes")]
    TooLarge,
    /// Not the three lines.
    #[error("it is not three lines: header, body, signature")]
    Lines,
    /// Not the JSON that it has to be.
    #[error("its {what} cannot be read")]
    Form {
        /// Which line.
        what: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Another version's.
    #[error("it has version {0}, and {VERSION} is known")]
    Version(u32),
    /// Written in another way than the one there is.
    #[error("its {0} is not written in the canonical form")]
    NotCanonical(&'static str),
    /// The body is not the one that was signed.
    #[error("its body is not the one that was signed: something in it was changed")]
    Body,
    /// The tree is not that of the body.
    #[error("the root over its LPs does not belong to its body")]
    Tree,
    /// The signature does not fit.
    #[error("its signature is wrong: the header was changed, or another key signed it")]
    Signature,
    /// The pool's own key.
    #[error("the signing key cannot be used")]
    Key,
}
