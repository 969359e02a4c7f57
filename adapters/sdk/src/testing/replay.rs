//! The replaying itself.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use super::{
    Answer, Ask, Case, Driver, Failure, Folder, Http, Message, Next, SeenOrder, SignedCall, SigningAsk,
    Value, token,
};
use crate::{Decimal, NonceKind};

/// Names the folder that holds the folders with recorded replies, which are not ours to copy.
const RECORDED_FOLDER: &str = "ALP_FIXTURES";
/// No exchange needs more look-ups than this for one list of orders.
const MAX_LOOK_UPS: usize = 4;

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
    check_sign(driver, own, call)?;
    check_start(driver, own, call)?;
    check_refusals(driver, own, call)
}

/// Checks that `sign` makes the message of a signed call.
///
/// # Errors
/// The first difference, in words.
pub fn check_sign(driver: &impl Driver, own: &Folder, call: &SignedCall) -> Result<(), String> {
    if !call.is_signed_so() {
        return Ok(());
    }
    let signing = signing_ask(driver, own, call, &call.base, &call.quote);
    let message = driver.sign(&signing).map_err(|failure| format!("sign: {failure:?}"))?;
    same("the members of req", &message.members, &call.req)?;
    if token::is_as_good(&message.sign, call) { Ok(()) } else { Err("the signature differs".to_owned()) }
}

/// Checks that `start` makes the HTTP request of a signed call out of its message.
///
/// # Errors
/// The first difference, in words.
pub fn check_start(driver: &impl Driver, own: &Folder, call: &SignedCall) -> Result<(), String> {
    let ask = signing_ask(driver, own, call, &call.base, &call.quote).ask;
    let message = Message { members: call.req.clone(), sign: call.sign.clone() };
    let begun = driver.start(&ask, &message).map_err(|failure| format!("start: {failure:?}"))?;
    same("what was signed", &begun.signed.join("\n"), &call.string_to_sign)?;
    same("the number of freshness entries", &begun.freshness, &begun.signed.len())?;
    same("the request", &sent(driver, own, &ask, &message, Ok(begun.next))?, &lower_case(&call.http))
}

fn check_refusals(driver: &impl Driver, own: &Folder, call: &SignedCall) -> Result<(), String> {
    let ask = signing_ask(driver, own, call, &call.base, &call.quote).ask;
    let message = Message { members: call.req.clone(), sign: call.sign.clone() };
    let mut reversed = message.clone();
    reversed.members.reverse();
    let again = driver.start(&ask, &reversed).map(|begun| begun.next);
    let again = sent(driver, own, &ask, &reversed, again)?;
    same("the request for req in reverse", &again, &lower_case(&call.http))?;

    let mut unknown = message;
    unknown.members.push(("undeclared".to_owned(), Value::Number("1".to_owned())));
    match driver.start(&ask, &unknown) {
        Err(failure) if failure.kind == "unusable" => Ok(()),
        other => Err(format!("an undeclared member of req was not refused: {other:?}")),
    }
}

/// What a case asks and the message that goes with it: what `sign` makes, or what the case says was posted.
///
/// # Errors
/// If it cannot be signed.
pub fn begin_case(
    driver: &impl Driver,
    folder: &Folder,
    own: &Folder,
    case: &Case,
) -> Result<(Ask, Message), String> {
    let mut signing = signing_ask(driver, own, folder.call()?, &case.base, &case.quote);
    signing.credential_parameters.extend(case.credentials.clone());
    signing.ask.market_parameters.extend(case.parameters.clone());
    if let Some(posted) = &case.submission {
        signing.ask.user.clone_from(&posted.user);
        let message = Message { members: posted.req.clone(), sign: posted.sign.clone() };
        return Ok((signing.ask, message));
    }
    let message = driver.sign(&signing).map_err(|failure| format!("sign: {failure:?}"))?;
    Ok((signing.ask, message))
}

/// Checks that a case ends as it says. Look-ups are answered from the folder `own`. How many orders there were.
///
/// # Errors
/// The first difference, in words.
pub fn check_case(driver: &impl Driver, folder: &Folder, own: &Folder, case: &Case) -> Result<usize, String> {
    let (ask, message) = begin_case(driver, folder, own, case)?;
    let begun = driver.start(&ask, &message).map(|begun| begun.next);
    let mut next = past_look_ups(driver, own, &ask, &message, begun);
    let earlier = case.before.iter().map(|file| (file, 200, BTreeMap::new()));
    let last = (!case.file.is_empty()).then(|| (&case.file, case.status, case.headers.clone()));
    for (file, status, headers) in earlier.chain(last) {
        let Ok(Next::Send(_, state)) = &next else {
            return Err(format!("it does not ask for the reply {file}: {next:?}"));
        };
        let answer = Answer { status, headers, body: folder.body(file)? };
        let resumed = driver.resume(&ask, &message, state, &answer);
        next = past_look_ups(driver, own, &ask, &message, resumed);
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

fn sent(
    driver: &impl Driver,
    own: &Folder,
    ask: &Ask,
    message: &Message,
    next: Result<Next, Failure>,
) -> Result<Http, String> {
    match past_look_ups(driver, own, ask, message, next) {
        Ok(Next::Send(http, _)) => Ok(lower_case(&http)),
        other => Err(format!("nothing is sent: {other:?}")),
    }
}

/// Answers public look-ups from the adapter's own folder, `look_up.json`.
///
/// # Errors
/// The adapter's fault; `no fixture` if there is no such file.
pub fn past_look_ups(
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

/// What a call's credentials and time ask of `sign`, for this market.
pub fn signing_ask(
    driver: &impl Driver,
    own: &Folder,
    call: &SignedCall,
    base: &str,
    quote: &str,
) -> SigningAsk {
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

/// Compares orders by id, side, time and value. How many there are.
///
/// # Errors
/// The first difference, in words.
pub fn compare(mut seen: Vec<SeenOrder>, mut expected: Vec<SeenOrder>) -> Result<usize, String> {
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
