//! A real litecoind in regtest, of a test's own: started, killed, restarted, its wallet put back. Gone with the test.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use alp_server::exchange::Timeouts;
use alp_server::network::{BasicAuth, OutboundGrant};
use alp_server::payouts::Rpc;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::wait::wait_until;

/// The daemon.
pub struct Litecoin {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
    _alone: MutexGuard<'static, ()>,
}

/// One daemon at a time: each writes a wallet through to the disk, beside whatever other tests do there.
static ALONE: Mutex<()> = Mutex::const_new(());

impl Litecoin {
    /// Starts it, with a funded wallet `pool` and a wallet `lps`. `None` where litecoind is not installed: the test is
    /// skipped and says so; with `CI` in the environment it fails.
    pub async fn start() -> Option<Self> {
        if Command::new("litecoind").arg("--version").stdout(Stdio::null()).status().is_err() {
            let message = "litecoind is not installed (not in PATH)";
            assert!(std::env::var_os("CI").is_none(), "{message}");
            // Written past the harness, which would keep it to itself when the test passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut daemon = Self { folder, port, child: None, _alone: ALONE.lock().await };
        daemon.run().await;
        for wallet in ["pool", "lps"] {
            let params = json!([wallet, false, false, "", false, false, true]);
            daemon.ask("", "createwallet", params).await;
        }
        let own = daemon.new_address("pool").await;
        daemon.ask("pool", "generatetoaddress", json!([110, own])).await;
        // Writes the chain to the disk: a kill must not take the blocks that made the wallet's coins.
        daemon.ask("", "gettxoutsetinfo", json!([])).await;
        Some(daemon)
    }

    /// Starts the process, and waits until it answers.
    pub async fn run(&mut self) {
        let child = Command::new("litecoind")
            .arg("-regtest")
            .arg(format!("-datadir={}", self.folder.path().display()))
            .arg(format!("-rpcport={}", self.port))
            .args(["-rpcuser=alp", "-rpcpassword=secret", "-listen=0", "-server=1", "-fallbackfee=0.0001"])
            .args(["-dbcache=8", "-maxmempool=5", "-printtoconsole=0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let this = &*self;
        wait_until("litecoind answers", || async {
            this.try_ask("", "getblockcount", json!([])).await.is_ok()
        })
        .await;
    }

    /// Ends the process as a loss of power does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends the process in good order.
    pub async fn stop(&mut self) {
        self.ask("", "stop", json!([])).await;
        if let Some(mut child) = self.child.take() {
            tokio::task::spawn_blocking(move || child.wait()).await.unwrap().unwrap();
        }
    }

    /// The address of the wallet `pool`.
    pub fn wallet_url(&self) -> String {
        self.url("pool")
    }

    /// A new address of a wallet.
    pub async fn new_address(&self, wallet: &str) -> String {
        self.ask(wallet, "getnewaddress", json!([])).await.as_str().unwrap().to_owned()
    }

    /// Finds blocks.
    pub async fn mine(&self, blocks: u32) {
        let to = self.new_address("pool").await;
        self.ask("pool", "generatetoaddress", json!([blocks, to])).await;
    }

    /// What an address of `lps` got in blocks, as written.
    pub async fn received(&self, address: &str) -> String {
        self.ask("lps", "getreceivedbyaddress", json!([address])).await.to_string()
    }

    /// Where a copy of the wallet `pool` goes, and where it is.
    pub fn wallet_files(&self) -> (PathBuf, PathBuf) {
        let wallet = self.folder.path().join("regtest/wallets/pool/wallet.dat");
        (self.folder.path().join("backup.dat"), wallet)
    }

    /// Asks a wallet, or the daemon if `wallet` is empty.
    pub async fn ask(&self, wallet: &str, method: &str, params: Value) -> Value {
        self.try_ask(wallet, method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    async fn try_ask(&self, wallet: &str, method: &str, params: Value) -> Result<Value, String> {
        let auth = BasicAuth { user: "alp".into(), password: "secret".into() };
        let grant = OutboundGrant::post(&self.url(wallet)).unwrap().with_basic_auth(auth);
        let patience = Duration::from_secs(120);
        let rpc = Rpc::new(grant, Timeouts { connect: patience, call: patience }).unwrap();
        let params: Vec<Box<RawValue>> =
            params.as_array().unwrap().iter().map(|value| to_raw_value(value).unwrap()).collect();
        rpc.call(method, &params).await.map_err(|error| error.to_string())
    }

    fn url(&self, wallet: &str) -> String {
        let path = if wallet.is_empty() { String::new() } else { format!("wallet/{wallet}") };
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

impl Drop for Litecoin {
    fn drop(&mut self) {
        self.kill();
    }
}
