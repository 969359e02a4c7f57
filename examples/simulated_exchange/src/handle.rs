//! The strings in the hands of whoever runs the simulation.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::behaviour::Behaviour;
use crate::books::{Books, Market, NewOrder, Order};
use crate::decimal::Decimal;
use crate::decoys::decoys;
use crate::protocol::{
    Call, Credentials, Kind, Listed, Operation, Outcome, Proof, Protocol, RawRequest, Reply,
};
use crate::refusal::Refusal;
use crate::server::Clock;

/// Requests that are remembered: some minutes of a demonstration, a few hundred kilobytes.
pub const MAX_LOGGED_REQUESTS: usize = 1_000;
/// Letters of a path or a query that are remembered.
const MAX_LOGGED_LENGTH: usize = 1_024;

/// Controls a running exchange. Cheap to clone; works on after a shutdown, without anybody seeing it.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLog {
    /// How many requests came in since the start.
    pub count: u64,
    /// The last ones, oldest first.
    pub last: Vec<RequestLine>,
}

/// One request, without headers and body: nothing secret is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLine {
    /// When it came, Unix milliseconds by the exchange's clock.
    pub at_ms: u64,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, as far as it may be kept.
    pub query: String,
}

impl Handle {
    /// Opens an account.
    ///
    /// # Errors
    /// If the key is taken, a name is no name, or there are too many accounts.
    pub fn add_account(&self, key: &str, secret: &str) -> Result<(), Refusal> {
        self.add_account_with(key, Credentials::of_secret(secret))
    }

    /// Opens an account at an exchange that wants more than a secret.
    ///
    /// # Errors
    /// As `add_account`.
    pub fn add_account_with(&self, key: &str, credentials: Credentials) -> Result<(), Refusal> {
        self.shared.books().add_account(key, credentials)
    }

    /// Opens the market `BASE_QUOTE` with a reference price; returns that name. An existing market gets the
    /// price.
    ///
    /// # Errors
    /// If a name is no name or there are too many markets.
    pub fn add_market(&self, base: &str, quote: &str, price: Decimal) -> Result<String, Refusal> {
        self.shared.books().add_market(base, quote, price)
    }

    /// Moves a market's reference price.
    ///
    /// # Errors
    /// If there is no such market.
    pub fn set_price(&self, market: &str, price: Decimal) -> Result<(), Refusal> {
        self.shared.books().set_price(market, price)
    }

    /// A market's reference price.
    ///
    /// # Errors
    /// If there is no such market.
    pub fn price(&self, market: &str) -> Result<Decimal, Refusal> {
        self.shared.books().price(market)
    }

    /// Places an order in an account's name.
    ///
    /// # Errors
    /// As the request of the same name would.
    pub fn place(&self, key: &str, order: NewOrder) -> Result<Order, Refusal> {
        let now_ms = self.shared.now_ms();
        self.shared.books().place(key, order, now_ms)
    }

    /// Cancels an order in an account's name.
    ///
    /// # Errors
    /// If the account or the order does not exist.
    pub fn cancel(&self, key: &str, id: u64) -> Result<(), Refusal> {
        self.shared.books().cancel(key, id)
    }

    /// Cancels an account's orders of a market; returns how many there were.
    ///
    /// # Errors
    /// If the account or the market does not exist.
    pub fn cancel_market(&self, key: &str, market: &str) -> Result<usize, Refusal> {
        self.shared.books().cancel_market(key, market)
    }

    /// Fills so much more of an order. One that is wholly filled leaves the book.
    ///
    /// # Errors
    /// If the account or the order does not exist.
    pub fn fill(&self, key: &str, id: u64, amount: Decimal) -> Result<(), Refusal> {
        self.shared.books().fill(key, id, amount)
    }

    /// The account's open orders of all markets, oldest first.
    ///
    /// # Errors
    /// If there is no such account.
    pub fn orders(&self, key: &str) -> Result<Vec<Order>, Refusal> {
        self.shared.books().orders(key, None)
    }

    /// What came in: the number of all requests, and the last ones, at most `MAX_LOGGED_REQUESTS`.
    pub fn requests(&self) -> RequestLog {
        let lines = self.shared.lines();
        RequestLog { count: *self.shared.request_count.borrow(), last: lines.iter().cloned().collect() }
    }

    /// Waits until so many requests came in since the start. The caller sets the deadline.
    pub async fn wait_for_requests(&self, count: u64) {
        let mut seen = self.shared.request_count.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = seen.wait_for(|seen| *seen >= count).await;
    }

    /// Changes how requests are answered from now on. Requests that hang are answered in the new way.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.behaviour.send_replace(behaviour);
    }

    /// How requests are answered now.
    pub fn behaviour(&self) -> Behaviour {
        self.shared.behaviour.borrow().clone()
    }
}

/// What handlers and handles share.
pub(crate) struct Shared {
    books: Mutex<Books>,
    lines: Mutex<VecDeque<RequestLine>>,
    request_count: watch::Sender<u64>,
    clock: Clock,
    pub(crate) behaviour: watch::Sender<Behaviour>,
    pub(crate) stopping: watch::Sender<bool>,
    pub(crate) protocol: Arc<dyn Protocol>,
}

