//! `POST /v1/challenges`: asking for a challenge.
//!
//! Who asks may contribute to the digits: it sends the SHA-256 of some random bytes, learns the pool's own, and only
//! then tells them. So neither side can steer what comes out, and a pool that passes another one's challenge on, to be
//! paid for somebody else's order, would have to be lucky.

use alp_pool::proof::{Demand, LEAST_DEVIATION_E8, ProofClaim, ShownBy};
use alp_store::{Challenge, Issued, NewChallenge};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};

use super::{hex, keyed};
use crate::app::{App, InForce};
use crate::containment::{Peer, again};
use crate::exchange::{Refusal, WhoActs};
use crate::freshness::pool_key;
use crate::message::{Message, shown};
use crate::prices::pool_price;
use crate::registrations::check_address;
use crate::submissions::{find_market, store_refusal};

/// Within what time the tries are counted, in milliseconds.
const WINDOW_MS: u64 = 3_600_000;

/// The decimals where none are said: those of most exchanges.
const USUAL_DECIMALS: u64 = 8;

/// Bytes of a challenge's own randomness, and of what an asker contributes at most.
const RANDOM_BYTES: usize = 32;

/// The name of the key of digests of places in the database.
const KEY_NAME: &str = "challenges";

/// A challenge as it is answered.
pub(crate) struct Asked {
    /// The challenge.
    pub(crate) challenge: Challenge,
    /// What has to be shown; none until what was sealed is told.
    pub(crate) demand: Option<Demand>,
    /// How many more there are now; not told again when what was sealed is told.
    pub(crate) tries_left: Option<u32>,
    /// What to do, in a sentence.
    pub(crate) sentence: String,
}

/// Takes a message to `/v1/challenges`. The checks run in the order of `/liquidity`, so a stranger learns no more here.
///
/// # Errors
/// [`Refusal`] with the sentence for whoever asked.
pub(crate) async fn ask(app: &App, body: &[u8], peer: Peer) -> Result<Asked, Refusal> {
    let message = Message::read(body).map_err(bot)?;
    let user = message.text("user").map_err(bot)?;
    let exchange = message.text("exchange").map_err(bot)?;
    let unit = message.text("unit").map_err(bot)?;
    if app.leadership.has_other_configuration() {
        let message = "this server has another configuration than the pool; the pool's operator must act";
        return Err(Refusal::new(WhoActs::Operator, message));
    }
    let in_force = app.in_force.load_full();
    find_market(&in_force, &exchange, &unit)?;
    let lp_id =
        app.store.registered_lp(&exchange, &user, &unit).await.map_err(|error| store_refusal(&error))?;
    let lp_id = lp_id.ok_or_else(|| bot(format!("user {} is not registered", shown(&user))))?;
    let whose = Whose { app, in_force: &in_force, lp_id, user: &user, exchange: &exchange, unit: &unit };
    let asked = match message.whole("challenge").map_err(bot)? {
        Some(number) => whose.unseal(number, &message).await?,
        None => whose.issue(&message, peer).await?,
    };
    app.challenges.read_again();
    Ok(asked)
}

/// Whose address is to be proven, on which market.
struct Whose<'a> {
    app: &'a App,
    in_force: &'a InForce,
    lp_id: i64,
    user: &'a str,
    exchange: &'a str,
    unit: &'a str,
}

