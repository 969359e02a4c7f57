//! What is wrong with a configuration.

use std::fmt;
use std::path::{Path, PathBuf};

/// One fault: where it is, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The file.
    pub file: PathBuf,
    /// The key within it, with its sections: `btc.ask.ratio`. Empty for the file as a whole.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, key, message } = self;
        if key.is_empty() {
            write!(f, "{}: {message}", file.display())
        } else {
            write!(f, "{}: {key} {message}", file.display())
        }
    }
}

/// Every fault of a configuration. The operator's to mend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigFaults(Vec<ConfigFault>);

impl ConfigFaults {
    /// The faults in the order found.
    #[must_use]
    pub fn list(&self) -> &[ConfigFault] {
        &self.0
    }

    pub(super) fn add(&mut self, file: &Path, key: &str, message: impl Into<String>) {
        self.0.push(ConfigFault { file: file.to_owned(), key: key.to_owned(), message: message.into() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        writeln!(f, "the configuration has {count} fault{}:", if count == 1 { "" } else { "s" })?;
        for fault in &self.0 {
            writeln!(f, "  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}
