//! Where the values of a JSON text stand, so that it can be changed in one place and be the same in all others.
//! Numbers stay as they are written: a parser that goes through binary floats would spoil what is to be tested.

use std::ops::Range;

use serde::de::IgnoredAny;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    /// `true`, `false`, `null`.
    Word,
    List,
    Object,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) kind: Kind,
    /// Its bytes, quotes and brackets included.
    pub(super) at: Range<usize>,
    /// From the start of its member's name, if it is a member, to its end.
    pub(super) member: Range<usize>,
    /// The list or object it stands in, as an index.
    pub(super) parent: Option<usize>,
}

/// All values of a JSON text, outer ones before inner ones; `None` if it is no JSON.
pub(super) fn spans(text: &[u8]) -> Option<Vec<Span>> {
    serde_json::from_slice::<IgnoredAny>(text).ok()?;
    let mut reader = Reader { text, at: 0, spans: Vec::new(), open: Vec::new(), name: None };
    while reader.token()? {}
    Some(reader.spans)
}

/// Reads a text that is known to be JSON, so that every token is as expected.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    spans: Vec<Span>,
    open: Vec<usize>,
    /// Where the name of the member began whose value comes next.
    name: Option<usize>,
}

impl Reader<'_> {
    /// Takes one token. `Some(false)` at the end; `None` if the text is no JSON after all.
    fn token(&mut self) -> Option<bool> {
        let Some(byte) = self.text.get(self.at).copied() else { return Some(false) };
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => self.at = self.at.checked_add(1)?,
            b'[' => self.begin(Kind::List)?,
            b'{' => self.begin(Kind::Object)?,
            b']' | b'}' => {
                self.at = self.at.checked_add(1)?;
                let end = self.at;
                let span = self.spans.get_mut(self.open.pop()?)?;
                (span.at.end, span.member.end) = (end, end);
            }
            b'"' => {
                let end = self.end_of_text()?;
                if self.is_name() {
                    self.name = Some(self.at);
                    self.at = end;
                } else {
                    self.whole(Kind::Text, end);
                }
            }
            b'-' | b'0'..=b'9' => {
                let end = self.end_of(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
                self.whole(Kind::Number, end);
            }
            _ => {
                let end = self.end_of(|byte| byte.is_ascii_lowercase());
                self.whole(Kind::Word, end);
            }
        }
        Some(true)
    }

    /// Whether the text that begins here is a member's name: directly in an object, and no name before it.
    fn is_name(&self) -> bool {
        let parent = self.open.last().and_then(|parent| self.spans.get(*parent));
        parent.is_some_and(|parent| parent.kind == Kind::Object) && self.name.is_none()
    }

    fn begin(&mut self, kind: Kind) -> Option<()> {
        let index = self.spans.len();
        self.push(kind, self.at.checked_add(1)?);
        self.open.push(index);
        self.at = self.at.checked_add(1)?;
        Some(())
    }

    fn whole(&mut self, kind: Kind, end: usize) {
        self.push(kind, end);
        // A word of no letters cannot be in JSON; the step keeps even that from never ending.
        self.at = end.max(self.at.saturating_add(1));
    }

    fn push(&mut self, kind: Kind, end: usize) {
        let member = self.name.take().unwrap_or(self.at)..end;
        self.spans.push(Span { kind, at: self.at..end, member, parent: self.open.last().copied() });
    }

    fn end_of_text(&self) -> Option<usize> {
        let mut end = self.at.checked_add(1)?;
        loop {
            match self.text.get(end)? {
                b'"' => return end.checked_add(1),
                b'\\' => end = end.checked_add(2)?,
                _ => end = end.checked_add(1)?,
            }
        }
    }

    fn end_of(&self, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| belongs(**byte)).count();
        self.at.saturating_add(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_found_where_it_stands() {
        let text = br#" {"a": [1.50e3, "x\"]", null], "b" : {"c":"d"}} "#;
        let spans = spans(text).unwrap();
        let shown: Vec<_> =
            spans.iter().map(|span| std::str::from_utf8(&text[span.at.clone()]).unwrap()).collect();
        let list = r#"[1.50e3, "x\"]", null]"#;
        let whole = std::str::from_utf8(text).unwrap().trim();
        assert_eq!(shown, [whole, list, "1.50e3", r#""x\"]""#, "null", r#"{"c":"d"}"#, "\"d\""]);
        assert_eq!(spans.iter().map(|span| span.parent).collect::<Vec<_>>()[2], Some(1));
        assert_eq!(&text[spans[6].member.clone()], br#""c":"d""#);
    }

    #[test]
    fn what_is_no_json_has_no_values() {
        assert!([&b"<html>"[..], b"", b"{\"a\"", b"[1,]"].iter().all(|text| spans(text).is_none()));
    }
}
