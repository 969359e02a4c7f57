//! A look at a file before anything is compiled: is it a component at all, and how many are inside it.

use wasmparser::{Parser, Payload};

use crate::limits::Limits;
use crate::load_error::LoadError;
use crate::scrub::clean_text;

const WASM_MAGIC: &[u8] = b"\0asm";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// Refuses what is not a component, each kind with its own sentence, and what has too many parts.
pub(crate) fn check_outline(bytes: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > limits.file_bytes {
        return Err(LoadError::TooLarge { limit_bytes: limits.file_bytes });
    }
    check_header(bytes)?;
    check_nesting(bytes, limits)
}

fn check_header(bytes: &[u8]) -> Result<(), LoadError> {
    if bytes.starts_with(COMPONENT) {
        return Ok(());
    }
    Err(if bytes.is_empty() {
        LoadError::Empty
    } else if bytes.starts_with(CORE_MODULE) {
        LoadError::CoreModule
    } else if bytes.starts_with(ELF_MAGIC) {
        LoadError::Precompiled
    } else if COMPONENT.starts_with(bytes) {
        LoadError::Damaged("it ends within its first eight bytes".to_owned())
    } else if bytes.starts_with(WASM_MAGIC) {
        LoadError::Damaged("its version is that of neither modules nor components".to_owned())
    } else if std::str::from_utf8(bytes).is_ok() {
        LoadError::Text
    } else {
        LoadError::NotWasm
    })
}

/// Walks the sections, which costs next to nothing, and counts components within components.
fn check_nesting(bytes: &[u8], limits: &Limits) -> Result<(), LoadError> {
    let mut count = 0_usize;
    let mut depth = 0_usize;
    // For every open part, whether it is a component; the outermost is.
    let mut open = vec![];
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload
            .map_err(|error| LoadError::Damaged(clean_text(&error.to_string(), limits.text.message_chars)))?;
        let nested = matches!(payload, Payload::ComponentSection { .. });
        if nested || matches!(payload, Payload::ModuleSection { .. }) {
            open.push(nested);
        }
        if nested {
            count = count.saturating_add(1);
            depth = depth.saturating_add(1);
        }
        if matches!(payload, Payload::End(_)) && open.pop() == Some(true) {
            depth = depth.saturating_sub(1);
        }
        if count > limits.nested_components || depth > limits.nesting_depth {
            return Err(LoadError::TooManyParts {
                limit: limits.nested_components,
                depth: limits.nesting_depth,
            });
        }
    }
    Ok(())
}
