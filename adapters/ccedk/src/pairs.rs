//! The numbers by which the exchange knows its pairs. They stand in a public list, under names whose case and
//! even whose currency changed over the years: `NBT/BTC`, `nbt/btc`, `usnbt/btc`.

use alp_adapter::*;

use crate::entities;

const PATH: &str = "/api/v1/stats/marketdepthfull";
const CALL: &str = "pairs";
/// Numbers of pairs never changed; new pairs came every few weeks.
const CACHE_MS: u64 = 3_600_000;
/// One currency under two names.
const ALIASES: [&str; 2] = ["nbt", "usnbt"];
/// Longer numbers of pairs do not exist.
const MAX_PAIR_ID: usize = 20;

#[derive(Deserialize)]
struct Pair<'a> {
    #[serde(borrow)]
    pair_id: Text<'a>,
    pair_name: Text<'a>,
}

pub(crate) fn call() -> Call {
    Call::get(CALL, PATH).public()
}

pub(crate) fn look_up() -> Step {
    let request = Request::get(CALL, PATH, Form::new());
    Step::LookUp(LookUp { request, state: Vec::new(), cache_ms: CACHE_MS })
}

/// The number of the market's pair. A pair under the currencies' own names goes before one under their aliases.
pub(crate) fn find(reply: &Reply, market: &Market) -> Result<String, Fault> {
    let pairs: Vec<Pair> = entities(reply).map_err(blame_the_exchange)?;
    let quotes = names(&market.quote);
    for base in names(&market.base) {
        for quote in &quotes {
            let name = format!("{base}/{quote}");
            let pair = pairs.iter().find(|pair| pair.pair_name.as_str().eq_ignore_ascii_case(&name));
            if let Some(pair) = pair {
                return read_id(pair.pair_id.as_str());
            }
        }
    }
    Err(Fault::Misconfigured(format!("the exchange lists no pair `{}/{}`", market.base, market.quote)))
}

fn names(currency: &str) -> Vec<String> {
    let own = currency.to_ascii_lowercase();
    let is_aliased = ALIASES.contains(&own.as_str());
    let others = ALIASES.iter().filter(|alias| is_aliased && **alias != own).map(|alias| (*alias).to_owned());
    let others: Vec<String> = others.collect();
    [vec![own], others].concat()
}

fn read_id(id: &str) -> Result<String, Fault> {
    if (1..=MAX_PAIR_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(id.to_owned());
    }
    Err(Fault::Unreadable("the number of a pair is no whole number".to_owned()))
}

/// No bot has a part in a public look-up: a refusal of it is the exchange's own failure.
fn blame_the_exchange(fault: Fault) -> Fault {
    if let Fault::Refused(words) = fault { Fault::Unavailable(words) } else { fault }
}
