//! Years of a pool in a minute: rows that rounds and payouts would have written, made within the database.

use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, Connection, Executor};

use crate::dialect::{Dialect, Role};
use crate::place::Place;

/// What each credit comes to, in 1e-8 of the coin.
const AMOUNT_E8: i64 = 1_000;

/// What each payout takes from each LP, in 1e-8 of the coin: less than the LPs earn between two of them.
const PAID_E8: i64 = 100;

/// The number of the first entry of the record that tells of payouts: beyond those that are there.
const FIRST_RECORD: i64 = 1_000_000_000;

/// The most credits made by one statement, so that progress can be told and a log does not grow without end.
const CREDITS_AT_A_TIME: u64 = 1_000_000;

/// A history of every registered LP, each of whom was credited for one unit in every round.
#[derive(Debug, Clone)]
pub struct History {
    /// The unit, for which all of them are registered.
    pub unit: String,
    /// How many rounds.
    pub rounds: u64,
    /// The start of the first, in Unix seconds.
    pub first_round: u64,
    /// The length of a round, in seconds.
    pub round_seconds: u64,
    /// Of how many of the newest rounds samples and accounts of credits are there.
    pub rounds_with_orders: u64,
    /// How many payouts each LP had, each with a fee. At most as many as rounds.
    pub payouts: u64,
    /// The statistics of every round.
    pub statistics: String,
    /// The reward rules, as they were recorded.
    pub terms_id: String,
    /// The price of every sample.
    pub price: String,
    /// The orders of every sample.
    pub orders: String,
    /// How many these are.
    pub order_count: u64,
    /// The account of every credit.
    pub detail: String,
}

/// Writes a history into the database at this address, whose schema is there and which holds LPs and nothing else.
/// `progress` is told after each step how many credits there are.
///
/// # Panics
/// If the database refuses.
pub async fn fill_history(url: &str, history: &History, mut progress: impl FnMut(u64)) {
    let (mut on, dialect) = connect(url).await;
    let postgres = dialect == Dialect::Postgres;
    // Rows that refer to each other are made so that they do; and what is lost with the machine is made again.
    let settings = if postgres {
        "SET session_replication_role = replica; SET synchronous_commit = off;"
    } else {
        "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; PRAGMA busy_timeout = 60000;"
    };
    on.execute(settings).await.expect("the settings are taken");
    let lps = count(&mut on).await;
    let first = number(history.first_round);
    let seconds = number(history.round_seconds);
    run(&mut on, ROUNDS, &[first, seconds, number(history.rounds), lps * AMOUNT_E8], &[&history.statistics])
        .await;
    let at_a_time = (CREDITS_AT_A_TIME / number_of(lps)).max(1);
    let mut from = 0;
    while from < history.rounds {
        let until = history.rounds.min(from + at_a_time);
        let numbers = [first, seconds, number(from), number(until), lps, AMOUNT_E8];
        run(&mut on, CREDITS, &numbers, &[&history.unit]).await;
        from = until;
        progress(from * number_of(lps));
    }
    let from = number(history.rounds.saturating_sub(history.rounds_with_orders));
    let numbers = [first, seconds, from, number(history.rounds)];
    run(&mut on, DETAILS, &numbers, &[&history.unit, &history.detail]).await;
    let numbers = [first, seconds, from, number(history.rounds), number(history.order_count)];
    let texts = [&history.unit, &history.terms_id, &history.price, &history.orders];
    run(&mut on, SAMPLES, &numbers, &texts).await;
    let numbers = [first, seconds, number(history.payouts), lps * PAID_E8];
    run(&mut on, PAYOUTS, &numbers, &[]).await;
    let numbers = [first, seconds, number(history.payouts), lps, PAID_E8];
    run(&mut on, LEDGER, &numbers, &[]).await;
    let numbers = [first, seconds, number(history.payouts), FIRST_RECORD];
    run(&mut on, PUBLISHED, &numbers, &[]).await;
    let numbers = [first, seconds, number(history.payouts), FIRST_RECORD, PAID_E8];
    run(&mut on, PUBLISHED_CHANGES, &numbers, &[]).await;
    let after = if postgres { "ANALYZE" } else { "PRAGMA wal_checkpoint(TRUNCATE)" };
    on.execute(after).await.expect("the database goes on");
    on.close().await.expect("the connection ends");
}

/// How many bytes the database at this address takes, with its indexes.
///
/// # Panics
/// If the database refuses.
pub async fn database_bytes(url: &str) -> u64 {
    let (mut on, dialect) = connect(url).await;
    let sql = match dialect {
        Dialect::Sqlite => {
            "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
        }
        Dialect::Postgres => "SELECT pg_database_size(current_database()) AS bytes",
    };
    let bytes: i64 = sqlx::Row::get(&on.fetch_one(sql).await.expect("a size"), "bytes");
    on.close().await.expect("the connection ends");
    u64::try_from(bytes).expect("it is not negative")
}

async fn connect(url: &str) -> (AnyConnection, Dialect) {
    let place = Place::parse(url).expect("the address is right");
    let options: AnyConnectOptions = place.options(Role::Schema).expect("it is right");
    let on = AnyConnection::connect_with(&options).await.expect("the database answers");
    (on, place.dialect())
}

