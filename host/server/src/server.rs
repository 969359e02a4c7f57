//! A running pool, put together from its configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alp_sandbox::{AdapterFolder, Compiler, Entry, Limits as SandboxLimits, Sandbox, SandboxError, Snapshot};
use alp_store::{Clock, Store, StoreError, StoreOptions};
use arc_swap::ArcSwap;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::admission::PoolAdmission;
use crate::app::{App, HostClock, InForce, Parts};
use crate::config::Config;
use crate::containment;
use crate::control::{ControlError, ControlSocket};
use crate::database::{PasswordError, database_url};
use crate::endpoints::router;
use crate::exchange::ClientError;
use crate::fail_at::FailAt;
use crate::kept::{KeptReplies, KeyError};
use crate::lifecycle::Lifecycle;
use crate::lifecycle::versions::VersionsError;
use crate::record::{PublishError, Publisher, SigningKeyError, read_or_make};
use crate::{liquidity_report, loops, payouts, retention, service, tllp};

/// How long the start waits for adapters of configured exchanges that are not there at once.
const ADAPTERS_WITHIN: Duration = Duration::from_secs(1);

/// What a pool is started with, beside its configuration.
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The file it was read from, which is watched for changes.
    pub pool_file: PathBuf,
    /// What compiles adapters: a program and its leading arguments.
    pub compiler: (PathBuf, Vec<std::ffi::OsString>),
    /// The host's clock.
    pub host_clock: HostClock,
    /// The clock that decides rounds.
    pub store_clock: Clock,
    /// Whether rounds and prices run by themselves. A test that moves the clock runs them itself.
    pub loops: bool,
    /// Where a test stops rounds and payouts.
    pub fail_at: FailAt,
}

