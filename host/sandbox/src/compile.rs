//! Compiling in a process of its own: the compiler is the one part of the engine that a hostile component
//! can make use all memory or never end.

use std::ffi::OsString;
use std::io::{Error, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::cache::{Unfinished, create_private};
use crate::engine::compiling_engine;
use crate::file::read_capped;
use crate::limits::Limits;
use crate::scrub::clean_text;

/// The process ends with this if the component is at fault; what is wrong stands on its standard error.
const EXIT_REJECTED: u8 = 2;

/// The process ends with this if it could not read, write or set its limits.
const EXIT_BROKEN: u8 = 3;

/// How much of the process's standard error is read. 16 KiB: the engine's longest message is under one.
const MESSAGE_BYTES: u64 = 16 << 10;

/// Open files the process may have. 64: it needs two, and some for its threads.
const OPEN_FILES: u64 = 64;

/// All of the process's environment: few threads, and few reserves of memory for them, on any machine. Many
/// cores would otherwise use up the limit on memory with nothing to show for it.
const ENVIRONMENT: [(&str, &str); 2] = [("RAYON_NUM_THREADS", "4"), ("MALLOC_ARENA_MAX", "4")];

/// Where compiling happens. The program is started as `program leading_args… IN OUT` and must call
/// [`compile_in_child`] with the two paths.
#[derive(Clone, Debug)]
pub struct Compiler {
    /// The program, as an absolute path; as a rule the running one.
    pub program: PathBuf,
    /// What comes before the two paths, such as the name of a subcommand.
    pub leading_args: Vec<OsString>,
    /// The folder for what was compiled. It is made with mode 0700 if it does not exist; beside it a file
    /// of the same name with `.key` at the end is made.
    pub cache_dir: PathBuf,
}

/// Which limit stopped the compiler.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileStop {
    /// It ran too long by the clock.
    #[error("it took longer than {0} ms")]
    Wall(u64),
    /// It used too much processor time.
    #[error("it took more than {0} s of processor time")]
    Cpu(u64),
    /// It ran out of memory.
    #[error("it wanted more than {0} bytes of memory")]
    Memory(u64),
    /// It wrote too much.
    #[error("it made more than {0} bytes")]
    Output(u64),
    /// It ended in a way that no limit explains.
    #[error("it crashed: {0}")]
    Crash(String),
}

/// Why there is no compiled file.
pub(crate) enum CompileError {
    Rejected(String),
    Stopped(CompileStop),
    Io(Error),
}

impl From<Error> for CompileError {
    fn from(error: Error) -> Self {
        Self::Io(error)
    }
}

impl Compiler {
    /// Compiles a component in a process of its own. Dropping the future kills the process.
    pub(crate) async fn compile(&self, wasm: &Arc<[u8]>, limits: &Limits) -> Result<Vec<u8>, CompileError> {
        // The process reads a copy: the original may change between our hashing it and its reading.
        let input = Unfinished::new(&self.cache_dir, "wasm")?;
        let output = Unfinished::new(&self.cache_dir, "cwasm")?;
        let (copy, path) = (Arc::clone(wasm), input.path.clone());
        aside(move || create_private(&path)?.write_all(&copy)).await?;
        let mut child = Command::new(&self.program)
            .args(&self.leading_args)
            .arg(&input.path)
            .arg(&output.path)
            .env_clear()
            .envs(ENVIRONMENT)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take();
        let wall = Duration::from_millis(limits.compile.wall_ms);
        let ended = tokio::time::timeout(wall, async {
            let mut message = vec![];
            if let Some(stderr) = stderr {
                stderr.take(MESSAGE_BYTES).read_to_end(&mut message).await?;
            }
            Ok::<_, Error>((child.wait().await?, message))
        })
        .await;
        let Ok(ended) = ended else {
            child.kill().await?;
            return Err(CompileError::Stopped(CompileStop::Wall(limits.compile.wall_ms)));
        };
        let (status, message) = ended?;
        let message = clean_text(&String::from_utf8_lossy(&message), limits.text.message_chars);
        judge(status, message, limits)?;
        let (path, most) = (output.path.clone(), limits.compile.output_bytes);
        let compiled = aside(move || read_capped(&path, most)).await?;
        if u64::try_from(compiled.len()).unwrap_or(u64::MAX) > limits.compile.output_bytes {
            return Err(CompileError::Stopped(CompileStop::Output(limits.compile.output_bytes)));
        }
        Ok(compiled)
    }
}

