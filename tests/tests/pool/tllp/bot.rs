//! The example bot in the second protocol, against a whole pool.

use alp_bot::{Identity, MinimalRates, PoolAnswer, PoolClient, Signed, Value};
use alp_tests::{Lp, TestPool, sign};

use super::{AUCTION, served_with};

struct Bot<'p> {
    pool: &'p TestPool,
    lp: Lp,
    client: PoolClient,
}

impl<'p> Bot<'p> {
    fn new(pool: &'p TestPool, name: &str, asks: &str) -> Self {
        let lp = pool.lp(name);
        let identity = Identity {
            user: lp.key.clone(),
            address: lp.address.clone(),
            exchange: "test_exchange".to_owned(),
            unit: "btc".to_owned(),
        };
        let rates = MinimalRates { ask: asks.to_owned(), bid: "0".to_owned() };
        let client = PoolClient::new(&format!("http://{}", pool.address()), identity).unwrap().asking(rates);
        Self { pool, lp, client }
    }

    async fn submit(&self, nonce: u64) -> PoolAnswer {
        let (req, sign) = sign(&self.lp, "test_exchange", "BTC", self.pool.now_ms(), nonce).await;
        let req: serde_json::Value = serde_json::from_str(&req).unwrap();
        let member = |(name, value): (&String, &serde_json::Value)| match value.as_str() {
            Some(text) => (name.clone(), Value::Text(text.to_owned())),
            None => (name.clone(), Value::Number(value.to_string())),
        };
        let members = req.as_object().unwrap().iter().map(member).collect();
        let signed = Signed { members, sign: serde_json::from_str(&sign).unwrap() };
        self.client.submit(self.client.submission(&signed).unwrap()).await.unwrap().0
    }
}

#[tokio::test]
async fn bots_that_ask_less_are_served_and_the_dearest_is_beaten() {
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let bots = [("a", "800", "0.0005"), ("b", "700", "0.001"), ("c", "900", "0.002")];
    let bots = bots.map(|(name, amount, asks)| (Bot::new(&pool, name, asks), amount));
    for (number, (bot, amount)) in (1..).zip(&bots) {
        pool.place(&bot.lp, "NBT_BTC", &format!("ask {amount} 0.004"));
        let unknown = bot.submit(number * 10).await;
        assert!(unknown.means_unregistered(&bot.lp.key), "{unknown:?}");
        assert!(bot.client.register().await.unwrap().means_registered());
        assert!(bot.client.register().await.unwrap().means_registered(), "again, as at every start");
        let taken = bot.submit(number * 10 + 1).await;
        assert!(taken.success, "{taken:?}");
    }
    pool.end_round().await;
    let mut rewards = Vec::new();
    for (bot, _) in &bots {
        rewards.push(pool.reward_of(&bot.lp).await);
    }
    // 1.04, 0.56 and nothing a day: the fourth worked example of the auction.
    assert_eq!(rewards, ["0.00072222", "0.00038889", "0"]);
}
