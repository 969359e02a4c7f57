//! The operator's commands to a running pool: a Unix socket that only the server's user can open.
//!
//! One line of JSON in, `{"command": …}`, one line of JSON out, `{"ok": …, "text": …}`.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::sync::watch;

use crate::app::App;
use crate::lifecycle::AdapterCommand;
use crate::loops;
use crate::overview::overview;
use crate::payouts::{self, CorrectCommand, PayoutCommand};
use crate::proof::{self, LpsCommand};

/// Longest command, in bytes.
const MAX_COMMAND: u64 = 4096;

/// Longest answer that a caller reads, in bytes.
const MAX_ANSWER: u64 = 4 * 1024 * 1024;

/// Most commands that wait to be taken up: an operator has two hands.
const WAITING_COMMANDS: u32 = 16;

/// How long a command may take to arrive, and an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the operator may ask of a running pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// How the pool is.
    Status,
    /// Read the configuration again, now.
    Reload,
    /// End in good order.
    Stop,
    /// Do something about one adapter.
    Adapter(AdapterCommand),
    /// Do something about payouts.
    Payouts(PayoutCommand),
    /// Do something about the addresses of LPs.
    Lps(LpsCommand),
    /// Correct what an LP is owed.
    Correct(CorrectCommand),
}

#[derive(Serialize, Deserialize)]
struct Asked {
    command: Command,
}

/// What the pool answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whether it did what was asked.
    pub ok: bool,
    /// What to show the operator.
    pub text: String,
}

/// The socket, gone when this is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl ControlSocket {
    /// Opens the socket for this user only.
    ///
    /// # Errors
    /// [`ControlError::InUse`] if a pool answers there already.
    pub fn open(path: &Path) -> Result<Self, ControlError> {
        let failed = |source| ControlError::Socket { path: path.to_owned(), source };
        if let Ok(metadata) = std::fs::symlink_metadata(path) {
            if !metadata.file_type().is_socket() {
                return Err(ControlError::NotASocket { path: path.to_owned() });
            }
            if is_answered(path) {
                return Err(ControlError::InUse { path: path.to_owned() });
            }
            // Left over from a server that was killed.
            std::fs::remove_file(path).map_err(failed)?;
        }
        Ok(Self { listener: listen(path).map_err(failed)?, path: path.to_owned() })
    }

    /// Answers commands until told to stop. `stop_server` is set by the command to stop.
    pub async fn answer(self, app: Arc<App>, pool_file: PathBuf, stop_server: Arc<watch::Sender<bool>>) {
        let mut stop = stop_server.subscribe();
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Ok((stream, _)) = accepted else { continue };
            let (app, pool_file, stop_server) =
                (Arc::clone(&app), pool_file.clone(), Arc::clone(&stop_server));
            tokio::spawn(async move {
                let answered =
                    tokio::time::timeout(PATIENCE, converse(stream, &app, &pool_file, &stop_server));
                if let Ok(Err(error)) = answered.await {
                    tracing::debug!(%error, "a command on the control socket broke off");
                }
            });
        }
    }
}

/// Opens the socket. On Linux it is born closed to others, because its file takes over the mode of the socket;
/// elsewhere the mode is set a moment after. Neither touches the umask, which is the whole process's.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let (socket, ours_only) = (UnixSocket::new_stream()?, rustix::fs::Mode::from_raw_mode(0o600));
    let _ = rustix::fs::fchmod(&socket, ours_only);
    socket.bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    socket.listen(WAITING_COMMANDS)
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn converse(
    mut stream: UnixStream,
    app: &App,
    pool_file: &Path,
    stop_server: &watch::Sender<bool>,
) -> io::Result<()> {
    // The permissions of the socket say the same; this holds where a file system ignores them.
    let ours = rustix::process::geteuid().as_raw();
    if stream.peer_cred()?.uid() != ours {
        return Ok(());
    }
    let mut line = String::new();
    BufReader::new((&mut stream).take(MAX_COMMAND)).read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Asked>(&line) {
        Ok(asked) => obey(asked.command, app, pool_file, stop_server).await,
        Err(_) => Answer {
            ok: false,
            text: "the commands are status, reload, stop, adapter, payouts and lps".to_owned(),
        },
    };
    let mut text = serde_json::to_string(&answer).map_err(io::Error::other)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await
}

