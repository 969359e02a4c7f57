//! The files of this pool that say what an ALP-Server's configuration said. Pure: nothing is read or written here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::old_config::{OldConfig, OldMarket, OldSide};

/// The exchange that is none.
const TEST_EXCHANGE: &str = "test_exchange";

/// What the operator chose.
#[derive(Debug, Clone)]
pub struct ConversionChoices {
    /// The database of the pool.
    pub database: String,
    /// The folder of adapters.
    pub plugins: PathBuf,
    /// The names of the adapters in it.
    pub adapters: BTreeSet<String>,
    /// What fills a target: `all`, as it was, or `per_rank`.
    pub fills_target: String,
    /// Whether exchanges that are not real are taken over.
    pub test_pool: bool,
}

/// A file to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct ConvertedFile {
    /// Its path within the folder.
    pub path: &'static str,
    /// Its name there, if the path is a folder.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// Whether only the server's user may read it.
    pub secret: bool,
}

/// The files, and what the operator has to know of them.
#[derive(Clone, Default)]
pub struct Converted {
    /// The files.
    pub files: Vec<ConvertedFile>,
    /// Sentences.
    pub notes: Vec<String>,
    /// The exchanges that are in them.
    pub exchanges: BTreeSet<String>,
}

/// Converts.
#[must_use]
pub fn convert(old: &OldConfig, choices: &ConversionChoices) -> Converted {
    let mut converted = Converted { notes: old.notes.clone(), ..Converted::default() };
    let mut units = BTreeSet::new();
    for (exchange, markets) in &old.exchanges {
        if let Some(why) = left_out(exchange, choices) {
            converted.notes.push(format!("{exchange} is left out: {why}"));
            continue;
        }
        let text = exchange_file(exchange, markets, choices, &mut converted.notes);
        converted.files.push(ConvertedFile {
            path: "exchanges",
            name: format!("{exchange}.toml"),
            text,
            secret: false,
        });
        converted.exchanges.insert(exchange.clone());
        units.extend(markets.keys().filter(|unit| is_name(unit, "_-")).cloned());
    }
    let text = pool_file(old, choices, &units, &mut converted);
    converted.files.push(ConvertedFile { path: "", name: "pool.toml".to_owned(), text, secret: false });
    if choices.fills_target == "all" {
        converted.notes.push(
            "fills_target = \"all\", as ALP-Server had it: orders far from the price, which nobody can hit, fill the \
             target too and multiply what near ones are paid (PB-14). \"per_rank\" ends that and lowers what is paid; \
             --fills-target chooses, and so does a dated [[units.<unit>.change]] later"
                .to_owned(),
        );
    }
    converted.notes.push(
        "each exchange waits for its grant: alp adapter inspect --grant FILE.wasm >> exchanges/<id>.toml"
            .to_owned(),
    );
    converted
}

fn left_out(exchange: &str, choices: &ConversionChoices) -> Option<String> {
    if exchange == TEST_EXCHANGE && !choices.test_pool {
        return Some(
            "it pays anybody for made-up orders (PB-20); --test-pool takes it over for a trial".to_owned(),
        );
    }
    if !is_name(exchange, "_") {
        return Some("its name has other letters than a to z, 0 to 9 and _".to_owned());
    }
    if !choices.adapters.contains(exchange) {
        let folder = choices.plugins.display();
        return Some(format!("there is no adapter {exchange}.wasm in {folder}, which --plugins names"));
    }
    None
}

fn is_name(text: &str, also: &str) -> bool {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
    !text.is_empty() && text.len() <= 64 && text.chars().all(right)
}

fn exchange_file(
    exchange: &str,
    markets: &BTreeMap<String, OldMarket>,
    choices: &ConversionChoices,
    notes: &mut Vec<String>,
) -> String {
    let mut text =
        format!("# {exchange}, taken over from ALP-Server. What else may stand here: examples/operator.\n");
    for (unit, market) in markets {
        if !is_name(unit, "_-") {
            notes.push(format!(
                "{exchange} {unit:?} is left out: its name has other letters than a to z, 0 to 9, _ and -"
            ));
            continue;
        }
        let _ = writeln!(text, "\n[units.{unit}]");
        match market.reverse {
            Some(reverse) => {
                let _ = writeln!(text, "reverse = {reverse}");
            }
            None => {
                text.push_str("# ALP-Server did not say, and failed on every submission (PB-22). Look at one order and the price.\n");
                text.push_str("reverse = false\n");
                notes.push(format!("{exchange} {unit} does not say `reverse`: false was taken, look at it"));
            }
        }
        let _ = writeln!(text, "reward = \"{}\"\ntarget = \"{}\"", market.reward, market.target);
        let _ = writeln!(text, "fills_target = {}", quoted(&choices.fills_target));
        for (name, side) in [("ask", &market.ask), ("bid", &market.bid)] {
            write_side(&mut text, unit, name, side);
        }
    }
    text
}

