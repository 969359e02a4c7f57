//! What a takeover found, for a person and for a program. API keys stand in it by the beginning of their SHA-256.

use std::collections::BTreeMap;
use std::fmt::Write;

use alp_pool::decimal::format_units;
use alp_pool::money::Coins;
use alp_pool::takeover::{Doubles, Excess, Fault, REWARD_SCALE, SentTransaction};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{Choices, Found, Sent, Sums};

/// Most rows of a kind that a person is shown. The JSON has all of them.
const SHOWN: usize = 40;

/// The report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The id of the import.
    pub import_id: String,
    /// What is owed to LPs with one right address.
    pub owed: String,
    /// What waits for the operator.
    pub held: String,
    /// LPs.
    pub lps: Vec<LpLine>,
    /// What waits.
    pub holds: Vec<HoldLine>,
    /// Whether doubled credits are owed all the same.
    pub doubles_kept: bool,
    /// Credits that were doubled, by fault.
    pub doubled: Sums,
    /// What would have been paid beyond what was recorded, by fault.
    pub multiplied: Sums,
    /// What rounding to 1e-8 gave or took over all, in coins.
    pub rounding: String,
    /// What was lost: these orders were never credited, and nobody knows what they would have earned.
    pub lost: Lost,
    /// Rounds that the unpaid credits are of, and how many of them came within half a minute of the one before.
    pub rounds: (u64, u64),
    /// The wallet.
    pub wallet: WalletLines,
    /// What the operator has to know of the configuration.
    pub configuration: Vec<String>,
    /// Why it cannot be taken over yet.
    pub hindrances: Vec<String>,
}

/// How many, and how much.
#[derive(Debug, Clone, Serialize)]
pub struct Sum {
    /// Credits, or keys.
    pub number: u64,
    /// In coins.
    pub coins: String,
}

/// An LP.
#[derive(Debug, Clone, Serialize)]
pub struct LpLine {
    /// The beginning of its API key's SHA-256.
    pub key: String,
    /// Its exchange.
    pub exchange: String,
    /// Its units.
    pub units: Vec<String>,
    /// Its address.
    pub address: String,
    /// What it is owed, in coins.
    pub owed: String,
}

/// What waits.
#[derive(Debug, Clone, Serialize)]
pub struct HoldLine {
    /// The beginning of its API key's SHA-256.
    pub key: String,
    /// Its exchange.
    pub exchange: String,
    /// The addresses that were given for it.
    pub addresses: Vec<String>,
    /// What is owed, in coins.
    pub owed: String,
    /// Why.
    pub why: String,
}

/// What was lost.
#[derive(Debug, Clone, Serialize)]
pub struct Lost {
    /// Orders that were submitted and never credited (PB-12, or taken since the last round).
    pub uncredited_orders: u64,
    /// Orders that were left out as doubles of somebody else's (PB-11).
    pub left_out_orders: u64,
    /// Credits that are marked neither as paid nor as unpaid, and are left alone.
    pub odd_marks: u64,
}

/// What the wallet sent.
#[derive(Debug, Clone, Serialize)]
pub struct WalletLines {
    /// Whether it was asked.
    pub asked: bool,
    /// The transaction that is taken for the last recorded payout.
    pub recorded: Option<String>,
    /// Transactions that were not recorded, with what they paid LPs.
    pub unrecorded: Vec<(String, BTreeMap<String, String>)>,
    /// What becomes of them.
    pub treated: &'static str,
    /// What was sent beyond what is owed, by address.
    pub overpaid: BTreeMap<String, String>,
}

