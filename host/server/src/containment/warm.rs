//! What a server that starts remembers: the LPs whose samples were accepted shortly before. It knows no rule; without it
//! everybody would be new after a restart, and new ones come last.

use std::sync::Arc;

use alp_store::StoreError;

use super::standing::STANDING_MS;
use crate::app::App;

/// How many of the latest rounds are looked through. Three: a bot posts each minute, and reading more would make the
/// start wait.
const ROUNDS: u64 = 3;

/// Gives standing to the LPs that had it. If the database does not answer, everybody is new.
pub(crate) async fn warm(app: &Arc<App>) {
    if let Err(error) = remember_latest(app).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "the latest samples could not be read: every LP counts as new for a while");
    }
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
