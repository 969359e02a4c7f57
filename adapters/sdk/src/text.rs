//! One value of a reply, read as the text it is.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::{Decimal, Fault};

/// A JSON string, number, boolean or null, as text: a number exactly as it stands there, null as the empty
/// text. Exchanges change their mind about which of their numbers and ids are strings; this takes either.
///
/// It borrows from the reply, so the structure that holds it needs `#[serde(borrow)]` on (at least) one field.
/// It cannot stand inside `#[serde(flatten)]` or an untagged enum, since those keep no text.
///
/// ```
/// use alp_adapter::{Text, serde_json};
/// #[derive(serde::Deserialize)]
/// struct Order<'a> {
///     #[serde(borrow)]
///     id: Text<'a>,
///     price: Text<'a>,
/// }
/// let order: Order = serde_json::from_str(r#"{"id":9007199254740993,"price":"0.0015"}"#).unwrap();
/// assert_eq!(order.id.as_str(), "9007199254740993");
/// assert_eq!(order.price.decimal("price").unwrap().to_string(), "0.0015");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl<'a> Text<'a> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it was null, the empty string, or left out where that is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is one of these words.
    pub fn is_one_of(&self, words: &[&str]) -> bool {
        words.contains(&self.as_str())
    }

    /// The decimal number it holds. `name` is the reply's name for it.
    ///
    /// # Errors
    /// The reply's fault, if it is no number.
    pub fn decimal(&self, name: &str) -> Result<Decimal<'_>, Fault> {
        Decimal::parse(&self.0).map_err(|error| Fault::Unreadable(format!("`{name}` of an order is {error}")))
    }

    /// The text for as long as the reply lives, if it stands in the reply as it is.
    pub(crate) fn borrowed(&self) -> Option<&'a str> {
        match self.0 {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        }
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        let is_compound = json.starts_with(['[', '{']);
        let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match inner {
            Some(inner) if !inner.contains('\\') => Ok(Text(Cow::Borrowed(inner))),
            Some(_) => serde_json::from_str(json)
                .map(|text| Text(Cow::Owned(text)))
                .map_err(serde::de::Error::custom),
            None if json == "null" => Ok(Text::default()),
            None if is_compound => {
                Err(serde::de::Error::custom("a list or object where a number or text should be"))
            }
            None => Ok(Text(Cow::Borrowed(json))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        serde_json::from_str::<Text<'_>>(json).ok().map(|text| text.as_str().to_owned())
    }

    #[test]
    fn every_scalar_becomes_its_exact_text() {
        assert_eq!(read("9007199254740993").as_deref(), Some("9007199254740993"));
        assert_eq!(read("1.10E-8").as_deref(), Some("1.10E-8"));
        assert_eq!(read(r#""A-1""#).as_deref(), Some("A-1"));
        assert_eq!(read(r#""A\u002d1\n""#).as_deref(), Some("A-1\n"));
        assert_eq!(read("true").as_deref(), Some("true"));
        assert_eq!(read(" null ").as_deref(), Some(""));
    }

    #[test]
    fn lists_objects_and_broken_json_are_refused() {
        assert!(["[1]", "{}", "\"open", "01", "NaN", ""].iter().all(|json| read(json).is_none()));
    }

    #[test]
    fn a_word_is_no_decimal_and_the_fault_names_the_field() {
        let Err(Fault::Unreadable(text)) = Text(Cow::Borrowed("much")).decimal("price") else {
            panic!("it was read")
        };
        assert!(text.contains("`price`"));
    }
}
