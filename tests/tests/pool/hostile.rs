//! Hostile adapters in a whole pool: nothing of theirs reaches an exchange, the books, or another LP's credits.

#[allow(dead_code, reason = "the tests of the sandbox use the rest")]
#[path = "../../../host/sandbox/tests/hostile/answers.rs"]
mod answers;

use std::io::Write;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use alp_tests::{Answer, DEADLINE, FakeServer, Lp, Settings, TEST_EXCHANGE, TestPool};

use crate::guests::{self, FOR_EVER, Guest, REFUSED};
use answers::{LISTED, SENT, answer_aliased, answer_fault, listing, sending};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What every pool of this process logs.
struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        log().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log() -> MutexGuard<'static, Vec<u8>> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pool with a good LP at the usual exchange, and another exchange whose adapter is hostile.
struct Attacked {
    pool: TestPool,
    name: &'static str,
    /// Where the hostile adapter's exchange is.
    fake: FakeServer,
    good: Lp,
    victim: Lp,
}

impl Attacked {
    /// Each test has a name of its own for the adapter, by which it finds its lines in the log.
    async fn start(name: &'static str) -> Self {
        Self::start_with(Guest::named(name)).await
    }

    /// The operator grants what this guest declares, to any build.
    async fn start_with(granted: Guest) -> Self {
        let name: &'static str = granted.exchange.clone().leak();
        static KEPT: OnceLock<()> = OnceLock::new();
        KEPT.get_or_init(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| Kept).init());
        let fake = FakeServer::start().await;
        let mut settings = Settings::default();
        settings.exchanges.push((name.to_owned(), TEST_EXCHANGE.replace("{endpoint}", fake.origin())));
        let granted = alp_tests::sandbox().await.load(biding(granted).component()).await.unwrap();
        let pin = format!("sha256 = {:?}", granted.sha256());
        let grant = alp_tests::grant_of(&granted).replace(&pin, "any_build = true");
        let pool = TestPool::start_with(settings.grant(name, &grant)).await;
        let good = pool.lp_with("alice", &["ask 1500 0.004"]).await;
        let victim = Lp::new("bob");
        pool.register_with(&victim.key, &victim.address, name, "btc").await.accepted();
        Self { pool, name, fake, good, victim }
    }

    /// Has the pool serve this adapter in place of the one before.
    async fn plug_in(&self, guest: Guest) {
        let bytes = Guest { exchange: self.name.into(), ..biding(guest) }.component();
        let before = self.pool.app().adapters.snapshot().get(self.name);
        let before = before.map(|adapter| adapter.sha256().to_owned());
        self.pool.plug_in(self.name, &bytes);
        let came = |snapshot: &alp_sandbox::Snapshot| {
            snapshot.get(self.name).is_some_and(|adapter| Some(adapter.sha256()) != before.as_deref())
        };
        self.pool.app().adapters.wait_for(DEADLINE, came).await.unwrap();
        self.complaints();
    }

    /// Submits through the hostile adapter while the good LP submits through its own.
    async fn attack(&self) -> String {
        let (told, ()) = tokio::join!(self.submit(), self.pool.submit_btc(&self.good));
        told.refusal()
    }

    async fn submit(&self) -> Answer {
        let body = self.pool.body(&self.victim.key, "{\"nonce\":1}", "\"00\"", self.name, "btc");
        self.pool.post("/liquidity", &body).await
    }

    /// The lines about the hostile adapter in which the operator is asked to act, since the last time.
    fn complaints(&self) -> Vec<String> {
        let mut log = log();
        let text = String::from_utf8_lossy(&log).into_owned();
        let (own, others): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.contains(self.name));
        *log = others.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
        own.into_iter().filter(|line| !line.contains(" INFO ")).map(ToOwned::to_owned).collect()
    }

    /// There is one line about it, and it says this.
    fn complaint(&self, words: &[&str]) {
        let complaints = self.complaints();
        let [line] = complaints.as_slice() else { panic!("{complaints:?}") };
        for words in words {
            assert!(line.contains(words), "{line} does not say: {words}");
        }
        assert!(line.len() < 1_500 && !line.contains(char::is_control), "{line:?}");
    }

    /// Nothing of it was stored, and the good LP is paid what one gets who is alone on the market.
    async fn leaves_the_good_lp_its_credit(self) {
        assert_eq!(self.pool.orders_of(&self.victim).await, [] as [serde_json::Value; 0]);
        self.pool.end_round().await;
        assert_eq!(self.pool.reward_of(&self.good).await, "0.03");
        assert_eq!(self.pool.reward_of(&self.victim).await, "0");
    }
}

