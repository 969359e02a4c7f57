//! The loop: a thin shell around [`report_once`].

use std::sync::Arc;
use std::time::Duration;

use alp_record::judged::{RoundStatistics, from_json};
use alp_store::{LastCredit, Lease};
use tokio::sync::watch;

use super::{LiquidityReporter, ReportError, lines};
use crate::app::App;

/// How often the newest committed round is looked at: one entry of an index.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long after a failure the same round is told again.
const RETRY_AFTER_MS: u64 = 10_000;

/// How often a round is told at most, if it is the newest for so long.
const MAX_ATTEMPTS: u32 = 3;

/// How long all calls of one round may take together.
const TELL_WITHIN: Duration = Duration::from_secs(60);

/// How long after its end a round may still be told, in milliseconds: what was there earlier need not be there any more.
const STALE_AFTER_MS: u64 = 600_000;

/// What was told last, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    round_start: u64,
    attempts: u32,
    done: bool,
    tried_at_ms: u64,
}

/// Tells the newest committed round, each once, until told to stop.
pub async fn liquidity_reports(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut told = Told::default();
    loop {
        report_once(&app, &mut told).await;
        if tokio::time::timeout(LOOK_EVERY, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

/// Tells the newest committed round if this server leads and has not told it. Says what came of it in the log and in the
/// loop's state.
pub async fn report_once(app: &App, told: &mut Told) {
    let Some(reporter) = &app.liquidity_reporter else { return };
    let Some(lease) = app.leadership.lease().await else {
        app.health.note("liquidityinfo", app.now_ms(), Ok("this server does not lead".to_owned()));
        return;
    };
    let newest = match newest_round(app).await {
        Ok(Some(newest)) => newest,
        Ok(None) => return,
        Err(error) => return app.health.note("liquidityinfo", app.now_ms(), Err(error.to_string())),
    };
    if !is_due(told, newest.round_start, app.now_ms()) {
        return;
    }
    let outcome = match tokio::time::timeout(TELL_WITHIN, tell(app, reporter, &lease, &newest)).await {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err(format!("the wallet did not take all lines within {} s", TELL_WITHIN.as_secs())),
    };
    told.done = outcome.is_ok();
    if let Err(why) = &outcome {
        tracing::warn!(round = newest.round_start, attempt = told.attempts, "liquidityinfo: {why}");
    }
    app.health.note("liquidityinfo", app.now_ms(), outcome);
}

/// The newest committed round, if what it came to is not too old to be told.
async fn newest_round(app: &App) -> Result<Option<LastCredit>, ReportError> {
    let Some(newest) = app.store.pool_status().await?.last_credit else { return Ok(None) };
    let length_s = u64::from(app.in_force.load().config.pool.round.seconds());
    let ended_ms = newest.round_start.saturating_add(length_s).saturating_mul(1_000);
    let now_ms = app.store.clock_ms().await?;
    Ok((now_ms.saturating_sub(ended_ms) <= STALE_AFTER_MS).then_some(newest))
}

/// Whether a round is to be told now, which is then noted: one that is newer than all before, or the same again after a
/// failure.
fn is_due(told: &mut Told, round_start: u64, now_ms: u64) -> bool {
    if round_start > told.round_start {
        *told = Told { round_start, ..Told::default() };
    }
    let again = told.attempts == 0 || now_ms >= told.tried_at_ms.saturating_add(RETRY_AFTER_MS);
    let due = round_start == told.round_start && !told.done && told.attempts < MAX_ATTEMPTS && again;
    if due {
        told.attempts = told.attempts.saturating_add(1);
        told.tried_at_ms = now_ms;
    }
    due
}

async fn tell(
    app: &App,
    reporter: &LiquidityReporter,
    lease: &Lease,
    newest: &LastCredit,
) -> Result<String, ReportError> {
    let statistics: RoundStatistics = from_json(&newest.statistics, "the last round")?;
    let config = app.in_force.load_full();
    let settings = reporter.config();
    let start = newest.round_start;
    let lines = lines(&config.config, settings.tiers, &settings.pool, start, &statistics)?;
    let differences = reporter.tell(&lines).await?;
    match differences.first() {
        None => {
            reporter.alarm(lease, None).await?;
            Ok(format!("round {start}: {} lines, shown as they were told", lines.len()))
        }
        Some(first) => {
            let more = differences.len() - 1;
            let sentence =
                format!("round {start} is not shown as it was told: {first}; and {more} more differences");
            reporter.alarm(lease, Some(&sentence)).await?;
            Err(ReportError::Differs(sentence))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_told_once_and_after_a_failure_again_only_while_it_is_the_newest() {
        let mut told = Told::default();
        assert!(is_due(&mut told, 60, 0));
        assert!(!is_due(&mut told, 60, RETRY_AFTER_MS - 1), "not at once");
        assert!(is_due(&mut told, 60, RETRY_AFTER_MS));
        assert!(is_due(&mut told, 120, RETRY_AFTER_MS + 1), "the newer one at once");
        assert!(!is_due(&mut told, 60, u64::MAX), "the older one never again");
        told.done = true;
        assert!(!is_due(&mut told, 120, u64::MAX));
        assert!(is_due(&mut told, 180, u64::MAX));
    }

    #[test]
    fn a_round_is_not_told_for_ever() {
        let mut told = Told::default();
        let told_at: Vec<bool> = (0..10).map(|time| is_due(&mut told, 60, time * RETRY_AFTER_MS)).collect();
        assert_eq!(told_at.iter().filter(|told| **told).count(), MAX_ATTEMPTS as usize);
    }
}
