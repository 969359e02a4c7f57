//! The published record of a running pool: what it says, how it is served, and what happens to it in time.

use std::os::unix::fs::PermissionsExt;

use alp_record::chain::{
    Body, Digest, Entry, Header, InclusionProof, Opening, RoundBody, Signature, verify_proof,
};
use alp_server::config::Config;
use alp_server::verify::{Verification, verify};
use alp_tests::{Answer, START_S, TestPool};

async fn with_a_round() -> TestPool {
    let pool = TestPool::start().await;
    let alice = pool.lp_with("alice", &["ask 900 0.004", "bid 300 0.00398"]).await;
    let bob = pool.lp_with("bob", &["ask 1200 0.004"]).await;
    pool.submit_btc(&alice).await;
    pool.submit_btc(&bob).await;
    pool.end_round().await;
    pool
}

fn round(answer: &Answer) -> (Header, RoundBody) {
    assert_eq!(answer.status, 200, "{}", answer.text);
    match Entry::read(&answer.text).unwrap() {
        Entry { header, body: Body::Round(round), .. } => (header, *round),
        entry => panic!("{entry:?}"),
    }
}

async fn is_right(pool: &TestPool, rounds: u64) {
    let record = format!("http://{}", pool.address());
    let outcome = verify(&Verification { record, ..Verification::default() }, |_, _| {}).await.unwrap();
    assert!(outcome.findings().is_empty(), "{:?}", outcome.findings());
    assert_eq!(outcome.verified.rounds, rounds);
}

#[tokio::test]
async fn a_round_is_published_when_it_is_credited_and_says_all_that_it_was_computed_from() {
    let pool = TestPool::start().await;
    let waits = pool.get(&format!("/rounds/{START_S}")).await;
    assert_eq!(waits.status, 404);
    assert!(waits.message().contains("it is not credited yet"), "{}", waits.text);
    drop(pool);

    let pool = with_a_round().await;
    let answer = pool.get(&format!("/rounds/{START_S}")).await;
    let (header, round) = round(&answer);
    assert_eq!((header.epoch, header.number), (1, 1));
    assert_eq!((round.start, round.seconds, round.lps.len()), (START_S, 60, 2));
    assert!(round.terms[0].document.contains("0.0085"), "{}", round.terms[0].document);
    assert_eq!(round.prices[0].price, "0.004");
    assert_eq!(round.lps[0].samples[0].adapter.len(), 64);
    assert_eq!(round.lps[0].samples[0].orders.len(), 2);
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(pool.get("/records/1").await.text, answer.text);
    // Neither keys nor the exchange's numbers of orders are told to everybody.
    for secret in ["key-of", "secret-of"] {
        assert!(!answer.text.contains(secret), "{}", answer.text);
    }
    for order in pool.orders_of(&alp_tests::Lp::new("alice")).await {
        let id = format!("\"id\":{}", order["order_id"]);
        assert!(!answer.text.contains(&id), "{id}");
    }
    is_right(&pool, 1).await;
}

#[tokio::test]
async fn an_entry_is_served_compressed_to_who_takes_that_and_not_again_to_who_has_it() {
    let pool = with_a_round().await;
    let path = format!("/rounds/{START_S}");
    let plain = pool.get(&path).await;
    let request = |header: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: pool\r\nConnection: close\r\n{header}\r\n\r\n").into_bytes()
    };
    let tag = plain.headers["etag"].clone();
    let known = pool.converse(&request(&format!("Accept-Encoding: gzip\r\nIf-None-Match: {tag}"))).await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    let refused = pool.converse(&request("Accept-Encoding: gzip;q=0")).await;
    assert_eq!(refused.headers.get("content-encoding"), None);
    let head = pool.get("/head").await;
    assert!(tag.contains(&Entry::read(&plain.text).unwrap().header.digest().to_string()), "{}", head.text);

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(pool.address()).await.unwrap();
    stream.write_all(&request("Accept-Encoding: br, gzip")).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let body = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    assert!(String::from_utf8_lossy(&bytes[..body]).contains("content-encoding: gzip"));
    assert_eq!(alp_server::record::unpack(&bytes[body..]).unwrap(), plain.text);
    assert!(bytes.len() - body < plain.text.len());
}

