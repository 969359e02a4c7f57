//! What a component imports, read from its file without running or compiling anything, and how each toolchain is told
//! not to make it so. It refuses to know what may be imported: the sandbox does.

use wasmparser::{Parser, Payload};

/// How many names are listed: enough to see the pattern.
const MOST_NAMES: usize = 64;

/// The longest name, in characters.
const NAME_CHARS: usize = 120;

/// What an author does about a component that imports a function, by what it was built with.
pub(crate) const CURES: [&str; 5] = [
    "cargo build: in .cargo/config.toml, under [build] `target = \"wasm32-unknown-unknown\"`, under \
     [target.wasm32-unknown-unknown] `linker = \"wasm-component-ld\"`",
    "cargo component: the same file, or `cargo component build --release --target wasm32-unknown-unknown`",
    "Python: `componentize-py ... componentize --stub-wasi ...`",
    "JavaScript, componentize-qjs: `componentize-qjs ... --stub-wasi --sync`",
    "JavaScript, componentize-js: `disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event']`",
];

/// What the engine names if it does not take functions that wait: componentize-qjs makes such without `--sync`.
const ASYNC: &str = "component model async";

/// Whether a component that was refused was built for another host than a pool.
pub(crate) fn needs_cure(imports: &[String], refused: &str) -> bool {
    imports.iter().any(|name| !name.starts_with("alp:exchange/types@")) || refused.contains(ASYNC)
}

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
