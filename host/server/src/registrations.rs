//! What becomes of a message to `/register`.

use alp_pool::address::AddressError;
use alp_store::RegisterOutcome;

use crate::app::App;
use crate::exchange::{Refusal, WhoActs};
use crate::message::{Message, shown};
use crate::submissions::{find_market, store_refusal};

/// What a bot is told when it is registered now.
pub(crate) const REGISTERED: &str = "user successfully registered";

/// Takes a message to `/register`. The checks run in the order of ALP-Server.
///
/// # Errors
/// [`Refusal`] with the sentence for the bot. The same registration again is refused with `user is already
/// registered`, which bots take for success.
pub(crate) async fn register(app: &App, body: &[u8]) -> Result<&'static str, Refusal> {
    let bot = |message: String| Refusal::new(WhoActs::Bot, message);
    let message = Message::read(body).map_err(bot)?;
    let user = message.text("user").map_err(bot)?;
    let address = message.text("address").map_err(bot)?;
    let exchange = message.text("exchange").map_err(bot)?;
    let unit = message.text("unit").map_err(bot)?;
    let in_force = app.in_force.load_full();
    check_address(&in_force.config.pool.address, &address).map_err(bot)?;
    find_market(&in_force, &exchange, &unit)?;
    if !user.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(bot("user must be an API key: printable ASCII characters without blanks".to_owned()));
    }
    let outcome = app.store.register(&exchange, &user, &address, &unit).await;
    match outcome.map_err(|error| store_refusal(&error))? {
        RegisterOutcome::Registered { .. } => Ok(REGISTERED),
        RegisterOutcome::AlreadyRegistered { .. } => Err(bot("user is already registered".to_owned())),
        RegisterOutcome::OtherAddress { .. } => Err(bot(format!(
            "user {} is already registered on {exchange} with another address; an API key has one payout address",
            shown(&user)
        ))),
    }
}

/// Whether an address is right.
///
/// # Errors
/// The sentence for the bot.
pub(crate) fn check_address(rules: &alp_pool::address::AddressRules, address: &str) -> Result<(), String> {
    let (echo, currency, letter) = (shown(address), &rules.currency, rules.letter);
    rules.check(address).map_err(|error| match error {
        AddressError::Letter => {
            format!("{echo} is not a valid {currency} address. It should start with a '{letter}'")
        }
        AddressError::Checksum => {
            format!("{echo} is not a valid {currency} address. The checksum doesn't match")
        }
        AddressError::Length => format!("{echo} is not a valid {currency} address. It has another length"),
        AddressError::Version(version) => {
            let versions: Vec<String> = rules.versions.iter().map(ToString::to_string).collect();
            let right = versions.join(" or ");
            format!(
                "{echo} is not a valid {currency} address. Its version is {version} where {right} is right"
            )
        }
    })
}
