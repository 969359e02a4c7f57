//! Payout addresses, right and wrong.

/// The version byte of an ordinary NBT address.
const NBT: u8 = 25;

/// The address of this version and payload, with a right checksum.
pub fn address(version: u8, payload: &[u8]) -> String {
    bs58::encode(payload).with_check_version(version).into_string()
}

/// An address that belongs to this name: the same name, the same address.
pub fn address_of(name: &str) -> String {
    let mut payload = [0_u8; 20];
    for (place, byte) in name.bytes().enumerate() {
        let slot = &mut payload[place % 20];
        *slot = slot.wrapping_mul(31).wrapping_add(byte);
    }
    address(NBT, &payload)
}
