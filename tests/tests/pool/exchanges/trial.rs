//! One LP at one exchange, and what is tried on it. It knows no exchange: what is particular stands in the row.

use alp_sandbox::types::{Binding, Field, Market, NonceKind, SignQuery};
use alp_simulated_exchange::{Behaviour, Credentials, NewOrder, Side, protocol_of};
use alp_tests::{Lp, Settings, TestPool, adapter, address_of, sign_query};
use serde_json::Value;

use super::Row;

/// What every check of an exchange works on.
pub(super) struct Trial {
    id: &'static str,
    row: &'static Row,
    pool: TestPool,
    lp: Lp,
    nonce: u64,
    message: String,
}

/// The market that the pool has another unit for.
const FOREIGN_BASE: &str = "LTC";

impl Trial {
    pub(super) async fn start(id: &'static str, row: &'static Row) -> Self {
        let pool = TestPool::start_with(settings(id, row)).await;
        let exchange = pool.exchange();
        for base in [row.base, FOREIGN_BASE] {
            exchange.add_market(base, row.quote, row.prices[0].parse().unwrap()).unwrap();
        }
        let [secret, _, known] = row.secrets.map(str::to_owned);
        let credentials = Credentials {
            secret: known,
            passphrase: row.passphrase.map(str::to_owned),
            account_id: row.account_id.map(str::to_owned),
        };
        exchange.add_account_with(row.key, credentials).unwrap();
        let lp = Lp { key: row.key.to_owned(), secret, address: address_of(id) };
        pool.register_with(&lp.key, &lp.address, id, "own").await.accepted();
        Self { id, row, pool, lp, nonce: 0, message: String::new() }
    }

    pub(super) async fn orders_are_ranked(&mut self) {
        let [at, near, far] = self.row.prices;
        self.place(self.row.base, Side::Sell, at, "900.5", "0.5");
        self.place(self.row.base, Side::Buy, near, "600", "0");
        self.place(self.row.base, Side::Buy, far, "250.25", "0.25");
        self.place(FOREIGN_BASE, Side::Sell, at, "5000", "0");
        assert!(!protocol_of(self.id).unwrap().decoys().is_empty(), "the exchange lists nothing else");
        self.message = self.message_for(self.row.base, &self.lp.secret.clone()).await;
        self.is_accepted(&self.message).await;
    }

    pub(super) async fn a_replay_is_refused_or_changes_nothing(&mut self) {
        let single_use = adapter(self.id).await.description().single_use;
        assert_eq!(single_use, self.row.replay.is_some(), "what the adapter says of itself");
        let (calls, listed) = (self.pool.exchange_calls(), self.listed(false).await);
        let told = self.pool.post("/liquidity", &self.message).await.refusal();
        assert!(told.contains(" was seen, and this one has ") || told.contains(" was sent before"), "{told}");
        assert_eq!((self.pool.exchange_calls(), self.listed(false).await), (calls, listed));
        // Another pool has not seen it, and the exchange says what it thinks of that.
        let mut settings = settings(self.id, self.row);
        let file = &mut settings.exchanges[0].1;
        *file = file.replace("{endpoint}", &self.pool.exchange_origin());
        let other = TestPool::start_with(settings).await;
        other.register_with(&self.lp.key, &self.lp.address, self.id, "own").await.accepted();
        let answer = other.post("/liquidity", &self.message).await;
        match self.row.replay {
            Some(words) => assert_eq!(answer.refusal(), self.words(&format!("error returned: {words}"))),
            None => assert_eq!(answer.accepted(), "orders saved for validation"),
        }
    }

    /// The exchange's words on the first message.
    fn words(&self, told: &str) -> String {
        words(told, &self.message)
    }

    pub(super) async fn a_wrong_secret_is_refused(&mut self) {
        let forged = self.message_for(self.row.base, self.row.secrets[1]).await;
        self.is_refused(&forged, &format!("error returned: {}", self.row.wrong_secret), true).await;
    }

