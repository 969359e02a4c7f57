//! Replacing what must not be published by something of the same shape, the same everywhere.

/// Shorter texts occur by chance all over a reply.
pub(super) const FEWEST_CHARS: usize = 4;

/// Texts and what stands for each.
#[derive(Default)]
pub(super) struct Scrubbing {
    pairs: Vec<(String, String)>,
}

impl Scrubbing {
    /// Has `text` replaced; what will stand for it. The same text is replaced by the same.
    pub(super) fn add(&mut self, text: &str) -> String {
        if let Some((_, known)) = self.pairs.iter().find(|(one, _)| one == text) {
            return known.clone();
        }
        let stand_in = stand_in(text, self.pairs.len());
        self.pairs.push((text.to_owned(), stand_in.clone()));
        // Longer ones first: one may be part of another.
        self.pairs.sort_by_key(|(one, _)| std::cmp::Reverse(one.len()));
        stand_in
    }

    /// The bytes with every text replaced, as it stands and as it stands in an address.
    pub(super) fn scrub(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (text, stand_in) in self.pairs.iter().filter(|(text, _)| text.len() >= FEWEST_CHARS) {
            bytes = replaced(&bytes, text.as_bytes(), stand_in.as_bytes());
            let encoded = percent_encoded(text);
            if encoded != *text {
                bytes = replaced(&bytes, encoded.as_bytes(), percent_encoded(stand_in).as_bytes());
            }
        }
        bytes
    }

    /// Whether one of the texts is left in these bytes. A stand-in that equals its text is no text.
    pub(super) fn is_left_in(&self, bytes: &[u8]) -> bool {
        self.pairs.iter().any(|(text, stand_in)| {
            text.len() >= FEWEST_CHARS && text != stand_in && position(bytes, text.as_bytes()).is_some()
        })
    }
}

/// A text of the same shape: hexadecimal digits for hexadecimal digits, letters for letters, digits for digits. It
/// depends on the shape and on `number` alone, so nothing of the text can be read from it.
fn stand_in(text: &str, number: usize) -> String {
    const HEX: &[u8] = b"0123456789abcdef";
    let is_hex = text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let is_lower = !text.chars().any(|c| c.is_ascii_uppercase());
    // The last character of base64 carries bits that must be zero: `A` has none.
    let padded = text.ends_with('=');
    let last = text.trim_end_matches('=').chars().count();
    let pick = |alphabet: &[u8], index: usize| {
        let place = index.saturating_mul(7).saturating_add(number.saturating_mul(11)).saturating_add(3);
        let byte = alphabet.get(place.checked_rem(alphabet.len()).unwrap_or(0)).copied();
        char::from(byte.unwrap_or(b'x'))
    };
    let letters: Vec<u8> = (b'a'..=b'z').collect();
    let capitals: Vec<u8> = (b'A'..=b'Z').collect();
    let chars = text.chars().enumerate().map(|(index, c)| match c {
        _ if padded && index.saturating_add(1) == last => 'A',
        c if c.is_ascii_digit() && !is_hex => pick(b"1234567890", index),
        c if is_hex && c.is_ascii_hexdigit() => {
            let digits = text.chars().all(|c| c.is_ascii_digit() || c == '-');
            let picked = pick(if digits { b"1234567890" } else { HEX }, index);
            if is_lower { picked } else { picked.to_ascii_uppercase() }
        }
        c if c.is_ascii_lowercase() => pick(&letters, index),
        c if c.is_ascii_uppercase() => pick(&capitals, index),
        c if c.is_ascii() => c,
        _ => 'x',
    });
    chars.collect()
}

fn replaced(bytes: &[u8], text: &[u8], by: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(at) = position(rest, text) {
        out.extend(rest.get(..at).unwrap_or_default());
        out.extend(by);
        rest = rest.get(at.saturating_add(text.len())..).unwrap_or_default();
    }
    out.extend(rest);
    out
}

fn position(bytes: &[u8], text: &[u8]) -> Option<usize> {
    if text.is_empty() { None } else { bytes.windows(text.len()).position(|window| window == text) }
}

fn percent_encoded(text: &str) -> String {
    alp_adapter::form::percent_encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_has_the_shape_of_the_text_and_nothing_else_of_it() {
        assert_eq!(stand_in("deadbeef", 0), stand_in("00c0ffee", 0));
        assert!(stand_in("deadbeef", 0).chars().all(|c| c.is_ascii_hexdigit()));
        assert!(stand_in("123456", 1).chars().all(|c| c.is_ascii_digit()));
        assert_ne!(stand_in("123456", 1), stand_in("123456", 2));
        let padded = stand_in("c2VjcmV0LXNlY3JldA==", 0);
        assert!(padded.ends_with("A==") && padded.len() == 20, "{padded}");
        assert_eq!(stand_in("Key-ü", 0).chars().count(), 5);
    }

    #[test]
    fn every_occurrence_is_replaced_by_the_same_and_longer_texts_first() {
        let mut scrubbing = Scrubbing::default();
        let (short, long) = (scrubbing.add("abcd"), scrubbing.add("abcd+efgh"));
        assert_eq!(scrubbing.add("abcd"), short);
        let seen = scrubbing.scrub(b"abcd abcd+efgh abcd%2Befgh");
        let encoded = percent_encoded(&long);
        assert_eq!(String::from_utf8(seen.clone()).unwrap(), format!("{short} {long} {encoded}"));
        assert!(!scrubbing.is_left_in(&seen) && scrubbing.is_left_in(b"x abcd"));
    }
}
