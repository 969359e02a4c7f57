//! Reading `application/x-www-form-urlencoded`: fields in their order, each once, each exactly what was escaped.
//! It knows no field by name and refuses what browsers guess at.

use thiserror::Error;

use crate::message::{MAX_MEMBER_NAME, MAX_MEMBER_VALUE, MAX_MEMBERS, shown};

/// Most fields of a form: the most members that are signed, and the six that the protocol itself has.
const MAX_FIELDS: usize = MAX_MEMBERS + 6;

/// A form, its fields in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form(Vec<(String, String)>);

/// Why a body is no form. The bot's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FormError {
    /// Nothing is in it.
    #[error("the form has no fields")]
    Empty,
    /// Too many fields.
    #[error("the form has more than {MAX_FIELDS} fields, which is the most that is read")]
    TooMany,
    /// A field without a name, or with one that is too long.
    #[error("a field of the form has a name that is not 1 to {MAX_MEMBER_NAME} bytes long")]
    Name,
    /// A value that is too long.
    #[error("the field {0} is longer than {MAX_MEMBER_VALUE} bytes")]
    TooLong(String),
    /// A field that is there twice.
    #[error("the field {0} is given twice")]
    Twice(String),
    /// A percent sign without two hexadecimal digits.
    #[error("the form has a broken escape: a percent sign has two hexadecimal digits after it")]
    Escape,
    /// Bytes that are no text.
    #[error("the form must be UTF-8")]
    NotUtf8,
    /// Control characters.
    #[error("the field {0} must not have control characters")]
    Control(String),
}

impl Form {
    /// Reads a body. A field without `=` has an empty value; nothing between two `&` is no field.
    pub(crate) fn read(body: &[u8]) -> Result<Self, FormError> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for written in body.split(|byte| *byte == b'&').filter(|written| !written.is_empty()) {
            if fields.len() >= MAX_FIELDS {
                return Err(FormError::TooMany);
            }
            let mut parts = written.splitn(2, |byte| *byte == b'=');
            let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let name = unescaped(name)?;
            if name.is_empty() || name.len() > MAX_MEMBER_NAME || name.chars().any(char::is_control) {
                return Err(FormError::Name);
            }
            let value = unescaped(value)?;
            if value.len() > MAX_MEMBER_VALUE {
                return Err(FormError::TooLong(shown(&name)));
            }
            if value.chars().any(char::is_control) {
                return Err(FormError::Control(shown(&name)));
            }
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(FormError::Twice(shown(&name)));
            }
            fields.push((name, value));
        }
        if fields.is_empty() { Err(FormError::Empty) } else { Ok(Self(fields)) }
    }

    /// Takes a field out. An empty one counts as missing.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        let (_, value) = self.0.remove(place);
        (!value.is_empty()).then_some(value)
    }

    /// What was not taken, in its order.
    pub(crate) fn rest(self) -> Vec<(String, String)> {
        self.0
    }
}

fn unescaped(written: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or(FormError::Escape)?, digit().ok_or(FormError::Escape)?);
                let byte = u8::try_from(high.saturating_mul(16).saturating_add(low));
                bytes.push(byte.map_err(|_| FormError::Escape)?);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| FormError::NotUtf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(body: &str) -> Result<Vec<(String, String)>, FormError> {
        Form::read(body.as_bytes()).map(Form::rest)
    }

    #[test]
    fn fields_keep_their_order_and_come_out_as_they_were_before_escaping() {
        let read = fields("unit=btc&requests=%5B%22a%3Db%22%5D&empty=&bare&x+y=1+%2B%c3%A9&=").unwrap_err();
        assert_eq!(read, FormError::Name);
        let read = fields("unit=btc&&requests=%5B%22a%3Db%22%5D&empty=&bare&x+y=1+%2B%c3%A9=&").unwrap();
        let expected =
            [("unit", "btc"), ("requests", "[\"a=b\"]"), ("empty", ""), ("bare", ""), ("x y", "1 +é=")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn what_is_broken_is_refused_and_never_guessed() {
        let long_name = format!("{}=1", "n".repeat(MAX_MEMBER_NAME + 1));
        let long_value = format!("a={}", "v".repeat(MAX_MEMBER_VALUE + 1));
        let many: String = (0..=MAX_FIELDS).map(|number| format!("f{number}=&")).collect();
        for (body, error) in [
            ("", FormError::Empty),
            ("&&", FormError::Empty),
            ("a=%", FormError::Escape),
            ("a=%4", FormError::Escape),
            ("a=%4g", FormError::Escape),
            ("%+1=x", FormError::Escape),
            ("a=%ff", FormError::NotUtf8),
            ("a=%ed%a0%80", FormError::NotUtf8),
            ("a=1&a=1", FormError::Twice("a".to_owned())),
            ("a=1&%61=2", FormError::Twice("a".to_owned())),
            ("a=%00", FormError::Control("a".to_owned())),
            ("a%0a=1", FormError::Name),
            (&long_name, FormError::Name),
            (&long_value, FormError::TooLong("a".to_owned())),
            (&many, FormError::TooMany),
        ] {
            assert_eq!(fields(body), Err(error), "{body:.60}");
        }
    }

    fn escaped(text: &str) -> String {
        let mut written = String::new();
        for byte in text.bytes() {
            written.push_str(&format!("%{byte:02X}"));
        }
        written
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_within_the_bounds(
            body in prop::collection::vec(prop_oneof![Just(b'%'), Just(b'&'), Just(b'='), any::<u8>()], 0..600)
        ) {
            if let Ok(Form(fields)) = Form::read(&body) {
                prop_assert!((1..=MAX_FIELDS).contains(&fields.len()));
                for (name, value) in &fields {
                    prop_assert!((1..=MAX_MEMBER_NAME).contains(&name.len()) && value.len() <= MAX_MEMBER_VALUE);
                    prop_assert_eq!(fields.iter().filter(|(other, _)| other == name).count(), 1);
                }
            }
        }

        #[test]
        fn what_was_escaped_is_read_back(
            given in prop::collection::btree_map("[^\\p{C}]{1,8}", "[^\\p{C}]{0,20}", 1..8)
        ) {
            let written: Vec<String> =
                given.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
            let read = Form::read(written.join("&").as_bytes()).unwrap();
            prop_assert_eq!(read.rest(), given.into_iter().collect::<Vec<_>>());
        }
    }
}
