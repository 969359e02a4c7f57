//! Why a file was not loaded, a sentence each for the operator.

use crate::call::{CallFailure, Function};
use crate::compile::CompileStop;

/// Why a file was not loaded. Whatever the file itself says in it was cleaned and cut.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// The file is larger than `Limits::file_bytes`.
    #[error("the file is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit_bytes: u64,
    },
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Text, perhaps WebAssembly's text format or a page saying that a download failed.
    #[error("the file is text, not a WebAssembly component")]
    Text,
    /// Neither WebAssembly nor text.
    #[error("the file is not a WebAssembly component")]
    NotWasm,
    /// A module rather than a component.
    #[error(
        "the file is a WebAssembly module, not a component: build it with the linker \
         wasm-component-ld, or turn it into one with `wasm-tools component new`"
    )]
    CoreModule,
    /// Native code.
    #[error(
        "the file holds native code (a .cwasm?), which is never accepted: use the .wasm it was made from"
    )]
    Precompiled,
    /// WebAssembly, but cut off or altered.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    /// Components within components, beyond what any toolchain makes.
    #[error("the component holds more than {limit} components, or is nested deeper than {depth}")]
    TooManyParts {
        /// How many there may be.
        limit: usize,
        /// How deep they may be nested.
        depth: usize,
    },
    /// The compiler found a mistake in it.
    #[error("the component does not compile: {0}")]
    Rejected(String),
    /// The compiler was stopped.
    #[error("compiling was stopped: {0}")]
    Stopped(CompileStop),
    /// The compiler did not run.
    #[error("the compiler cannot be run")]
    Compiler(#[source] std::io::Error),
    /// It wants something from the host.
    #[error(
        "an adapter may import types but nothing else, and this one imports {}. Build it for a target \
         without a system, with these two lines in .cargo/config.toml: under [build] \
         `target = \"wasm32-unknown-unknown\"`, under [target.wasm32-unknown-unknown] \
         `linker = \"wasm-component-ld\"`. `alp adapter inspect` shows what other languages need",
        .names.join(", ")
    )]
    Imports {
        /// The interfaces it imports, at most twenty, each with the first things it wants from them.
        names: Vec<String>,
    },
    /// It is no adapter, or one for another version of the contract.
    #[error("the component exports {found}; this server knows alp:exchange/adapter@{known}.x")]
    Version {
        /// What it exports instead.
        found: String,
        /// The major version that is known.
        known: &'static str,
    },
    /// A function of the contract is not there.
    #[error("the component does not export the function `{0}` of alp:exchange/adapter")]
    MissingFunction(Function),
    /// The engine does not take it: as a rule, it wants more memory or tables than there are for it.
    #[error("the component does not fit the sandbox: {0}")]
    Unfit(String),
    /// It did not survive being asked who it is.
    #[error("the component failed its trial: {function}: {failure}")]
    Trial {
        /// The function that was tried.
        function: Function,
        /// What went wrong.
        failure: CallFailure,
    },
    /// What it says about itself makes no sense.
    #[error("the adapter's description is wrong: {0}")]
    Description(String),
    /// It loads, and does not behave as an adapter has to.
    #[error("the component failed its self-check: {0}")]
    SelfCheck(String),
    /// It is the adapter of another exchange than its file's name says.
    #[error(
        "the file is named {file_stem}.wasm, but its adapter is for `{exchange}`: name it {exchange}.wasm"
    )]
    Name {
        /// The file's name without `.wasm`.
        file_stem: String,
        /// The exchange that the adapter describes.
        exchange: String,
    },
}

impl LoadError {
    /// Whether the same file may load at another time: the machine failed, not the file.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreadable(_) | Self::Compiler(_) => true,
            Self::TooLarge { .. }
            | Self::Empty
            | Self::Text
            | Self::NotWasm
            | Self::CoreModule
            | Self::Precompiled
            | Self::Damaged(_)
            | Self::TooManyParts { .. }
            | Self::Rejected(_)
            | Self::Stopped(_)
            | Self::Imports { .. }
            | Self::Version { .. }
            | Self::MissingFunction(_)
            | Self::Unfit(_)
            | Self::Trial { .. }
            | Self::Description(_)
            | Self::SelfCheck(_)
            | Self::Name { .. } => false,
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}
