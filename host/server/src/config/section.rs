//! Reading one table of a TOML file: each key once, with its default, its bounds, and a fault for whatever is off.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::MAX_FILE_BYTES;
use super::faults::ConfigFaults;
use crate::calendar;

/// Reads a file and hands its top table to `read`. Keys that `read` did not ask for are faults.
pub(super) fn read_file<T>(
    file: &Path,
    faults: &mut ConfigFaults,
    read: impl FnOnce(&Section<'_, '_>) -> Option<T>,
) -> Option<T> {
    let text = match read_text(file) {
        Ok(text) => text,
        Err(message) => {
            faults.add(file, "", message);
            return None;
        }
    };
    read_section(file, &text, faults, read)
}

/// Hands the top table of a text to `read`, as [`read_file`] does. `file` is what faults name.
pub(super) fn read_section<T>(
    file: &Path,
    text: &str,
    faults: &mut ConfigFaults,
    read: impl FnOnce(&Section<'_, '_>) -> Option<T>,
) -> Option<T> {
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let line =
                error.span().map_or(1, |span| text.get(..span.start).unwrap_or("").lines().count().max(1));
            faults.add(file, "", format!("is not TOML at line {line}: {}", error.message()));
            return None;
        }
    };
    let collected = RefCell::new(std::mem::take(faults));
    let section = Section {
        file,
        path: String::new(),
        table: table.get_ref(),
        used: RefCell::default(),
        faults: &collected,
    };
    let value = read(&section);
    section.finish();
    *faults = collected.into_inner();
    value
}

fn read_text(file: &Path) -> Result<String, String> {
    let length = std::fs::metadata(file).map_err(|error| format!("cannot be read: {error}"))?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("has {length} bytes: at most {MAX_FILE_BYTES} are read"));
    }
    std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))
}

/// One table.
pub(super) struct Section<'a, 'i> {
    file: &'a Path,
    path: String,
    table: &'a DeTable<'i>,
    used: RefCell<BTreeSet<String>>,
    faults: &'a RefCell<ConfigFaults>,
}

