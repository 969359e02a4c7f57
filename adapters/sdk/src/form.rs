//! `name=value` pairs in a fixed order: the query of a call, a form body, and the text that is signed.

use crate::Field;

/// Pairs in the order in which they are written and signed. Values are percent-encoded as they are added, so
/// the text that is signed and the pairs that are sent cannot differ.
///
/// ```
/// let query = alp_adapter::form::Form::new().with("symbol", "LTCBTC").with("at", "08:53");
/// assert_eq!(query.text(), "symbol=LTCBTC&at=08%3A53");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<Field>,
}

impl Form {
    /// No pair yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair, its value percent-encoded as RFC 3986 says: everything but letters, digits and `-._~`.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        let encoded = percent_encode(value);
        self.with_exact(name, &encoded)
    }

    /// Adds a pair if there is a value: an optional member that was left out is empty.
    #[must_use]
    pub fn with_some(self, name: &str, value: &str) -> Self {
        if value.is_empty() { self } else { self.with(name, value) }
    }

    /// Adds a pair as it stands, for exchanges that want a character unencoded.
    #[must_use]
    pub fn with_exact(mut self, name: &str, value: &str) -> Self {
        self.fields.push(Field { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Puts the pairs in the order of their names' bytes, for exchanges that sign them sorted.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.fields.sort_by(|one, other| one.name.cmp(&other.name));
        self
    }

    /// The pairs joined with `&`: what most exchanges sign.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(128);
        for field in &self.fields {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(&field.name);
            text.push('=');
            text.push_str(&field.value);
        }
        text
    }

    /// A whole URL with the pairs as its query, for exchanges that sign that.
    pub fn url(&self, origin: &str, path: &str) -> String {
        format!("{origin}{path}?{}", self.text())
    }

    /// The pairs, to be sent.
    pub fn into_fields(self) -> Vec<Field> {
        self.fields
    }
}

/// Everything but letters, digits and `-._~` as `%` and two hexadecimal digits in capitals.
pub fn percent_encode(text: &str) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'A' + value - 10 });
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_characters_and_letters_beyond_ascii_are_encoded() {
        assert_eq!(percent_encode("a-._~Z9"), "a-._~Z9");
        assert_eq!(percent_encode("a+b/c=d e&ü"), "a%2Bb%2Fc%3Dd%20e%26%C3%BC");
    }

    #[test]
    fn the_order_is_the_one_given_until_it_is_sorted_by_bytes() {
        let form = Form::new().with("symbol", "x").with("Timestamp", "y").with_some("left_out", "");
        assert_eq!(form.text(), "symbol=x&Timestamp=y");
        assert_eq!(form.sorted().text(), "Timestamp=y&symbol=x");
        assert_eq!(Form::new().text(), "");
    }
}
