//! Facts about components that were found out at some cost, kept beside their compiled code. A note counts only with
//! its authentication code, so that nobody who can merely write into the folder can vouch for a component.

use std::io::{Error, ErrorKind, Write};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{CODE_BYTES, Cache, Unfinished, create_private};
use crate::file::{hex, read_capped};

/// What every authentication code of a fact starts from: none of them passes for that of compiled code.
const PURPOSE: &[u8] = b"alp fact about an adapter 1\0";

/// The end of the name of a fact's file.
const FACT: &str = ".fact";

/// How many facts are kept. 1024: four for each compiled adapter that is kept; one takes 32 bytes.
const FACTS_KEPT: usize = 1024;

impl Cache {
    /// Whether this fact was noted about the component of this hash. A note that was altered is none.
    pub(crate) fn remembers(&self, fact: &str, sha256: &str) -> bool {
        let path = self.folder.join(file_name(fact, sha256));
        let noted = match read_capped(&path, u64::try_from(CODE_BYTES).unwrap_or(u64::MAX)) {
            Ok(noted) => noted,
            Err(error) if error.kind() == ErrorKind::NotFound => return false,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a note about an adapter cannot be read");
                return false;
            }
        };
        let genuine = self.fact_code(fact, sha256).is_some_and(|code| code.verify_slice(&noted).is_ok());
        if !genuine {
            tracing::warn!(path = %path.display(), "a note about an adapter was altered and does not count");
        }
        genuine
    }

    /// Notes this fact about the component of this hash: written beside, then renamed.
    pub(crate) fn remember(&self, fact: &str, sha256: &str) -> Result<(), Error> {
        let code = self.fact_code(fact, sha256).ok_or_else(|| Error::other("no authentication code"))?;
        let unfinished = Unfinished::new(&self.folder, "fact")?;
        create_private(&unfinished.path)?.write_all(&code.finalize().into_bytes())?;
        std::fs::rename(&unfinished.path, self.folder.join(file_name(fact, sha256)))?;
        self.forget_oldest(FACT, FACTS_KEPT);
        Ok(())
    }

    fn fact_code(&self, fact: &str, sha256: &str) -> Option<Hmac<Sha256>> {
        let mut code = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        code.update(PURPOSE);
        // The hash is of a fixed length, so no other pair gives the same bytes.
        code.update(sha256.as_bytes());
        code.update(fact.as_bytes());
        Some(code)
    }
}

fn file_name(fact: &str, sha256: &str) -> String {
    let mut name = Sha256::new();
    name.update(sha256.as_bytes());
    name.update(fact.as_bytes());
    format!("{}{FACT}", hex(&name.finalize()))
}
