//! A pool that pays by hand, whose operator says something about proofs, and what LPs and strangers do to it.

use std::collections::BTreeMap;

use alp_server::payouts::{DAY_MS, PayoutCommand, payouts_once};
use alp_server::proof::LpsCommand;
use alp_tests::{Answer, Lp, Settings, TestPool};
use serde_json::{Value, json};

/// An hour in milliseconds.
pub(super) const HOUR_MS: u64 = 3_600_000;

/// From where a stranger posts.
pub(super) const STRANGER: &str = "192.0.2.66";

/// The pool's price of NBT/BTC is 0.004: nobody's order for a reward stands there.
pub(super) const FAR: &str = "0.01";

pub(super) struct Scene {
    pub(super) pool: TestPool,
}

impl Scene {
    /// With these lines in the section `[proof]`.
    pub(super) async fn start(proof: &str) -> Self {
        let mut settings = Settings::default();
        settings.sections.push_str(&format!(
            "[proof]\nnotice_hours = 24\ndelay_hours = 48\n{proof}\n[payouts]\npool_id = \"test\"\n\
             method = \"manual\"\nminimum = 0.001\nsmallest_output = 0.0001\n"
        ));
        let scene = Self { pool: TestPool::start_with(settings).await };
        // The server leads from its first round on, and the first look only notes that payouts begin.
        scene.pool.run_rounds().await;
        payouts_once(scene.pool.app()).await;
        scene
    }

    /// Asks for a challenge of the amount, at eight decimals, from this place.
    pub(super) async fn ask_from(&self, place: &str, lp: &Lp, address: &str) -> Answer {
        let body = json!({"user": lp.key, "exchange": "test_exchange", "unit": "btc", "address": address,
            "by": "amount"});
        self.post_from(place, "/v1/challenges", &body.to_string()).await
    }

    /// Asks from where the LPs are.
    pub(super) async fn ask(&self, lp: &Lp, address: &str) -> Value {
        let answer = self.ask_from("127.0.0.1", lp, address).await;
        assert!(answer.success(), "{answer:?}");
        answer.json()
    }

    pub(super) async fn post_from(&self, place: &str, path: &str, body: &str) -> Answer {
        let headers = [("Content-Type", "application/json"), ("X-Forwarded-For", place)];
        self.pool.post_raw(path, &headers, body.as_bytes()).await
    }

    /// Places the order that a challenge asks for.
    pub(super) fn show(&self, lp: &Lp, asked: &Value) {
        let amount = format!("1{}", &asked["smallest"].as_str().unwrap()[1..]);
        self.pool.place(lp, "NBT_BTC", &format!("ask {amount} {FAR}"));
    }

    /// Submits, and tells what was proven.
    pub(super) async fn submit(&self, lp: &Lp) -> Option<String> {
        let answer = self.pool.submit(lp, "btc").await;
        assert_eq!(answer.accepted(), "orders saved for validation");
        answer.headers.get("alp-proof").cloned()
    }

    /// Proves an address, from asking to submitting.
    pub(super) async fn prove(&self, lp: &Lp, address: &str) -> String {
        let asked = self.ask(lp, address).await;
        self.show(lp, &asked);
        self.submit(lp).await.expect("the order proves it")
    }

    /// What `/v1/lps` says of the address.
    pub(super) async fn address_of(&self, lp: &Lp) -> Value {
        self.pool.get(&format!("/v1/lps/{}", lp.key)).await.json()["addresses"][0].clone()
    }

    /// Has an LP earn something, in one round.
    pub(super) async fn earn(&self, lp: &Lp) {
        self.submit(lp).await;
        self.pool.end_round().await;
    }

    /// Lets the time of the next payouts come, and makes them. What each address was paid in all, in 1e-8.
    pub(super) async fn pay(&self) -> BTreeMap<String, i64> {
        self.pay_after(DAY_MS).await
    }

    /// Makes the payouts that are due so much later.
    pub(super) async fn pay_after(&self, ms: u64) -> BTreeMap<String, i64> {
        self.pool.pass(ms);
        payouts_once(self.pool.app()).await;
        let mut paid = BTreeMap::new();
        for payout in self.pool.app().store.newest_payouts(100).await.unwrap() {
            for (address, e8) in payout.outputs {
                *paid.entry(address).or_insert(0) += e8;
            }
        }
        paid
    }

    /// The alarms of a kind, as sentences.
    pub(super) async fn alarms(&self, kind: &str) -> Vec<String> {
        let alarms = self.pool.app().store.alarms().await.unwrap();
        alarms.into_iter().filter(|alarm| alarm.kind == kind).map(|alarm| alarm.sentence).collect()
    }

    /// What `alp lps` answers.
    pub(super) async fn order(&self, command: LpsCommand) -> Result<String, String> {
        let socket = self.pool.folder().join("alp.sock");
        let command = alp_server::control::Command::Lps(command);
        let answer = alp_server::control::ask(&socket, command).await.unwrap();
        if answer.ok { Ok(answer.text) } else { Err(answer.text) }
    }

    /// What `alp payouts list` answers.
    pub(super) async fn payouts(&self) -> String {
        let command = alp_server::control::Command::Payouts(PayoutCommand::List);
        alp_server::control::ask(&self.pool.folder().join("alp.sock"), command).await.unwrap().text
    }
}
