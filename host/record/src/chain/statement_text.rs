//! Statements as texts for other programs: each form is signed as it is written, byte by byte, in its last line.
//! What the texts say is their writer's business.

use super::entry::{PoolKey, PublicKey, Signature};
use super::statement::{MAX_STATEMENT_BYTES, StatementError};

/// A form that is a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// Comma-separated values.
    Csv,
    /// The journal of ledger-cli.
    Ledger,
}

/// Between the two parts of a signature's line.
const SIGNATURE: &str = " alp-signature ";

impl TextForm {
    const ALL: [Self; 2] = [Self::Csv, Self::Ledger];

    /// What a comment begins with.
    #[must_use]
    pub fn comment(self) -> &'static str {
        match self {
            Self::Csv => "#",
            Self::Ledger => ";",
        }
    }

    /// The first line.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Csv => "# alp statement v1 csv",
            Self::Ledger => "; alp statement v1 ledger",
        }
    }

    /// What stands before the text when it is signed, so that the signature is good for nothing else.
    fn signed_as(self) -> &'static str {
        match self {
            Self::Csv => "alp statement v1 csv\n",
            Self::Ledger => "alp statement v1 ledger\n",
        }
    }
}

/// The text below its title, with the signature as its last line.
#[must_use]
pub fn sign_text_form(form: TextForm, body: &str, key: &PoolKey) -> String {
    let text = format!("{}\n{body}", form.title());
    let Signature { key, signature } = key.sign(form.signed_as(), &text);
    format!("{text}{}{SIGNATURE}{key} {signature}\n", form.comment())
}

/// Reads a text and checks its signature. Whether the signing key is the pool's is for the caller to say.
///
/// # Errors
/// [`StatementError`].
pub fn read_text_form(text: &str) -> Result<(TextForm, PublicKey), StatementError> {
    if text.len() > MAX_STATEMENT_BYTES {
        return Err(StatementError::TooLarge);
    }
    let title = text.lines().next().unwrap_or_default();
    let form = TextForm::ALL.into_iter().find(|form| form.title() == title).ok_or(StatementError::Lines)?;
    let line = text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n')).map(|(_, line)| line);
    let line = line.ok_or(StatementError::Lines)?;
    let named = line.strip_prefix(form.comment()).and_then(|rest| rest.strip_prefix(SIGNATURE));
    let (key, signature) = named.and_then(|rest| rest.split_once(' ')).ok_or(StatementError::Lines)?;
    let signature = Signature { key: key.to_owned(), signature: signature.to_owned() };
    let key = PublicKey::parse(key).ok_or(StatementError::Signature)?;
    let signed = text.strip_suffix('\n').and_then(|text| text.strip_suffix(line)).unwrap_or_default();
    if key.verifies(form.signed_as(), signed, &signature) {
        Ok((form, key))
    } else {
        Err(StatementError::Signature)
    }
}
