//! The author's own credentials: read, used for one signature, never written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alp_sandbox::types::Description;

use super::scrub::Scrubbing;

/// Credentials of an exchange. They have no `Debug`.
pub(super) struct Credentials {
    pub(super) key: String,
    pub(super) secret: String,
    /// What else the adapter needs, by its names.
    pub(super) others: BTreeMap<String, String>,
}

/// Why there are none. Names variables and files, never values.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// The file cannot be read.
    #[error("the credentials in {path} cannot be read")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no object of texts. What is in it is not repeated.
    #[error("{0} must be one JSON object of texts: {{\"key\": \"...\", \"secret\": \"...\"}}")]
    NoObject(PathBuf),
    /// Something is missing.
    #[error("`{name}` is missing{purpose}: it belongs into the file of --credentials, or into {variable}")]
    Missing {
        /// Which.
        name: String,
        /// What it is, where the adapter says so.
        purpose: String,
        /// The variable of the environment.
        variable: String,
    },
}

impl Credentials {
    /// Reads them from a file, or else from the environment.
    pub(super) fn read(
        file: Option<&Path>,
        description: &Description,
        tell: &impl Fn(&str),
    ) -> Result<Self, CredentialsError> {
        let mut given: BTreeMap<String, String> = match file {
            Some(path) => {
                warn_if_open(path, tell);
                let unreadable = |source| CredentialsError::Unreadable { path: path.to_owned(), source };
                let text = std::fs::read(path).map_err(unreadable)?;
                serde_json::from_slice(&text).map_err(|_| CredentialsError::NoObject(path.to_owned()))?
            }
            None => BTreeMap::new(),
        };
        let mut take = |name: &str, variable: String| {
            given.remove(name).or_else(|| file.is_none().then(|| std::env::var(variable).ok()).flatten())
        };
        let missing = |name: &str, purpose: &str, variable: String| CredentialsError::Missing {
            name: name.to_owned(),
            purpose: if purpose.is_empty() { String::new() } else { format!(" ({purpose})") },
            variable,
        };
        let mut required = |name: &str, variable: &str| {
            take(name, variable.to_owned()).ok_or_else(|| missing(name, "", variable.to_owned()))
        };
        let (key, secret) = (required("key", "ALP_KEY")?, required("secret", "ALP_SECRET")?);
        let mut others = BTreeMap::new();
        for need in &description.credential_parameters {
            let variable = format!("ALP_CREDENTIAL_{}", need.name.to_uppercase());
            match take(&need.name, variable.clone()) {
                Some(value) => {
                    others.insert(need.name.clone(), value);
                }
                None if need.optional => {}
                None => return Err(missing(&need.name, &need.purpose, variable)),
            }
        }
        Ok(Self { key, secret, others })
    }

    /// Credentials of the same shape that are nobody's; the real ones are from now on to be replaced by them.
    pub(super) fn made_up(&self, scrubbing: &mut Scrubbing) -> Self {
        Self {
            key: scrubbing.add(&self.key),
            secret: scrubbing.add(&self.secret),
            others: self.others.iter().map(|(name, value)| (name.clone(), scrubbing.add(value))).collect(),
        }
    }
}

/// A file of secrets that others can read is used, but not without a word.
fn warn_if_open(path: &Path, tell: &impl Fn(&str)) {
    use std::os::unix::fs::PermissionsExt;
    let open = std::fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0);
    if open {
        tell(&format!("{} can be read by others: chmod 600 keeps it yours", path.display()));
    }
}
