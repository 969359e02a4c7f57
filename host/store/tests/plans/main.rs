//! How each statement behind the endpoints and a round is run: none of them goes through a table that grows with the
//! pool's age from one end to the other. The statements are those that the store sends, told by the driver, on a
//! database that has some history.
#![cfg(test)]

mod calls;
mod told;

use alp_store::testing::{History, fill_history, tell_statements};
use alp_store::{Clock, MAX_CREDITS_CARRIED, MAX_ORDERS_FORGOTTEN, Store, StoreOptions};
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::told::Told;

/// Tables that grow for as long as the pool runs.
const GROWING: [&str; 14] = [
    "credits",
    "credit_details",
    "samples",
    "rounds",
    "records",
    "ledger_entries",
    "payouts",
    "order_owners",
    "used_requests",
    "payout_events",
    "published_payouts",
    "published_changes",
    "challenges",
    "rejections",
];

/// The length of a round, in seconds.
const ROUND_SECONDS: u64 = 60;

/// The start of the first round of the history.
const FIRST_ROUND: u64 = 1_760_000_040;

/// How many rounds there are: enough for the planner of PostgreSQL to prefer an index to reading all of it.
const ROUNDS: u64 = 3_000;

/// A database with a history, and the store on it.
struct Old {
    store: Store,
    url: String,
    now_ms: Arc<AtomicU64>,
    terms_id: String,
}

async fn old(url: String) -> Old {
    tell_statements();
    let now_ms = Arc::new(AtomicU64::new(FIRST_ROUND * 1000));
    let clock = Clock::Fixed(Arc::clone(&now_ms));
    let options = StoreOptions { url: url.clone(), round_seconds: ROUND_SECONDS, clock };
    let store = Store::open(options).await.unwrap();
    let terms_id = store.record_terms("{}").await.unwrap();
    for user in ["alice", "bob", "carol"] {
        store.register("exchange", user, &format!("B{user}"), "btc").await.unwrap();
    }
    let history = History {
        unit: "btc".to_owned(),
        rounds: ROUNDS,
        first_round: FIRST_ROUND,
        round_seconds: ROUND_SECONDS,
        rounds_with_orders: ROUNDS,
        payouts: ROUNDS,
        statistics: "{}".to_owned(),
        terms_id: terms_id.clone(),
        price: "{}".to_owned(),
        orders: "[]".to_owned(),
        order_count: 1,
        detail: "{}".to_owned(),
    };
    fill_history(&url, &history, |_| {}).await;
    let mut on = connect(&url).await;
    let postgres = url.starts_with("postgres");
    for insert in OTHERS {
        let insert = insert.replace("{nothing}", if postgres { "''" } else { "x''" });
        on.execute(AssertSqlSafe(insert)).await.unwrap();
    }
    if postgres {
        on.execute("ANALYZE").await.unwrap();
    }
    on.close().await.unwrap();
    now_ms.store((FIRST_ROUND + ROUNDS * ROUND_SECONDS) * 1000, Ordering::SeqCst);
    Old { store, url, now_ms, terms_id }
}

/// Rows of the other tables that grow.
const OTHERS: [&str; 6] = [
    "INSERT INTO records (number, epoch, kind, round_start, digest, header, signature, at_ms, packed) \
     WITH RECURSIVE r(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < 2999) \
     SELECT r.i, 1, CASE WHEN r.i = 0 THEN 'epoch' ELSE 'round' END, 60 * r.i, 'digest-' || CAST(r.i AS TEXT), \
     'header', 'signature', r.i, {nothing} FROM r",
    "INSERT INTO order_owners (exchange, unit, identity, lp_id, first_seen_ms, last_seen_round, lapses_round) \
     WITH RECURSIVE r(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < 19999) \
     SELECT 'exchange', 'btc', 'id old-' || CAST(r.i AS TEXT), 1, 0, r.i, 100 + r.i FROM r",
    "INSERT INTO used_requests (lp_id, digest, expires_at_ms) \
     WITH RECURSIVE r(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < 19999) \
     SELECT 1, 'old-' || CAST(r.i AS TEXT), 100 + r.i FROM r",
    "INSERT INTO payout_events (payout_id, event_no, at_ms, stage, note) \
     WITH RECURSIVE r(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < 2999) \
     SELECT r.i + 1, 1, 0, 'paid', '' FROM r",
    "INSERT INTO challenges (challenge_id, lp_id, unit, address, asked_from, shown_by, decimals, nonce, seal, digits, \
     issued_at_ms, lapses_at_ms, met_at_ms) \
     WITH RECURSIVE r(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < 3000) \
     SELECT r.i, 1, 'btc', 'Balice', '', 'amount', 8, 'ab', '', '123456', r.i, r.i + 1, 0 FROM r",
    "INSERT INTO rejections (lp_id, unit, round_start, rejected) \
     WITH RECURSIVE r(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM r WHERE i < 19999) \
     SELECT 2, 'btc', 60 * r.i, 1 FROM r",
];

/// The lines of a plan that read one of the growing tables from one end to the other, or may do so.
fn full_reads(statement: &str, plan: &[String], postgres: bool) -> Vec<String> {
    // What is only put in an order that an index has ends as soon as there is enough.
    if statement.contains(" LIMIT ") && !statement.contains(" WHERE ") {
        return Vec::new();
    }
    let grows = |name: &str| {
        let aliased = |table: &str| statement.contains(&format!("{table} {name} ")) && name.len() == 1;
        GROWING.contains(&name) || GROWING.iter().any(|table| aliased(table))
    };
    let reads_all = |at: usize, line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        if !postgres {
            return words.first() == Some(&"SCAN") && words.get(1).is_some_and(|name| grows(name));
        }
        let on = words.iter().position(|word| *word == "on");
        let table = on.and_then(|on| words.get(on + 1));
        let mut below = plan.iter().skip(at + 1).take_while(|line| !line.contains("->"));
        let bounded = line.contains("Index") && below.any(|line| line.contains("Index Cond"));
        // What a bitmap was made of stands in the lines below it.
        let reads = line.contains("Scan") && !line.contains("Bitmap Heap Scan");
        reads && !bounded && table.is_some_and(|table| grows(table))
    };
    plan.iter().enumerate().filter(|(at, line)| reads_all(*at, line)).map(|(_, line)| line.clone()).collect()
}

