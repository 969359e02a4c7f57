//! What a server that starts remembers: the LPs whose samples were accepted shortly before, and which of them in which
//! of the last rounds. It knows no rule; without it everybody would be new after a restart, and new ones come last.

use std::sync::Arc;

use alp_store::StoreError;

use super::standing::STANDING_MS;
use crate::app::App;
use crate::why_not;

/// How many of the latest rounds are looked through. Three: a bot posts each minute, and reading more would make the
/// start wait.
const ROUNDS: u64 = 3;

/// Gives standing to the LPs that had it. If the database does not answer, everybody is new.
pub(crate) async fn warm(app: &Arc<App>) {
    if let Err(error) = remember_latest(app).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "the latest samples could not be read: every LP counts as new for a while");
    }
    if let Err(error) = remember_rounds(app).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "the last rounds could not be read: what LPs are told of them begins anew");
    }
}

/// Which LPs showed something in the rounds that they are told of.
async fn remember_rounds(app: &App) -> Result<(), StoreError> {
    let length_s = u64::from(app.in_force.load_full().config.pool.round.seconds()).max(1);
    let now_s = app.store.clock_ms().await? / 1_000;
    let current = now_s.saturating_sub(now_s.checked_rem(length_s).unwrap_or(0));
    let first = current.saturating_sub(length_s.saturating_mul(why_not::ROUNDS.saturating_sub(1)));
    app.why_not.remember(&app.store.shown_in_rounds(first, current).await?);
    Ok(())
}

async fn remember_latest(app: &App) -> Result<(), StoreError> {
    let in_force = app.in_force.load_full();
    let length_s = u64::from(in_force.config.pool.round.seconds());
    let now_ms = app.store.clock_ms().await?;
    let current = now_ms / 1000 / length_s.max(1) * length_s;
    for back in 0..ROUNDS {
        let Some(round) = current.checked_sub(back.saturating_mul(length_s)) else { break };
        for stored in app.store.samples(round).await? {
            let settings = in_force.config.exchanges.get(&stored.exchange);
            let recent = now_ms.saturating_sub(stored.submitted_at_ms) < STANDING_MS;
            if let Some(settings) = settings.filter(|_| recent && stored.sample.order_count > 0) {
                let (lp, at_ms) = (stored.sample.lp_id, stored.submitted_at_ms);
                app.containment.remember(&stored.exchange, lp, at_ms, settings.containment);
            }
        }
    }
    Ok(())
}
