//! `alp verify`: what a running pool publishes is right, and whatever is done to it afterwards is found and named.

use std::path::{Path, PathBuf};
use std::process::Command;

use alp_record::chain::{Body, Entry, PoolKey, PublicKey, SignedReceipt};
use alp_server::record::read_signing_key;
use alp_server::verify::{Outcome, Verification, report, verify};
use alp_tests::TestPool;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

/// A pool that has run three rounds, with the receipts of its first LP, and its record in a folder.
struct Published {
    pool: TestPool,
    folder: TempDir,
    receipts: Vec<String>,
}

impl Published {
    async fn start() -> Self {
        let pool = TestPool::start().await;
        let folder = tempfile::tempdir().unwrap();
        let alice = pool.lp_with("alice", &["ask 900 0.004", "bid 300 0.00398", "bid 5 0.001"]).await;
        let bob = pool.lp_with("bob", &["ask 1200 0.004"]).await;
        let mut receipts = Vec::new();
        for _ in 0..3 {
            let body = pool.signed_body(&alice, "test_exchange", "btc").await;
            let answer = pool.post("/liquidity", &body).await;
            receipts.push(answer.headers["alp-receipt"].clone());
            pool.submit_btc(&bob).await;
            pool.end_round().await;
        }
        let published = Self { pool, folder, receipts };
        let saved = Verification { save: Some(published.entries()), ..published.of_pool() };
        published.right(&saved).await;
        published
    }

    fn of_pool(&self) -> Verification {
        Verification { record: format!("http://{}", self.pool.address()), ..Verification::default() }
    }

    fn of_folder(&self) -> Verification {
        Verification { record: self.entries().display().to_string(), ..Verification::default() }
    }

    fn entries(&self) -> PathBuf {
        self.folder.path().join("entries")
    }

    fn entry(&self, number: u64) -> PathBuf {
        self.entries().join(format!("{number:010}.entry"))
    }

    fn key(&self) -> PoolKey {
        read_signing_key(&self.pool.folder().join("alp.key")).unwrap()
    }

    fn receipts(&self, receipts: &[String]) -> PathBuf {
        let folder = self.folder.path().join("receipts");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("receipts"), receipts.join("\n")).unwrap();
        folder
    }

    async fn right(&self, verification: &Verification) -> Outcome {
        let outcome = verify(verification, |_, _| {}).await.unwrap();
        assert!(outcome.findings().is_empty(), "{}", report(&outcome));
        assert_eq!((outcome.verified.entries, outcome.verified.rounds), (4, 3));
        outcome
    }

    async fn wrong(&self, verification: &Verification, wanted: &str) -> Outcome {
        let outcome = verify(verification, |_, _| {}).await.unwrap();
        let said = report(&outcome);
        assert!(outcome.findings().iter().any(|finding| finding.to_string().contains(wanted)), "{said}");
        assert!(said.contains("The record is not right."), "{said}");
        outcome
    }

    /// Signs the chain again from the entry of this number on, with its body changed: a pool that lies, with its key.
    fn forge(&self, number: u64, change: impl FnOnce(&mut Body)) {
        sign_again(&self.entries(), &self.key(), number, change);
    }
}

