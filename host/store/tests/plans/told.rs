//! The statements that the driver tells of.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use tokio::sync::MutexGuard;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Statements of all threads, in their order.
pub(crate) struct Told {
    statements: Arc<Mutex<Vec<String>>>,
    /// One test at a time, since all share what is told.
    _alone: MutexGuard<'static, ()>,
}

static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

static STATEMENTS: OnceLock<Arc<Mutex<Vec<String>>>> = OnceLock::new();

impl Told {
    /// Listens from now on.
    pub(crate) async fn start() -> Self {
        let alone = ALONE.lock().await;
        let statements = STATEMENTS.get_or_init(|| {
            let statements = Arc::default();
            let listener = Listener(Arc::clone(&statements));
            tracing::subscriber::set_global_default(listener).unwrap();
            statements
        });
        statements.lock().unwrap().clear();
        Self { statements: Arc::clone(statements), _alone: alone }
    }

    /// What was told since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.statements.lock().unwrap())
    }
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query" && *metadata.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut statement = Statement::default();
        event.record(&mut statement);
        let Statement { summary, whole } = statement;
        // What is short is told as its own summary.
        let text = if whole.trim().is_empty() { summary } else { whole.trim().to_owned() };
        let first = text.split_whitespace().next().unwrap_or("").to_uppercase();
        if ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(&first.as_str()) {
            self.0.lock().unwrap().push(text);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Statement {
    summary: String,
    whole: String,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.whole = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