impl Whose<'_> {
    async fn issue(&self, message: &Message<'_>, peer: Peer) -> Result<Asked, Refusal> {
        let address = message.text("address").map_err(bot)?;
        check_address(&self.in_force.config.pool.address, &address).map_err(bot)?;
        let by = message.text("by").map_err(bot)?;
        let by =
            ShownBy::from_name(&by).ok_or_else(|| bot("by must be \"amount\" or \"price\"".to_owned()))?;
        let decimals = message.whole("decimals").map_err(bot)?.unwrap_or(USUAL_DECIMALS);
        let decimals = u32::try_from(decimals).unwrap_or(u32::MAX);
        let seal = optional_hex(message, "seal")?;
        if !seal.is_empty() && seal.len() != 64 {
            return Err(bot("seal must be a SHA-256 in hexadecimal".to_owned()));
        }
        let nonce = random()?;
        let claim = self.claim(&address, by, decimals, "");
        let demand = Demand::new(by, decimals, &keyed(&nonce, &claim.message()));
        let demand = demand.map_err(|error| bot(error.to_string()))?;
        let proof = self.in_force.config.pool.proof;
        let new = NewChallenge {
            lp_id: self.lp_id,
            unit: self.unit.to_owned(),
            address,
            asked_from: self.place(peer).await?,
            shown_by: by.name().to_owned(),
            decimals,
            nonce: hex(&nonce),
            digits: if seal.is_empty() { demand.digits() } else { String::new() },
            seal,
            lifetime_ms: proof.challenge_ms,
            most: proof.tries,
            window_ms: WINDOW_MS,
        };
        let issued = self.app.store.issue_challenge(&new).await.map_err(|error| store_refusal(&error))?;
        match issued {
            Issued::Open { challenge, left } => self.told(challenge, Some(left)),
            Issued::TooMany { again_at_ms } => {
                let now_ms = self.app.store.clock_ms().await.map_err(|error| store_refusal(&error))?;
                let wait = again(again_at_ms.saturating_sub(now_ms));
                Err(bot(format!("{} challenges an hour are given for a key; {wait}", proof.tries)))
            }
        }
    }

    /// Takes what was sealed, and gives the digits.
    async fn unseal(&self, number: u64, message: &Message<'_>) -> Result<Asked, Refusal> {
        let salt = optional_hex(message, "salt")?;
        let open = self.app.store.open_challenge(number).await.map_err(|error| store_refusal(&error))?;
        let open =
            open.filter(|open| open.lp_id == self.lp_id && open.unit == self.unit && !open.seal.is_empty());
        let Some(open) = open else {
            return Err(bot(format!(
                "no sealed challenge {number} of this key is open: ask for another one"
            )));
        };
        if hex(&Sha256::digest(salt.as_bytes())) != open.seal {
            return Err(bot(
                "salt is not what was sealed: seal is the SHA-256 of its hexadecimal text".to_owned()
            ));
        }
        let damaged = || operator("a challenge in the database cannot be read; ask for another one");
        let by = ShownBy::from_name(&open.shown_by).ok_or_else(damaged)?;
        let nonce = bytes_of(&open.nonce).ok_or_else(damaged)?;
        let claim = self.claim(&open.address, by, open.decimals, &salt);
        let demand = Demand::new(by, open.decimals, &keyed(&nonce, &claim.message()));
        let digits = demand.map_err(|_| damaged())?.digits();
        // Told twice it is the same.
        self.app.store.set_digits(number, &digits).await.map_err(|error| store_refusal(&error))?;
        self.told(Challenge { digits, ..open }, None)
    }

    fn told(&self, challenge: Challenge, tries_left: Option<u32>) -> Result<Asked, Refusal> {
        let by = ShownBy::from_name(&challenge.shown_by);
        let read = |by| Demand::read(by, challenge.decimals, &challenge.digits).ok();
        let demand = by.filter(|_| !challenge.digits.is_empty()).map(read);
        if demand == Some(None) || by.is_none() {
            return Err(operator("a challenge in the database cannot be read; ask for another one"));
        }
        let demand = demand.flatten();
        let sentence = match &demand {
            Some(demand) => self.sentence(&challenge, demand),
            None => {
                format!("challenge {} is sealed: tell its salt, and it has digits", challenge.challenge_id)
            }
        };
        Ok(Asked { challenge, demand, tries_left, sentence })
    }

    fn sentence(&self, challenge: &Challenge, demand: &Demand) -> String {
        let (exchange, unit, by) = (self.exchange, self.unit, demand.by().name());
        let (digits, decimals, smallest) = (demand.digits(), demand.decimals(), demand.smallest());
        let percent = alp_pool::decimal::format_units(u128::from(LEAST_DEVIATION_E8), 6);
        let price = self.price().map(|price| format!(", which is {price} now")).unwrap_or_default();
        let lapses_at = challenge.lapses_at_ms / 1_000;
        format!(
            "place an order for {unit} on {exchange} whose {by} ends in {digits} at {decimals} decimals (such as \
             {smallest}, or that and any larger digits in front), at least {percent} % from the pool's price{price}: \
             sell above it or buy below it, where nobody hits it; then submit as always, before {lapses_at}, and \
             cancel it"
        )
    }

    /// The pool's price, for showing.
    fn price(&self) -> Option<String> {
        let (_, market) = find_market(self.in_force, self.exchange, self.unit).ok()?;
        let config = self.in_force.config.prices.get(self.unit)?;
        let price = self.app.prices.current(self.unit, config, self.app.now_ms())?;
        pool_price(price, market.reverse).rounded().map(|price| price.to_string())
    }

    fn claim<'c>(&'c self, address: &'c str, by: ShownBy, decimals: u32, salt: &'c str) -> ProofClaim<'c> {
        ProofClaim {
            pool: self.app.publisher.pool(),
            exchange: self.exchange,
            unit: self.unit,
            api_key: self.user,
            address,
            by,
            decimals,
            salt,
        }
    }

    /// By what the tries of this place are counted: each place from which submissions of the key are accepted has its
    /// own, so that no stranger can use up those of the owner. All others share some.
    async fn place(&self, peer: Peer) -> Result<String, Refusal> {
        if !self.app.containment.knows(self.exchange, self.lp_id, peer) {
            return Ok(String::new());
        }
        let key = pool_key(&self.app.store, KEY_NAME).await.map_err(|error| store_refusal(&error))?;
        let tag = ring::hmac::sign(&key, format!("{peer:?}").as_bytes());
        Ok(hex(tag.as_ref()))
    }
}

fn random() -> Result<[u8; RANDOM_BYTES], Refusal> {
    let mut bytes = [0; RANDOM_BYTES];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(operator("this machine has no randomness for a challenge")),
    }
}

/// Lower-case hexadecimal of at most 32 bytes; empty if it is left out.
fn optional_hex(message: &Message<'_>, name: &str) -> Result<String, Refusal> {
    if !message.has(name) {
        return Ok(String::new());
    }
    let text = message.text(name).map_err(bot)?;
    let right = text.len() <= 2 * RANDOM_BYTES
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if right {
        Ok(text)
    } else {
        Err(bot(format!("{name} must be at most 64 hexadecimal digits in lower case")))
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| if let [high, low] = pair { Some(high << 4 | low) } else { None }).collect()
}

fn bot(message: String) -> Refusal {
    Refusal::new(WhoActs::Bot, message)
}

fn operator(message: &str) -> Refusal {
    Refusal::new(WhoActs::Operator, message)
}