/// Signs the entries of a folder again from the one of this number on, with its body changed.
pub(crate) fn sign_again(folder: &Path, key: &PoolKey, number: u64, change: impl FnOnce(&mut Body)) {
    let mut change = Some(change);
    let mut before = None;
    for at in 0.. {
        let file = folder.join(format!("{at:010}.entry"));
        let Ok(text) = std::fs::read_to_string(&file) else { return };
        let Entry { header, mut body, signature } = Entry::read(&text).unwrap();
        if at == number {
            change.take().unwrap()(&mut body);
        }
        let made = if at < number {
            Entry { header, body, signature }
        } else {
            Entry::sign(key, &header.pool, header.epoch, before.as_ref(), header.at_ms, body)
        };
        std::fs::write(file, made.text()).unwrap();
        before = Some(made.header);
    }
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[tokio::test]
async fn what_a_pool_publishes_is_right_over_the_network_and_from_a_folder() {
    let published = Published::start().await;
    let key = published.key().public();
    let receipts = Some(published.receipts(&published.receipts));
    let outcome = published
        .right(&Verification { key: Some(key), receipts: receipts.clone(), ..published.of_pool() })
        .await;
    assert_eq!((outcome.receipts_given, outcome.verified.receipts), (3, 3));
    let outcome = published.right(&Verification { receipts, ..published.of_folder() }).await;
    let said = report(&outcome);
    for sentence in ["taken from the record itself", "that the orders existed at the exchanges at all"] {
        assert!(said.contains(sentence), "{said}");
    }
    // What the record says each LP is owed is what the pool says.
    let owed: i128 = outcome.verified.balances.values().map(|balance| balance.owed_e8()).sum();
    let balances = published.pool.app().store.balances(0, 10).await.unwrap();
    assert_eq!(owed, balances.iter().map(|balance| i128::from(balance.balance_e8)).sum::<i128>());
    assert!(owed > 0);
}

#[tokio::test]
async fn a_changed_bit_is_found_wherever_it_is() {
    let published = Published::start().await;
    let text = std::fs::read(published.entry(2)).unwrap();
    for at in (0..text.len()).step_by(97) {
        let mut changed = text.clone();
        changed[at] ^= 1;
        std::fs::write(published.entry(2), changed).unwrap();
        let outcome = verify(&published.of_folder(), |_, _| {}).await.unwrap();
        assert!(!outcome.findings().is_empty(), "byte {at}");
    }
    std::fs::write(published.entry(2), text).unwrap();
    published.right(&published.of_folder()).await;
}

#[tokio::test]
async fn however_many_threads_check_the_same_is_found_in_the_same_order() {
    let published = Published::start().await;
    let many = published.folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    // A long record with something wrong in most of its entries: they follow each other, but not in any chain.
    for number in 0..60_u64 {
        let mut text = std::fs::read_to_string(published.entry(number % 4)).unwrap();
        match number % 7 {
            0 => text = text.replace("900", "901"),
            1 => text.truncate(text.len() / 2),
            2 => text = text.replacen("\"epoch\":1", "\"epoch\":9", 1),
            _ => {}
        }
        std::fs::write(many.join(format!("{number:010}.entry")), text).unwrap();
    }
    let mut one_by_one = alp_record::chain::Verifier::new(None);
    for number in 0..60_u64 {
        one_by_one.push(&std::fs::read_to_string(many.join(format!("{number:010}.entry"))).unwrap());
    }
    let expected = one_by_one.finish();
    assert!(expected.findings.len() > 40, "{}", expected.findings.len());
    for threads in [1, 2, 3, 8, 1_000, 0] {
        let record = many.display().to_string();
        let mut told = Vec::new();
        let verification = Verification { record, threads, ..Verification::default() };
        let outcome = verify(&verification, |read, all| told.push((read, all))).await.unwrap();
        assert_eq!(outcome.verified.findings, expected.findings, "{threads} threads");
        assert_eq!(outcome.verified.balances, expected.balances);
        assert_eq!(outcome.verified.head, expected.head);
        assert_eq!(told, (1..=60).map(|read| (read, 60)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_dropped_round_is_found_and_its_place_named() {
    let published = Published::start().await;
    std::fs::remove_file(published.entry(2)).unwrap();
    published.wrong(&published.of_folder(), "entry 3: follows entry 1: 1 between them are missing").await;
}

#[tokio::test]
async fn a_pool_that_signs_wrong_sums_swapped_prices_or_other_judgements_is_found_out() {
    let change = |from: &'static str, to: &'static str| {
        move |body: &mut Body| {
            let line = body.line();
            assert!(line.contains(from), "{line}");
            *body = serde_json::from_str(&line.replacen(from, to, 1)).unwrap();
        }
    };
    let published = Published::start().await;
    let amount = {
        let Body::Round(round) =
            Entry::read(&std::fs::read_to_string(published.entry(2)).unwrap()).unwrap().body
        else {
            panic!("no round")
        };
        round.lps[0].credits[0].amount.clone()
    };
    let credit = move |body: &mut Body| {
        let Body::Round(round) = body else { panic!("no round") };
        assert_eq!(round.lps[0].credits[0].amount, amount);
        round.lps[0].credits[0].amount = "1".to_owned();
    };
    published.forge(2, credit);
    published.wrong(&published.of_folder(), "is credited [test_exchange btc: 1] where [").await;

    for (from, to, wanted) in [
        (
            r#""prices":[{"unit":"btc","price":"0.004""#,
            r#""prices":[{"unit":"btc","price":"0.005""#,
            "was judged by a price that was not in force",
        ),
        (
            r#""amount":"900","rank":1"#,
            r#""amount":"900","rank":2"#,
            "is judged otherwise than its price says",
        ),
        (r#"per_minute\":\"0.05\""#, r#"per_minute\":\"0.06\""#, "the reward rules"),
        (r#""paid":""#, r#""paid":"9"#, "its sum of credits is 9"),
    ] {
        let published = Published::start().await;
        published.forge(2, change(from, to));
        published.wrong(&published.of_folder(), wanted).await;
    }
}

#[tokio::test]
async fn receipts_show_what_a_doctored_pool_left_out_or_altered() {
    let published = Published::start().await;
    let with_receipts =
        Verification { receipts: Some(published.receipts(&published.receipts)), ..published.of_folder() };
    let json = STANDARD.decode(&published.receipts[1]).unwrap();
    let receipt: SignedReceipt = serde_json::from_slice(&json).unwrap();

    // Another key's word for it proves nothing against the pool.
    let forged = receipt.receipt.clone().sign(&PoolKey::from_seed(&[9; 32]).unwrap());
    let forged = [serde_json::to_string(&forged).unwrap()];
    let folder = published.folder.path().join("forged");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("receipts"), &forged[0]).unwrap();
    let not_signed = Verification { receipts: Some(folder), ..published.of_folder() };
    published.wrong(&not_signed, "is not signed by the pool").await;

    published.forge(2, |body| {
        let Body::Round(round) = body else { panic!("no round") };
        round.lps.retain(|lp| lp.lp != receipt.receipt.lp);
    });
    published
        .wrong(&with_receipts, "has a receipt for test_exchange btc, and the record has no sample of it")
        .await;

    let published = Published::start().await;
    let with_receipts =
        Verification { receipts: Some(published.receipts(&published.receipts)), ..published.of_folder() };
    let lp = serde_json::from_slice::<SignedReceipt>(&STANDARD.decode(&published.receipts[1]).unwrap());
    let lp = lp.unwrap().receipt.lp;
    published.forge(2, |body| {
        let Body::Round(round) = body else { panic!("no round") };
        let ours = round.lps.iter_mut().find(|other| other.lp == lp).unwrap();
        ours.samples[0].orders.pop();
    });
    published.wrong(&with_receipts, "has other orders than the receipt of").await;
}

#[tokio::test]
async fn two_signed_heads_for_one_round_prove_a_lie() {
    let published = Published::start().await;
    let head = published.pool.get("/head").await.text;
    let file = published.folder.path().join("heads");
    std::fs::write(&file, &head).unwrap();
    let with_heads = Verification { heads: Some(file), ..published.of_folder() };
    let outcome = published.right(&with_heads).await;
    assert_eq!(outcome.heads_compared, 1);

    published.forge(2, |body| {
        let Body::Round(round) = body else { panic!("no round") };
        round.lps.pop();
    });
    published.wrong(&with_heads, "the pool's key signed two entries of this number").await;
    let peer = Some(format!("http://{}", published.pool.address()));
    published.wrong(&Verification { peer, ..published.of_folder() }, "this is proof").await;

    // And a record that was cut off before a head that somebody kept.
    std::fs::remove_file(published.entry(3)).unwrap();
    published.wrong(&with_heads, "the record has no such entry").await;
}

#[tokio::test]
async fn a_record_signed_by_another_key_is_not_that_of_the_pool() {
    let published = Published::start().await;
    let key = Some(PublicKey::parse(&"ab".repeat(32)).unwrap());
    published.wrong(&Verification { key, ..published.of_folder() }, "not by the pool's key abab").await;
}

#[tokio::test]
async fn the_command_says_what_it_found_and_ends_with_it() {
    let published = Published::start().await;
    let run = |arguments: &[&str]| {
        let program = alp_tests::profile_folder().join("alp-tests-server");
        let output = Command::new(program).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let folder = published.entries().display().to_string();
    let pool_file = published.pool.pool_file().display().to_string();
    let (code, key) = run(&["key", "--config", &pool_file]);
    assert_eq!((code, key.trim()), (Some(0), published.key().public().to_string().as_str()));
    let (code, said) = run(&["verify", &folder, "--key", key.trim()]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("findings   0") && said.contains("(as given)"), "{said}");
    replace(&published.entry(1), "test_exchange", "best_exchange");
    let (code, said) = run(&["verify", &folder]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("entry 1: its body is not the one that was signed"), "{said}");
}