/// One that behaves while the pool looks at it, or it would never be served: it signs nothing, and refuses what a
/// self-check sends, whose signature is one character long.
fn biding(guest: Guest) -> Guest {
    let start = format!(
        "(if (result i32) (i32.eq (i32.load offset=20 (local.get 0)) (i32.const 1))
            (then (i32.const {REFUSED})) (else {}))",
        guest.start
    );
    let headers = vec!["X-A".to_owned()];
    Guest { earnest: true, headers, sign: format!("i32.const {REFUSED}"), start, ..guest }
}

fn failing_in_resume(code: &str) -> Guest {
    Guest {
        also: sending("/orders", &[]),
        resume: code.to_owned(),
        version: "6.6.6".to_owned(),
        ..Guest::starting(SENT)
    }
}

#[tokio::test]
async fn an_adapter_that_breaks_or_exceeds_a_limit_is_one_line_and_costs_nobody_else_anything() {
    let attacked = Attacked::start("hostile_in_calls").await;
    attacked.fake.set("/orders", 200, "[]");
    let bomb = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let cases = [
        (FOR_EVER.to_owned(), "took longer than 200 ms"),
        (bomb.to_owned(), "wanted more than 67108864 bytes of memory"),
        ("unreachable".to_owned(), "stopped: wasm trap"),
        (answer_fault(60_000_000), "answered more than 4194304 bytes"),
        (answer_aliased(1_000, 1 << 20), "answered more than 4194304 bytes"),
    ];
    for (resume, limit) in cases {
        attacked.plug_in(failing_in_resume(&resume)).await;
        let told = attacked.attack().await;
        assert_eq!(told, "the adapter of hostile_in_calls failed; the pool's operator can see why");
        attacked.complaint(&["an adapter failed", "hostile_in_calls 6.6.6: resume: ", limit]);
    }
    attacked.leaves_the_good_lp_its_credit().await;
}

