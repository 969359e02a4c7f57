//! Reading ahead: what takes time for each entry is done on several threads, and comes out in the entries' order.
//! It knows neither what an entry says nor what is done with it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::VerifyError;
use super::source::{AT_A_TIME, Source};

/// Most bytes of entries that wait for their turn, beyond the one whose turn it is. An entry that was read takes some
/// times as much memory as its text.
const MAX_BYTES_AHEAD: usize = 64 * 1024 * 1024;

/// Most threads that work at a time.
const MAX_THREADS: usize = 64;

/// Reads entries, does `work` on the text of each, and hands what came of it to `take`, in the order of `numbers`.
/// Several are worked on at a time: `threads`, or as many as there are cores if that is 0. While some are worked on, the
/// next ones are fetched.
///
/// # Errors
/// The first error of reading or of `take`; then nothing further is taken.
pub(crate) async fn in_order<T, E>(
    source: &Source,
    numbers: &[u64],
    threads: usize,
    work: impl Fn(String) -> T + Send + Sync + 'static,
    mut take: impl FnMut(u64, T) -> Result<(), E>,
) -> Result<(), E>
where
    T: Send + 'static,
    E: From<VerifyError>,
{
    let mut queue = Queue { work: Arc::new(work), limit: limit(threads), waiting: VecDeque::new(), bytes: 0 };
    let mut groups = numbers.chunks(AT_A_TIME);
    let mut fetched = fetch(source, groups.next()).await?;
    while !fetched.is_empty() {
        let next = async { fetch(source, groups.next()).await.map_err(E::from) };
        let (next, ()) = tokio::try_join!(next, queue.add(fetched, &mut take))?;
        fetched = next;
    }
    queue.leave_room(usize::MAX, &mut take).await
}

async fn fetch(source: &Source, group: Option<&[u64]>) -> Result<Vec<(u64, String)>, VerifyError> {
    match group {
        Some(group) => source.entries(group).await,
        None => Ok(Vec::new()),
    }
}

fn limit(threads: usize) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    if threads == 0 { cores().min(MAX_THREADS) } else { threads.min(MAX_THREADS) }
}

/// Entries that are worked on, in their order.
struct Queue<T, W> {
    work: Arc<W>,
    /// How many are worked on at a time.
    limit: usize,
    waiting: VecDeque<Waiting<T>>,
    bytes: usize,
}

struct Waiting<T> {
    number: u64,
    bytes: usize,
    done: JoinHandle<T>,
}

impl<T: Send + 'static, W: Fn(String) -> T + Send + Sync + 'static> Queue<T, W> {
    async fn add<E: From<VerifyError>>(
        &mut self,
        texts: Vec<(u64, String)>,
        take: &mut impl FnMut(u64, T) -> Result<(), E>,
    ) -> Result<(), E> {
        for (number, text) in texts {
            let bytes = text.len();
            self.leave_room(bytes, take).await?;
            let work = Arc::clone(&self.work);
            let done = tokio::task::spawn_blocking(move || work(text));
            self.bytes = self.bytes.saturating_add(bytes);
            self.waiting.push_back(Waiting { number, bytes, done });
        }
        Ok(())
    }

    /// Takes what is first until there is room for an entry of so many bytes, which one alone always has.
    async fn leave_room<E: From<VerifyError>>(
        &mut self,
        bytes: usize,
        take: &mut impl FnMut(u64, T) -> Result<(), E>,
    ) -> Result<(), E> {
        while self.waiting.len() >= self.limit || self.bytes.saturating_add(bytes) > MAX_BYTES_AHEAD {
            let Some(first) = self.waiting.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(first.bytes);
            let done = first.done.await.map_err(|_| VerifyError::BrokenOff { number: first.number })?;
            take(first.number, done)?;
        }
        Ok(())
    }
}
