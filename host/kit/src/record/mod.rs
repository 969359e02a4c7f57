//! `alp adapter record`: a fixture out of a live call, with nothing secret in it.

mod credentials;
mod files;
mod live;
mod scrub;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use alp_adapter::testing::{Ask, SigningAsk};
use alp_sandbox::Adapter;
use alp_sandbox::types::{Description, NonceKind};
use tokio::runtime::Handle;

use crate::driver::ComponentDriver;
use crate::wire::Wire;

use credentials::Credentials;
pub(crate) use credentials::CredentialsError;
use files::Recording;
use scrub::{FEWEST_CHARS, Scrubbing};

/// What `record` is told.
#[derive(Debug, clap::Args)]
pub struct RecordArguments {
    /// The component.
    #[arg(value_name = "FILE.wasm")]
    pub component: PathBuf,
    /// The market to ask about, such as LTC/BTC: base, then quote.
    #[arg(long, value_name = "BASE/QUOTE")]
    pub market: String,
    /// The folder of fixtures to write to; made, or added to.
    #[arg(long, value_name = "DIR", default_value = "fixtures")]
    pub out: PathBuf,
    /// What the new files are called: NAME.json, NAME.expected.json.
    #[arg(long, default_value = "recorded")]
    pub name: String,
    /// A JSON file of credentials: {"key": "...", "secret": "...", ...} and what else the adapter needs, by its names.
    /// Without it: the variables ALP_KEY, ALP_SECRET, and `ALP_CREDENTIAL_<NAME>` for what else it needs.
    #[arg(long, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// The origin to call in place of the adapter's own, such as http://127.0.0.1:3334 of a simulated exchange.
    #[arg(long, value_name = "ORIGIN")]
    pub endpoint: Option<String>,
    /// What an operator configures for the market, such as marketid=442. Once for each.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// A further text to be replaced wherever it occurs, such as an account's id or an address. Once for each.
    #[arg(long, value_name = "TEXT")]
    pub scrub: Vec<String>,
}

/// What was written.
pub(crate) struct Recorded {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) advice: String,
}

/// Why nothing was recorded. Carries no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// The market cannot be read.
    #[error("the market must be two currencies in capitals, such as LTC/BTC")]
    Market,
    /// A parameter cannot be read.
    #[error("--parameter must be NAME=VALUE")]
    Parameter,
    /// The market needs something.
    #[error("the adapter needs --parameter {name}=...: {purpose}")]
    MissingParameter {
        /// Its name.
        name: String,
        /// What it is.
        purpose: String,
    },
    /// The name is no file's.
    #[error("--name must be 1 to 64 letters, digits, `-` and `_`, and not begin with `request`")]
    Name,
    /// A file of that name exists.
    #[error("{0} exists already: give another name with --name")]
    Exists(PathBuf),
    /// Too short to be replaced.
    #[error("a text to be replaced must have at least {FEWEST_CHARS} characters, or it occurs everywhere")]
    TooShort,
    /// The credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The adapter said no.
    #[error("{function}: {kind}: {message}")]
    Fault {
        /// Which of its functions.
        function: &'static str,
        /// The fault's name.
        kind: String,
        /// What it says.
        message: String,
    },
    /// The adapter broke.
    #[error("the adapter broke")]
    Broken(#[from] alp_sandbox::CallError),
    /// The request did not go out or no reply came.
    #[error("the exchange was not asked, or did not answer: {0}")]
    Wire(String),
    /// It never comes to an end.
    #[error("the adapter wants more than {0} requests for one list of orders")]
    TooMany(usize),
    /// What is to be written would still contain a secret.
    #[error(
        "{0} would still hold a key, a signature or a secret after everything was replaced; nothing was written"
    )]
    Leak(PathBuf),
    /// What was written down does not work.
    #[error("the scrubbed call does not work any more, so nothing was written: {0}")]
    Scrubbed(String),
    /// A file cannot be read or written.
    #[error("{path} cannot be read or written")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A value is no JSON.
    #[error("what was recorded cannot be written as JSON")]
    Json(#[source] serde_json::Error),
    /// No randomness.
    #[error("the system gives no random bytes for a nonce: {0}")]
    Random(String),
    /// The thread that writes did not end.
    #[error("writing did not end")]
    Unfinished,
}

/// Asks the exchange once, and writes down what was asked and what came.
pub(crate) async fn record(
    adapter: Arc<Adapter>,
    wire: Arc<dyn Wire>,
    arguments: &RecordArguments,
    tell: impl Fn(&str),
) -> Result<Recorded, RecordError> {
    files::check_name(&arguments.name)?;
    let description = adapter.description();
    let (base, quote) = market(&arguments.market)?;
    let market_parameters = parameters(description, &arguments.parameters)?;
    if arguments.scrub.iter().any(|text| text.len() < FEWEST_CHARS) {
        return Err(RecordError::TooShort);
    }
    let credentials = Credentials::read(arguments.credentials.as_deref(), description, &tell)?;
    let now_ms = now_ms();
    let ask = Ask {
        user: credentials.key.clone(),
        base,
        quote,
        market_parameters,
        endpoint: arguments.endpoint.clone(),
        now_ms,
    };
    let signing = SigningAsk {
        ask,
        secret: credentials.secret.clone(),
        credential_parameters: credentials.others.clone(),
        nonce: nonce(description.nonce, now_ms)?,
    };
    let seen = live::ask_exchange(&adapter, wire.as_ref(), &signing, &tell).await?;
    let mut scrubbing = Scrubbing::default();
    let made_up = credentials.made_up(&mut scrubbing);
    scrubbing.add(&seen.sign);
    for text in &arguments.scrub {
        scrubbing.add(text);
    }
    let recording = Recording {
        driver: ComponentDriver::new(Arc::clone(&adapter), wire, Handle::current()),
        folder: arguments.out.clone(),
        name: arguments.name.clone(),
        signing,
        made_up,
        seen,
        scrubbing,
    };
    let written = tokio::task::spawn_blocking(move || recording.write());
    written.await.unwrap_or(Err(RecordError::Unfinished))
}

fn market(text: &str) -> Result<(String, String), RecordError> {
    let right =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    match text.split_once('/') {
        Some((base, quote)) if right(base) && right(quote) => Ok((base.to_owned(), quote.to_owned())),
        Some(_) | None => Err(RecordError::Market),
    }
}

fn parameters(
    description: &Description,
    written: &[String],
) -> Result<BTreeMap<String, String>, RecordError> {
    let mut parameters = BTreeMap::new();
    for text in written {
        let (name, value) = text.split_once('=').ok_or(RecordError::Parameter)?;
        parameters.insert(name.to_owned(), value.to_owned());
    }
    let needs = description.market_parameters.iter();
    match needs.filter(|need| !need.optional).find(|need| !parameters.contains_key(&need.name)) {
        Some(need) => {
            Err(RecordError::MissingParameter { name: need.name.clone(), purpose: need.purpose.clone() })
        }
        None => Ok(parameters),
    }
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn nonce(kind: NonceKind, now_ms: u64) -> Result<String, RecordError> {
    Ok(match kind {
        NonceKind::None => String::new(),
        NonceKind::Seconds => (now_ms / 1000).to_string(),
        NonceKind::Milliseconds => now_ms.to_string(),
        NonceKind::Microseconds => format!("{now_ms}000"),
        NonceKind::Hex => random_hex()?,
        NonceKind::Uuid => {
            let hex = random_hex()?;
            let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
            // The digits that say "random" stand where RFC 9562 wants them.
            format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
        }
    })
}

fn random_hex() -> Result<String, RecordError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| RecordError::Random(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
