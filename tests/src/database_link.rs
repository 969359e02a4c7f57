//! A socket between a server and PostgreSQL that can be cut within a commit: the server then does not know what became of
//! it. It knows of the protocol only what a commit looks like.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::OwnedReadHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// The name of PostgreSQL's socket in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// A commit as drivers send it: a simple query, its length, its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// On which side of a commit the connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It was sent and never arrives.
    BeforeItIsMade,
    /// It was made, and the answer never arrives.
    AfterItIsMade,
}

/// A cut that is to come, and who is told when it does.
struct Planned {
    earlier: usize,
    cut: Cut,
    told: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct State {
    commits: usize,
    planned: Option<Planned>,
}

/// The link. Dropped, it is gone.
pub struct DatabaseLink {
    folder: TempDir,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl DatabaseLink {
    /// Opens it to the database of this address, which names the folder of a socket.
    pub fn open(url: &str) -> Self {
        let target = PathBuf::from(url.split_once("?host=").unwrap().1).join(SOCKET);
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((server, _)) = listener.accept().await {
                let Ok(database) = UnixStream::connect(&target).await else { return };
                tokio::spawn(carry(server, database, Arc::clone(&shared)));
            }
        });
        Self { folder, state, task }
    }

    /// The address of the same database behind the link.
    pub fn url(&self, url: &str) -> String {
        let (database, _) = url.split_once("?host=").unwrap();
        format!("{database}?host={}", self.folder.path().display())
    }

    /// Cuts the connection of the commit that comes after so many others, and tells somebody right before.
    pub fn cut(&self, earlier: usize, cut: Cut, told: impl FnOnce() + Send + 'static) {
        self.state.lock().unwrap().planned = Some(Planned { earlier, cut, told: Box::new(told) });
    }

    /// How many commits came so far.
    pub fn commits(&self) -> usize {
        self.state.lock().unwrap().commits
    }
}

impl Drop for DatabaseLink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries bytes both ways until either end, or a cut.
async fn carry(server: UnixStream, database: UnixStream, state: Arc<Mutex<State>>) {
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_database, mut to_database) = database.into_split();
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        tokio::select! {
            read = from_server.read(&mut asked) => {
                let Some(count) = read.ok().filter(|count| *count > 0) else { return };
                let bytes = &asked[..count];
                match cut_of(bytes, &state) {
                    None => {}
                    Some(Cut::BeforeItIsMade) => return,
                    Some(Cut::AfterItIsMade) => {
                        if to_database.write_all(bytes).await.is_ok() {
                            wait_for_an_answer(&mut from_database).await;
                        }
                        return;
                    }
                }
                if to_database.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = from_database.read(&mut answered) => {
                let Some(count) = read.ok().filter(|count| *count > 0) else { return };
                if to_server.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What happens to the commit in these bytes, if there is one.
fn cut_of(bytes: &[u8], state: &Mutex<State>) -> Option<Cut> {
    if !bytes.windows(COMMIT.len()).any(|part| part == COMMIT) {
        return None;
    }
    let mut state = state.lock().unwrap();
    let number = state.commits;
    state.commits += 1;
    let planned = state.planned.take_if(|planned| planned.earlier == number)?;
    (planned.told)();
    Some(planned.cut)
}

async fn wait_for_an_answer(from_database: &mut OwnedReadHalf) {
    let _ = from_database.read(&mut [0; 1024]).await;
}
