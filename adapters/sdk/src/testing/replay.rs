//! The replaying itself.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use super::{Case, Folder, Http, SeenOrder, SignedCall, Value, token};
use crate::{Decimal, NonceKind};

/// Names the folder that holds the folders with recorded replies, which are not ours to copy.
const RECORDED_FOLDER: &str = "ALP_FIXTURES";
/// No exchange needs more look-ups than this for one list of orders.
const MAX_LOOK_UPS: usize = 4;

/// Something that behaves as one adapter.
pub trait Driver {
    /// What `describe` says that signing needs.
    fn nonce_kind(&self) -> NonceKind;

    /// The origin in `describe`; may be empty.
    fn origin(&self) -> String;

    /// Runs `sign`.
    ///
    /// # Errors
    /// The adapter's fault.
    fn sign(&self, ask: &SigningAsk) -> Result<Message, Failure>;

    /// Runs `start`, with `explain`, and puts the HTTP request together as the host does.
    ///
    /// # Errors
    /// The adapter's fault.
    fn start(&self, ask: &Ask, message: &Message) -> Result<Begun, Failure>;

    /// Runs `resume`.
    ///
    /// # Errors
    /// The adapter's fault.
    fn resume(&self, ask: &Ask, message: &Message, state: &[u8], answer: &Answer) -> Result<Next, Failure>;
}

/// What every function is told.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The API key.
    pub user: String,
    /// The market's base currency.
    pub base: String,
    /// The market's quote currency.
    pub quote: String,
    /// What the operator configured for the market.
    pub market_parameters: BTreeMap<String, String>,
    /// The origin in place of the adapter's own, if the operator configured one.
    pub endpoint: Option<String>,
    /// The time, in Unix milliseconds.
    pub now_ms: u64,
}

/// What signing is told beside.
#[derive(Clone)]
pub struct SigningAsk {
    /// The rest.
    pub ask: Ask,
    /// The API secret.
    pub secret: String,
    /// What else the exchange handed out.
    pub credential_parameters: BTreeMap<String, String>,
    /// Of the adapter's kind.
    pub nonce: String,
}

/// What a client posts.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The members of `req`, in order.
    pub members: Vec<(String, Value)>,
    /// The signature.
    pub sign: String,
}

/// What `start` said.
#[derive(Debug)]
pub struct Begun {
    /// The first step.
    pub next: Next,
    /// What was signed.
    pub signed: Vec<String>,
    /// How many signed requests it found.
    pub freshness: usize,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// Send this, and resume with these notes.
    Send(Http, Vec<u8>),
    /// Look this up, and resume with these notes.
    LookUp(Http, Vec<u8>),
    /// Done.
    Orders(Vec<SeenOrder>),
}

/// What the exchange replied.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A fault, by the name of its case.
#[derive(Clone, Debug)]
pub struct Failure {
    /// `unusable`, `refused`, `throttled`, `unavailable`, `unreadable`, `misconfigured` or `other`.
    pub kind: String,
    /// What it says.
    pub message: String,
}

/// What a folder amounted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Signed calls compared.
    pub calls: usize,
    /// Replies read.
    pub cases: usize,
    /// Orders compared.
    pub orders: usize,
}

/// Replays a folder.
///
/// # Errors
/// The first difference, in words; or that there was nothing to compare.
pub fn replay(driver: &impl Driver, folder: &Path) -> Result<Replayed, String> {
    let folder = Folder::read(folder)?;
    for (file, call) in &folder.calls {
        check_call(driver, &folder, call)
            .map_err(|why| format!("{}/{file}: {why}", folder.path.display()))?;
    }
    let replayed = check_cases(driver, &folder, &folder)?;
    Ok(Replayed { calls: folder.calls.len(), ..replayed })
}

/// Replays the recorded replies of an exchange, which others own and this project only checks itself against:
/// those of the folder `<ALP_FIXTURES>/<exchange>`. Its signed calls are not compared: `own`, the adapter's own
/// folder, has them, and what else is to be known of the markets. Without that variable it says on the standard
/// error that nothing was checked, and gives `None`.
///
/// # Errors
/// As [`replay`].
pub fn replay_recorded(driver: &impl Driver, exchange: &str, own: &Path) -> Result<Option<Replayed>, String> {
    let Some(recorded) = std::env::var_os(RECORDED_FOLDER) else {
        // Written to the stream itself: the test runner would swallow what `eprintln!` writes.
        let _ = writeln!(
            std::io::stderr(),
            "\nSKIPPED: the recorded replies of {exchange} were NOT checked, because {RECORDED_FOLDER} is not set\n"
        );
        return Ok(None);
    };
    let recorded = Folder::read(&Path::new(&recorded).join(exchange))?;
    check_cases(driver, &recorded, &Folder::read(own)?).map(Some)
}