#[tokio::test]
async fn one_lps_part_is_proven_without_the_others() {
    let pool = with_a_round().await;
    let (_, body) = round(&pool.get(&format!("/rounds/{START_S}")).await);
    for lp in &body.lps {
        let answer = pool.get(&format!("/rounds/{START_S}/proof/{}", lp.lp)).await;
        let told = answer.json();
        let header: Header = serde_json::from_value(told["header"].clone()).unwrap();
        let signature: Signature = serde_json::from_value(told["signature"].clone()).unwrap();
        let proof: InclusionProof = serde_json::from_value(told["proof"].clone()).unwrap();
        assert!(proof.leaf.contains(&lp.lp.to_string()));
        verify_proof(&header, &signature, &proof).unwrap();
        let changed = InclusionProof { leaf: proof.leaf.replace("0.004", "0.005"), ..proof };
        assert!(verify_proof(&header, &signature, &changed).is_err());
    }
    let nobody = pool.get(&format!("/rounds/{START_S}/proof/{}", Digest::NOTHING)).await;
    assert_eq!(nobody.status, 404);
    for path in ["/rounds/soon", "/rounds/0/proof/x", "/records/-1", "/records/7"] {
        assert_eq!(pool.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_rounds_are_listed_from_any_start_on() {
    let pool = with_a_round().await;
    let bob = alp_tests::Lp::new("bob");
    for _ in 0..2 {
        pool.submit_btc(&bob).await;
        pool.end_round().await;
    }
    let starts = |answer: Answer| {
        let rounds = answer.json()["rounds"].as_array().unwrap().clone();
        rounds.iter().map(|round| round["start"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(starts(pool.get("/rounds").await), [START_S, START_S + 60, START_S + 120]);
    assert_eq!(starts(pool.get(&format!("/rounds?from={}&limit=1", START_S + 1)).await), [START_S + 60]);
    assert_eq!(pool.get("/rounds?limit=many").await.status, 400);
    is_right(&pool, 3).await;
}

#[tokio::test]
async fn late_rounds_and_restarts_leave_one_chain() {
    let mut pool = with_a_round().await;
    let alice = alp_tests::Lp::new("alice");
    for _ in 0..2 {
        pool.submit_btc(&alice).await;
        pool.pass(60_000);
    }
    pool.restart().await;
    pool.pass(600_000);
    pool.run_rounds().await;
    pool.submit_btc(&alice).await;
    pool.end_round().await;
    is_right(&pool, 4).await;
    let (first, _) = round(&pool.get("/records/1").await);
    let (last, body) = round(&pool.get("/records/4").await);
    assert_eq!(first.pool, last.pool);
    // The same LP has the same pseudonym in each round.
    let (_, before) = round(&pool.get("/records/1").await);
    assert!(before.lps.iter().any(|lp| lp.lp == body.lps[0].lp));
}

#[tokio::test]
async fn after_a_restore_a_new_epoch_names_the_last_head_and_signs_no_published_round_again() {
    let mut pool = with_a_round().await;
    let alice = alp_tests::Lp::new("alice");
    pool.submit_btc(&alice).await;
    pool.stop().await;
    let files = ["alp.db", "alp.db-wal"].map(|name| pool.folder().join(name));
    let backup = files.clone().map(|file| std::fs::read(file).ok());
    pool.restart().await;
    pool.end_round().await;
    let (published, second) = round(&pool.get("/records/2").await);
    pool.stop().await;
    for (file, bytes) in files.iter().zip(backup) {
        match bytes {
            Some(bytes) => std::fs::write(file, bytes).unwrap(),
            None => drop(std::fs::remove_file(file)),
        }
    }
    let digest = published.digest().to_string();
    let program = alp_tests::profile_folder().join("alp-tests-server");
    let output = std::process::Command::new(program)
        .args(["epoch", "--reason", "the disk failed", "--last-published", &digest])
        .args(["--last-round", &second.start.to_string(), "--config"])
        .arg(pool.pool_file())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    pool.restart().await;
    pool.run_rounds().await;
    pool.submit_btc(&alice).await;
    pool.end_round().await;
    is_right(&pool, 2).await;
    let epoch = Entry::read(&pool.get("/records/2").await.text).unwrap();
    assert_eq!(epoch.header.epoch, 2);
    assert!(epoch.body.line().contains(&digest), "{}", epoch.body.line());
    let starts = pool.get("/rounds").await.text;
    assert!(!starts.contains(&second.start.to_string()), "{starts}");
}

#[tokio::test]
async fn an_accepted_submission_tells_its_lp_and_nobody_else_what_opens_its_pseudonym() {
    let pool = TestPool::start().await;
    let alice = pool.lp_with("alice", &["ask 900 0.004"]).await;
    let body = pool.signed_body(&alice, "test_exchange", "btc").await;
    let answer = pool.post("/liquidity", &body).await;
    let opening = answer.headers["alp-opening"].clone();
    let (lp, nonce) = opening.split_once(' ').unwrap();
    pool.end_round().await;
    let entry = pool.get(&format!("/rounds/{START_S}")).await;
    let (header, round) = round(&entry);
    assert_eq!(round.lps[0].lp.to_string(), lp);
    let opened = Opening::parse(nonce).unwrap().pseudonym(&header.pool, &alice.key);
    assert_eq!(opened.to_string(), lp);
    assert!(!entry.text.contains(nonce));
    // Neither registering nor a signature that the exchange refuses is enough to be told.
    let mut thief = alice.clone();
    thief.secret = "guessed".to_owned();
    let again = pool.register(&alice, "btc").await;
    let body = pool.signed_body(&thief, "test_exchange", "btc").await;
    let refused = pool.post("/liquidity", &body).await;
    assert!(!refused.success());
    for answer in [again, refused] {
        assert!(!answer.headers.contains_key("alp-opening") && !answer.headers.contains_key("alp-receipt"));
    }
}

#[tokio::test]
async fn receipts_can_be_switched_off() {
    let pool = TestPool::start_with(alp_tests::Settings::default().top("receipts = false")).await;
    let alice = pool.lp_with("alice", &["ask 900 0.004"]).await;
    let body = pool.signed_body(&alice, "test_exchange", "btc").await;
    let answer = pool.post("/liquidity", &body).await;
    assert_eq!(answer.accepted(), "orders saved for validation");
    assert!(!answer.headers.contains_key("alp-receipt"));
    pool.end_round().await;
    is_right(&pool, 1).await;
}

#[tokio::test]
async fn addresses_that_name_an_api_key_are_kept_by_nobody() {
    let pool = with_a_round().await;
    for path in ["/key-of-alice/orders", "/key-of-alice/stats", "/nobody/stats"] {
        assert_eq!(pool.get(path).await.headers["cache-control"], "no-store", "{path}");
    }
}

#[tokio::test]
async fn the_key_is_for_the_servers_user_alone_and_the_pool_does_not_start_with_another() {
    let mut pool = with_a_round().await;
    let key = pool.folder().join("alp.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    pool.stop().await;
    std::fs::write(&key, "11".repeat(32)).unwrap();
    let config = Config::read(&pool.pool_file()).unwrap();
    let start = alp_server::server::Start {
        config,
        pool_file: pool.pool_file(),
        compiler: (alp_tests::compiler(), Vec::new()),
        host_clock: alp_server::server::system_clock(),
        store_clock: alp_store::Clock::Database,
        loops: false,
        fail_at: alp_server::fail_at::FailAt::default(),
    };
    let refused = alp_server::server::Running::start(start).await.err().unwrap().to_string();
    assert!(refused.contains("give the pool its own key back"), "{refused}");
}