async fn plan_of(on: &mut AnyConnection, statement: &str, postgres: bool) -> Vec<String> {
    let (explain, column) = if postgres {
        // Planned once for all values, as statements are that a server has prepared.
        let parameters = (1..=20_000).take_while(|number| statement.contains(&format!("${number}"))).count();
        let nulls = vec!["NULL"; parameters].join(", ");
        let values = if parameters == 0 { String::new() } else { format!("({nulls})") };
        on.execute(AssertSqlSafe(format!("PREPARE looked_at AS {statement}"))).await.unwrap();
        (format!("EXPLAIN (COSTS OFF) EXECUTE looked_at{values}"), "QUERY PLAN")
    } else {
        (format!("EXPLAIN QUERY PLAN {statement}"), "detail")
    };
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *on).await.unwrap();
    if postgres {
        on.execute("DEALLOCATE looked_at").await.unwrap();
    }
    rows.iter().map(|row| row.try_get::<String, _>(column).unwrap()).collect()
}

/// Makes every call on an old database, and looks at how each statement of it is run.
async fn assert_no_full_scans(url: String, told: Told) {
    let postgres = url.starts_with("postgres");
    let old = old(url).await;
    told.take();
    let mut statements = Vec::new();
    for (call, of_call) in calls::all(&old, &told).await {
        statements.extend(of_call.into_iter().map(|statement| (call, statement)));
    }
    assert!(statements.len() > 50, "{} statements were told", statements.len());
    let mut on = connect(&old.url).await;
    if postgres {
        on.execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    }
    let mut wrong = Vec::new();
    for (call, statement) in statements {
        let plan = plan_of(&mut on, &statement, postgres).await;
        let allowed =
            |line: &String| ALLOWED.iter().any(|(part, at)| statement.starts_with(part) && line.contains(at));
        if full_reads(&statement, &plan, postgres).iter().any(|line| !allowed(line)) {
            wrong.push(format!("{call}: {statement}\n{}", plan.join("\n")));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} statements read all of a table:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Reads that look like those of a whole table and are not: how the statement begins, and the line of its plan.
const ALLOWED: [(&str, &str); 10] = [
    // SQLite looks for rows that waited for this one only within a transaction in which some do.
    ("INSERT INTO lps ", "SCAN order_owners"),
    // From the newest back to the first that is credited, or paid: all are but the newest few.
    ("SELECT round_start FROM rounds WHERE state = 'credited'", "rounds_pkey"),
    ("SELECT round_start, credited_at_ms, reward_e8, paid_e8, statistics FROM rounds", "rounds_pkey"),
    ("SELECT payout_id, method, stage", "payouts_pkey"),
    // Some thousands are deleted at a time, of which there are not many more here: PostgreSQL plans by that number.
    ("DELETE FROM order_owners", "Seq Scan on order_owners"),
    ("DELETE FROM used_requests", "Seq Scan on used_requests"),
    ("DELETE FROM challenges", "Seq Scan on challenges"),
    ("DELETE FROM rejections", "Seq Scan on rejections"),
    // Once each time that a server begins to lead: the numbers of all payouts, and an index that has corrections alone.
    ("SELECT COALESCE((SELECT e.entry_no", "payouts"),
    ("SELECT e.entry_no, e.lp_id, e.amount_e8, e.who", "ledger_corrections"),
];

async fn connect(url: &str) -> AnyConnection {
    let address = match url.strip_prefix("sqlite:") {
        Some(path) => format!("sqlite://{path}"),
        None => url.replace("alp@/", "alp@localhost/"),
    };
    AnyConnection::connect(&address).await.unwrap()
}

#[tokio::test]
async fn pb_32_no_statement_reads_all_of_a_table_that_grows() {
    let told = Told::start().await;
    let folder = tempfile::tempdir().unwrap();
    assert_no_full_scans(format!("sqlite:{}", folder.path().join("pool.db").display()), told).await;
}

#[tokio::test]
async fn pb_32_no_statement_reads_all_of_a_table_that_grows_on_postgres() {
    // Before the database is made: what that sends must not be told to another test.
    let told = Told::start().await;
    let Some(url) = alp_store::testing::postgres_database().await else { return };
    assert_no_full_scans(url, told).await;
}

#[tokio::test]
async fn however_much_is_old_one_call_forgets_a_bounded_number_of_rows() {
    let _told = Told::start().await;
    let folder = tempfile::tempdir().unwrap();
    let old = old(format!("sqlite:{}", folder.path().join("pool.db").display())).await;
    let lease = calls::lead(&old.store).await;
    let credits = old.store.carry_credits(&lease, u64::MAX >> 1, u32::MAX).await.unwrap();
    assert_eq!((credits.rows, credits.more), (u64::from(MAX_CREDITS_CARRIED), true));
    let orders = old.store.forget_orders(&lease, u64::MAX >> 1, u32::MAX).await.unwrap();
    assert_eq!((orders.rows, orders.more), (2 * u64::from(MAX_ORDERS_FORGOTTEN), true));
}
