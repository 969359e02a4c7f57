//! Several servers on one PostgreSQL database, each a process of its own that can be killed and paused.

use std::fs::File;
use std::net::TcpListener as StdListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use alp_simulated_exchange::{NewOrder, Side, SimulatedExchange, protocol_of};
use alp_store::{Acquired, Clock, Store, StoreOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::components::profile_folder;
use crate::http::{Answer, client, message_body};
use crate::lps::Lp;
use crate::settings::{Settings, write_signing_key};
use crate::signing::sign;
use crate::wait::wait_until;

/// The length of their rounds, in seconds.
pub const SHORT_ROUND_S: u64 = 2;

/// Servers that share a database, and the exchange at the other end.
pub struct SharedPool {
    /// The servers.
    pub servers: Vec<Server>,
    /// The test's own connections to the database.
    pub store: Store,
    exchange: alp_simulated_exchange::Running,
    http: reqwest::Client,
    nonce: AtomicU64,
}

/// One server.
pub struct Server {
    folder: TempDir,
    address: String,
    process: Child,
}

impl SharedPool {
    /// Starts servers. `None` where PostgreSQL is not installed; the test is then skipped and says so.
    pub async fn start(servers: usize) -> Option<Self> {
        let database = alp_store::testing::postgres_database().await?;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let protocol = protocol_of("test_exchange").unwrap();
        let exchange = SimulatedExchange::start_with(listener, Arc::new(now_ms), protocol).unwrap();
        exchange.handle().add_market("NBT", "BTC", "0.004".parse().unwrap()).unwrap();
        exchange.handle().add_market("NBT", "USD", "1".parse().unwrap()).unwrap();
        let mut started = Vec::new();
        for _ in 0..servers {
            started.push(Server::start(&database, &exchange.origin(), SHORT_ROUND_S).await);
        }
        let servers = started;
        let options = StoreOptions { url: database, round_seconds: SHORT_ROUND_S, clock: Clock::Database };
        let store = Store::open(options).await.unwrap();
        let pool = Self { servers, store, exchange, http: client(), nonce: AtomicU64::new(now_ms()) };
        for server in &pool.servers {
            wait_until("a server answers", async || pool.answers(server).await).await;
        }
        wait_until("a server leads", async || pool.leader().await.is_some()).await;
        Some(pool)
    }

    /// Which of the servers leads.
    pub async fn leader(&self) -> Option<usize> {
        let digest = self.store.configuration_in_force().await.unwrap()?.digest;
        match self.store.acquire_lease("rounds", "nobody", 1, &digest).await.unwrap() {
            Acquired::HeldBy { holder, remaining_ms } => {
                assert!(remaining_ms <= SHORT_ROUND_S * 1000 / 2, "{remaining_ms}");
                self.servers.iter().position(|server| server.holds(&holder))
            }
            Acquired::Granted(lease) => {
                self.store.release_lease(&lease).await.unwrap();
                None
            }
        }
    }

    /// Whether a server answers bots.
    pub async fn answers(&self, server: &Server) -> bool {
        self.http.get(format!("{}/exchanges", server.address)).send().await.is_ok()
    }

    /// An LP registered at one of the servers, with a wall on the market NBT/BTC.
    pub async fn lp(&self, name: &str, at: usize) -> Lp {
        let lp = Lp::new(name);
        let handle = self.exchange.handle();
        handle.add_account(&lp.key, &lp.secret).unwrap();
        let (price, amount) = ("0.004".parse().unwrap(), "1500".parse().unwrap());
        handle
            .place(&lp.key, NewOrder { market: "NBT_BTC".to_owned(), side: Side::Sell, price, amount })
            .unwrap();
        let text = |text: &str| serde_json::to_string(text).unwrap();
        let (user, address) = (text(&lp.key), text(&lp.address));
        let members = [
            ("user", user.as_str()),
            ("address", &address),
            ("exchange", "\"test_exchange\""),
            ("unit", "\"btc\""),
        ];
        self.post(at, "/register", message_body(&members)).await.accepted();
        lp
    }

    /// Submits an LP's orders at one of the servers.
    pub async fn submit(&self, lp: &Lp, at: usize) -> Answer {
        let nonce = self.nonce.fetch_add(1, Ordering::SeqCst) + 1;
        let (req, sign) = sign(lp, "test_exchange", "BTC", now_ms(), nonce).await;
        let user = serde_json::to_string(&lp.key).unwrap();
        let members = [
            ("user", user.as_str()),
            ("req", &req),
            ("sign", &sign),
            ("exchange", "\"test_exchange\""),
            ("unit", "\"btc\""),
        ];
        self.post(at, "/liquidity", message_body(&members)).await
    }

    async fn post(&self, at: usize, path: &str, body: String) -> Answer {
        let request = self.http.post(format!("{}{path}", self.servers[at].address));
        Answer::of(request.header("Content-Type", "application/json").body(body)).await
    }
}

impl Server {
    /// Starts one on a database, whose exchange is at this address.
    pub async fn start(database: &str, endpoint: &str, round_seconds: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let top = format!("database = {database:?}\nround_seconds = {round_seconds}");
        Settings::default().top(&top).write(folder.path(), endpoint).await;
        // The servers of one database sign with one key.
        write_signing_key(folder.path());
        // A port that is free now; nobody else takes it in the moment until the server does.
        let address = StdListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let file = folder.path().join("pool.toml");
        let text = std::fs::read_to_string(&file).unwrap().replace("127.0.0.1:0", &address);
        std::fs::write(&file, text).unwrap();
        let process = Command::new(profile_folder().join("alp-tests-server"))
            .args(["serve", "--config"])
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        Self { folder, address: format!("http://{address}"), process }
    }

    /// Where it listens.
    pub fn origin(&self) -> &str {
        &self.address
    }

    /// The number of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Whether a lease's holder of this name is this server.
    pub fn holds(&self, holder: &str) -> bool {
        holder.contains(self.folder.path().canonicalize().unwrap().to_str().unwrap())
    }

    /// Ends the process as a loss of power does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Stops the process where it stands.
    pub fn pause(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets the process go on.
    pub fn wake(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let process = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(process, signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
