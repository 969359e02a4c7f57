//! The sandbox: compiles, checks, runs and reloads exchange adapters, which are WebAssembly components.
//! It knows no HTTP, no SQL and no money, and it gives an adapter nothing: no network, no files, no clock.
//!
//! [`Sandbox::new`] makes the engine, [`Sandbox::load`] turns a file into an [`Adapter`], and
//! [`AdapterFolder`] keeps a folder of adapters current while the server runs. Everything that is decided
//! about a foreign file is decided here, and every limit is a field of [`Limits`].

mod admission;
mod cache;
mod call;
mod compile;
mod describe;
mod engine;
mod file;
mod folder;
mod hold;
mod known;
mod lane;
mod limits;
mod listing;
mod load;
mod load_error;
mod loading;
mod outline;
mod reply_check;
mod scan;
mod scrub;
mod snapshot;
pub mod types;
mod v1;
mod watch;

pub use admission::{Admission, AdmitAll, Judging, Noting, Verdict};
pub use cache::CacheError;
pub use call::{Adapter, CallError, CallFailure, Function};
pub use compile::{CompileStop, Compiler, compile_in_child};
pub use describe::{check_description, check_origin, is_forbidden_header};
pub use engine::SandboxError;
pub use folder::{AdapterFolder, Clock, FolderError};
pub use hold::Hold;
pub use limits::{CompileLimits, Limits, TextLimits};
pub use load::Sandbox;
pub use load_error::LoadError;
pub use loading::named;
pub use scan::{FolderScan, Pass};
pub use scrub::clean_text;
pub use snapshot::{Entry, EntryState, Snapshot};
