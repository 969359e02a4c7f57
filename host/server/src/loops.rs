//! The loops of a running pool: rounds, prices, and changes of the configuration. Each is a thin shell around a
//! function that a test calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;

use crate::app::{App, InForce};
use crate::config::{Config, PriceConfig};
use crate::leadership::renew_within;
use crate::rounds::{RoundOutcome, run_due_rounds};

/// How far the database's clock may be off the host's before it is said. Signed requests of some exchanges live
/// five seconds.
const MAX_SKEW_MS: u64 = 2_000;

/// How long after the end of a round it is run: so that the clock has surely passed it.
const AFTER_ROUND: Duration = Duration::from_millis(20);

/// How long to wait after a round failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// How often the configuration's files are looked at.
const CONFIG_EVERY: Duration = Duration::from_secs(1);

/// How long a reload waits until the adapters were held against the new grants: an adapter that is being compiled at
/// the same moment comes first, and the operator's command waits 30 s.
const RECONSIDERED_WITHIN: Duration = Duration::from_secs(10);

/// How often what was refused is written down: one transaction for all LPs, however many were refused.
const REFUSALS_EVERY: Duration = Duration::from_secs(2);

/// How often it is looked whether a feed is due.
const PRICES_EVERY: Duration = Duration::from_millis(250);

/// Runs rounds as they end, and those that were missed, until told to stop.
pub async fn rounds(app: Arc<App>, stop: watch::Receiver<bool>) {
    loop {
        let wait = match rounds_once(&app).await {
            Ok(()) => until_next_round(&app).await.min(renew_within(&app.in_force.load().config)),
            Err(()) => AFTER_FAILURE,
        };
        if stopped_within(wait, stop.clone()).await {
            return;
        }
    }
}

/// Runs every round that is due, if this server leads. Says what came of it in the log and in the loop's state.
///
/// # Errors
/// If a round could not be run. It stays due.
pub async fn rounds_once(app: &App) -> Result<(), ()> {
    let Ok(led) = app.fail_at.around("take the lease", app.lead()).await else { return Err(()) };
    let lease = match led {
        Ok(Some(lease)) => lease,
        Ok(None) => {
            app.health.note("rounds", app.now_ms(), Ok("another server leads".to_owned()));
            return Ok(());
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "this server cannot lead");
            app.health.note("rounds", app.now_ms(), Err(error.to_string()));
            return Err(());
        }
    };
    if let Err(error) = app.publisher.catch_up(&app.store, &lease).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "what was paid before could not be published"
        );
    }
    match run_due_rounds(&app.store, &app.publisher, &lease, &app.fail_at).await {
        Ok(outcomes) => {
            for (start, outcome) in &outcomes {
                if let RoundOutcome::Credited { credits, paid } = outcome {
                    tracing::info!(round = start, credits, %paid, "a round was credited");
                }
            }
            let last = outcomes
                .last()
                .map_or_else(|| "nothing was due".to_owned(), |(start, _)| format!("round {start}"));
            app.health.note("rounds", app.now_ms(), Ok(last));
            let forgotten = app.fail_at.around("forget what is over", crate::ledgers::forget(app)).await;
            if let Ok(Err(error)) = forgotten {
                tracing::warn!(%error, "what nobody needs any more could not be forgotten");
            }
            Ok(())
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a round could not be run; it stays due"
            );
            app.health.note("rounds", app.now_ms(), Err(error.to_string()));
            Err(())
        }
    }
}

async fn until_next_round(app: &App) -> Duration {
    let length_ms = u64::from(app.in_force.load().config.pool.round.seconds()).saturating_mul(1000);
    let Ok(now_ms) = app.store.clock_ms().await else { return AFTER_FAILURE };
    let skew_ms = now_ms.abs_diff(app.now_ms());
    if skew_ms > MAX_SKEW_MS {
        tracing::warn!(
            skew_ms,
            "the database's clock and this machine's differ; rounds follow the database's"
        );
    }
    let into_ms = now_ms.checked_rem(length_ms).unwrap_or(0);
    Duration::from_millis(length_ms.saturating_sub(into_ms)).saturating_add(AFTER_ROUND)
}

/// Writes down what was refused, until told to stop. What is refused after that, [`crate::server::Running::stop`] writes.
pub async fn refusals(app: Arc<App>, stop: watch::Receiver<bool>) {
    while !stopped_within(REFUSALS_EVERY, stop.clone()).await {
        write_refusals_down(&app).await;
    }
}

/// Writes down what was refused since the last time. What cannot be written now is kept for the next time.
pub(crate) async fn write_refusals_down(app: &App) {
    if let Err(error) = app.why_not.write_down(&app.store).await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "what was refused could not be written down");
    }
}

