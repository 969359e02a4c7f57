//! Whether a component can be loaded at all, and whether what it says about itself holds together.

use std::sync::Arc;

use alp_sandbox::types::{Description, Lifetime, NonceKind};
use alp_sandbox::{Adapter, LoadError, Sandbox};
use sha2::{Digest, Sha256};

use super::report::Reporting;
use crate::imports::imports;

/// Loads the component, twice: what it says about itself must not change.
pub(super) async fn check(
    sandbox: &Sandbox,
    component: Vec<u8>,
    reporting: &mut Reporting<'_>,
) -> Option<Arc<Adapter>> {
    let size = component.len();
    let imported = imports(&component);
    let adapter = match sandbox.load(component.clone()).await {
        Ok(adapter) => adapter,
        // There can be more names than a line holds, and the cure would be cut off.
        Err(LoadError::Imports { names }) => {
            let first = names.first().map_or("a function", String::as_str);
            let others = if names.len() > 1 { " and others" } else { "" };
            let cure = "`alp adapter inspect` shows the lines that cure it";
            reporting
                .add("loads", Err(format!("{cure}: it may import types only, and imports {first}{others}")));
            return None;
        }
        Err(error) => {
            reporting.add("loads", Err(with_cause(&error)));
            return None;
        }
    };
    let limits = sandbox.limits();
    let detail = format!(
        "{size} bytes, WIT {}; calls are limited to {} ms and {} MiB",
        adapter.wit_version(),
        limits.call_ms(),
        limits.memory_bytes >> 20
    );
    reporting.add("loads", Ok(detail));
    let imported = if imported.is_empty() { "nothing".to_owned() } else { imported.join(", ") };
    reporting.add("imports types only", Ok(imported));
    let description = adapter.description();
    reporting.report.exchange = Some(description.exchange.clone());
    reporting.report.version = Some(description.version.clone());
    reporting.add("describe is sane", is_sane(description));
    let again = match sandbox.load(component).await {
        Ok(again) if again.description() == description => Ok("the same twice".to_owned()),
        Ok(_) => Err("it says something else the second time".to_owned()),
        Err(error) => Err(with_cause(&error)),
    };
    reporting.add("describe is constant", again);
    Some(adapter)
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the sandbox leaves open: that the parts of a description fit each other.
pub(super) fn is_sane(description: &Description) -> Result<String, String> {
    if !description.calls.iter().any(|call| call.signed) {
        return Err("no call carries a signature, so nothing can be proved by any".to_owned());
    }
    let needs_nonce = description.lifetime == Lifetime::UntilNextNonce || description.single_use;
    if description.lifetime == Lifetime::UntilNextNonce && description.nonce == NonceKind::None {
        return Err("requests live until the next nonce, but `sign` is given none".to_owned());
    }
    if description.notes.is_empty() {
        return Err(
            "no note tells an LP which permissions the key needs and which it must not have".to_owned()
        );
    }
    let calls = description.calls.len();
    let origin = if description.origin.is_empty() { "the operator's origin" } else { &description.origin };
    let replay = if needs_nonce { "" } else { "; a request can be used again while it lives" };
    Ok(format!("{} {}, {calls} call(s) to {origin}{replay}", description.exchange, description.version))
}

fn with_cause(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| cause.to_string()).unwrap_or_default();
    let text = error.to_string();
    if cause.is_empty() || text.contains(&cause) { text } else { format!("{text}: {cause}") }
}
