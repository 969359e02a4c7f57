//! WebAssembly's binary format, as far as the tests write it themselves.

/// The number as WebAssembly writes it.
pub(crate) fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![];
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
