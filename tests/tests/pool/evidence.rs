//! Orders count only if the exchange's reply shows them.

use std::cell::{Cell, RefCell};

use alp_adapter::NonceKind;
use alp_adapter::testing::{Answer, Ask, Begun, Driver, Failure, Message, Next, SigningAsk, replay};
use alp_kit::ComponentDriver;
use alp_server::exchange::check_ids;
use alp_simulated_exchange::Behaviour;
use alp_tests::{TestPool, adapter_names, component_driver, workspace};
use serde_json::json;

/// A driver that holds every order against the replies to the requests that were sent for it.
struct Watching {
    inner: ComponentDriver,
    replies: RefCell<Vec<Vec<u8>>>,
    /// Whether the last step was a signed request and no look-up.
    signed: Cell<bool>,
    unseen: RefCell<Vec<String>>,
    seen: Cell<usize>,
}

impl Watching {
    fn new(inner: ComponentDriver) -> Self {
        let (replies, unseen) = (RefCell::default(), RefCell::default());
        Self { inner, replies, signed: Cell::default(), unseen, seen: Cell::default() }
    }

    fn watch(&self, next: &Next) {
        self.signed.set(matches!(next, Next::Send(..)));
        let Next::Orders(orders) = next else { return };
        let ids = orders.iter().map(|order| order.id.as_str());
        self.seen.set(self.seen.get() + orders.len());
        if let Err(unseen) = check_ids(ids, &self.replies.borrow()) {
            self.unseen.borrow_mut().push(unseen.to_string());
        }
    }
}

impl Driver for Watching {
    fn nonce_kind(&self) -> NonceKind {
        self.inner.nonce_kind()
    }

    fn origin(&self) -> String {
        self.inner.origin()
    }

    fn sign(&self, ask: &SigningAsk) -> Result<Message, Failure> {
        self.inner.sign(ask)
    }

    fn start(&self, ask: &Ask, message: &Message) -> Result<Begun, Failure> {
        self.replies.borrow_mut().clear();
        self.inner.start(ask, message).inspect(|begun| self.watch(&begun.next))
    }

    fn resume(&self, ask: &Ask, message: &Message, state: &[u8], answer: &Answer) -> Result<Next, Failure> {
        if self.signed.get() {
            self.replies.borrow_mut().push(answer.body.clone());
        }
        self.inner.resume(ask, message, state, answer).inspect(|next| self.watch(next))
    }
}

#[test]
fn every_order_of_every_fixture_stands_in_the_exchanges_reply() {
    for exchange in adapter_names() {
        let driver = Watching::new(component_driver(&exchange));
        let fixtures = workspace().join("adapters").join(&exchange).join("fixtures");
        replay(&driver, &fixtures).unwrap_or_else(|why| panic!("{exchange}: {why}"));
        assert!(driver.seen.get() > 0, "{exchange} shows no order");
        assert_eq!(*driver.unseen.borrow(), [] as [String; 0], "{exchange}");
    }
}

/// What the exchange lists: two orders with these ids, written as given.
fn listing(ids: [&str; 2]) -> Behaviour {
    let order = |id: &str| {
        let order = json!({"id": "ID", "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.004",
            "amount": "5", "filled": "0", "opened_ms": 1_760_000_000_000_u64});
        order.to_string().replace("\"ID\"", id)
    };
    Behaviour::RawBody(200, format!("{{\"success\":true,\"orders\":[{},{}]}}", order(ids[0]), order(ids[1])))
}

#[tokio::test]
async fn an_order_that_no_reply_shows_is_refused_and_nothing_is_stored() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 5 0.004"]).await;
    // To the pool an adapter that turns these bytes into another text is one that makes the text up.
    pool.exchange().set_behaviour(listing(["\"7\"", "\"\\u0061bc\""]));
    for count in 1..=2 {
        let told = pool.submit(&lp, "btc").await.refusal();
        let expected = "the adapter of test_exchange reported an order that test_exchange did not show; the pool's \
                        operator must act";
        assert_eq!(told, expected);
        assert_eq!(pool.orders_of(&lp).await, [] as [serde_json::Value; 0]);
        assert_eq!(pool.app().unseen_orders.counts()["test_exchange"], count);
    }
    pool.exchange().set_behaviour(listing(["\"a\\/b\"", "1.2e3"]));
    pool.submit_btc(&lp).await;
    let orders = pool.orders_of(&lp).await;
    let mut ids: Vec<_> = orders.iter().map(|order| order["order_id"].as_str().unwrap_or_default()).collect();
    ids.sort_unstable();
    assert_eq!(ids.len(), 2, "{orders:?}");
}
