//! Four servers under load: the one that leads is killed, the next that leads is paused and woken again. Every submission
//! that was answered with success has to be in the round that its receipt names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alp_record::chain::SignedReceipt;
use alp_store::{Acquired, Store};
use alp_tests::{Server, client, wait_until};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;

use crate::exchange::Exchange;
use crate::shared::{quick, say};
use crate::start_servers;

/// The length of a round, in seconds.
const ROUND_S: u64 = 2;

/// How often an LP submits.
const EVERY: Duration = Duration::from_millis(100);

/// How long an LP waits for an answer before it turns to another server.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the LPs were told.
#[derive(Default)]
struct Told {
    accepted: usize,
    refused: BTreeMap<String, usize>,
    unanswered: usize,
    /// The key of an LP and a round that a receipt of its names.
    receipts: BTreeSet<(String, u64)>,
}

impl Told {
    /// Notes an answer, if there was one: its text, and the receipt that came with it if it was a success.
    fn note(&mut self, key: &str, answer: Option<(String, Option<HeaderValue>)>) {
        match answer {
            Some((_, Some(receipt))) => {
                let json = STANDARD.decode(receipt.as_bytes()).unwrap();
                let receipt: SignedReceipt = serde_json::from_slice(&json).unwrap();
                self.accepted += 1;
                self.receipts.insert((key.to_owned(), receipt.receipt.round));
            }
            Some((refusal, None)) => *self.refused.entry(refusal).or_insert(0) += 1,
            None => self.unanswered += 1,
        }
    }
}

/// Runs it and shows what came of it.
pub(crate) async fn run(exchange: &Exchange) {
    let rounds = if quick() { 2 } else { 4 };
    let (mut servers, store) = start_servers(exchange, 4, ROUND_S).await.unwrap();
    let addresses: Vec<String> = servers.iter().map(|server| server.origin().to_owned()).collect();
    let told = Arc::new(Mutex::new(Told::default()));
    let stop = Arc::new(AtomicBool::new(false));
    // As many as the whole run takes, and the load ends before they do.
    let bodies = exchange.signed_bodies(if quick() { 600 } else { 1_200 }).await;
    let keys = exchange.lps().iter().map(|lp| lp.key.clone());
    let load: Vec<_> = keys
        .zip(bodies)
        .enumerate()
        .map(|(number, (key, bodies))| {
            let (addresses, told, stop) = (addresses.clone(), Arc::clone(&told), Arc::clone(&stop));
            tokio::spawn(post(key, bodies, number, addresses, told, stop))
        })
        .collect();
    credited(&store, rounds).await;
    let leader = leader(&store, &servers).await;
    say("the server that leads is killed");
    servers[leader].kill();
    servers.remove(leader);
    credited(&store, rounds).await;
    let leader = self::leader(&store, &servers).await;
    say("the server that leads is paused");
    servers[leader].pause();
    credited(&store, rounds).await;
    servers[leader].wake();
    say("it is woken");
    credited(&store, rounds).await;
    stop.store(true, Ordering::SeqCst);
    for lp in load {
        lp.await.unwrap();
    }
    let told = std::mem::take(&mut *told.lock().unwrap());
    show(&store, exchange, &told).await;
}

/// One LP: submits again and again, and turns to the next server where it gets no answer.
async fn post(
    key: String,
    bodies: Vec<String>,
    first: usize,
    addresses: Vec<String>,
    told: Arc<Mutex<Told>>,
    stop: Arc<AtomicBool>,
) {
    let client = client();
    let mut server = first % addresses.len();
    for body in bodies {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let request = client.post(format!("{}/liquidity", addresses[server])).timeout(PATIENCE);
        let answer = request.header("Content-Type", "application/json").body(body).send().await;
        let receipt = answer.as_ref().ok().and_then(|answer| answer.headers().get("alp-receipt").cloned());
        let text = match answer {
            Ok(answer) => answer.text().await,
            Err(error) => Err(error),
        };
        if text.is_err() {
            server = (server + 1) % addresses.len();
        }
        told.lock().unwrap().note(&key, text.ok().zip(Some(receipt)));
        tokio::time::sleep(EVERY).await;
    }
    panic!("the run took longer than there is to submit");
}

/// Waits until so many more rounds are credited.
async fn credited(store: &Store, rounds: u64) {
    let newest = async || store.pool_status().await.unwrap().last_credit.map_or(0, |last| last.round_start);
    wait_until("a round is credited", async || newest().await > 0).await;
    let goal = newest().await + rounds * ROUND_S;
    wait_until("rounds are credited", async || newest().await >= goal).await;
}

async fn leader(store: &Store, servers: &[Server]) -> usize {
    let digest = store.configuration_in_force().await.unwrap().unwrap().digest;
    loop {
        match store.acquire_lease("rounds", "nobody", 1, &digest).await.unwrap() {
            Acquired::HeldBy { holder, .. } => {
                if let Some(leader) = servers.iter().position(|server| server.holds(&holder)) {
                    return leader;
                }
            }
            Acquired::Granted(lease) => store.release_lease(&lease).await.unwrap(),
        }
    }
}

async fn show(store: &Store, exchange: &Exchange, told: &Told) {
    let later_ms = store.clock_ms().await.unwrap() + 60_000;
    let unfinished = async || store.unfinished_rounds(later_ms).await.unwrap();
    wait_until("no round is left to do", async || unfinished().await.is_empty()).await;
    // What each round paid whom, from the ledger.
    let mut paid: BTreeMap<u64, BTreeMap<String, i64>> = BTreeMap::new();
    for lp in exchange.lps() {
        let stats = store.stats_of(&lp.key).await.unwrap().unwrap();
        for round in stats.history {
            paid.entry(round.round_start).or_default().insert(lp.key.clone(), round.amount_e8);
        }
    }
    let lost =
        told.receipts.iter().filter(|(key, round)| !paid.get(round).is_some_and(|lps| lps.contains_key(key)));
    let lost = lost.count();
    let (first, last) = (*paid.keys().next().unwrap(), *paid.keys().next_back().unwrap());
    let rounds = (last - first) / ROUND_S + 1;
    let gaps = rounds - paid.len() as u64;
    let mut samples = 0;
    for round in paid.keys() {
        samples += store.samples(*round).await.unwrap().len();
    }
    // The pots of a round are filled whoever is there, so all rounds pay the same.
    let sums: Vec<i64> = paid.values().map(|lps| lps.values().sum()).collect();
    let pot = sums.iter().min().copied().unwrap();
    let doubles = sums.iter().filter(|sum| **sum != pot).count();
    println!(
        "  four servers, {} LPs; the one that leads killed, the next paused and woken:",
        exchange.lps().len()
    );
    println!(
        "  {} submissions answered with success, {} without an answer, {} refused; {samples} samples\n  stored, the last of each LP in a round",
        told.accepted,
        told.unanswered,
        told.refused.values().sum::<usize>()
    );
    for (refusal, count) in &told.refused {
        println!("    {count} times {refusal}");
    }
    println!("  {rounds} rounds, {gaps} gaps, {doubles} that paid more than their pots");
    println!("  {} pairs of LP and round with a receipt, {lost} of them not credited\n", told.receipts.len());
    assert_eq!((gaps, doubles, lost), (0, 0, 0), "gaps, doubles, lost");
}
