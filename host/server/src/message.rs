//! Reading what a bot posts: a JSON object, its members in order, each as written.

use std::fmt;

use alp_sandbox::types::{Member, Scalar};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Longest API key. Coinbase's, the longest known, has about a hundred characters.
pub const MAX_USER: usize = 256;

/// Longest signature. A JWT has about 700 characters.
const MAX_SIGN: usize = 4096;

/// Longest text of any other field.
const MAX_FIELD: usize = 128;

/// Most members of `req`. The exchange with the most needs six.
pub(crate) const MAX_MEMBERS: usize = 32;

/// Longest name and longest value of a member of `req`; two signed addresses in a list take about 500 characters.
pub(crate) const MAX_MEMBER_NAME: usize = 64;
pub(crate) const MAX_MEMBER_VALUE: usize = 4096;

/// How much of a bad value is repeated in an answer.
pub const MAX_ECHO: usize = 100;

/// A message's members, as written.
#[derive(Debug)]
pub struct Message<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Message<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// The sentence for the bot.
    pub fn read(body: &'a [u8]) -> Result<Self, String> {
        let Members(members) =
            serde_json::from_slice(body).map_err(|_| "request body must be valid json".to_owned())?;
        if let Some(name) = first_twice(&members) {
            return Err(format!("the member {} is given twice", shown(name)));
        }
        Ok(Self(members))
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// The sentence for the bot: `no user provided`, or what is wrong with the value.
    pub fn text(&self, name: &str) -> Result<String, String> {
        let written = self.value(name).ok_or_else(|| format!("no {name} provided"))?;
        if !written.get().starts_with('"') {
            return Err(format!("{name} must be a text in quotes"));
        }
        let text: String =
            serde_json::from_str(written.get()).map_err(|_| format!("{name} must be a text"))?;
        check_text(name, &text)?;
        Ok(text)
    }

    /// Whether a member is there.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// A whole number that may be left out, and then is none. Zero counts as said.
    ///
    /// # Errors
    /// The sentence for the bot, if it is no whole number or has more than 64 bits.
    pub fn whole(&self, name: &str) -> Result<Option<u64>, String> {
        let Some((_, written)) = self.0.iter().find(|(member, _)| member == name) else { return Ok(None) };
        let number = serde_json::from_str(written.get());
        number.map(Some).map_err(|_| format!("{name} must be a whole number"))
    }

    /// The members of `req`, in the order in which they were written.
    ///
    /// # Errors
    /// The sentence for the bot: `no req provided`, or what is wrong with a member.
    pub fn req(&self) -> Result<Vec<Member>, String> {
        let written = self.value("req").ok_or("no req provided")?;
        if !written.get().starts_with('{') {
            return Err("req must be an object with the members that were signed".to_owned());
        }
        let Members(members) =
            serde_json::from_str(written.get()).map_err(|_| "req must be valid json".to_owned())?;
        if members.len() > MAX_MEMBERS {
            return Err(format!("req has {} members: at most {MAX_MEMBERS} are accepted", members.len()));
        }
        if let Some(name) = first_twice(&members) {
            return Err(format!("the member {} of req is given twice", shown(name)));
        }
        members.into_iter().map(|(name, value)| member(name, value)).collect()
    }

    /// The value of a member, unless it counts as missing: the original took everything that Python holds false
    /// (null, false, zero, and an empty text, list or object) for missing.
    fn value(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(member, _)| member == name)?;
        let compact: String = value.get().chars().filter(|c| !c.is_ascii_whitespace()).take(8).collect();
        let zero = compact.starts_with(['0', '-'])
            && value
                .get()
                .split(['e', 'E'])
                .next()
                .is_some_and(|digits| !digits.contains(|c| ('1'..='9').contains(&c)));
        let missing = matches!(compact.as_str(), "null" | "false" | "\"\"" | "[]" | "{}") || zero;
        (!missing).then_some(*value)
    }
}