/// Reads and writes files off the threads that serve.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::other)?
}

/// Reads from its exit status what became of the process.
fn judge(status: ExitStatus, message: String, limits: &Limits) -> Result<(), CompileError> {
    if status.success() {
        return Ok(());
    }
    if status.code() == Some(i32::from(EXIT_REJECTED)) {
        return Err(CompileError::Rejected(message));
    }
    if status.code() == Some(i32::from(EXIT_BROKEN)) {
        return Err(CompileError::Io(Error::other(message)));
    }
    let limits = &limits.compile;
    let signal = status.signal();
    let is = |known: Signal| signal == Some(known.as_raw());
    Err(CompileError::Stopped(if is(Signal::XCPU) || is(Signal::KILL) {
        CompileStop::Cpu(limits.cpu_seconds)
    } else if is(Signal::ABORT) || is(Signal::SEGV) {
        // The allocator aborts when it gets nothing; a stack that cannot grow is a segment violation.
        CompileStop::Memory(limits.memory_bytes)
    } else if is(Signal::XFSZ) {
        CompileStop::Output(limits.output_bytes)
    } else {
        CompileStop::Crash(format!("{status}: {message}"))
    }))
}

/// The work of the compiling process: limits itself, compiles the component in the file `input`, and writes
/// the file `output`, which must not exist. To be called first thing in the process and to end it: it takes
/// away memory, time and open files for good.
#[must_use]
pub fn compile_in_child(input: &Path, output: &Path, limits: &Limits) -> ExitCode {
    let (code, message) = match limited_compile(input, output, limits) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(ChildError::Rejected(error)) => (EXIT_REJECTED, format!("{error:#}")),
        Err(ChildError::Broken(error)) => (EXIT_BROKEN, error.to_string()),
    };
    // If nobody reads the message, the code still says who is at fault.
    let _ = std::io::stderr().write_all(message.as_bytes());
    ExitCode::from(code)
}

enum ChildError {
    Rejected(wasmtime::Error),
    Broken(Error),
}

impl From<Error> for ChildError {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

fn limited_compile(input: &Path, output: &Path, limits: &Limits) -> Result<(), ChildError> {
    limit_this_process(limits)?;
    let wasm = read_capped(input, limits.file_bytes)?;
    let engine = compiling_engine(limits).map_err(|e| Error::other(format!("{e:#}")))?;
    let compiled = engine.precompile_component(&wasm).map_err(ChildError::Rejected)?;
    create_private(output)?.write_all(&compiled)?;
    Ok(())
}

fn limit_this_process(limits: &Limits) -> Result<(), Error> {
    let at_most = |resource: Resource, limit: u64, spare: u64| {
        // Whoever started us may have set a lower limit, which we could not raise.
        let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let current = Some(limit.min(most));
        let maximum = Some(limit.saturating_add(spare).min(most));
        setrlimit(resource, Rlimit { current, maximum })
    };
    at_most(Resource::As, limits.compile.memory_bytes, 0)?;
    // A second more until the kernel kills without a word: the first signal tells what happened.
    at_most(Resource::Cpu, limits.compile.cpu_seconds, 1)?;
    at_most(Resource::Fsize, limits.compile.output_bytes, 0)?;
    at_most(Resource::Nofile, OPEN_FILES, 0)?;
    at_most(Resource::Core, 0, 0)?;
    Ok(())
}