/// What a folder's first call asks and the message that `sign` makes of it, for tests that then change it.
///
/// # Errors
/// If the folder cannot be read or the call not be signed.
pub fn sign_first_call(driver: &impl Driver, folder: &Path) -> Result<(Ask, Message), String> {
    let folder = Folder::read(folder)?;
    let call = folder.call()?;
    let signing = signing_ask(driver, &folder, call, &call.base, &call.quote);
    let message = driver.sign(&signing).map_err(|failure| format!("sign: {failure:?}"))?;
    Ok((signing.ask, message))
}

fn check_cases(driver: &impl Driver, folder: &Folder, own: &Folder) -> Result<Replayed, String> {
    let mut replayed = Replayed::default();
    for case in &folder.cases {
        let orders = check_case(driver, folder, own, case);
        replayed.orders += orders.map_err(|why| format!("{}/{}: {why}", folder.path.display(), case.file))?;
        replayed.cases += 1;
    }
    if replayed.orders == 0 {
        return Err(format!("{}: no case has orders in it", folder.path.display()));
    }
    Ok(replayed)
}

fn check_call(driver: &impl Driver, own: &Folder, call: &SignedCall) -> Result<(), String> {
    let signing = signing_ask(driver, own, call, &call.base, &call.quote);
    let mut message = driver.sign(&signing).map_err(|failure| format!("sign: {failure:?}"))?;
    same("the members of req", &message.members, &call.req)?;
    if !token::is_as_good(&message.sign, call) {
        return Err("the signature differs".to_owned());
    }
    message.sign.clone_from(&call.sign);
    let begun = driver.start(&signing.ask, &message).map_err(|failure| format!("start: {failure:?}"))?;
    same("what was signed", &begun.signed.join("\n"), &call.string_to_sign)?;
    same("the number of freshness entries", &begun.freshness, &begun.signed.len())?;
    let sent = |message: &Message, next| match past_look_ups(driver, own, &signing.ask, message, next) {
        Ok(Next::Send(http, _)) => Ok(lower_case(&http)),
        other => Err(format!("nothing is sent: {other:?}")),
    };
    same("the request", &sent(&message, Ok(begun.next))?, &lower_case(&call.http))?;

    let mut reversed = message.clone();
    reversed.members.reverse();
    let again = driver.start(&signing.ask, &reversed).map(|begun| begun.next);
    same("the request for req in reverse", &sent(&reversed, again)?, &lower_case(&call.http))?;

    let mut unknown = message;
    unknown.members.push(("undeclared".to_owned(), Value::Number("1".to_owned())));
    match driver.start(&signing.ask, &unknown) {
        Err(failure) if failure.kind == "unusable" => Ok(()),
        other => Err(format!("an undeclared member of req was not refused: {other:?}")),
    }
}

fn check_case(driver: &impl Driver, folder: &Folder, own: &Folder, case: &Case) -> Result<usize, String> {
    let mut signing = signing_ask(driver, own, folder.call()?, &case.base, &case.quote);
    signing.credential_parameters.extend(case.credentials.clone());
    let message = driver.sign(&signing).map_err(|failure| format!("sign: {failure:?}"))?;
    let begun = driver.start(&signing.ask, &message).map_err(|failure| format!("start: {failure:?}"))?;
    let mut next = past_look_ups(driver, own, &signing.ask, &message, Ok(begun.next));
    let earlier = case.before.iter().map(|file| (file, 200, BTreeMap::new()));
    for (file, status, headers) in earlier.chain([(&case.file, case.status, case.headers.clone())]) {
        let Ok(Next::Send(_, state)) = &next else {
            return Err(format!("it does not ask for the reply {file}: {next:?}"));
        };
        let answer = Answer { status, headers, body: folder.body(file)? };
        let resumed = driver.resume(&signing.ask, &message, state, &answer);
        next = past_look_ups(driver, own, &signing.ask, &message, resumed);
    }
    match (next, case.expect.as_str()) {
        (Err(failure), "error") => match &case.fault {
            Some(kind) if *kind != failure.kind => Err(format!("should be {kind}, is {failure:?}")),
            Some(_) | None => Ok(0),
        },
        (Ok(Next::Orders(orders)), file) if file != "error" => compare(orders, folder.orders(file)?),
        (other, expected) => Err(format!("should be {expected}, is {other:?}")),
    }
}