/// Refuses a field that is longer than its kind ever is, or has control characters.
///
/// # Errors
/// The sentence for the bot.
pub(crate) fn check_text(name: &str, text: &str) -> Result<(), String> {
    let limit = match name {
        "user" => MAX_USER,
        "sign" => MAX_SIGN,
        _ => MAX_FIELD,
    };
    if text.len() > limit {
        return Err(format!("{name} has {} characters: at most {limit} are accepted", text.chars().count()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{name} must not have control characters"));
    }
    Ok(())
}

fn member(name: String, value: &RawValue) -> Result<Member, String> {
    let (echo, written) = (shown(&name), value.get());
    if name.is_empty() || name.len() > MAX_MEMBER_NAME {
        return Err(format!("a member of req has a name that is not 1 to {MAX_MEMBER_NAME} characters long"));
    }
    if written.len() > MAX_MEMBER_VALUE {
        return Err(format!("the member {echo} of req is longer than {MAX_MEMBER_VALUE} characters"));
    }
    let value = match written.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(written)
                .map_err(|_| format!("the member {echo} of req must be a text of Unicode characters"))?;
            if text.chars().any(char::is_control) {
                return Err(format!("the member {echo} of req must not have control characters"));
            }
            Scalar::Text(text)
        }
        Some(b'-' | b'0'..=b'9') => Scalar::Number(written.to_owned()),
        Some(_) | None => return Err(format!("the member {echo} of req must be a text or a number")),
    };
    Ok(Member { name, value })
}

/// A bot's own text, fit for being repeated to it: cut, and without control characters.
#[must_use]
pub fn shown(text: &str) -> String {
    alp_sandbox::clean_text(text, MAX_ECHO)
}

fn first_twice<'m>(members: &'m [(String, &RawValue)]) -> Option<&'m str> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    })
}

/// The members of an object in order, repeated ones included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &str, name: &str) -> Result<String, String> {
        Message::read(body.as_bytes()).and_then(|message| message.text(name))
    }

    fn req(body: &str) -> Result<Vec<Member>, String> {
        Message::read(body.as_bytes()).and_then(|message| message.req())
    }

    #[test]
    fn whatever_is_not_an_object_is_not_valid() {
        for body in ["", "[]", "\"text\"", "5", "null", "{", "{\"a\":}", "{\"a\":1}x"] {
            assert_eq!(text(body, "user").unwrap_err(), "request body must be valid json", "{body}");
        }
        assert_eq!(Message::read(b"{\"a\":\"\xff\"}").unwrap_err(), "request body must be valid json");
    }

    #[test]
    fn what_python_holds_false_counts_as_missing() {
        for value in ["null", "false", "0", "0.0", "-0", "0e5", "\"\"", "[]", "[ ]", "{}", "{ }"] {
            assert_eq!(
                text(&format!("{{\"user\":{value}}}"), "user").unwrap_err(),
                "no user provided",
                "{value}"
            );
        }
        assert_eq!(text("{}", "user").unwrap_err(), "no user provided");
    }

    #[test]
    fn a_value_of_a_wrong_type_is_called_one() {
        for value in ["5", "true", "[1]", "{\"a\":1}", "1e400"] {
            let error = text(&format!("{{\"user\":{value}}}"), "user").unwrap_err();
            assert_eq!(error, "user must be a text in quotes", "{value}");
        }
        assert!(text("{\"user\":\"a\\u0000b\"}", "user").unwrap_err().contains("control characters"));
        assert!(text("{\"user\":\"\\ud800\"}", "user").unwrap_err().contains("must be a text"));
        assert!(
            text(&format!("{{\"user\":\"{}\"}}", "k".repeat(257)), "user")
                .unwrap_err()
                .contains("at most 256")
        );
    }

    #[test]
    fn req_keeps_its_order_and_its_numbers_as_written() {
        let members = req(r#"{"req":{"b":1760000000123456789012,"a":"x\u0041","c":1e3}}"#).unwrap();
        let number = |text: &str| Scalar::Number(text.to_owned());
        let expected =
            [("b", number("1760000000123456789012")), ("a", Scalar::Text("xA".into())), ("c", number("1e3"))];
        assert!(members.iter().map(|m| (m.name.as_str(), m.value.clone())).eq(expected));
    }

    #[test]
    fn req_takes_texts_and_numbers_only() {
        for value in ["null", "true", "[1]", "{\"a\":1}"] {
            let error = req(&format!("{{\"req\":{{\"x\":{value}}}}}")).unwrap_err();
            assert_eq!(error, "the member x of req must be a text or a number", "{value}");
        }
        assert_eq!(req("{\"req\":{}}").unwrap_err(), "no req provided");
        assert!(req("{\"req\":\"a=1\"}").unwrap_err().contains("must be an object"));
        assert_eq!(req("{\"req\":{\"a\":1,\"a\":2}}").unwrap_err(), "the member a of req is given twice");
        let deep = format!("{{\"req\":{{\"x\":{}1{}}}}}", "[".repeat(45_000), "]".repeat(45_000));
        assert!(req(&deep).is_err());
    }

    #[test]
    fn a_member_given_twice_is_refused_not_guessed() {
        assert_eq!(text(r#"{"user":"a","user":"b"}"#, "user").unwrap_err(), "the member user is given twice");
    }
}
