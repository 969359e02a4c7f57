//! Where a server that is to be killed runs: a folder and a database, both copies of those of a seed.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use alp_store::{Clock, Store, StoreOptions};
use alp_tests::{Cut, DatabaseLink, Stop, StoppableServer, wait_until};
use tempfile::TempDir;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// The address of a new database for the pool in this folder. `None` where it is not installed.
    pub(super) async fn create(self, folder: &Path) -> Option<String> {
        match self {
            Self::Sqlite => Some(sqlite_in(folder)),
            Self::Postgres => alp_store::testing::postgres_database().await,
        }
    }
}

/// A folder with `pool.toml` and what belongs to it, and a database that nobody uses any more.
pub(super) struct Seed {
    pub(super) folder: TempDir,
    pub(super) url: String,
}

/// A copy of a seed.
pub(super) struct Place {
    folder: TempDir,
    /// The test's own connections.
    pub(super) store: Store,
    /// What the server reaches its database through, where that can be cut.
    pub(super) link: Option<DatabaseLink>,
}

impl Seed {
    /// A copy, with texts of `pool.toml` replaced.
    pub(super) async fn copy(&self, replaced: &[(&str, &str)]) -> Place {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), folder.path());
        let (url, link) = if self.url.starts_with("sqlite:") {
            (sqlite_in(folder.path()), None)
        } else {
            let url = copy_database(&self.url).await;
            let link = DatabaseLink::open(&url);
            (url, Some(link))
        };
        let servers_url = link.as_ref().map_or_else(|| url.clone(), |link| link.url(&url));
        let file = folder.path().join("pool.toml");
        let mut text = std::fs::read_to_string(&file).unwrap();
        for (from, to) in replaced.iter().chain(&[(self.url.as_str(), servers_url.as_str())]) {
            assert!(text.contains(from), "{from} is not in\n{text}");
            text = text.replace(from, to);
        }
        std::fs::write(file, text).unwrap();
        let options = StoreOptions { url, round_seconds: 60, clock: Clock::Database };
        Place { store: Store::open(options).await.unwrap(), folder, link }
    }
}

impl Place {
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a server until `done`, on a connection that is cut within the commit that comes after so many others. It has to
    /// find its way by itself; only one that was about to start may say that the database does not work, and is started again,
    /// as a service manager does. What it was doing when it was cut; nothing if it was not: leases are renewed as time goes by,
    /// so that the last commits may come or not.
    pub(super) async fn outlives_the_cut(
        &self,
        (earlier, cut): (usize, Cut),
        mut done: impl AsyncFnMut() -> bool,
    ) -> Option<String> {
        let during = Arc::new(Mutex::new(None));
        let (noted, folder) = (Arc::clone(&during), self.folder().to_owned());
        let note = move || {
            *noted.lock().unwrap() = Some(under_way(&folder));
        };
        self.link.as_ref().unwrap().cut(earlier, cut, note);
        let mut server = StoppableServer::start(self.folder(), &Stop::default());
        let ended = async || server.did_not_start() || done().await;
        wait_until("a server outlives a cut", ended).await;
        if server.did_not_start() {
            server = StoppableServer::start(self.folder(), &Stop::default());
            server.wait_until("a server starts again after a cut", done).await;
        }
        during.lock().unwrap().take()
    }

    /// Runs a server until it is killed within this write to its database, or `done`. What it was doing when it was killed;
    /// nothing if it was not, since leases are renewed as time goes by, so that the last writes may come or not.
    pub(super) async fn is_torn(&self, number: usize, mut done: impl AsyncFnMut() -> bool) -> Option<String> {
        let server = StoppableServer::start(self.folder(), &Stop { torn: Some(number), ..Stop::default() });
        let ended = async || server.has_ended() || done().await;
        wait_until("a server is killed within a write", ended).await;
        server.has_ended().then(|| under_way(self.folder()))
    }

    /// The folder of another server of the same database.
    pub(super) fn folder_of_another(&self) -> TempDir {
        let another = tempfile::tempdir().unwrap();
        copy_folder(self.folder.path(), another.path());
        another
    }
}

/// The step that a server of this folder was in the middle of, for the table.
fn under_way(folder: &Path) -> String {
    let last = StoppableServer::passed(folder).pop().filter(|point| !point.done);
    let step = last.map_or_else(|| "beside rounds and payouts".to_owned(), |point| point.step);
    format!(": {step}")
}

fn sqlite_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("alp.db").display())
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            std::fs::create_dir(&to).unwrap();
            std::fs::set_permissions(&to, from.metadata().unwrap().permissions()).unwrap();
            copy_folder(&from, &to);
        } else if kind.is_file() {
            std::fs::copy(&from, &to).unwrap();
        }
    }
}

async fn copy_database(url: &str) -> String {
    static COPIES: AtomicU64 = AtomicU64::new(0);
    let cluster = alp_store::testing::cluster().await.unwrap();
    let from = url.split_once("@/").unwrap().1.split_once('?').unwrap().0;
    let name = format!("killed_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    cluster.execute(&format!("CREATE DATABASE {name} TEMPLATE {from}")).await;
    cluster.url(&name)
}
