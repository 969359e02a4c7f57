//! The live table: what each LP shows and earns, as the pool's own endpoints tell it.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::pool::ADDRESS;
use crate::providers::Watched;

/// How often it is drawn on a terminal.
const DRAWN_EVERY: Duration = Duration::from_secs(1);

/// How often it is printed where there is no terminal.
const PRINTED_EVERY: Duration = Duration::from_secs(10);

/// How long an endpoint may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Shows the table until told to stop.
pub(crate) async fn show(providers: Vec<Watched>, exchange: String, mut stop: watch::Receiver<bool>) {
    let terminal = std::io::stdout().is_terminal();
    let every = if terminal { DRAWN_EVERY } else { PRINTED_EVERY };
    let _ = rustls::crypto::ring::default_provider().install_default();
    if terminal {
        let _ = write!(std::io::stdout(), "\x1b[2J");
    }
    let Ok(client) = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build() else { return };
    loop {
        let table = draw(&client, &providers, &exchange).await;
        let mut out = std::io::stdout();
        let _ = if terminal {
            // Home, the table with every line cleared to its end, and nothing below it.
            write!(out, "\x1b[H{}\x1b[J", table.replace('\n', "\x1b[K\n"))
        } else {
            writeln!(out, "{table}")
        };
        let _ = out.flush();
        if tokio::time::timeout(every, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
    }
}

async fn draw(client: &reqwest::Client, providers: &[Watched], exchange: &str) -> String {
    let status = get(client, "status").await;
    let price =
        status.pointer("/message/prices/btc/0").map_or_else(|| "none yet".to_owned(), Value::to_string);
    let round = status.pointer("/message/meta/last-credit-time").and_then(Value::as_u64);
    let round =
        round.map_or_else(|| "none yet".to_owned(), |start| format!("that of {} UTC", time_of_day(start)));
    // Writing to a String cannot fail; the results below are dropped for that reason.
    let mut text = String::from("alp: a liquidity pool, a simulated exchange and three LPs\n\n");
    let _ = writeln!(text, "price {price} BTC   last round credited: {round}   a round is 10 s\n");
    let head =
        ["", "ask rank 1", "ask rank 2", "bid rank 1", "bid rank 2", "last credit", "total", "efficiency"];
    let _ = writeln!(text, "{}  last answer", row(&head.map(str::to_owned)));
    for provider in providers {
        let key = provider.lp.key;
        let orders = get(client, &format!("{key}/orders")).await;
        let stats = get(client, &format!("{key}/stats")).await;
        let shown = |side, rank| provided(&orders, side, rank);
        let number = |pointer| stats.pointer(pointer).map_or_else(|| "-".to_owned(), Value::to_string);
        let cells = [
            provider.lp.name.to_owned(),
            shown("ask", "rank_1"),
            shown("ask", "rank_2"),
            shown("bid", "rank_1"),
            shown("bid", "rank_2"),
            number("/message/history/0/reward"),
            number("/message/total_reward"),
            efficiency(provider),
        ];
        let _ = writeln!(text, "{}  {}", row(&cells), *provider.words.borrow());
    }
    let key = providers.first().map_or("", |provider| provider.lp.key);
    let _ = writeln!(
        text,
        "\nThe pool       http://{ADDRESS}/status  /exchanges  /adapters  /{key}/orders  /{key}/stats"
    );
    let _ = writeln!(text, "The exchange   {exchange}/api/v1/ticker?market=NBT_BTC");
    let _ = writeln!(
        text,
        "Configuration  examples/demo/pool.toml   log  examples/demo/data/pool.log   Ctrl-C ends it"
    );
    text
}

/// The time of day of an instant in Unix seconds.
fn time_of_day(unix_seconds: u64) -> String {
    let seconds = unix_seconds % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn row(cells: &[String; 8]) -> String {
    let [name, rest @ ..] = cells;
    rest.iter().fold(format!("{name:<6}"), |mut row, cell| {
        let _ = write!(row, " {cell:>11}");
        row
    })
}

/// What the LP's newest sample shows in a rank of a side. Orders come newest first, numbered by their round.
fn provided(orders: &Value, side: &str, rank: &str) -> String {
    /// Room for the numbers of one round's orders, as the pool counts them.
    const NUMBERS_PER_ROUND: u64 = 100_000;
    let list = orders.pointer("/message").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let round = |order: &Value| order["id"].as_u64().unwrap_or(0) / NUMBERS_PER_ROUND;
    let newest = list.first().map_or(0, round);
    let ours = |order: &&Value| round(order) == newest && order["side"] == side && order["rank"] == rank;
    let amounts: Vec<String> =
        list.iter().filter(ours).map(|order| order["order_amount"].to_string()).collect();
    if amounts.is_empty() { "-".to_owned() } else { amounts.join("+") }
}

fn efficiency(provider: &Watched) -> String {
    let counts = *provider.counts.borrow();
    match (counts.accepted * 1000).checked_div(counts.sent) {
        Some(permille) => format!("{}.{} %", permille / 10, permille % 10),
        None => "-".to_owned(),
    }
}

async fn get(client: &reqwest::Client, path: &str) -> Value {
    let answer = async { client.get(format!("http://{ADDRESS}/{path}")).send().await?.bytes().await };
    let body = answer.await.unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or(Value::Null)
}