fn write_side(text: &mut String, unit: &str, name: &str, side: &OldSide) {
    let _ = writeln!(text, "[units.{unit}.{name}]\nratio = \"{}\"", side.ratio);
    for (rank, (ratio, tolerance)) in &side.ranks {
        // Without one, a rank took every order.
        let tolerance = tolerance.as_deref().unwrap_or("1");
        let _ = writeln!(text, "{} = {{ ratio = \"{ratio}\", tolerance = \"{tolerance}\" }}", quoted(rank));
    }
}

fn pool_file(
    old: &OldConfig,
    choices: &ConversionChoices,
    units: &BTreeSet<String>,
    converted: &mut Converted,
) -> String {
    let mut text = String::from(
        "# Taken over from ALP-Server. Every key is explained in examples/operator/pool.toml.\n",
    );
    let plugins = choices.plugins.display().to_string();
    let _ = writeln!(text, "name = {}\ncurrency = \"NBT\"", quoted(&old.name));
    if choices.test_pool {
        text.push_str("test_pool = true\n");
    }
    text.push_str("# Where bots reached ALP-Server, behind its web server.\nlisten = \"127.0.0.1:3333\"\n");
    let _ = writeln!(text, "database = {}\nplugins = {}", quoted(&choices.database), quoted(&plugins));
    text.push_str("round_seconds = 60\n");
    if !old.grant_address.is_empty() {
        let _ = writeln!(text, "# grant_address was {}. It has no equal here.", one_line(&old.grant_address));
        converted.notes.push("grant_address has no equal, and stands in pool.toml as a remark".to_owned());
    }
    write_payouts(&mut text, old, converted);
    for unit in units {
        write_price(&mut text, unit, &mut converted.notes);
    }
    text
}

fn write_payouts(text: &mut String, old: &OldConfig, converted: &mut Converted) {
    let Some(rpc) = old.rpc.as_ref().filter(|rpc| !rpc.password.is_empty()) else {
        converted.notes.push(
            "pool_config names no wallet with a password: nobody is paid until [payouts] is there".to_owned(),
        );
        return;
    };
    let id: String =
        old.name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let id: String = id.trim_matches('-').chars().take(32).collect();
    let id = if id.is_empty() { "pool" } else { &id };
    let _ = writeln!(
        text,
        "\n[payouts]\npool_id = {}\n# nud knows sendmany only.\nmethod = \"plain\"",
        quoted(id)
    );
    let _ = writeln!(text, "wallet_url = {}", quoted(&format!("http://{}:{}/", rpc.host, rpc.port)));
    let _ = writeln!(text, "wallet_user = {}\nwallet_password_file = \"wallet.password\"", quoted(&rpc.user));
    let minimum = old.minimum_payout.as_deref().unwrap_or("1");
    let _ = writeln!(text, "minimum = {}", quoted(minimum));
    if old.minimum_payout.is_none() {
        converted
            .notes
            .push("minimum_payout is missing, on which ALP-Server's payouts failed: 1 was taken".to_owned());
    }
    converted.files.push(ConvertedFile {
        path: "",
        name: "wallet.password".to_owned(),
        text: format!("{}\n", rpc.password),
        secret: true,
    });
}

/// The price of a unit in coins, as ALP-Server's feeds said it: its markets say `reverse` where the exchange says the
/// opposite.
fn write_price(text: &mut String, unit: &str, notes: &mut Vec<String>) {
    let _ = writeln!(text, "\n[prices.{unit}]");
    match unit {
        "usd" => text.push_str("fixed = 1\n"),
        "btc" => {
            text.push_str(
                "# Addresses that ALP-Server asked: see whether they still answer. Coins for a bitcoin.\n",
            );
            text.push_str("least_sources = 2\n");
            let feeds = [
                ("https://api.bitfinex.com/v1/pubticker/btcusd", "/last_price"),
                ("https://www.bitstamp.net/api/ticker/", "/last"),
                ("https://blockchain.info/ticker", "/USD/last"),
            ];
            for (url, pointer) in feeds {
                let _ = writeln!(text, "[[prices.btc.sources]]\nurl = \"{url}\"\npointer = \"{pointer}\"");
            }
            notes.push("prices.btc: see whether the feeds still answer before the pool starts".to_owned());
        }
        _ => {
            text.push_str("# ALP-Server's feeds for it are gone. Until a feed is named here, nobody is credited on it.\n");
            let _ = writeln!(
                text,
                "[[prices.{unit}.sources]]\nurl = \"https://feed.invalid/{unit}\"\npointer = \"/price\""
            );
            notes.push(format!("prices.{unit}: name a feed, or nobody is credited for {unit}"));
        }
    }
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

impl ConvertedFile {
    /// Where it goes below a folder.
    #[must_use]
    pub fn within(&self, folder: &Path) -> PathBuf {
        folder.join(self.path).join(&self.name)
    }
}