/// Names and values.
type Headers<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn a_request_that_the_adapter_did_not_declare_is_never_sent() {
    let attacked = Attacked::start("hostile_in_requests").await;
    let forged = "X-A\r\n2026-11-20T00:00:00Z ERROR paid everything".repeat(100);
    let cases: [(&str, Headers<'_>, &str); 10] = [
        ("/withdraw", &[], "a path outside the call's template"),
        ("//evil.example.com/orders", &[], "a path outside the call's template"),
        ("@evil.example.com/orders", &[], "a path outside the call's template"),
        (".evil.example.com/orders", &[], "a path outside the call's template"),
        ("https://127.0.0.1/orders", &[], "a path outside the call's template"),
        ("/orders/../withdraw", &[], "a path outside the call's template"),
        ("/orders?all=1", &[], "a path outside the call's template"),
        ("/orders", &[("Host", "evil.example.com")], "does not declare or nobody may set"),
        ("/orders", &[("X-A", "1\r\nHost: evil.example.com")], "a character that cannot be sent"),
        ("/orders", &[(&forged, "1")], "the adapter sets"),
    ];
    for (path, headers, breach) in cases {
        let guest =
            Guest { also: sending(path, headers), version: "6.6.6".to_owned(), ..Guest::starting(SENT) };
        attacked.plug_in(guest).await;
        let told = attacked.attack().await;
        let expected = "the adapter of hostile_in_requests asked for a request that is not granted";
        assert_eq!(told, expected, "{path}");
        attacked.complaint(&["not granted", "exchange=\"hostile_in_requests\"", "version=6.6.6", breach]);
    }
    assert_eq!(attacked.fake.asked(), [] as [&str; 0]);
    attacked.leaves_the_good_lp_its_credit().await;
}

#[tokio::test]
async fn an_adapter_whose_own_origin_is_no_public_host_is_refused_before_the_operator_is_asked() {
    let attacked = Attacked::start("hostile_origin").await;
    for origin in ["https://127.0.0.1", "https://169.254.169.254", "https://api.exchange.com@evil"] {
        let bytes = Guest { origin: origin.into(), ..Guest::named(attacked.name) }.component();
        attacked.pool.plug_in(attacked.name, &bytes);
        let refused = |snapshot: &alp_sandbox::Snapshot| {
            let entry = snapshot.entry(attacked.name);
            entry.and_then(|entry| entry.last_error.as_ref()).is_some_and(|error| error.contains(origin))
        };
        attacked.pool.app().adapters.wait_for(DEADLINE, refused).await.unwrap();
        attacked.complaint(&["refused", "the adapter's description is wrong: ", origin]);
    }
    attacked.pool.submit_btc(&attacked.good).await;
    assert_eq!(attacked.fake.asked(), [] as [&str; 0]);
    attacked.leaves_the_good_lp_its_credit().await;
}

#[tokio::test]
async fn orders_that_make_no_sense_are_refused_as_a_whole() {
    // What a bot is told of an order, such as one without an id, that the reply does not have.
    const INVENTED: &str = "the adapter of hostile_orders reported an order that hostile_orders did not show";
    let attacked = Attacked::start("hostile_orders").await;
    let (price, amount) = ("0.004", "10");
    let absurd = "9".repeat(200);
    let mut lists: Vec<Vec<[&str; 3]>> = vec![
        vec![["1", price, amount], ["1", price, amount]],
        vec![["1", price, amount], ["2", price, amount], ["1", "0.0041", "1"]],
        vec![["", price, amount]],
        vec![["a b", price, amount]],
        vec![["7\r\nforged", price, amount]],
    ];
    for number in
        ["NaN", "inf", "-1", "-0.004", "0", "1e400", "0x10", "", " ", "∞", "1,5", "1.2.3", "+", &absurd]
    {
        // Beside a good one, which does not save the list.
        lists.push(vec![["1", price, amount], ["2", number, amount]]);
        lists.push(vec![["1", price, amount], ["2", price, number]]);
    }
    for orders in lists {
        // The exchange's reply has it all in it, so that it is not the adapter's invention.
        attacked.fake.set("/orders", 200, &orders.concat().join(" "));
        let also = [sending("/orders", &[]), listing(&orders)].concat();
        attacked.plug_in(Guest { also, ..failing_in_resume(LISTED) }).await;
        let told = attacked.submit().await.refusal();
        let refused =
            told.starts_with("invalid response from hostile_orders: ") || told.starts_with(INVENTED);
        assert!(refused, "{orders:?}: {told}");
        assert!(told.len() < 600 && !told.contains(char::is_control), "{orders:?}: {told}");
    }
    // A thousand orders whose ids are one and the same text in the adapter's memory.
    attacked.fake.set("/orders", 200, "[]");
    attacked.plug_in(failing_in_resume(&answer_aliased(1_000, 200))).await;
    let told = attacked.attack().await;
    assert!(told.starts_with(INVENTED), "{told}");
    attacked.leaves_the_good_lp_its_credit().await;
}

#[tokio::test]
async fn an_adapter_that_never_has_enough_is_stopped_after_a_few_requests() {
    let attacked = Attacked::start("hostile_for_more").await;
    attacked.fake.set("/orders", 200, "[]");
    attacked.plug_in(failing_in_resume(SENT)).await;
    let told = attacked.attack().await;
    assert_eq!(told, "the adapter of hostile_for_more wants more than 12 requests");
    attacked.complaint(&["exchange=\"hostile_for_more\"", "version=6.6.6", "more than 12 requests"]);
    assert_eq!(attacked.fake.asked().len(), 12);
    attacked.leaves_the_good_lp_its_credit().await;
}