impl Report {
    /// Of what was found.
    #[must_use]
    pub fn new(found: &Found, configuration: Vec<String>, choices: &Choices) -> Self {
        let owing = &found.owing;
        let sum = |coins: &mut dyn Iterator<Item = Coins>| total(coins);
        Self {
            import_id: found.import_id.clone(),
            owed: sum(&mut owing.lps.iter().map(|lp| lp.owed)),
            held: sum(&mut owing.holds.iter().map(|hold| hold.owed)),
            lps: owing.lps.iter().map(lp_line).collect(),
            holds: owing.holds.iter().map(hold_line).collect(),
            doubles_kept: choices.doubles == Doubles::Keep,
            doubled: doubled(found),
            multiplied: multiplied(found),
            rounding: signed_coins(owing.rounding_e18),
            lost: Lost {
                uncredited_orders: found.state.uncredited_orders,
                left_out_orders: found.state.left_out_orders,
                odd_marks: found.state.odd_marks,
            },
            rounds: (found.state.rounds, found.state.close_rounds),
            wallet: wallet_lines(found, choices.sent),
            configuration,
            hindrances: found.hindrances.clone(),
        }
    }

    /// For a program.
    #[must_use]
    pub fn json(&self) -> String {
        // Texts, numbers and lists have no way to fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For a person.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!("import {}\n\n", self.import_id);
        let _ = writeln!(text, "owed to {} LPs with one address  {:>18}", self.lps.len(), self.owed);
        let _ = writeln!(text, "held for your word, {} keys       {:>18}", self.holds.len(), self.held);
        let _ = writeln!(text, "rounding to 1e-8 gave or took     {:>18}", self.rounding);
        text.push_str("\nWhat faults had doubled in the unpaid credits");
        text.push_str(if self.doubles_kept { ", and is owed all the same\n" } else { ", and is not owed\n" });
        write_sums(&mut text, &self.doubled, "credits");
        let (rounds, close) = self.rounds;
        let _ = writeln!(
            text,
            "  of {rounds} rounds {close} came within half a minute of the one before and paid a whole minute (PB-09); that \
             stays as recorded"
        );
        text.push_str("\nWhat ALP-Server would have paid beyond what it recorded, and is not owed\n");
        write_sums(&mut text, &self.multiplied, "keys");
        self.write_lost(&mut text);
        self.write_wallet(&mut text);
        self.write_lps(&mut text);
        for (title, lines) in [("Configuration", &self.configuration), ("Not yet, because", &self.hindrances)]
        {
            if !lines.is_empty() {
                let _ = writeln!(text, "\n{title}");
            }
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
        text
    }

    fn write_lost(&self, text: &mut String) {
        let Lost { uncredited_orders, left_out_orders, odd_marks } = &self.lost;
        text.push_str("\nWhat was lost, since nobody knows what it would have earned\n");
        let _ = writeln!(
            text,
            "  {uncredited_orders} orders were submitted and never credited (PB-12, or since the last round)"
        );
        let _ = writeln!(
            text,
            "  {left_out_orders} orders were left out as doubles of another LP's or market's (PB-11)"
        );
        if *odd_marks > 0 {
            let _ = writeln!(
                text,
                "  {odd_marks} credits are marked neither paid nor unpaid, and are left alone"
            );
        }
    }

    fn write_wallet(&self, text: &mut String) {
        let WalletLines { asked, recorded, unrecorded, treated, overpaid } = &self.wallet;
        text.push_str("\nThe wallet\n");
        if !asked {
            text.push_str(
                "  was not asked. The first payout stops at transactions of the old server: tell it of them with \
                 `alp payouts adopt all --foreign`\n",
            );
            return;
        }
        match recorded {
            Some(txid) => {
                let _ = writeln!(text, "  {txid} is taken for the last recorded payout");
            }
            None => text.push_str("  shows no recorded payout\n"),
        }
        for (txid, outputs) in unrecorded.iter().take(SHOWN) {
            let _ = writeln!(text, "  {txid} was sent and not recorded (PB-04), {treated}");
            for (address, coins) in outputs.iter().take(SHOWN) {
                let _ = writeln!(text, "    {coins:>18}  {address}");
            }
        }
        if unrecorded.is_empty() {
            text.push_str("  sent nothing to LPs beside recorded payouts\n");
        }
        for (address, coins) in overpaid.iter().take(SHOWN) {
            let _ = writeln!(text, "  {address} was sent {coins} more than it is owed");
        }
    }

    fn write_lps(&self, text: &mut String) {
        text.push_str("\nLPs\n");
        for LpLine { key, exchange, units, address, owed } in self.lps.iter().take(SHOWN) {
            let _ = writeln!(text, "  {owed:>18}  {address}  {exchange} {}  key {key}", units.join(" "));
        }
        for HoldLine { key, exchange, addresses, owed, why } in self.holds.iter().take(SHOWN) {
            let _ = writeln!(text, "  {owed:>18}  held  {exchange}  key {key}: {why}");
            for address in addresses.iter().take(SHOWN) {
                let _ = writeln!(text, "                      {}", address.escape_debug());
            }
        }
        let more = self.lps.len().saturating_sub(SHOWN) + self.holds.len().saturating_sub(SHOWN);
        if more > 0 {
            let _ = writeln!(text, "  and {more} more, all in --json FILE");
        }
    }
}

fn write_sums(text: &mut String, sums: &Sums, what: &str) {
    for (fault, Sum { number, coins }) in sums {
        let _ = writeln!(text, "  {fault}  {number:>9} {what}  {coins:>18}");
    }
}

fn doubled(found: &Found) -> Sums {
    let mut sums = Sums::new();
    for fault in Fault::ALL {
        let of = found.source.credits.values().filter_map(|credits| credits.doubled.get(&fault));
        let (number, e18) = of.fold((0_u64, 0_u128), |(number, e18), doubled| {
            (number.saturating_add(doubled.credits), e18.saturating_add(doubled.e18))
        });
        sums.insert(fault.id(), Sum { number, coins: format_units(e18, REWARD_SCALE) });
    }
    sums
}

fn multiplied(found: &Found) -> Sums {
    let multiples = found.source.registrations.multiples(&found.source.credits);
    let sum = |Excess { keys, e18 }: Excess| Sum { number: keys, coins: format_units(e18, REWARD_SCALE) };
    Sums::from([
        ("PB-01", sum(multiples.markets)),
        ("PB-02", sum(multiples.addresses)),
        ("PB-03", sum(multiples.repeated)),
    ])
}

fn wallet_lines(found: &Found, sent: Sent) -> WalletLines {
    let shown = |sent: &SentTransaction| {
        let outputs = sent.outputs.iter().map(|(address, coins)| (address.clone(), coins.to_string()));
        (sent.txid.clone(), outputs.collect())
    };
    let comparison = found.wallet.as_ref();
    WalletLines {
        asked: comparison.is_some(),
        recorded: comparison.and_then(|wallet| wallet.recorded.as_ref().map(|sent| sent.txid.clone())),
        unrecorded: comparison
            .map(|wallet| wallet.unrecorded.iter().map(shown).collect())
            .unwrap_or_default(),
        treated: match sent {
            Sent::Unsaid => "and you have to say what it paid",
            Sent::Subtract => "and is taken off what is owed",
            Sent::Keep => "and paid something else, as you said",
        },
        overpaid: found.overpaid.iter().map(|over| (over.address.clone(), over.by.to_string())).collect(),
    }
}

fn lp_line(lp: &alp_pool::takeover::OwedLp) -> LpLine {
    LpLine {
        key: short(&lp.key),
        exchange: lp.exchange.clone(),
        units: lp.units.iter().cloned().collect(),
        address: lp.address.clone(),
        owed: lp.owed.to_string(),
    }
}

fn hold_line(hold: &alp_pool::takeover::Hold) -> HoldLine {
    HoldLine {
        key: short(&hold.key),
        exchange: hold.exchange.clone(),
        addresses: hold.addresses.iter().cloned().collect(),
        owed: hold.owed.to_string(),
        why: hold.why.to_string(),
    }
}

/// Sums beyond all coins are shown as the most there is; each LP's own is within.
fn total(coins: &mut dyn Iterator<Item = Coins>) -> String {
    coins.fold(Coins::ZERO, |sum, coins| sum.plus(coins).unwrap_or(Coins::MAX)).to_string()
}

fn signed_coins(e18: i128) -> String {
    let sign = if e18 < 0 { "-" } else { "" };
    format!("{sign}{}", format_units(e18.unsigned_abs(), REWARD_SCALE))
}

fn short(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}