impl Shared {
    pub(crate) fn new(clock: Clock, protocol: Arc<dyn Protocol>) -> Self {
        Self {
            books: Mutex::new(Books::new()),
            lines: Mutex::new(VecDeque::new()),
            request_count: watch::Sender::new(0),
            clock,
            behaviour: watch::Sender::new(Behaviour::Normal),
            stopping: watch::Sender::new(false),
            protocol,
        }
    }

    pub(crate) fn log(&self, request: &RawRequest) {
        let line = RequestLine {
            at_ms: request.received_ms,
            method: shortened(request.method.as_str()),
            path: shortened(&request.path),
            query: shortened(&self.protocol.loggable_query(&request.query)),
        };
        let mut lines = self.lines();
        if lines.len() >= MAX_LOGGED_REQUESTS {
            lines.pop_front();
        }
        lines.push_back(line);
        self.request_count.send_modify(|count| *count = count.saturating_add(1));
    }

    /// Does what the request asks for, if it may.
    pub(crate) fn attend(&self, request: &RawRequest) -> Result<Outcome, Refusal> {
        match self.protocol.read(request)? {
            Call::Ticker { symbol } => {
                let books = self.books();
                let market = self.market(&books, &symbol)?;
                let price = books.price(&market.name())?;
                Ok(Outcome::Ticker { market, price })
            }
            Call::Markets => Ok(Outcome::Markets(self.books().markets())),
            Call::Signed(proof, operation) => {
                let now_ms = self.now_ms();
                let mut books = self.books();
                let key = proof.key.clone();
                self.admit(&mut books, request, proof, now_ms)?;
                self.carry_out(&mut books, &key, operation, now_ms)
            }
        }
    }

    /// What the protocol makes of a list in which nothing is right.
    pub(crate) fn wrong_types(&self, request: &RawRequest) -> Reply {
        let books = self.books();
        let asked = match self.protocol.read(request) {
            Ok(Call::Signed(_, Operation::OpenOrders { symbol })) => symbol,
            Ok(_) | Err(_) => None,
        };
        let market = asked.and_then(|symbol| self.market(&books, &symbol).ok());
        let mut sample = decoys(&[Kind::Stop, Kind::Filled], &books, market.as_ref(), self.now_ms());
        sample.iter_mut().for_each(|line| line.kind = Kind::Open);
        drop(books);
        self.protocol.wrong_types(request, &Outcome::Orders(sample))
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Lets a signed request in, once: from here on its nonce is used up, whatever becomes of the request.
    fn admit(
        &self,
        books: &mut Books,
        request: &RawRequest,
        proof: Proof,
        now_ms: u64,
    ) -> Result<(), Refusal> {
        self.protocol.verify(request, books.credentials(&proof.key)?)?;
        if !proof.validity.holds(now_ms) {
            return Err(Refusal::TimestampOutsideWindow { now_ms, validity: proof.validity });
        }
        books.accept_nonce(&proof.key, proof.nonce, now_ms)
    }

    fn carry_out(
        &self,
        books: &mut Books,
        key: &str,
        operation: Operation,
        now_ms: u64,
    ) -> Result<Outcome, Refusal> {
        match operation {
            Operation::OpenOrders { symbol } => self.open_orders(books, key, symbol.as_deref(), now_ms),
            Operation::Order { id } => listed(books, books.order(key, id)?).map(Outcome::Order),
            Operation::Place(order) => books.place(key, order, now_ms).map(Outcome::Placed),
            Operation::Cancel { id } => books.cancel(key, id).map(|()| Outcome::Cancelled(1)),
            Operation::CancelMarket { market } => books.cancel_market(key, &market).map(Outcome::Cancelled),
        }
    }

    fn open_orders(
        &self,
        books: &Books,
        key: &str,
        symbol: Option<&str>,
        now_ms: u64,
    ) -> Result<Outcome, Refusal> {
        let market = symbol.map(|symbol| self.market(books, symbol)).transpose()?;
        let name = market.as_ref().map(Market::name);
        let orders = books.orders(key, name.as_deref())?;
        let mut lines: Vec<Listed> =
            orders.into_iter().map(|order| listed(books, order)).collect::<Result<_, _>>()?;
        lines.extend(decoys(self.protocol.decoys(), books, market.as_ref(), now_ms));
        Ok(Outcome::Orders(lines))
    }

    /// The market that this protocol calls so. Where it is also the market's own name, nothing is searched.
    fn market(&self, books: &Books, symbol: &str) -> Result<Market, Refusal> {
        let is_asked = |market: &&Market| self.protocol.symbol(market) == symbol;
        let named = books.market(symbol).ok().filter(is_asked);
        named.or_else(|| books.all_markets().find(is_asked)).cloned().ok_or(Refusal::UnknownMarket)
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<RequestLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listed(books: &Books, order: Order) -> Result<Listed, Refusal> {
    let market = books.market(&order.market)?.clone();
    Ok(Listed { market, order, kind: Kind::Open })
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_LOGGED_LENGTH).collect()
}
