//! From a file to an adapter: outline, compile, imports, exports, trial, description.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, Linker};

use crate::cache::{Cache, CacheKey};
use crate::call::{Adapter, Identity, probe};
use crate::compile::{CompileError, Compiler};
use crate::describe::check_description;
use crate::engine::{Guest, Runtime, SandboxError};
use crate::file::hex;
use crate::limits::Limits;
use crate::load_error::LoadError;
use crate::outline::check_outline;
use crate::scrub::clean_text;
use crate::v1;

/// How many names a refusal lists: enough to see the pattern.
const NAMES_LISTED: usize = 20;

/// The length of one such name in characters.
const NAME_CHARS: usize = 120;

/// Compilations at a time. 2: one component that carries an interpreter compiles for seconds and must not hold up the
/// others; each more could take `CompileLimits::memory_bytes`.
const COMPILATIONS: usize = 2;

/// An engine and a compiler: what turns files into adapters. Cloning shares both.
#[derive(Clone)]
pub struct Sandbox {
    runtime: Arc<Runtime>,
    compiler: Arc<Compiler>,
    cache: Arc<Cache>,
    /// [`COMPILATIONS`] at a time, so that their limits on memory hold for the machine.
    compiling: Arc<tokio::sync::Semaphore>,
}

impl Sandbox {
    /// Starts the engine and opens the folder for compiled adapters.
    ///
    /// # Errors
    /// [`SandboxError`] if either fails.
    pub fn new(limits: Limits, compiler: Compiler) -> Result<Self, SandboxError> {
        let cache = Cache::open(&compiler.cache_dir)?;
        Ok(Self {
            runtime: Arc::new(Runtime::new(limits)?),
            compiler: Arc::new(compiler),
            cache: Arc::new(cache),
            compiling: Arc::new(tokio::sync::Semaphore::new(COMPILATIONS)),
        })
    }

    /// The limits it was made with.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.runtime.limits
    }

    /// Loads the component in the file at `path`.
    ///
    /// # Errors
    /// [`LoadError`] says why not.
    pub async fn load_file(&self, path: &Path) -> Result<Arc<Adapter>, LoadError> {
        let path = path.to_owned();
        let limit = self.limits().file_bytes;
        let read = tokio::task::spawn_blocking(move || crate::file::read_capped(&path, limit));
        let bytes = match read.await {
            Ok(read) => read.map_err(LoadError::Unreadable)?,
            Err(error) => return Err(LoadError::Unreadable(std::io::Error::other(error))),
        };
        self.load(bytes).await
    }

    /// Loads a component from its bytes. Nothing else of the process is touched if it is refused.
    ///
    /// # Errors
    /// [`LoadError`] says why not.
    pub async fn load(&self, bytes: impl Into<Arc<[u8]>>) -> Result<Arc<Adapter>, LoadError> {
        let began = Instant::now();
        let bytes: Arc<[u8]> = bytes.into();
        let work = Arc::clone(&bytes);
        let limits = self.limits().clone();
        let hash = blocking(move || {
            check_outline(&work, &limits)?;
            Ok(<[u8; 32]>::from(Sha256::digest(&work)))
        })
        .await?;
        let component = self.component(&bytes, hash).await?;
        check_imports(&component, &self.runtime.engine)?;
        let wit_version = exported_version(&component, &self.runtime.engine)?;
        let linker = Linker::<Guest>::new(&self.runtime.engine);
        let instance = linker.instantiate_pre(&component).map_err(|e| self.unfit(&e))?;
        let exports = v1::Exports::find(&component, instance).map_err(LoadError::MissingFunction)?;
        let description = probe(&self.runtime, &exports)
            .await
            .map_err(|(function, failure)| LoadError::Trial { function, failure })?;
        let description = check_description(description).map_err(LoadError::Description)?;
        let identity = Identity {
            sha256: hex(&hash),
            size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            wit_version,
            load_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Ok(Arc::new(Adapter::new(Arc::clone(&self.runtime), exports, description, identity)))
    }

    /// Whether [`Sandbox::remember`] was told this fact about this very component, by a program with the same key.
    pub async fn remembers(&self, fact: &str, adapter: &Adapter) -> bool {
        let (cache, fact, sha256) = (Arc::clone(&self.cache), fact.to_owned(), adapter.sha256().to_owned());
        blocking(move || Ok(cache.remembers(&fact, &sha256))).await.unwrap_or(false)
    }

    /// Notes a fact about a component beside its compiled code, so that finding it out need not be repeated. A note
    /// that cannot be written only costs that.
    pub async fn remember(&self, fact: &str, adapter: &Adapter) {
        let (cache, fact, sha256) = (Arc::clone(&self.cache), fact.to_owned(), adapter.sha256().to_owned());
        let noted = blocking(move || cache.remember(&fact, &sha256).map_err(LoadError::Unreadable)).await;
        if let Err(error) = noted {
            tracing::warn!(%error, "what was found out about an adapter could not be noted");
        }
    }

    /// The compiled component: from the cache, or else made by the compiler's process and then kept.
    async fn component(&self, wasm: &Arc<[u8]>, hash: [u8; 32]) -> Result<Component, LoadError> {
        let key = CacheKey::new(&hash, &self.runtime.engine);
        if let Some(component) = self.cached(&key).await? {
            return Ok(component);
        }
        // Whoever waited may find that another has compiled the same file meanwhile.
        let _permit =
            self.compiling.acquire().await.map_err(|e| LoadError::Compiler(std::io::Error::other(e)))?;
        if let Some(component) = self.cached(&key).await? {
            return Ok(component);
        }
        let compiled = self.compiler.compile(wasm, self.limits()).await.map_err(|e| match e {
            CompileError::Rejected(text) => LoadError::Rejected(text),
            CompileError::Stopped(stop) => LoadError::Stopped(stop),
            CompileError::Io(error) => LoadError::Compiler(error),
        })?;
        let cache = Arc::clone(&self.cache);
        let engine = self.runtime.engine.clone();
        let message_chars = self.limits().text.message_chars;
        blocking(move || {
            let component = deserialize(&engine, &compiled)
                .map_err(|e| LoadError::Unfit(clean_text(&format!("{e:#}"), message_chars)))?;
            if let Err(error) = cache.put(&key, &compiled) {
                tracing::warn!(%error, "a compiled adapter could not be kept and will be compiled again");
            }
            Ok(component)
        })
        .await
    }

    /// What the cache holds, if it is genuine and this engine takes it.
    async fn cached(&self, key: &CacheKey) -> Result<Option<Component>, LoadError> {
        let cache = Arc::clone(&self.cache);
        let engine = self.runtime.engine.clone();
        let key = key.clone();
        blocking(move || Ok(cache.get(&key).and_then(|compiled| deserialize(&engine, &compiled).ok()))).await
    }

    fn unfit(&self, error: &wasmtime::Error) -> LoadError {
        LoadError::Unfit(clean_text(&format!("{error:#}"), self.limits().text.message_chars))
    }
}