    pub(super) async fn a_request_for_a_foreign_market_earns_nothing(&mut self) {
        let binds = adapter(self.id).await.description().binds;
        let foreign = self.message_for(FOREIGN_BASE, &self.lp.secret.clone()).await;
        let Some([member, own, other]) = self.row.market_named else {
            assert!(!binds.contains(Binding::MARKET), "what the adapter says of itself");
            return self.is_accepted(&foreign).await;
        };
        let told =
            format!("`req.{member}` should be `{own}` for this market; the request was signed for `{other}`");
        self.is_refused(&foreign, &told, false).await;
    }

    pub(super) async fn an_outage_is_told(&mut self) {
        let message = self.message_for(self.row.base, &self.lp.secret.clone()).await;
        self.pool.exchange().set_behaviour(Behaviour::Outage);
        let told = format!("{} is unavailable: {}", self.id, self.row.outage);
        self.is_refused(&message, &told, true).await;
        self.pool.exchange().set_behaviour(Behaviour::Normal);
        let message = self.message_for(self.row.base, &self.lp.secret.clone()).await;
        self.is_accepted(&message).await;
    }

    pub(super) async fn orders_are_credited(&mut self) {
        self.pool.end_round().await;
        // A coin earns a five-thousandth of 0.05. Any decoy alone would have filled its rank.
        let credits = ["0.009", "0.0025", "0.006"];
        let due: Vec<String> =
            self.ranked().iter().zip(credits).map(|(order, credit)| format!("{order} {credit}")).collect();
        assert_eq!(self.listed(true).await, due);
        assert_eq!(self.pool.reward_of(&self.in_paths()).await, "0.0175");
    }

    async fn is_accepted(&self, message: &str) {
        let answer = self.pool.post("/liquidity", message).await;
        assert_eq!(answer.accepted(), "orders saved for validation");
        assert_eq!(self.listed(false).await, self.ranked());
    }

    /// The bot is told this, by the exchange or without asking it, and what was taken before stays.
    async fn is_refused(&self, message: &str, told: &str, by_the_exchange: bool) {
        let calls = self.pool.exchange_calls();
        let refusal = self.pool.post("/liquidity", message).await.refusal();
        assert_eq!(refusal, words(told, message));
        assert_eq!(self.pool.exchange_calls() > calls, by_the_exchange, "{refusal}");
        assert_eq!(self.listed(false).await, self.ranked());
    }

    /// What the pool has to show of the orders before the round ends.
    fn ranked(&self) -> [String; 3] {
        let [at, near, far] = self.row.prices;
        [format!("ask 900 {at} rank_1"), format!("bid 250 {far} rank_2"), format!("bid 600 {near} rank_1")]
    }

