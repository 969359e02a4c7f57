//! The rules of a market as an operator would write them, so that one key of them can be changed in the operator's own
//! words and read with the operator's own checks. It knows no file.

use std::collections::BTreeMap;
use std::fmt::Write;

use alp_pool::engines::auction_tllp::Highest;
use alp_pool::engines::fixed_pot::{FixedPotRule, Targets};
use alp_pool::engines::unpaid::Unpaid;
use alp_pool::engines::{MarketEngine, SideEngine};
use alp_pool::terms::Side;
use alp_record::MarketTerms;

/// The keys that stand beside every engine. Whatever else is set belongs to one.
const COMMON: [&str; 9] = [
    "slices",
    "evidence",
    "by_time",
    "min_order",
    "max_orders",
    "maturing_seconds",
    "cap",
    "unpaid",
    "carry_limit",
];

/// A market's section: each key by its path, with its value as TOML writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct MarketSection(BTreeMap<Vec<String>, String>);

impl MarketSection {
    /// The section that reads as these rules.
    pub(super) fn of(market: &MarketTerms) -> Self {
        let mut section = Self::default();
        section.write_common(market);
        match market.rules().engine() {
            MarketEngine::FixedPot(rule) => section.write_fixed_pot(rule),
            MarketEngine::PerSide { ask, bid } => {
                for (side, engine) in [(Side::Ask, ask), (Side::Bid, bid)] {
                    section.put(&[side.name(), "tolerance"], market.tolerance(side));
                    section.write_engine(side.name(), engine);
                }
            }
        }
        section
    }

    /// Sets a key. One that is set for the whole market takes the place of what its sides and ranks say of it; another
    /// engine begins anew, and of what was set before keeps what stands beside every engine.
    pub(super) fn set(&mut self, path: &[String], value: &str) {
        match path {
            [key] if key == "engine" => self.0.retain(|path, _| is_common(path)),
            [side, key] if key == "engine" => self.0.retain(|path, _| path.first() != Some(side)),
            [key] => self.0.retain(|path, _| path.last() != Some(key)),
            // Where a side or a rank has a target of its own, the market's is what they come to.
            [.., key] if key == "target" => {
                drop(self.0.remove(path.get(path.len() - 1..).unwrap_or_default()))
            }
            [..] => {}
        }
        self.0.insert(path.to_vec(), toml_value(value));
    }

    /// The section as TOML.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (path, value) in &self.0 {
            let keys: Vec<String> = path.iter().map(|key| quoted(key)).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} = {value}", keys.join("."));
        }
        text
    }

    fn write_common(&mut self, market: &MarketTerms) {
        let (looks, counting) = (market.looks(), market.rules().counting());
        self.put(&["slices"], looks.slices());
        self.put(&["evidence"], looks.rule().name());
        self.put(&["by_time"], looks.by_time());
        self.put_if(&["min_order"], counting.min_order());
        self.put_if(&["max_orders"], counting.max_orders());
        self.put_if(&["maturing_seconds"], counting.maturing_s());
        self.put_if(&["cap"], counting.cap());
        self.put(&["unpaid"], market.rules().unpaid().name());
        if let Unpaid::CarryOver { limit } = market.rules().unpaid() {
            self.put(&["carry_limit"], limit);
        }
    }

    fn write_fixed_pot(&mut self, rule: &FixedPotRule) {
        let terms = rule.terms();
        self.put(&["reward"], terms.reward_per_minute());
        self.put(&["target"], terms.target());
        self.put(&["fills_target"], terms.fill().name());
        for side in Side::BOTH {
            self.put(&[side.name(), "ratio"], terms.side(side).ratio());
            for rank in terms.side(side).ranks() {
                let name = format!("rank_{}", rank.number.0);
                self.put(&[side.name(), &name, "ratio"], rank.ratio);
                self.put(&[side.name(), &name, "tolerance"], rank.tolerance);
            }
        }
        match rule.targets() {
            Targets::OfMarket => {}
            Targets::OfSides(targets) => {
                for side in Side::BOTH {
                    self.put(&[side.name(), "target"], targets.get(side));
                }
            }
            Targets::OfRanks(targets) => {
                for (side, rank, target) in targets {
                    self.put(&[side.name(), &format!("rank_{}", rank.0), "target"], target);
                }
            }
        }
    }

    fn write_engine(&mut self, side: &str, engine: &SideEngine) {
        self.put(&[side, "engine"], engine.kind().name());
        match engine {
            SideEngine::AuctionTllp(rule) => {
                match rule.highest() {
                    Highest::Rate(rate) => self.put(&[side, "rate"], rate),
                    Highest::DailyCost(daily) => self.put(&[side, "daily"], daily),
                }
                self.put(&[side, "target"], rule.target());
            }
            SideEngine::FixedCost(rule) => self.put(&[side, "daily"], rule.daily()),
            SideEngine::Sigmoid(rule) => {
                self.put(&[side, "rate"], rule.rate());
                self.put(&[side, "target"], rule.target());
                self.put(&[side, "width"], rule.width());
            }
            SideEngine::UniformAuction(rule) => {
                self.put(&[side, "rate"], rule.highest());
                self.put(&[side, "target"], rule.target());
            }
            SideEngine::SpreadWeighted(rule) => {
                self.put(&[side, "daily"], rule.daily());
                self.put(&[side, "power"], rule.power());
            }
        }
    }

    fn put(&mut self, path: &[&str], value: impl ToString) {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        self.0.insert(path, toml_value(&value.to_string()));
    }

    fn put_if(&mut self, path: &[&str], value: Option<impl ToString>) {
        if let Some(value) = value {
            self.put(path, value);
        }
    }
}

