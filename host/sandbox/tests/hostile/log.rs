//! What the operator sees: the program's log, as text. It knows nothing of what is logged.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// From now on everything is kept, whichever thread it comes from.
pub(crate) fn keep() {
    static KEPT: OnceLock<()> = OnceLock::new();
    KEPT.get_or_init(|| {
        tracing_subscriber::fmt().with_ansi(false).with_writer(|| Kept).init();
    });
}

/// The complaints since the last time, a line each. A line break that a component got into the log makes two.
pub(crate) fn complaints() -> Vec<String> {
    let log = String::from_utf8(std::mem::take(&mut *log())).unwrap();
    let praise = |line: &&str| !line.contains(" INFO ") && !line.is_empty();
    log.lines().filter(praise).map(ToOwned::to_owned).collect()
}

struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        log().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> MutexGuard<'static, Vec<u8>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}
