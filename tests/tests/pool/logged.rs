//! A log that is kept in memory, as the server writes it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// A log that is kept in memory.
#[derive(Clone, Default)]
pub(crate) struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    /// Keeps everything that this thread logs, down to what only a programmer wants to see, until the guard is dropped.
    pub(crate) fn subscribe_to_all(&self) -> impl Drop + use<> {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_max_level(LevelFilter::TRACE);
        subscriber.with_writer(self.clone()).finish().set_default()
    }

    /// Keeps what this thread logs, written as the server writes it, until the guard is dropped.
    pub(crate) fn subscribe(&self) -> impl Drop + use<> {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(self.clone());
        subscriber.set_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