    /// What it shows of them; once their round is credited, with what each has earned.
    async fn listed(&self, credited: bool) -> Vec<String> {
        let orders = self.pool.orders_of(&self.in_paths()).await;
        let line = |order: &Value| {
            let [side, rank] = ["side", "rank"].map(|member| order[member].as_str().unwrap());
            let credit = &order["credit_info"]["credit_amount"];
            let credit = if credited { format!(" {credit}") } else { String::new() };
            format!("{side} {} {} {rank}{credit}", order["order_amount"], order["order_price"])
        };
        let mut lines: Vec<String> = orders.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// The LP as it stands in a path: some API keys have slashes in them.
    fn in_paths(&self) -> Lp {
        Lp { key: self.lp.key.replace('/', "%2F"), ..self.lp.clone() }
    }

    fn place(&self, base: &str, side: Side, price: &str, amount: &str, filled: &str) {
        let market = format!("{base}_{}", self.row.quote);
        let order = NewOrder { market, side, price: price.parse().unwrap(), amount: amount.parse().unwrap() };
        let placed = self.pool.exchange().place(&self.lp.key, order).unwrap();
        self.pool.exchange().fill(&self.lp.key, placed.id, filled.parse().unwrap()).unwrap();
    }

    /// What a bot posts for the unit `own`: signed for the market of this base, with this secret.
    async fn message_for(&mut self, base: &str, secret: &str) -> String {
        let row = self.row;
        self.nonce += 1;
        // A second goes by: some exchanges go by it in place of a nonce.
        self.pool.pass(1_000);
        let field = |(name, value): (&str, &str)| Field { name: name.to_owned(), value: value.to_owned() };
        let extra = [("passphrase", row.passphrase), ("account_id", row.account_id)];
        let extra = extra.into_iter().filter_map(|(name, value)| value.map(|value| field((name, value))));
        let place = if base == FOREIGN_BASE { 2 } else { 1 };
        let parameters = row.parameter.map(|parameter| field((parameter[0], parameter[place])));
        let query = SignQuery {
            user: self.lp.key.clone(),
            secret: secret.to_owned(),
            parameters: extra.collect(),
            market: Market {
                base: base.to_owned(),
                quote: row.quote.to_owned(),
                parameters: parameters.into_iter().collect(),
            },
            endpoint: Some(self.pool.exchange_origin()),
            now_ms: self.pool.now_ms(),
            nonce: nonce(adapter(self.id).await.description().nonce, self.pool.now_ms(), self.nonce),
            extras: Vec::new(),
        };
        let (req, sign) = sign_query(self.id, &query).await;
        self.pool.body(&self.lp.key, &req, &sign, self.id, "own")
    }
}

/// What is told of a message, with its signature and its nonce.
fn words(told: &str, message: &str) -> String {
    let message: Value = serde_json::from_str(message).unwrap();
    let req = &message["req"];
    let nonce = if req["tonce"].is_null() { &req["nonce"] } else { &req["tonce"] };
    told.replace("{sign}", message["sign"].as_str().unwrap()).replace("{nonce}", &nonce.to_string())
}

/// A pool at this exchange with two units, `own` and `foreign`.
fn settings(id: &'static str, row: &Row) -> Settings {
    let mut settings =
        Settings { exchanges: Vec::new(), plugins: Vec::new(), simulated: id, ..Settings::default() };
    let price = row.prices[0];
    settings.sections = format!("[prices.own]\nfixed = {price}\n[prices.foreign]\nfixed = {price}\n");
    let unit = |name: &str, base: &str, place: usize| {
        let quote = row.quote;
        let parameter =
            row.parameter.map(|parameter| format!("parameters.{} = \"{}\"", parameter[0], parameter[place]));
        let parameter = parameter.unwrap_or_default();
        format!(
            "[units.{name}]\nbase = \"{base}\"\nquote = \"{quote}\"\n{parameter}\n{TERMS}\
             ask = {{ ratio = 0.6, rank_1 = {{ ratio = 1, tolerance = 0.0085 }} }}\n\
             bid = {{ ratio = 0.4, rank_1 = {{ ratio = 0.8, tolerance = 0.0085 }}, rank_2 = {{ ratio = 0.2 }} }}\n"
        )
    };
    let file = format!(
        "endpoint = \"{{endpoint}}\"\n{}{}",
        unit("own", row.base, 1),
        unit("foreign", FOREIGN_BASE, 2)
    );
    settings.exchange(id, &file)
}

const TERMS: &str = "reward = 0.05\ntarget = 5000\n";

/// The nonce of an LP's so many-th message.
fn nonce(kind: NonceKind, now_ms: u64, count: u64) -> String {
    match kind {
        NonceKind::None => String::new(),
        NonceKind::Seconds => (now_ms / 1000 + count).to_string(),
        NonceKind::Milliseconds => (now_ms + count).to_string(),
        NonceKind::Microseconds => (now_ms * 1000 + count).to_string(),
        NonceKind::Uuid => format!("f93c979d-b00d-43a9-9b9c-{count:012x}"),
        NonceKind::Hex => format!("{count:032x}"),
    }
}