async fn obey(command: Command, app: &App, pool_file: &Path, stop_server: &watch::Sender<bool>) -> Answer {
    match command {
        Command::Status => match overview(app).await {
            Ok(text) => Answer { ok: true, text },
            Err(error) => Answer { ok: false, text: error.to_string() },
        },
        Command::Reload => match loops::reload(app, pool_file).await {
            Ok(text) => {
                // Who says so by hand means all servers of the database, whichever leads.
                let config = &app.in_force.load_full().config;
                match app.leadership.put_in_force(&app.store, config).await {
                    Ok(()) => Answer { ok: true, text },
                    Err(error) => Answer { ok: false, text: error.to_string() },
                }
            }
            Err(text) => Answer { ok: false, text },
        },
        Command::Stop => {
            stop_server.send_replace(true);
            Answer { ok: true, text: "the pool is stopping".to_owned() }
        }
        Command::Correct(command) => {
            let lease = app.leadership.lease().await;
            let done = payouts::correct(&app.store, &app.publisher, lease.as_ref(), command).await;
            Answer { ok: done.is_ok(), text: done.unwrap_or_else(|text| text) }
        }
        Command::Payouts(command) => {
            let lease = app.leadership.lease().await;
            let done = match &app.payer {
                Some(payer) => payer.obey(lease.as_ref(), command).await,
                None => Err("payouts are not configured: pool.toml has no section [payouts]".to_owned()),
            };
            Answer { ok: done.is_ok(), text: done.unwrap_or_else(|text| text) }
        }
        Command::Lps(command) => {
            let lease = app.leadership.lease().await;
            let done = proof::obey(&app.store, lease.as_ref(), command).await;
            Answer { ok: done.is_ok(), text: done.unwrap_or_else(|text| text) }
        }
        Command::Adapter(command) => {
            let plugins = app.in_force.load().config.pool.plugins.clone();
            match app.lifecycle.obey(&app.adapters, &plugins, command).await {
                Ok(text) => Answer { ok: true, text },
                Err(error) => Answer { ok: false, text: error.to_string() },
            }
        }
    }
}

/// Whether a pool answers at a socket.
#[must_use]
pub fn is_answered(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path).is_ok()
}

/// Asks a running pool.
///
/// # Errors
/// [`ControlError::NotRunning`] if no pool answers there.
pub async fn ask(path: &Path, command: Command) -> Result<Answer, ControlError> {
    let failed = |source| ControlError::Socket { path: path.to_owned(), source };
    let mut stream = UnixStream::connect(path)
        .await
        .map_err(|source| ControlError::NotRunning { path: path.to_owned(), source })?;
    let mut line =
        serde_json::to_string(&Asked { command }).map_err(|error| failed(io::Error::other(error)))?;
    line.push('\n');
    stream.write_all(line.as_bytes()).await.map_err(failed)?;
    let mut text = String::new();
    let mut reader = BufReader::new(stream.take(MAX_ANSWER));
    let read = tokio::time::timeout(PATIENCE, reader.read_line(&mut text)).await;
    read.map_err(|_| failed(io::ErrorKind::TimedOut.into()))?.map_err(failed)?;
    serde_json::from_str(&text).map_err(|error| failed(io::Error::other(error)))
}

/// What can go wrong with the control socket. The operator's.
#[derive(Debug, Error)]
pub enum ControlError {
    /// A pool answers there already.
    #[error("a pool is running already: it answers at {}", path.display())]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Nobody answers.
    #[error("no pool is running: nothing answers at {}", path.display())]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something else has the name.
    #[error("{} is there and is not a socket: choose another control_socket", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The system refused.
    #[error("the control socket {} does not work", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}