/// Runs what takes long off the threads that serve.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(LoadError::Compiler(std::io::Error::other(error))),
    }
}

/// Turns compiled bytes into a component. They are native code and are run as such: callers pass only what
/// this program's own compiling process has just written, or what the cache has authenticated as such.
#[allow(unsafe_code)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `deserialize` demands bytes that `precompile_component` made. The two callers above have them
    // from `Compiler::compile`, whose output lies in a folder that only our user can enter, and from
    // `Cache::get`, which returns nothing without a valid authentication code over them.
    unsafe { Component::deserialize(engine, compiled) }
}

/// Refuses every import but types.
fn check_imports(component: &Component, engine: &Engine) -> Result<(), LoadError> {
    let mut names = vec![];
    for (name, import) in component.component_type().imports(engine) {
        if names.len() >= NAMES_LISTED {
            break;
        }
        if let Some(wanted) = unwanted(&import.ty, engine) {
            names.push(clean_text(&format!("{name}{wanted}"), NAME_CHARS));
        }
    }
    if names.is_empty() { Ok(()) } else { Err(LoadError::Imports { names }) }
}

/// What an import wants beyond types: nothing, or a suffix to its name.
fn unwanted(item: &ComponentItem, engine: &Engine) -> Option<String> {
    match item {
        ComponentItem::Type(_) => None,
        ComponentItem::ComponentInstance(instance) => first_unwanted(instance, engine),
        ComponentItem::ComponentFunc(_) | ComponentItem::CoreFunc(_) => Some(String::new()),
        ComponentItem::Resource(_) => Some(" (a resource)".to_owned()),
        ComponentItem::Module(_) | ComponentItem::Component(_) => Some(" (a module)".to_owned()),
    }
}

fn first_unwanted(instance: &ComponentInstance, engine: &Engine) -> Option<String> {
    instance
        .exports(engine)
        .find_map(|(name, export)| unwanted(&export.ty, engine).map(|_| format!(" ({name})")))
}

/// The version of the contract that the component exports, if it is one that is known.
fn exported_version(component: &Component, engine: &Engine) -> Result<String, LoadError> {
    let ty = component.component_type();
    let mut found = vec![];
    for (name, _) in ty.exports(engine) {
        let version = name.strip_prefix(v1::INTERFACE_NAME).and_then(|rest| rest.strip_prefix('@'));
        if let Some(version) = version
            && version.split('.').next() == Some(v1::MAJOR)
        {
            return Ok(clean_text(version, NAME_CHARS));
        }
        if found.len() < NAMES_LISTED {
            found.push(clean_text(name, NAME_CHARS));
        }
    }
    let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
    Err(LoadError::Version { found, known: v1::MAJOR })
}
