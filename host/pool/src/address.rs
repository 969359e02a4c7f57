//! Payout addresses: base58check text of a version byte and a 20-byte hash.

use thiserror::Error;

/// Bytes of an address: version, hash, checksum.
pub const ADDRESS_BYTES: usize = 25;

/// Longest text that is looked at; an address of 25 bytes has at most 35 characters.
const MAX_ADDRESS_TEXT: usize = 64;

/// The addresses of one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRules {
    /// The currency's name, for messages: `NBT`.
    pub currency: String,
    /// The letter that its addresses start with. It is looked at first, as ALP-Server did.
    pub letter: char,
    /// The version bytes that are accepted: of NBT, 25 (a key's hash) and 26 (a script's hash).
    pub versions: Vec<u8>,
}

impl AddressRules {
    /// Those of NuBits.
    #[must_use]
    pub fn nubits() -> Self {
        Self { currency: "NBT".to_owned(), letter: 'B', versions: vec![25, 26] }
    }

    /// Whether coins can be sent there.
    ///
    /// # Errors
    /// What is wrong with it. The letter alone proves nothing (other versions and lengths give the same letter),
    /// so version and length are looked at too.
    pub fn check(&self, address: &str) -> Result<(), AddressError> {
        if !address.starts_with(self.letter) {
            return Err(AddressError::Letter);
        }
        if address.len() > MAX_ADDRESS_TEXT {
            return Err(AddressError::Checksum);
        }
        let payload =
            bs58::decode(address).with_check(None).into_vec().map_err(|_| AddressError::Checksum)?;
        // The four bytes of the checksum are already off.
        if payload.len().checked_add(4) != Some(ADDRESS_BYTES) {
            return Err(AddressError::Length);
        }
        match payload.first() {
            Some(version) if self.versions.contains(version) => Ok(()),
            Some(version) => Err(AddressError::Version(*version)),
            None => Err(AddressError::Length),
        }
    }
}

/// Why an address is none. For the bot's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// It starts with another letter.
    #[error("starts with another letter")]
    Letter,
    /// A letter outside base58, or a checksum that does not match.
    #[error("the checksum does not match")]
    Checksum,
    /// Right checksum, other length.
    #[error("it is not {ADDRESS_BYTES} bytes long")]
    Length,
    /// Right checksum, another currency's or network's version.
    #[error("its version is {0}")]
    Version(u8),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str) -> Result<(), AddressError> {
        AddressRules::nubits().check(address)
    }

    fn encode(version: u8, length: usize) -> String {
        let mut bytes = vec![7; length];
        bytes[0] = version;
        bs58::encode(bytes).with_check().into_string()
    }

    #[test]
    fn keys_and_scripts_of_the_main_network_are_paid() {
        assert_eq!(check("BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96"), Ok(()));
        assert_eq!(check("Bdoa6XJzzfFrMgwysASZGmvSMoXGPmQD6R"), Ok(()));
    }

    #[test]
    fn pb_07_other_versions_lengths_and_inner_blanks_are_refused() {
        assert_eq!(check("bPwdoprYd3SRHqUCG5vCcEY68g8UfGC1d9"), Err(AddressError::Letter));
        assert_eq!(check("BMJ2PJ1TNMwnTYUo pQVxBrAPmmJjJjhd96"), Err(AddressError::Checksum));
        assert_eq!(check("BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd97"), Err(AddressError::Checksum));
        for (version, length) in [(24, 21), (27, 21), (25, 20), (25, 22), (25, 33)] {
            let address = encode(version, length);
            let rules = AddressRules { letter: address.chars().next().unwrap(), ..AddressRules::nubits() };
            assert!(rules.check(&address).is_err(), "{version} {length}");
        }
    }

    #[test]
    fn pb_31_letters_outside_base58_and_outside_ascii_are_refused_not_crashed_on() {
        for address in ["B0OIl", "B", "", "Bäää", "B\0", &"B".repeat(10_000)] {
            assert!(check(address).is_err(), "{address}");
        }
    }
}