/// Asks each unit's feeds as often as its configuration says, or takes what the server that leads was told, until told
/// to stop.
pub async fn prices(app: Arc<App>, stop: watch::Receiver<bool>) {
    let mut asked: std::collections::BTreeMap<String, tokio::time::Instant> =
        std::collections::BTreeMap::new();
    loop {
        if app.leadership.lease().await.is_none() {
            app.take_prices().await;
            if stopped_within(PRICES_EVERY, stop.clone()).await {
                return;
            }
            continue;
        }
        let in_force = app.in_force.load_full();
        for (unit, price) in &in_force.config.prices {
            let PriceConfig::Feeds(feeds) = price else { continue };
            let due = asked.get(unit).is_none_or(|at| at.elapsed() >= feeds.every);
            if due {
                asked.insert(unit.clone(), tokio::time::Instant::now());
                // Each unit for itself: a feed that hangs delays no other unit.
                let (app, unit, feeds) = (Arc::clone(&app), unit.clone(), feeds.clone());
                tokio::spawn(async move { app.refresh_price(&unit, &feeds).await });
            }
        }
        if stopped_within(PRICES_EVERY, stop.clone()).await {
            return;
        }
    }
}

/// Takes up changes of the configuration, until told to stop.
pub async fn configuration(app: Arc<App>, pool_file: PathBuf, stop: watch::Receiver<bool>) {
    // The first look always reads: the files may have changed since the server read them to start.
    let mut seen = Vec::new();
    loop {
        if stopped_within(CONFIG_EVERY, stop.clone()).await {
            return;
        }
        let now = stamps(&pool_file, &app);
        if now != seen {
            seen = now;
            match reload(&app, &pool_file).await {
                Ok(sentence) => tracing::info!("{sentence}"),
                Err(message) => tracing::error!("the configuration before stays in force: {message}"),
            }
        }
    }
}

/// Reads the configuration and puts it in force, also for the adapters: when this returns, those that it lets serve
/// do. Answers with what changed, and with which adapters wait.
///
/// # Errors
/// What is wrong with it; then the one before stays in force.
pub async fn reload(app: &App, pool_file: &Path) -> Result<String, String> {
    let result = try_reload(app, pool_file).await;
    app.health.note("configuration", app.now_ms(), result.clone());
    result
}

async fn try_reload(app: &App, pool_file: &Path) -> Result<String, String> {
    let config = Config::read(pool_file).map_err(|faults| faults.to_string())?;
    let before = app.in_force.load_full();
    let needs_restart = needs_restart(&before.config, &config);
    if !needs_restart.is_empty() {
        return Err(format!("{} cannot change while the server runs: restart it", needs_restart.join(", ")));
    }
    let markets = config.exchanges.values().map(|exchange| exchange.units.len()).sum::<usize>();
    let now = InForce::new(config, Some(&before)).map_err(|error| error.to_string())?;
    app.in_force.store(Arc::new(now));
    let considered = tokio::time::timeout(RECONSIDERED_WITHIN, app.adapters.reconsider()).await;
    let adapters = match considered {
        Ok(()) => waiting_adapters(app),
        Err(_) => "; the adapters are still being considered, `alp status` shows how they are".to_owned(),
    };
    Ok(format!("the configuration is in force, with {markets} markets{adapters}"))
}

/// Which adapters of configured exchanges wait, and why: the end of a sentence.
fn waiting_adapters(app: &App) -> String {
    let (snapshot, in_force) = (app.adapters.snapshot(), app.in_force.load());
    let entries = snapshot.entries().iter();
    let configured = entries.filter(|entry| in_force.config.exchanges.contains_key(&entry.name));
    let waits = configured.filter_map(|entry| {
        let reason = entry.waits_because.as_ref()?;
        Some(format!("\nthe adapter of {} waits: {reason}", entry.name))
    });
    waits.collect()
}

/// The keys of which a change takes effect only at the next start.
fn needs_restart(before: &Config, after: &Config) -> Vec<&'static str> {
    let (a, b) = (&before.pool, &after.pool);
    let keys = [
        ("listen", a.listen != b.listen),
        ("database", a.database != b.database),
        ("database_password_file", a.database_password_file != b.database_password_file),
        ("plugins", a.plugins != b.plugins),
        ("cache", a.cache != b.cache),
        ("versions", a.versions != b.versions),
        ("control_socket", a.control_socket != b.control_socket),
        ("signing_key_file", a.signing_key != b.signing_key),
        ("round_seconds", a.round != b.round),
        ("keep_replies", a.keep_replies != b.keep_replies),
        ("payouts", a.payouts != b.payouts),
        ("liquidityinfo", a.liquidity_report != b.liquidity_report),
        ("limits.connections", a.limits.connections != b.limits.connections),
    ];
    keys.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

/// Length and time of change of every file of the configuration.
fn stamps(pool_file: &Path, app: &App) -> Vec<(PathBuf, Option<(u64, SystemTime)>)> {
    let folder = app.in_force.load().config.exchange_folder.clone();
    let mut files = vec![pool_file.to_owned()];
    if let Ok(entries) = std::fs::read_dir(folder) {
        files.extend(entries.flatten().map(|entry| entry.path()));
    }
    files.sort();
    let stamp = |file: &Path| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    files.into_iter().map(|file| (file.clone(), stamp(&file))).collect()
}

async fn stopped_within(wait: Duration, mut stop: watch::Receiver<bool>) -> bool {
    tokio::time::timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok()
}