/// Answers public look-ups from the adapter's own folder, `look_up.json`.
fn past_look_ups(
    driver: &impl Driver,
    own: &Folder,
    ask: &Ask,
    message: &Message,
    mut next: Result<Next, Failure>,
) -> Result<Next, Failure> {
    for _ in 0..MAX_LOOK_UPS {
        let Ok(Next::LookUp(_, state)) = &next else { break };
        let body =
            own.body("look_up.json").map_err(|message| Failure { kind: "no fixture".to_owned(), message })?;
        next = driver.resume(ask, message, state, &Answer { status: 200, headers: BTreeMap::new(), body });
    }
    next
}

fn signing_ask(driver: &impl Driver, own: &Folder, call: &SignedCall, base: &str, quote: &str) -> SigningAsk {
    let given = |name: &str| call.credentials.get(name).cloned().unwrap_or_default();
    let stated =
        call.req.iter().find(|(name, _)| name == "nonce").map(|(_, value)| value.as_str().to_owned());
    let nonce = match driver.nonce_kind() {
        NonceKind::None => String::new(),
        NonceKind::Seconds => (call.signed_at_ms / 1000).to_string(),
        NonceKind::Milliseconds => call.signed_at_ms.to_string(),
        NonceKind::Microseconds => format!("{}000", call.signed_at_ms),
        NonceKind::Uuid | NonceKind::Hex => {
            stated.or_else(|| token::nonce(call)).unwrap_or_else(|| given("nonce"))
        }
    };
    let mut credential_parameters = call.credentials.clone();
    credential_parameters.retain(|name, _| name != "key" && name != "secret");
    SigningAsk {
        ask: Ask {
            user: call.user.clone(),
            base: base.to_owned(),
            quote: quote.to_owned(),
            market_parameters: own.markets.get(&format!("{base}/{quote}")).cloned().unwrap_or_default(),
            endpoint: if driver.origin().is_empty() { Some(origin_of(&call.http.url)) } else { None },
            now_ms: call.signed_at_ms,
        },
        secret: given("secret"),
        credential_parameters,
        nonce,
    }
}

/// Exchange software that many run has no origin of its own: then the fixture's is the operator's.
fn origin_of(url: &str) -> String {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url.bytes().skip(host).position(|byte| byte == b'/').map_or(url.len(), |at| host + at);
    url.chars().take(end).collect()
}

fn compare(mut seen: Vec<SeenOrder>, mut expected: Vec<SeenOrder>) -> Result<usize, String> {
    seen.sort_by(|one, other| one.id.cmp(&other.id));
    expected.sort_by(|one, other| one.id.cmp(&other.id));
    let ids = |orders: &[SeenOrder]| orders.iter().map(|order| order.id.clone()).collect::<Vec<_>>();
    same("the ids", &ids(&seen), &ids(&expected))?;
    for (one, other) in seen.iter().zip(&expected) {
        let fits = one.side == other.side
            && one.opened_ms == other.opened_ms
            && same_number(&one.price, &other.price)?
            && same_number(&one.amount, &other.amount)?;
        if !fits {
            return Err(format!("an order should be {other:?}, is {one:?}"));
        }
    }
    Ok(seen.len())
}

fn same_number(one: &str, other: &str) -> Result<bool, String> {
    if one.contains(['e', 'E']) {
        return Err(format!("{one} has an exponent"));
    }
    let read = |text| Decimal::parse(text).map_err(|error| error.to_string());
    Ok(read(one)? == read(other)?)
}

fn lower_case(http: &Http) -> Http {
    let headers =
        http.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    Http { headers, ..http.clone() }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, expected: &T) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("{what} should be\n  {expected:?}\nand is\n  {seen:?}"))
    }
}