fn is_common(path: &[String]) -> bool {
    matches!(path, [key] if COMMON.contains(&key.as_str()))
}

/// Whole numbers and switches as they are; whatever else, decimals too, in quotes, where it is read as exactly.
fn toml_value(text: &str) -> String {
    let whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    if (whole && !leading_zero) || text == "true" || text == "false" { text.to_owned() } else { quoted(text) }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn read(section: &MarketSection) -> Result<MarketTerms, String> {
        Config::read_rules(Path::new("test"), &section.text()).map_err(|faults| faults.to_string())
    }

    fn written(text: &str) -> MarketTerms {
        Config::read_rules(Path::new("test"), text).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn set(section: &MarketSection, path: &str, value: &str) -> MarketSection {
        let mut section = section.clone();
        let path: Vec<String> = path.split('.').map(ToOwned::to_owned).collect();
        section.set(&path, value);
        section
    }

    const POT: &str = "reward = 0.05\ntarget = 1500\nfills_target = \"all\"\nmin_order = 1.5\ncap = 0.1\n\
        [ask]\nratio = 0.6\nrank_1 = { ratio = 1, tolerance = 0.0085 }\n\
        [bid]\nratio = 0.4\nrank_1 = { ratio = 0.8, tolerance = 0.0085 }\nrank_2 = { ratio = 0.2 }\n";

    #[test]
    fn every_kind_of_rules_reads_back_from_its_section() {
        let sides = "tolerance = 0.01\nslices = 6\nby_time = true\nmaturing_seconds = 60\nmax_orders = 3\n";
        for text in [
            POT.to_owned(),
            format!("unpaid = \"carry\"\ncarry_limit = 2.5\n{POT}"),
            POT.replace("[bid]\n", "[bid]\ntarget = 7\n").replace("[ask]\n", "[ask]\ntarget = 8.25\n"),
            POT.replace("0.0085", "0.0085, target = 3").replace("0.2 }", "0.2, target = 9 }"),
            format!("engine = \"uniform_auction\"\nrate = 0.1\ntarget = 100\n{sides}"),
            format!("engine = \"auction_tllp\"\nrate = 0.1\ntarget = 100\n{sides}"),
            format!("engine = \"auction_tllp\"\ndaily = 5\ntarget = 100\n{sides}"),
            format!("engine = \"sigmoid\"\nrate = 0.1\ntarget = 100\nwidth = 7.5\n{sides}"),
            format!(
                "{sides}daily = 3\n[ask]\nengine = \"fixed_cost\"\n[bid]\nengine = \"spread_weighted\"\npower = 2\n"
            ),
        ] {
            let market = written(&text);
            let section = MarketSection::of(&market);
            assert_eq!(read(&section).unwrap(), market, "{}", section.text());
        }
    }

    #[test]
    fn one_key_is_changed_and_nothing_else() {
        let section = MarketSection::of(&written(POT));
        let other = written(&POT.replace("1500", "2000"));
        assert_eq!(read(&set(&section, "target", "2000")).unwrap(), other);
        let other = written(&POT.replacen("0.0085", "0.02", 1));
        assert_eq!(read(&set(&section, "ask.rank_1.tolerance", "0.02")).unwrap(), other);
        let sides = POT.replace("[ask]\n", "[ask]\ntarget = 8\n").replace("[bid]\n", "[bid]\ntarget = 7\n");
        let with_both = set(&set(&section, "ask.target", "8"), "bid.target", "7");
        assert_eq!(read(&with_both).unwrap(), written(&sides.replace("target = 1500\n", "")));
        assert_eq!(read(&set(&with_both, "target", "1500")).unwrap(), written(POT));
    }

    #[test]
    fn another_engine_begins_anew_and_keeps_what_stands_beside_every_engine() {
        let section = set(&MarketSection::of(&written(POT)), "engine", "uniform_auction");
        let fault = read(&section).unwrap_err();
        assert!(fault.contains("rate is missing") && fault.contains("tolerance is missing"), "{fault}");
        let section = set(&set(&set(&section, "rate", "0.1"), "target", "700"), "tolerance", "0.01");
        let text = "engine = \"uniform_auction\"\nrate = 0.1\ntarget = 700\ntolerance = 0.01\nmin_order = 1.5\ncap = 0.1\n";
        assert_eq!(read(&section).unwrap(), written(text));
    }

    #[test]
    fn what_is_no_key_or_no_value_is_said_as_for_a_file() {
        let section = MarketSection::of(&written(POT));
        for (path, value, words) in [
            ("tarjet", "1", "tarjet is not a key that is known here"),
            ("target", "a lot", "test: target"),
            ("ask.ratio", "0.7", "must add up to exactly 1"),
            ("slices", "61", "must be a whole number from 1 to 60"),
            ("x\"y\n", "\u{7}\\", "is not a key that is known here"),
        ] {
            let fault = read(&set(&section, path, value)).unwrap_err();
            assert!(fault.contains(words), "{fault}");
        }
    }
}
