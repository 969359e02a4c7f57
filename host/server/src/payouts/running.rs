//! The loop of payouts: a thin shell around [`Payer::step`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Outcome;
use super::schedule::{Due, due};
use crate::app::App;

/// How often the wallet is looked at while nothing is due: a block takes minutes.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// How often a server that does not lead looks whether it does now: it does so in memory.
const NOT_LEADING: Duration = Duration::from_secs(1);

/// How long to wait after the database failed a step: as rounds do.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Most steps in a row, so that the loop's state is told now and then.
const STEPS_IN_A_ROW: usize = 100;

/// Makes payouts as they are due, until told to stop.
pub async fn payouts(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    loop {
        let wait = payouts_once(&app).await;
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(wait) => {}
            () = word(&app) => {}
        }
    }
}

/// Does every step that can be done now, if this server leads. Says what came of it in the log and in the loop's state,
/// and how long to wait until the next look.
pub async fn payouts_once(app: &App) -> Duration {
    let Some(payer) = &app.payer else { return LOOK_EVERY };
    let Some(lease) = app.leadership.lease().await else {
        app.health.note("payouts", app.now_ms(), Ok("this server does not lead".to_owned()));
        return NOT_LEADING;
    };
    payer.require_proof(app.in_force.load().config.pool.proof.require_proof);
    for _ in 0..STEPS_IN_A_ROW {
        let now_ms = match app.store.clock_ms().await {
            Ok(now_ms) => now_ms,
            Err(error) => {
                app.health.note("payouts", app.now_ms(), Err(error.to_string()));
                return AFTER_FAILURE;
            }
        };
        let (wait, noted) = match payer.step(&lease, now_ms).await {
            Ok(outcome) if outcome.goes_on() => continue,
            Ok(Outcome::Hindered(why) | Outcome::Stopped(why)) => (LOOK_EVERY, Err(why)),
            Ok(Outcome::Waiting) => (LOOK_EVERY, Ok("payouts wait for confirmations".to_owned())),
            Ok(_) => (LOOK_EVERY, Ok("nothing was due".to_owned())),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a payout broke off; it goes on from there"
                );
                (AFTER_FAILURE, Err(error.to_string()))
            }
        };
        app.health.note("payouts", app.now_ms(), noted);
        return wait;
    }
    LOOK_EVERY
}

async fn word(app: &App) {
    match &app.payer {
        Some(payer) => payer.word().await,
        None => std::future::pending().await,
    }
}

/// When payouts are planned next, in Unix seconds; zero if none are.
pub async fn next_payout_time(app: &App) -> u64 {
    let Some(payer) = &app.payer else { return 0 };
    let Ok(last) = app.store.payout_schedule().await else { return 0 };
    match due(payer.config().every, last, app.now_ms()) {
        Due::First { slot_ms } => slot_ms.saturating_add(payer.config().every.period_ms) / 1000,
        Due::Now { slot_ms } => slot_ms / 1000,
        Due::At(at_ms) => at_ms / 1000,
    }
}
