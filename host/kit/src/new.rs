//! `alp adapter new`: the scaffold of a crate, out of the real one that lies in `template/`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the SDK inside the pool's sources.
const SDK: &str = "adapters/sdk";

/// What the template calls its exchange, as an id and as a type: both are replaced by the new names.
const TEMPLATE_ID: &str = "example_exchange";
const TEMPLATE_TYPE: &str = "ExampleExchange";
const TEMPLATE_SDK: &str = "../../../adapters/sdk";

/// The longest id of an exchange, as the sandbox has it.
const MOST_CHARS: usize = 64;

/// Names that a crate cannot have, or that would hide one that the crate needs.
const TAKEN: [&str; 14] = [
    "alloc",
    "alp_adapter",
    "async",
    "await",
    "core",
    "crate",
    "fn",
    "proc_macro",
    "sdk",
    "self",
    "serde",
    "std",
    "super",
    "test",
];

/// The files of the template, by their paths within the crate.
const FILES: [(&str, &str); 14] = [
    ("Cargo.toml", include_str!("../template/Cargo.toml")),
    (".cargo/config.toml", include_str!("../template/.cargo/config.toml")),
    (".gitignore", include_str!("../template/.gitignore")),
    ("README.md", include_str!("../template/README.md")),
    ("src/lib.rs", include_str!("../template/src/lib.rs")),
    ("tests/fixtures.rs", include_str!("../template/tests/fixtures.rs")),
    ("fixtures/request.json", include_str!("../template/fixtures/request.json")),
    ("fixtures/cases.json", include_str!("../template/fixtures/cases.json")),
    ("fixtures/open_orders.json", include_str!("../template/fixtures/open_orders.json")),
    ("fixtures/expected.json", include_str!("../template/fixtures/expected.json")),
    ("fixtures/empty.json", include_str!("../template/fixtures/empty.json")),
    ("fixtures/empty.expected.json", include_str!("../template/fixtures/empty.expected.json")),
    ("fixtures/error.json", include_str!("../template/fixtures/error.json")),
    ("fixtures/throttled.json", include_str!("../template/fixtures/throttled.json")),
];

/// What `new` is told.
#[derive(Debug, clap::Args)]
pub struct NewArguments {
    /// The exchange's id: lower-case letters, digits and `_`, such as my_exchange. The component's file is named so.
    pub name: String,
    /// The folder to write to, which must not exist or be empty. Default: a folder of that name, here.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The pool's sources, or the folder of the crate alp-adapter in them. Default: looked for from here upwards.
    #[arg(long, value_name = "PATH")]
    pub kit: Option<PathBuf>,
}

/// What was written.
pub(crate) struct Written {
    pub(crate) folder: PathBuf,
    pub(crate) files: usize,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewError {
    #[error(
        "`{0}` cannot be the name of an adapter: take the exchange's id, 1 to 64 of a-z, 0-9 and `_`, beginning \
         with a letter, and no word that Rust or the kit has taken"
    )]
    Name(String),
    #[error("{0} exists already and is not empty: give another with --dir")]
    NotEmpty(PathBuf),
    #[error(
        "{0} would become part of the pool's own workspace, which takes every folder of adapters/: give another \
         with --dir"
    )]
    InWorkspace(PathBuf),
    #[error(
        "the crate alp-adapter was not found: start this in the pool's sources, or name them with --kit PATH"
    )]
    NoKit,
    #[error("{0} is neither the pool's sources nor the folder of the crate alp-adapter in them")]
    NotKit(PathBuf),
    #[error("{path} cannot be written")]
    Io { path: PathBuf, source: io::Error },
}

/// Writes the crate.
pub(crate) fn scaffold(arguments: &NewArguments) -> Result<Written, NewError> {
    let name = arguments.name.as_str();
    if !is_name(name) {
        return Err(NewError::Name(alp_sandbox::clean_text(name, MOST_CHARS)));
    }
    let folder = arguments.dir.clone().unwrap_or_else(|| PathBuf::from(name));
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| NewError::Io { path, source }
    };
    let sdk = match &arguments.kit {
        Some(kit) => sdk_in(kit).ok_or_else(|| NewError::NotKit(kit.clone()))?,
        None => {
            let here = std::env::current_dir().map_err(io(Path::new(".")))?;
            here.ancestors().find_map(sdk_in).ok_or(NewError::NoKit)?
        }
    };
    if fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(NewError::NotEmpty(folder));
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if parent.canonicalize().is_ok_and(|parent| Some(parent.as_path()) == sdk.parent()) {
        return Err(NewError::InWorkspace(folder));
    }
    let sdk = toml_text(&sdk.to_string_lossy());
    for (path, text) in FILES {
        let path = folder.join(path);
        let text = text
            .replace(TEMPLATE_SDK, &sdk)
            .replace(TEMPLATE_ID, name)
            .replace(TEMPLATE_TYPE, &type_name(name));
        let within = path.parent().unwrap_or(&folder);
        fs::create_dir_all(within).map_err(io(within))?;
        fs::write(&path, text).map_err(io(&path))?;
    }
    Ok(Written { folder, files: FILES.len() })
}

/// The SDK's folder, if `path` is that or has it inside.
fn sdk_in(path: &Path) -> Option<PathBuf> {
    let is_sdk = |folder: &Path| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml"));
        manifest.is_ok_and(|manifest| manifest.contains("name = \"alp-adapter\""))
    };
    let found = [path.to_owned(), path.join(SDK)].into_iter().find(|folder| is_sdk(folder))?;
    found.canonicalize().ok()
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    begins && name.len() <= MOST_CHARS && name.chars().all(plain) && !TAKEN.contains(&name)
}

/// `my_exchange` as `MyExchange`.
fn type_name(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut chars = word.chars();
        let first = chars.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    words.collect()
}

/// A path as it stands between the quotes of TOML.
fn toml_text(path: &str) -> String {
    path.replace('\\', "\\\\").replace('"', "\\\"")
}
