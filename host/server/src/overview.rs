//! How a running pool is, as text for its operator.

use std::fmt::Write;

use alp_sandbox::EntryState;
use alp_store::StoreError;

use crate::app::App;
use crate::containment;
use crate::rounds::coins_from;

/// Most past rounds that are looked through for gaps: an hour of minutes.
const GAPS_LOOKED_BACK: u64 = 60;

/// Writes the overview.
///
/// # Errors
/// [`StoreError`] if the database does not answer.
pub(crate) async fn overview(app: &App) -> Result<String, StoreError> {
    let mut text = String::new();
    let in_force = app.in_force.load_full();
    let now_ms = app.now_ms();
    let up_s = now_ms.saturating_sub(app.started_at_ms) / 1000;
    // Writing to a String cannot fail; the results below are dropped for that reason.
    let _ = writeln!(text, "{}, up for {up_s} s", in_force.config.pool.name);
    let status = app.store.pool_status().await?;
    let _ = writeln!(text, "\nregistrations  {}", status.number_of_users);
    match &status.last_credit {
        Some(last) => {
            let paid = coins_from(last.paid_e8).map_or_else(|| "?".to_owned(), |paid| paid.to_string());
            let _ = writeln!(text, "last round     {} paid {paid}", last.round_start);
        }
        None => text.push_str("last round     none yet\n"),
    }
    let gaps = app.store.gaps(app.store.clock_ms().await?, GAPS_LOOKED_BACK).await?;
    if gaps.is_empty() {
        let _ = writeln!(text, "gaps           none in the last {GAPS_LOOKED_BACK} rounds");
    } else {
        let shown: Vec<String> = gaps.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "gaps           rounds without any submission: {}", shown.join(" "));
    }
    text.push_str("\nprices\n");
    for (unit, config) in &in_force.config.prices {
        let price = app.prices.current(unit, config, now_ms);
        let shown = price.map_or_else(|| "none: no LP is credited".to_owned(), |price| price.to_string());
        let _ = writeln!(text, "  {unit:<12} {shown}");
    }
    text.push_str("\nadapters\n");
    let snapshot = app.adapters.snapshot();
    if let Some(error) = snapshot.folder_error() {
        let _ = writeln!(text, "  {error}");
    }
    if let Some(notice) = snapshot.folder_notice() {
        let _ = writeln!(text, "  {notice}");
    }
    for entry in snapshot.entries() {
        let state = match entry.state {
            EntryState::Serving => "serving",
            EntryState::Leaving => "leaving",
            EntryState::Waiting => "waiting",
            EntryState::Loading => "loading",
            EntryState::Refused => "refused",
        };
        let shown = entry.adapter.as_ref().or(entry.candidate.as_ref());
        let version = shown.map_or("-", |adapter| adapter.description().version.as_str());
        let error = entry.waits_because.as_deref().or(entry.last_error.as_deref()).unwrap_or("");
        let error = entry.held.as_deref().filter(|_| entry.adapter.is_some()).unwrap_or(error);
        let _ = writeln!(text, "  {:<20} {version:<8} {state:<8} {error}", entry.name);
        if let Some(shadow) = app.lifecycle.shadows.of(&entry.name) {
            let _ = write!(
                text,
                "  {:<20} {}",
                "",
                shadow.report().trim_end().replace('\n', "\n                       ")
            );
            text.push('\n');
        }
    }
    for exchange in in_force.config.exchanges.keys().filter(|exchange| snapshot.get(exchange).is_none()) {
        let _ =
            writeln!(text, "  {exchange:<20} -        missing  put {exchange}.wasm into the plugins folder");
    }
    for (exchange, count) in app.unseen_orders.counts() {
        let _ = writeln!(
            text,
            "  {exchange}: {count} submissions refused, because its adapter reported orders that no reply shows"
        );
    }
    if app.kept.dropped() > 0 {
        let _ = writeln!(text, "  {} replies were not kept, although keep_replies is on", app.kept.dropped());
    }
    text.push_str("\nexchanges\n");
    for exchange in in_force.config.exchanges.keys() {
        let Some(overview) = app.containment.overview(exchange) else { continue };
        let _ = writeln!(text, "  {exchange:<20} {}", containment::counts(&overview));
        for sentence in containment::sentences(&overview, now_ms) {
            let _ = writeln!(text, "  {:<20} {sentence}", "");
        }
    }
    let alarms = app.store.alarms().await?;
    if !alarms.is_empty() {
        text.push_str("\nalarms\n");
    }
    for alarm in &alarms {
        let _ = writeln!(text, "  {}: {}", alarm.kind, alarm.sentence);
    }
    text.push_str("\nloops\n");
    for (name, state) in app.health.states() {
        let ago_s = now_ms.saturating_sub(state.at_ms) / 1000;
        let outcome = match &state.outcome {
            Ok(outcome) => outcome.clone(),
            Err(error) => format!("FAILED: {error}"),
        };
        let _ = writeln!(text, "  {name:<20} {ago_s:>5} s ago  {outcome}");
    }
    Ok(text)
}