impl<'a, 'i> Section<'a, 'i> {
    /// A text; `default` none means that it must be there.
    pub(super) fn text(&self, key: &str, default: Option<&str>) -> Option<String> {
        match self.value(key) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            Some(other) => self.wrong_type(key, other, "a text in quotes"),
            None => self.missing(key, default.map(ToOwned::to_owned), "a text in quotes"),
        }
    }

    /// A text that may be left out.
    pub(super) fn optional_text(&self, key: &str) -> Option<String> {
        if self.table.contains_key(key) { self.text(key, None) } else { None }
    }

    /// A switch.
    pub(super) fn flag(&self, key: &str, default: bool) -> Option<bool> {
        match self.value(key) {
            Some(DeValue::Boolean(flag)) => Some(*flag),
            Some(other) => self.wrong_type(key, other, "true or false"),
            None => Some(default),
        }
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, key: &str, default: u64, bounds: RangeInclusive<u64>) -> Option<u64> {
        let number = match self.value(key) {
            None => return Some(default),
            Some(DeValue::Integer(number)) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            Some(other) => return self.wrong_type(key, other, "a whole number"),
        };
        match number.filter(|number| bounds.contains(number)) {
            Some(number) => Some(number),
            None => {
                self.fault(
                    key,
                    format!("must be a whole number from {} to {}", bounds.start(), bounds.end()),
                );
                None
            }
        }
    }

    /// A decimal number, read from its text and so exact: in quotes or not.
    pub(super) fn decimal<T, E: Display>(
        &self,
        key: &str,
        default: Option<T>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = match self.value(key) {
            Some(DeValue::String(text)) => text.to_string(),
            Some(DeValue::Float(number)) => number.as_str().to_owned(),
            Some(DeValue::Integer(number)) if number.radix() == 10 => number.as_str().to_owned(),
            Some(other) => return self.wrong_type(key, other, "a decimal number"),
            None => return self.missing(key, default, "a decimal number"),
        };
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(key, error.to_string());
                None
            }
        }
    }

    /// A switch that must be there.
    pub(super) fn needed_flag(&self, key: &str) -> Option<bool> {
        if self.table.contains_key(key) {
            self.flag(key, false)
        } else {
            self.missing(key, None, "true or false")
        }
    }

    /// A whole number or a text, as text; it must be there.
    pub(super) fn whole_or_text(&self, key: &str, wanted: &str) -> Option<String> {
        match self.value(key) {
            Some(DeValue::String(text)) => Some(text.to_string()),
            Some(DeValue::Integer(number)) if number.radix() == 10 => Some(number.as_str().to_owned()),
            Some(other) => self.wrong_type(key, other, wanted),
            None => self.missing(key, None, wanted),
        }
    }

    /// One text or a list of texts; none if the key is not there.
    pub(super) fn texts_of(&self, key: &str) -> Option<Vec<String>> {
        let wanted = "a list of texts in quotes";
        let list = match self.value(key) {
            None => return Some(Vec::new()),
            Some(DeValue::String(text)) => return Some(vec![text.to_string()]),
            Some(DeValue::Array(list)) => list,
            Some(other) => return self.wrong_type(key, other, wanted),
        };
        let texts: Option<Vec<String>> =
            list.iter().map(|item| item.get_ref().as_str().map(ToOwned::to_owned)).collect();
        if texts.is_none() {
            self.fault(key, format!("must be {wanted}"));
        }
        texts
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes a key as known without reading it.
    pub(super) fn pass_over(&self, key: &str) {
        self.used.borrow_mut().insert(key.to_owned());
    }

    /// A decimal number that may be left out. Nothing if it is faulty.
    pub(super) fn optional_decimal<T, E: Display>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        if self.has(key) { self.decimal(key, None, parse).map(Some) } else { Some(None) }
    }

    /// A whole number that may be left out. Nothing if it is faulty.
    pub(super) fn optional_whole(&self, key: &str, bounds: RangeInclusive<u64>) -> Option<Option<u64>> {
        if self.has(key) { self.whole(key, *bounds.start(), bounds).map(Some) } else { Some(None) }
    }

    /// A moment, in Unix seconds: that number, or a date with its time and zone, in quotes or not.
    pub(super) fn moment(&self, key: &str) -> Option<u64> {
        let wanted = "a moment such as 2026-12-01T00:00:00Z, or Unix seconds";
        let text = match self.value(key) {
            Some(DeValue::String(text)) => text.to_string(),
            Some(DeValue::Datetime(moment)) => moment.to_string(),
            Some(DeValue::Integer(number)) if number.radix() == 10 => number.as_str().to_owned(),
            Some(other) => return self.wrong_type(key, other, wanted),
            None => return self.missing(key, None, wanted),
        };
        let moment = calendar::read_moment(&text).filter(|moment| *moment > 0);
        if moment.is_none() {
            self.fault(key, format!("must be {wanted}"));
        }
        moment
    }

    /// A list of whole numbers below 256.
    pub(super) fn bytes(&self, key: &str, default: &[u8]) -> Option<Vec<u8>> {
        let list = match self.value(key) {
            None => return Some(default.to_vec()),
            Some(DeValue::Array(list)) => list,
            Some(other) => return self.wrong_type(key, other, "a list of whole numbers from 0 to 255"),
        };
        let bytes: Option<Vec<u8>> = list
            .iter()
            .map(|item| item.get_ref().as_integer().and_then(|number| number.as_str().parse().ok()))
            .collect();
        if bytes.as_ref().is_none_or(Vec::is_empty) {
            self.fault(key, "must be a list of whole numbers from 0 to 255");
            return None;
        }
        bytes
    }

    /// A table within this one.
    pub(super) fn section<'s>(&'s self, key: &str) -> Option<Section<'s, 'i>> {
        match self.value(key) {
            Some(DeValue::Table(table)) => Some(self.inner(key, table)),
            Some(other) => self.wrong_type(key, other, "a section"),
            None => None,
        }
    }

    /// Every table within this one that has not been asked for yet, by its name.
    pub(super) fn other_sections<'s>(&'s self) -> Vec<(String, Section<'s, 'i>)> {
        let names: Vec<String> = self
            .table
            .iter()
            .filter(|(_, value)| value.get_ref().is_table())
            .map(|(name, _)| name.get_ref().to_string())
            .filter(|name| !self.used.borrow().contains(name))
            .collect();
        names.into_iter().filter_map(|name| self.section(&name).map(|section| (name, section))).collect()
    }

    /// The tables of a list of tables.
    pub(super) fn list<'s>(&'s self, key: &str) -> Vec<Section<'s, 'i>> {
        let list = match self.value(key) {
            None => return Vec::new(),
            Some(DeValue::Array(list)) => list,
            Some(other) => {
                self.wrong_type::<()>(key, other, "a list of sections");
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (item, number) in list.iter().zip(1..) {
            match item.get_ref().as_table() {
                Some(table) => sections.push(self.inner(&format!("{key}[{number}]"), table)),
                None => {
                    self.wrong_type::<()>(key, item.get_ref(), "a list of sections");
                }
            }
        }
        sections
    }

    /// Every key of this table with a text as its value.
    pub(super) fn texts(&self) -> Vec<(String, Option<String>)> {
        let names: Vec<String> = self.table.keys().map(|name| name.get_ref().to_string()).collect();
        names
            .into_iter()
            .map(|name| {
                let text = match self.value(&name) {
                    Some(DeValue::Integer(number)) => Some(number.as_str().to_owned()),
                    Some(_) | None => self.text(&name, None),
                };
                (name, text)
            })
            .collect()
    }

    /// Reports a fault of a key.
    pub(super) fn fault(&self, key: &str, message: impl Into<String>) {
        self.faults.borrow_mut().add(self.file, &self.path_of(key), message);
    }

    /// Reports what nobody asked for: a misspelt key would else silently take its default.
    pub(super) fn finish(&self) {
        let used = self.used.borrow();
        for name in self.table.keys().map(|name| name.get_ref()).filter(|name| !used.contains(&***name)) {
            self.fault(name, "is not a key that is known here");
        }
    }

    fn value(&self, key: &str) -> Option<&'a DeValue<'i>> {
        self.used.borrow_mut().insert(key.to_owned());
        self.table.get(key).map(|value| value.get_ref())
    }

    fn inner<'s>(&'s self, key: &str, table: &'s DeTable<'i>) -> Section<'s, 'i> {
        let path = self.path_of(key);
        Section { file: self.file, path, table, used: RefCell::default(), faults: self.faults }
    }

    fn path_of(&self, key: &str) -> String {
        match (self.path.is_empty(), key.is_empty()) {
            (true, _) => key.to_owned(),
            (false, true) => self.path.clone(),
            (false, false) => format!("{}.{key}", self.path),
        }
    }

    fn wrong_type<T>(&self, key: &str, value: &DeValue<'_>, wanted: &str) -> Option<T> {
        self.fault(
            key,
            format!("is {} {}: it must be {wanted}", article(value.type_str()), value.type_str()),
        );
        None
    }

    fn missing<T>(&self, key: &str, default: Option<T>, wanted: &str) -> Option<T> {
        if default.is_none() {
            self.fault(key, format!("is missing: it must be {wanted}"));
        }
        default
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
