//! A PostgreSQL cluster of a test binary's own: made when the first test asks, gone when the binary ends, however
//! it ends. Knows nothing of the store but how to open one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "only tests use it, and it may fail as loudly as they may"
)]

mod history;

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor};
use tokio::sync::OnceCell;

use crate::{Clock, Store, StoreOptions};

pub use history::{History, database_bytes, fill_history};

/// Whether stores that are opened from now on tell each statement, as an event `sqlx::query` of the level debug.
static STATEMENTS_ARE_TOLD: AtomicBool = AtomicBool::new(false);

/// Has stores that are opened from now on tell their statements, so that a test can look at how each is run.
pub fn tell_statements() {
    STATEMENTS_ARE_TOLD.store(true, Ordering::SeqCst);
}

pub(crate) fn statements_are_told() -> bool {
    STATEMENTS_ARE_TOLD.load(Ordering::SeqCst)
}

/// How long the cluster may take to answer after it was started. It takes a second or two.
const START_WITHIN: Duration = Duration::from_secs(60);

/// How often it is looked whether it answers.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The database that every other one is a copy of: it has the schema.
const TEMPLATE: &str = "alp_template";

/// Stops and starts the cluster as it is told, and waits until the test binary is gone, which closes its end of the pipe:
/// then it stops the cluster and removes its folder. So nothing is left behind by a binary that panics or is killed.
const KEEPER: &str = r#"
programs="$1" folder="$2"
run() {
    "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c max_connections=300 \
        >>"$folder/log" 2>&1 </dev/null &
    server=$!
}
run
while read -r order; do
    case "$order" in
    stop) kill -QUIT "$server"; wait "$server" ;;
    start) run ;;
    esac
done
kill -INT "$server"
wait "$server"
rm -rf "$folder"
"#;

/// A running cluster with default settings of durability, reached by a socket in a folder of its own.
#[derive(Debug)]
pub struct PostgresCluster {
    folder: PathBuf,
    databases: AtomicU64,
    keeper: Mutex<ChildStdin>,
}

/// Runs a statement on a database beside a store, as another hand would.
pub async fn run_statement(address: &str, sql: &str) {
    let mut beside = AnyConnection::connect(address).await.unwrap();
    beside.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
}

