//! What a component imports, read from its file without running or compiling anything.

use wasmparser::{Parser, Payload};

/// How many names are listed: enough to see the pattern.
const MOST_NAMES: usize = 64;

/// The longest name, in characters.
const NAME_CHARS: usize = 120;

/// The names of the component's imports, in order; those of components inside it are left out. What is no component
/// imports nothing.
pub(crate) fn imports(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload {
            Ok(Payload::ComponentSection { .. } | Payload::ModuleSection { .. }) => {
                depth = depth.saturating_add(1);
            }
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ComponentImportSection(section)) if depth == 0 => {
                let found = section.into_iter().flatten();
                names.extend(found.map(|import| alp_sandbox::clean_text(import.name.name, NAME_CHARS)));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    names.truncate(MOST_NAMES);
    names
}
