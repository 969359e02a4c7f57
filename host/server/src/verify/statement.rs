//! `alp verify --statement`: a statement, checked by itself and, where there is a record beside it, line by line.

use std::path::Path;

use alp_record::chain::{
    Entry, Finding, PublicKey, SignedStatement, Statement, StatementCheck, read_text_form,
};

use super::VerifyError;
use super::source::read_text;

/// What came of checking a statement.
#[derive(Debug)]
pub struct CheckedStatement {
    /// What is wrong with it, a sentence each.
    pub wrong: Vec<String>,
    /// The key that signed it, if its signature is right.
    pub key: Option<PublicKey>,
    /// Whether the caller gave the key.
    pub key_given: bool,
    /// What it says, if it is right and the document itself: the other forms are texts, of which only the signature is
    /// checked.
    pub statement: Option<Statement>,
}

/// Checks a statement's form, its signature and its sums. `key` is the pool's, if the caller knows it.
///
/// # Errors
/// [`VerifyError`] if the file cannot be read.
pub fn check_statement(file: &Path, key: Option<PublicKey>) -> Result<CheckedStatement, VerifyError> {
    let text = read_text(file)?;
    let key_given = key.is_some();
    let read = if text.starts_with('{') {
        SignedStatement::read(&text).map(|(signed, by)| (by, Some(signed.statement)))
    } else {
        read_text_form(&text).map(|(_, by)| (by, None))
    };
    let (signed_by, statement) = match read {
        Ok(read) => read,
        Err(error) => {
            return Ok(CheckedStatement {
                wrong: vec![error.to_string()],
                key: None,
                key_given,
                statement: None,
            });
        }
    };
    let mut wrong = statement.as_ref().map(Statement::wrong).unwrap_or_default();
    if let Some(key) = key.filter(|key| *key != signed_by) {
        wrong.push(format!("it is signed by {signed_by}, not by the pool's key {key}"));
    }
    Ok(CheckedStatement { wrong, key: Some(signed_by), key_given, statement })
}

/// What `alp verify --statement` says of a statement by itself.
#[must_use]
pub fn statement_report(checked: &CheckedStatement) -> String {
    let mut text = String::new();
    for wrong in &checked.wrong {
        text.push_str(&format!("the statement is not right: {wrong}\n"));
    }
    if checked.wrong.is_empty() {
        text.push_str(match checked.statement {
            Some(_) => "the statement is right: its signature, and the sums of its lines\n",
            None => "the statement is right: its signature over all of its text\n",
        });
    }
    if let Some(key) = checked.key {
        let whence =
            if checked.key_given { "as given" } else { "compare it with what the pool publishes elsewhere" };
        text.push_str(&format!("signed by {key} ({whence})\n"));
    }
    text
}

/// A statement that is held against the entries of a record as they are read; nothing if none was given.
#[derive(Default)]
pub(super) struct Beside(Option<(CheckedStatement, Option<StatementCheck>)>);

impl Beside {
    pub(super) fn open(file: Option<&Path>, key: Option<PublicKey>) -> Result<Self, VerifyError> {
        let Some(file) = file else { return Ok(Self::default()) };
        let checked = check_statement(file, key)?;
        let check = checked.statement.clone().map(StatementCheck::new);
        Ok(Self(Some((checked, check))))
    }

    pub(super) fn compare(&mut self, text: &str) {
        // One that cannot be read is the verifier's finding.
        if let Some((_, Some(check))) = &mut self.0
            && let Ok(entry) = Entry::read(text)
        {
            check.compare(&entry);
        }
    }

    /// The statement, and what is wrong with it. `record_key` is the key that signed the record.
    pub(super) fn end(self, record_key: Option<PublicKey>) -> (Option<CheckedStatement>, Vec<Finding>) {
        let Some((checked, check)) = self.0 else { return (None, Vec::new()) };
        let mut findings = check.map(StatementCheck::findings).unwrap_or_default();
        let mut find = |what| findings.push(Finding { entry: None, round: None, what });
        for what in &checked.wrong {
            find(format!("the statement is not right: {what}"));
        }
        if let (Some(by), Some(key)) = (checked.key, record_key)
            && by != key
        {
            find(format!("the statement is signed by {by}, and the record by {key}"));
        }
        (Some(checked), findings)
    }
}