/// The address of a new database with the schema and nothing in it. `None` where PostgreSQL is not installed:
/// the test is then skipped and says so; with `CI` in the environment it fails.
pub async fn postgres_database() -> Option<String> {
    let cluster = cluster().await?;
    let name = format!("pool_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
    cluster.execute(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}")).await;
    Some(cluster.url(&name))
}

/// A database with another program's schema, as that program's own connections see it.
#[derive(Debug, Clone)]
pub struct ForeignDatabase {
    url: String,
}

/// A new database with nothing in it. `None` as for [`postgres_database`].
pub async fn foreign_database() -> Option<ForeignDatabase> {
    let cluster = cluster().await?;
    let name = format!("foreign_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
    cluster.execute(&format!("CREATE DATABASE {name}")).await;
    Some(ForeignDatabase { url: cluster.url(&name) })
}

impl ForeignDatabase {
    /// The database at this address.
    #[must_use]
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements over a connection of its own. What the database says against them.
    ///
    /// # Errors
    /// The database's words.
    pub async fn try_execute(&self, sql: &str) -> Result<(), String> {
        let mut connection = connect_to(&self.url).await.expect("the cluster answers");
        let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
        connection.close().await.unwrap();
        done.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Runs statements.
    ///
    /// # Panics
    /// If the database refuses them.
    pub async fn execute(&self, sql: &str) {
        self.try_execute(sql).await.unwrap();
    }

    /// One text.
    ///
    /// # Panics
    /// If the database refuses the question, or the answer is no text.
    pub async fn text(&self, sql: &str) -> String {
        let mut connection = connect_to(&self.url).await.expect("the cluster answers");
        let row = connection.fetch_one(AssertSqlSafe(sql.to_owned())).await.unwrap();
        connection.close().await.unwrap();
        sqlx::Row::try_get(&row, 0).unwrap()
    }

    /// A connection whose transaction has run a statement and does not end until it is dropped.
    ///
    /// # Panics
    /// If the database refuses it.
    pub async fn in_the_middle_of(&self, sql: &str) -> impl Send + use<> {
        let mut connection = connect_to(&self.url).await.expect("the cluster answers");
        connection.execute(AssertSqlSafe(format!("BEGIN; {sql}"))).await.unwrap();
        connection
    }
}

async fn connect_to(url: &str) -> sqlx::Result<AnyConnection> {
    let place = crate::place::Place::parse(url).expect("the address is right");
    let options: AnyConnectOptions = place.options(crate::dialect::Role::Schema).expect("it is right");
    AnyConnection::connect_with(&options).await
}

/// The cluster of this test binary. `None` as for [`postgres_database`].
pub async fn cluster() -> Option<&'static PostgresCluster> {
    static CLUSTER: OnceCell<Option<PostgresCluster>> = OnceCell::const_new();
    let started = CLUSTER.get_or_init(PostgresCluster::of_its_own);
    let found = started.await.as_ref();
    if found.is_none() {
        say_it_is_skipped();
    }
    found
}

/// Runs a statement in a database of any kind, beside whoever uses it and without the store's care: what an accident or
/// another hand does to a database.
///
/// # Panics
/// If the database refuses it.
pub async fn execute_in(url: &str, sql: &str) {
    sqlx::any::install_default_drivers();
    let place = crate::place::Place::parse(url).expect("the address is right");
    let options = place.options(crate::dialect::Role::Schema).expect("it is right");
    let mut connection = AnyConnection::connect_with(&options).await.expect("the database answers");
    if place.dialect() == crate::dialect::Dialect::Sqlite {
        connection.execute("PRAGMA busy_timeout = 5000; PRAGMA foreign_keys = OFF;").await.unwrap();
    }
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

fn say_it_is_skipped() {
    let message = "PostgreSQL is not installed (neither in PATH nor in /usr/lib/postgresql/*/bin)";
    assert!(std::env::var_os("CI").is_none(), "{message}");
    // Written past the harness, which would keep it to itself when the test passes.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {message}");
}

impl PostgresCluster {
    /// A cluster for a test that stops it. `None` as for [`postgres_database`].
    pub async fn of_its_own() -> Option<Self> {
        let Some(programs) = programs() else {
            say_it_is_skipped();
            return None;
        };
        Some(Self::start(&programs).await)
    }

    /// Ends the cluster as a crash does, and waits until nobody answers.
    ///
    /// # Panics
    /// If it goes on answering.
    pub async fn stop(&self) {
        self.order("stop");
        let deadline = Instant::now() + START_WITHIN;
        while self.connect().await.is_ok() {
            assert!(Instant::now() < deadline, "the cluster did not stop");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Starts it again, and waits until it answers.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start_again(&self) {
        self.order("start");
        self.wait_until_it_answers().await;
    }

    /// Makes a database with nothing in it. Its address.
    pub async fn empty_database(&self) -> String {
        let name = format!("empty_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    fn order(&self, order: &str) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(keeper, "{order}").expect("the keeper takes orders");
    }

    /// The address of a database of this cluster.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://alp@/{database}?host={}", self.folder.display())
    }

    /// Runs a statement as the cluster's owner.
    ///
    /// # Panics
    /// If the cluster refuses it.
    pub async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await.expect("the cluster answers");
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn start(programs: &Path) -> Self {
        sqlx::any::install_default_drivers();
        let folder = tempfile::Builder::new().prefix("alp-pg-").tempdir().unwrap().keep();
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let as_owner = |program: &Path| {
            let mut command = Command::new(program);
            command.current_dir(&folder);
            if let Some((user, group)) = owner {
                command.uid(user).gid(group);
            }
            command
        };
        let made = as_owner(&programs.join("initdb"))
            .args(["--username=alp", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(folder.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut keeper = as_owner(Path::new("/bin/sh"))
            .args(["-c", KEEPER, "keeper"])
            .arg(programs)
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let held = keeper.stdin.take().expect("its input is a pipe");
        // It outlives this program, which is what it is for; should it end before, somebody takes note of that.
        std::thread::spawn(move || keeper.wait());
        let cluster = Self { folder, databases: AtomicU64::new(0), keeper: Mutex::new(held) };
        cluster.wait_until_it_answers().await;
        cluster.execute(&format!("CREATE DATABASE {TEMPLATE}")).await;
        let options = StoreOptions { url: cluster.url(TEMPLATE), round_seconds: 60, clock: Clock::Database };
        Store::open(options).await.expect("the template gets its schema").close().await;
        cluster
    }

    async fn wait_until_it_answers(&self) {
        let deadline = Instant::now() + START_WITHIN;
        while let Err(error) = self.connect().await {
            if Instant::now() > deadline {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                panic!("PostgreSQL did not start: {error}\n{log}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn connect(&self) -> sqlx::Result<AnyConnection> {
        connect_to(&self.url("postgres")).await
    }
}

/// The folder of `initdb` and `postgres`, and of the other programs of PostgreSQL: in the PATH, or where Debian puts them.
#[must_use]
pub fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

/// User and group to run the cluster as, if this is root, whom PostgreSQL refuses.
fn owner() -> Option<(u32, u32)> {
    let me = fs::metadata("/proc/self").map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata));
    if me.is_ok_and(|uid| uid != 0) {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres", "nobody"].iter().find_map(|wanted| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    })
}
