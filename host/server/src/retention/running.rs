//! The loop of retention: a thin shell around [`Retention::step`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::{RetentionConfig, Step};
use crate::app::App;

/// How often it is looked whether something is old enough.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The pause while there is more to forget: rounds and submissions go first, however much it is.
const PAUSE: Duration = Duration::from_millis(250);

/// The most steps in a row.
const STEPS_IN_A_ROW: usize = 8;

/// Forgets what is old, until told to stop.
pub async fn retention(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let wait = if retention_once(&app).await { PAUSE } else { LOOK_EVERY };
        if tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Does some steps, if this server leads. Says what came of it in the loop's state. Whether there may be more to do at
/// once.
pub async fn retention_once(app: &App) -> bool {
    let config = app.in_force.load().config.pool.retention;
    if config == RetentionConfig::default() {
        app.health.note("retention", app.now_ms(), Ok("everything is kept".to_owned()));
        return false;
    }
    let Some(lease) = app.leadership.lease().await else {
        app.health.note("retention", app.now_ms(), Ok("this server does not lead".to_owned()));
        return false;
    };
    let mut did = Vec::new();
    for _ in 0..STEPS_IN_A_ROW {
        let step = async { app.retention.step(&lease, config, app.store.clock_ms().await?).await };
        match step.await {
            Ok(Step::Idle) => {
                app.health.note("retention", app.now_ms(), Ok(sentence(&did, false)));
                return false;
            }
            Ok(step) => did.push(step),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "what is old could not be forgotten; it goes on from there"
                );
                app.health.note("retention", app.now_ms(), Err(error.to_string()));
                return false;
            }
        }
    }
    app.health.note("retention", app.now_ms(), Ok(sentence(&did, true)));
    true
}

/// What the steps did: a few words for the operator.
fn sentence(did: &[Step], more: bool) -> String {
    let (mut orders, mut credits, mut counted, mut records) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut carried = false;
    for step in did {
        match step {
            Step::Idle => {}
            Step::Orders(rows) => orders = orders.saturating_add(*rows),
            Step::Credits(rows) => credits = credits.saturating_add(*rows),
            Step::Counted(entries) => counted = counted.saturating_add(*entries),
            Step::Carried => carried = true,
            Step::Records(rows) => records = records.saturating_add(*rows),
        }
    }
    let counts = [
        (orders, "lists of orders and accounts forgotten"),
        (credits, "credits summed up"),
        (counted, "entries of the record added up"),
        (records, "entries of the record forgotten"),
    ];
    let mut words: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if carried {
        words.push("balances carried forward in the record".to_owned());
    }
    if words.is_empty() {
        return "nothing is old enough".to_owned();
    }
    if more {
        words.push("and there is more".to_owned());
    }
    words.join(", ")
}
