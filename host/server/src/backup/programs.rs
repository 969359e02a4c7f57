//! PostgreSQL's own programs: where they are, what they are told, and what they say when they fail.
//! No password ever stands in their arguments, which everybody on the machine can read.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use alp_store::postgres_url_for_programs;

use super::BackupError;

/// Where Debian keeps the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Where systems keep the certificates that they trust: older versions of PostgreSQL's programs have to be told.
const TRUSTED: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Most of what a program says about its failure that is passed on, in bytes.
const MAX_WORDS: u64 = 4096;

/// A program that runs.
pub(super) struct Running {
    name: &'static str,
    child: Child,
    words: Option<JoinHandle<String>>,
}

/// Starts `pg_dump` on a database as it is at an exported moment. Its output is the dump.
pub(super) fn dump(url: &str, password: Option<&str>, moment: &str) -> Result<Running, BackupError> {
    let mut command = command("pg_dump", url, password)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password"]);
    command.arg(format!("--snapshot={moment}"));
    start("pg_dump", command.stdin(Stdio::null()).stdout(Stdio::piped()))
}

/// Starts `pg_restore` into a database, all or nothing. Its input is the dump.
pub(super) fn restore(url: &str, password: Option<&str>) -> Result<Running, BackupError> {
    let mut command = command("pg_restore", url, password)?;
    command.args(["--format=custom", "--no-owner", "--no-privileges", "--no-password"]);
    command.args(["--single-transaction", "--exit-on-error"]);
    start("pg_restore", command.stdin(Stdio::piped()).stdout(Stdio::null()))
}

impl Running {
    /// What it writes.
    pub(super) fn output(&mut self) -> impl Read + use<> {
        Pipe(self.child.stdout.take())
    }

    /// What it reads.
    pub(super) fn input(&mut self) -> impl Write + use<> {
        Pipe(self.child.stdin.take())
    }

    /// Waits until it has ended, and says what it said if it failed.
    pub(super) fn wait(mut self) -> Result<(), BackupError> {
        let failed = |source| BackupError::Program { name: self.name, source };
        let status = self.child.wait().map_err(failed)?;
        let words = self.words.take().and_then(|words| words.join().ok()).unwrap_or_default();
        if status.success() {
            return Ok(());
        }
        Err(BackupError::ProgramFailed { name: self.name, words: words.trim().to_owned() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is not there any more to be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Pipe<P>(Option<P>);

impl<P: Read> Read for Pipe<P> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |pipe| pipe.read(into))
    }
}

impl<P: Write> Write for Pipe<P> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.as_mut().map_or(Ok(0), |pipe| pipe.write(bytes))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn start(name: &'static str, command: &mut Command) -> Result<Running, BackupError> {
    let failed = |source| BackupError::Program { name, source };
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
    // Read while it runs, or it would wait for somebody to read.
    let words = child.stderr.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let mut words = Vec::new();
            let _ = (&mut pipe).take(MAX_WORDS).read_to_end(&mut words);
            let _ = std::io::copy(&mut pipe, &mut std::io::sink());
            String::from_utf8_lossy(&words).into_owned()
        })
    });
    Ok(Running { name, child, words })
}

/// A program with the address of the database, and everything else that it connects with in its environment.
fn command(name: &'static str, url: &str, password: Option<&str>) -> Result<Command, BackupError> {
    let program = find(name).ok_or(BackupError::NoProgram { name })?;
    let address = postgres_url_for_programs(url)?;
    let mut command = Command::new(program);
    command.arg(format!("--dbname={address}")).env("PGCONNECT_TIMEOUT", "10");
    if let Some(password) = password {
        command.env("PGPASSWORD", password);
    }
    let is_told = address.contains("sslrootcert=") || std::env::var_os("PGSSLROOTCERT").is_some();
    if let Some(trusted) = TRUSTED.iter().find(|file| Path::new(file).exists())
        && !is_told
    {
        command.env("PGSSLROOTCERT", trusted);
    }
    Ok(command)
}

/// The program in the PATH, or the newest one that Debian has installed beside it.
fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    in_path.or_else(|| {
        let version = |entry: std::fs::DirEntry| {
            let number: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((number, entry.path().join("bin").join(name)))
        };
        let versions = std::fs::read_dir(VERSIONS).ok()?.flatten().filter_map(version);
        versions.filter(|(_, file)| file.is_file()).max().map(|(_, file)| file)
    })
}