/// The numbers from the third parameter up to the fourth, without that.
macro_rules! rounds_between {
    () => {
        " WITH RECURSIVE r(i) AS (SELECT CAST($3 AS BIGINT) WHERE $3 < $4 \
         UNION ALL SELECT i + 1 FROM r WHERE i + 1 < $4) "
    };
}

/// The numbers from 0 up to the third parameter, without that.
macro_rules! first_so_many {
    () => {
        " WITH RECURSIVE r(i) AS (SELECT CAST(0 AS BIGINT) WHERE $3 > 0 UNION ALL SELECT i + 1 FROM r WHERE i + 1 < $3) "
    };
}

const ROUNDS: &str = concat!(
    "INSERT INTO rounds (round_start, round_seconds, state, closed_at_ms, credited_at_ms, reward_e8, paid_e8, statistics)",
    first_so_many!(),
    "SELECT $1 + r.i * $2, $2, 'credited', ($1 + (r.i + 1) * $2) * 1000, ($1 + (r.i + 1) * $2) * 1000, $4, $4, $5 \
     FROM r"
);

const CREDITS: &str = concat!(
    "INSERT INTO credits (lp_id, unit, round_start, user_id, entry_no, amount_e8, balance_e8, provided)",
    rounds_between!(),
    "SELECT l.lp_id, $7, $1 + r.i * $2, l.user_id, r.i * $5 + l.lp_id, $6, $6 * (r.i + 1), '100.5' \
     FROM r CROSS JOIN lps l"
);

const DETAILS: &str = concat!(
    "INSERT INTO credit_details (round_start, lp_id, unit, detail)",
    rounds_between!(),
    "SELECT $1 + r.i * $2, l.lp_id, $5, $6 FROM r CROSS JOIN lps l"
);

const SAMPLES: &str = concat!(
    "INSERT INTO samples (round_start, lp_id, unit, slice, user_id, submitted_at_ms, terms_id, adapter_sha256, \
     reply_sha256, maybe_truncated, order_count, ask_rate, bid_rate, price, orders)",
    rounds_between!(),
    "SELECT $1 + r.i * $2, l.lp_id, $6, 0, l.user_id, ($1 + r.i * $2) * 1000 + 5000, $7, $7, $7, 0, $5, '', '', $8, $9 \
     FROM r CROSS JOIN lps l"
);

const PAYOUTS: &str = concat!(
    "INSERT INTO payouts (payout_id, method, stage, total_e8, outputs, comment, txid, created_at_ms)",
    first_so_many!(),
    "SELECT r.i + 1, 'plain', 'paid', $4, '', 'alp:history:' || CAST(r.i AS TEXT), 'txid-' || CAST(r.i AS TEXT), ($1 + r.i * $2) * 1000 FROM r"
);

/// Of each LP and payout what it is paid, and then the fee.
const LEDGER: &str = concat!(
    "INSERT INTO ledger_entries (entry_no, lp_id, kind, payout_id, amount_e8, total_e8, why, at_ms)",
    first_so_many!(),
    "SELECT (r.i * $4 + l.lp_id) * 2 + k.fee, l.lp_id, CASE WHEN k.fee = 0 THEN 'payout' ELSE 'fee' END, r.i + 1, \
     -$5 + k.fee * ($5 - 1), -($5 + 1) * r.i - $5 - k.fee, '', ($1 + r.i * $2) * 1000 \
     FROM r CROSS JOIN lps l CROSS JOIN (SELECT 0 AS fee UNION ALL SELECT 1 AS fee) k"
);

/// That the record tells of each payout.
const PUBLISHED: &str = concat!(
    "INSERT INTO published_payouts (record_no, payout_id)",
    first_so_many!(),
    "SELECT $4 + r.i, r.i + 1 FROM r WHERE $1 > 0 AND $2 > 0"
);

/// And of each LP in it.
const PUBLISHED_CHANGES: &str = concat!(
    "INSERT INTO published_changes (lp_id, record_no, payout_id, amount_e8, fee_e8, at_ms)",
    first_so_many!(),
    "SELECT l.lp_id, $4 + r.i, r.i + 1, -$5 - 1, 1, ($1 + r.i * $2) * 1000 FROM r CROSS JOIN lps l"
);

async fn run(on: &mut AnyConnection, sql: &'static str, numbers: &[i64], texts: &[&String]) {
    let mut insert = sqlx::query(sql);
    for bound in numbers {
        insert = insert.bind(*bound);
    }
    for text in texts {
        insert = insert.bind(text.as_str());
    }
    insert.execute(on).await.expect("the rows are taken");
}

async fn count(on: &mut AnyConnection) -> i64 {
    let row = on
        .fetch_one("SELECT COUNT(*) AS lps, COALESCE(MAX(lp_id), 0) AS newest FROM lps")
        .await
        .expect("LPs");
    let (lps, newest): (i64, i64) = (sqlx::Row::get(&row, "lps"), sqlx::Row::get(&row, "newest"));
    assert_eq!(lps, newest, "LPs are numbered without holes");
    lps
}

fn number(of: u64) -> i64 {
    i64::try_from(of).expect("it is small")
}

fn number_of(lps: i64) -> u64 {
    u64::try_from(lps).expect("it is not negative").max(1)
}