/// This machine's clock, in Unix milliseconds.
#[must_use]
pub fn system_clock() -> HostClock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// A pool that answers bots.
pub struct Running {
    app: Arc<App>,
    address: SocketAddr,
    tllp_address: Option<SocketAddr>,
    stop: Arc<watch::Sender<bool>>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Starts a pool: opens the database, loads the adapters, credits what was missed, and listens.
    ///
    /// # Errors
    /// [`StartError`] says what the operator has to mend.
    pub async fn start(start: Start) -> Result<Self, StartError> {
        let Start { config, pool_file, compiler, host_clock, store_clock, loops, fail_at } = start;
        let pool = config.pool.clone();
        let (listener, address) = listen(pool.listen).await?;
        let tllp = match pool.tllp.as_ref().and_then(|tllp| tllp.listen) {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let control = ControlSocket::open(&pool.control_socket)?;
        let options = StoreOptions {
            url: database_url(&pool)?,
            round_seconds: u64::from(pool.round.seconds()),
            clock: store_clock,
        };
        let (key, made) = read_or_make(&pool.signing_key)?;
        if made {
            let (file, public) = (pool.signing_key.display(), key.public());
            tracing::warn!(
                %public,
                "a key was made that signs the pool's record, in {file}: back it up now, the record cannot go on without it"
            );
        }
        let store = Store::open(options).await?;
        refuse_without_epoch(&store).await?;
        let publisher = Arc::new(Publisher::open(&store, key).await?);
        let compiler =
            Compiler { program: compiler.0, leading_args: compiler.1, cache_dir: pool.cache.clone() };
        let sandbox = Sandbox::new(SandboxLimits::default(), compiler)?;
        let exchanges: Vec<String> = config.exchanges.keys().cloned().collect();
        let in_force = Arc::new(ArcSwap::from_pointee(InForce::new(config, None)?));
        let admission = Arc::new(PoolAdmission::new(Arc::clone(&in_force), sandbox.clone()));
        let lifecycle = Lifecycle::open(sandbox.clone(), admission, &pool.versions, Arc::clone(&host_clock))?;
        let holds = lifecycle.holds().await?;
        let adapters =
            AdapterFolder::open_holding(&pool.plugins, sandbox, lifecycle.admission(), holds).await;
        // A file that was copied a moment ago is taken up a moment later; bots should not come in between.
        let there = |entry: &Entry| entry.adapter.is_some() || entry.candidate.is_some();
        let complete = |snapshot: &Snapshot| exchanges.iter().all(|id| snapshot.entry(id).is_some_and(there));
        if adapters.wait_for(ADAPTERS_WITHIN, complete).await.is_err() {
            tracing::warn!("not every configured exchange has its adapter yet; `alp status` says which");
        }
        let (kept, keeper) = match &pool.keep_replies {
            Some(keep) => KeptReplies::open(keep).map(|(kept, keeper)| (kept, Some(keeper)))?,
            None => (KeptReplies::default(), None),
        };
        let clock = Arc::clone(&host_clock);
        let parts = Parts { store, adapters, lifecycle, clock, kept, publisher, fail_at };
        let app = App::new(in_force, parts)?;
        let app = Arc::new(app);
        containment::warm(&app).await;

        let stop = Arc::new(watch::Sender::new(false));
        let mut tasks = JoinSet::new();
        tasks.spawn(service::serve(listener, router(Arc::clone(&app)), pool.limits, stop.subscribe()));
        let tllp_address = tllp.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = tllp {
            let router = tllp::router(Arc::clone(&app));
            tasks.spawn(service::serve(listener, router, pool.limits, stop.subscribe()));
        }
        tasks.spawn(control.answer(Arc::clone(&app), pool_file.clone(), Arc::clone(&stop)));
        tasks.spawn(loops::configuration(Arc::clone(&app), pool_file, stop.subscribe()));
        if let Some(keeper) = keeper {
            tasks.spawn(keeper.run(host_clock, stop.subscribe()));
        }
        if loops {
            tasks.spawn(loops::rounds(Arc::clone(&app), stop.subscribe()));
            tasks.spawn(payouts::payouts(Arc::clone(&app), stop.subscribe()));
            if app.liquidity_reporter.is_some() {
                tasks.spawn(liquidity_report::liquidity_reports(Arc::clone(&app), stop.subscribe()));
            }
            tasks.spawn(retention::retention(Arc::clone(&app), stop.subscribe()));
            tasks.spawn(loops::prices(Arc::clone(&app), stop.subscribe()));
            tasks.spawn(loops::refusals(Arc::clone(&app), stop.subscribe()));
        }
        tracing::info!(%address, "the pool is up");
        Ok(Self { app, address, tllp_address, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens for the second protocol, if that has a listener of its own.
    #[must_use]
    pub fn tllp_address(&self) -> Option<SocketAddr> {
        self.tllp_address
    }

    /// What it is made of.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Completes when the pool is told to stop, by [`Running::stop`] or over the control socket.
    pub async fn stopped(&self) {
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Ends the pool in good order: requests under way are answered, and what was answered is stored.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
        loops::write_refusals_down(&self.app).await;
        self.app.leadership.release(&self.app.store).await;
        self.app.store.close().await;
        tracing::info!("the pool has stopped");
    }
}

async fn listen(on: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address: on, source };
    let listener = TcpListener::bind(on).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// A database that was put back from a backup waits for the epoch in which its record goes on.
async fn refuse_without_epoch(store: &Store) -> Result<(), StartError> {
    match store.restore_without_epoch().await? {
        Some(restore) => Err(StartError::Restored { backup_at_ms: restore.backup_at_ms }),
        None => Ok(()),
    }
}

/// Why a pool does not start. The operator's.
#[derive(Debug, Error)]
pub enum StartError {
    /// The address.
    #[error("cannot listen on {address}: is another program there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The control socket.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The password of the database.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The key that seals what is kept.
    #[error("replies cannot be kept")]
    Keep(#[from] KeyError),
    /// The key that signs the record.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The pool's record.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database was put back from a backup, and the record has not begun an epoch since.
    #[error(
        "the database was put back from a backup made at {backup_at_ms} ms (Unix time): before the pool goes on, `alp \
         epoch` has to name the last head and the last round that were published"
    )]
    Restored {
        /// When the backup was made, in Unix milliseconds.
        backup_at_ms: u64,
    },
    /// The engine for adapters.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The folder of versions of adapters.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// The client for exchanges.
    #[error(transparent)]
    Client(#[from] ClientError),
}
