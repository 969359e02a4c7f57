//! What a server asks of a component before it lets it serve: a fraction of a second, and no fixtures.

use std::collections::BTreeMap;
use std::sync::Arc;

use alp_adapter::NonceKind;
use alp_adapter::testing::{Answer, Ask, Driver, Message, Next, SigningAsk, Value};
use alp_sandbox::Adapter;
use tokio::runtime::Handle;

use super::hostile::{Rule, general};
use super::judge::{broken, judge};
use super::loading::is_sane;
use crate::driver::{ANY_ORIGIN, ComponentDriver};
use crate::wire::Wire;

/// When the made-up request is signed, in Unix milliseconds: any time would do.
const SIGNED_AT_MS: u64 = 1_760_000_000_123;

/// Secrets in the forms that exchanges hand out: text, base64, and a private key of curve P-256 that is the number 1.
const SECRETS: [&str; 3] = [
    "self-check-secret",
    "c2VsZi1jaGVjay1zZWNyZXQtc2VsZi1jaGVjay1zZWNyZXQtMDE=",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABoAoGCCqGSM49\nAwEHoUQDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/\nm47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==\n-----END EC PRIVATE KEY-----\n",
];

/// What a self-check found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfChecked {
    /// Whether a made-up request could be signed and started; some exchanges' credentials cannot be made up.
    pub started: bool,
    /// How many hostile replies ended in a fault with a name.
    pub hostile_replies: usize,
}

/// Checks a loaded adapter without fixtures: that its description holds together, that it signs and starts a
/// made-up request or refuses it by name, that what it asks for is what it declares, and that outages, pages and
/// broken bytes in place of a reply end in a fault with a name.
///
/// # Errors
/// The first thing that is wrong: a sentence for the operator, about what the adapter's author has to mend.
pub async fn self_check(adapter: &Arc<Adapter>, wire: Arc<dyn Wire>) -> Result<SelfChecked, String> {
    let driver = ComponentDriver::new(Arc::clone(adapter), wire, Handle::current());
    let checked = tokio::task::spawn_blocking(move || run(&driver));
    checked.await.unwrap_or_else(|_| Err("the self-check did not end".to_owned()))
}

fn run(driver: &ComponentDriver) -> Result<SelfChecked, String> {
    is_sane(driver.adapter().description())?;
    let mut checked = SelfChecked { started: false, hostile_replies: 0 };
    let empty = Message { members: Vec::new(), sign: "0".to_owned() };
    let strange =
        Message { members: vec![("\0".to_owned(), Value::Text("\r\n&=#".to_owned()))], ..empty.clone() };
    for message in [empty, strange] {
        if let Err(failure) = driver.start(&signing_ask(driver, "").ask, &message)
            && broken(&failure)
        {
            return Err(format!("start of a message that is none: {}: {}", failure.kind, failure.message));
        }
    }
    for secret in SECRETS {
        let signing = signing_ask(driver, secret);
        let message = match driver.sign(&signing) {
            Ok(message) => message,
            Err(failure) if broken(&failure) => {
                return Err(format!("sign: {}: {}", failure.kind, failure.message));
            }
            // The secret is of another form, or something that cannot be made up is needed.
            Err(_) => continue,
        };
        checked.started = true;
        checked.hostile_replies = replies(driver, &signing.ask, &message)?;
        break;
    }
    Ok(checked)
}

fn replies(driver: &ComponentDriver, ask: &Ask, message: &Message) -> Result<usize, String> {
    let state = match driver.start(ask, message).map(|begun| begun.next) {
        Ok(Next::Send(_, state) | Next::LookUp(_, state)) => state,
        Ok(Next::Orders(_)) => return Err("start shows orders before anything was asked".to_owned()),
        // Signed for a market that the exchange cannot have, it may be refused.
        Err(failure) if !broken(&failure) => return Ok(0),
        Err(failure) => return Err(format!("start: {}: {}", failure.kind, failure.message)),
    };
    let mut count = 0_usize;
    for hostile in general().into_iter().flat_map(|family| family.replies) {
        let answer = Answer { status: hostile.status, headers: BTreeMap::new(), body: hostile.body };
        let rule = match hostile.rule {
            Rule::Fault(kinds) => Rule::Fault(kinds),
            // No order is expected of a made-up request.
            Rule::Expected | Rule::WellFormed | Rule::Copies => Rule::Expected,
        };
        judge(rule, driver.resume(ask, message, &state, &answer), &[])
            .map_err(|why| format!("a hostile reply, {}: {why}", hostile.what))?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

fn signing_ask(driver: &ComponentDriver, secret: &str) -> SigningAsk {
    let description = driver.adapter().description();
    let made_up = |needs: &[alp_sandbox::types::ParameterNeed]| {
        let required = needs.iter().filter(|need| !need.optional);
        required.map(|need| (need.name.clone(), "1".to_owned())).collect::<BTreeMap<_, _>>()
    };
    let own_origin = !description.origin.is_empty();
    SigningAsk {
        ask: Ask {
            user: "self-check-key".to_owned(),
            base: "NBT".to_owned(),
            quote: "BTC".to_owned(),
            market_parameters: made_up(&description.market_parameters),
            endpoint: (!own_origin).then(|| ANY_ORIGIN.to_owned()),
            now_ms: SIGNED_AT_MS,
        },
        secret: secret.to_owned(),
        credential_parameters: made_up(&description.credential_parameters),
        nonce: match driver.nonce_kind() {
            NonceKind::None => String::new(),
            NonceKind::Seconds => (SIGNED_AT_MS / 1000).to_string(),
            NonceKind::Milliseconds => SIGNED_AT_MS.to_string(),
            NonceKind::Microseconds => format!("{SIGNED_AT_MS}000"),
            NonceKind::Uuid => "f93c979d-b00d-43a9-9b9c-fd4cd9547fa6".to_owned(),
            NonceKind::Hex => "f93c979db00d43a99b9cfd4cd9547fa6".to_owned(),
        },
    }
}
