//! The pool of the demonstration: `alp serve`, as an operator would start it, in a process of its own.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::AS_ALP;

/// Where it answers; the demonstration's configuration says so.
pub(crate) const ADDRESS: &str = "127.0.0.1:3333";

/// How long it may take to start.
const START: Duration = Duration::from_secs(30);

/// How often it is tried meanwhile.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// The running program.
pub(crate) struct Pool(Child);

impl Pool {
    /// Starts it and waits until it answers. What it logs goes into `data/pool.log`.
    pub(crate) async fn start(home: &Path) -> Result<Self, Box<dyn Error>> {
        if tokio::net::TcpStream::connect(ADDRESS).await.is_ok() {
            return Err(format!("something listens on {ADDRESS} already: is a demonstration running?").into());
        }
        let log = File::options().create(true).append(true).open(home.join("data/pool.log"))?;
        let child = Command::new(std::env::current_exe()?)
            .args([AS_ALP, "serve", "--config"])
            .arg(home.join("pool.toml"))
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let mut pool = Self(child);
        let up = async {
            while tokio::net::TcpStream::connect(ADDRESS).await.is_err() {
                tokio::time::sleep(TRY_EVERY).await;
            }
        };
        tokio::select! {
            started = tokio::time::timeout(START, up) => started?,
            status = pool.ended() => {
                return Err(format!("the pool did not start ({status}); examples/demo/data/pool.log says why").into());
            }
        }
        Ok(pool)
    }

    /// Completes if it ends by itself.
    pub(crate) async fn ended(&mut self) -> String {
        let status: std::io::Result<ExitStatus> = self.0.wait().await;
        status.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// Ends it in good order, as `alp stop` would. At Ctrl-C it was told by the terminal already.
    pub(crate) async fn stop(&mut self) {
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait().await;
    }
}
