//! The configuration of a pool under test, as the text of its files.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::components::{cache, component, put_in_place};
use crate::grants::usual_grant;

/// Where an exchange file has this, the simulated exchange's origin is put.
const ENDPOINT: &str = "{endpoint}";

/// The key by which an operator consents to requests that can be repeated for ever.
const CONSENT: &str = "accept_repeatable_requests";

/// The file of the exchange `test_exchange`: the market of the second worked example of the reward rules as `btc`
/// (price 0.004), and a plain one as `usd` (price 1). Nobody is made to wait: tests of other things, and the benchmarks,
/// post as fast as they can and fail as often as they like.
pub const TEST_EXCHANGE: &str = r#"endpoint = "{endpoint}"
calls_per_minute = 10_000_000
submissions_per_minute = 10_000_000
faults_before_pause = 10_000_000
refusals_before_pause = 10_000_000

[units.btc]
reward = 0.05
target = 1500
fills_target = "all"
[units.btc.ask]
ratio = 0.6
rank_1 = { ratio = 1, tolerance = 0.0085 }
[units.btc.bid]
ratio = 0.4
rank_1 = { ratio = 0.8, tolerance = 0.0085 }
rank_2 = { ratio = 0.2 }

[units.usd]
reward = 0.025
target = 2500
[units.usd.ask]
ratio = 0.5
rank_1 = { ratio = 1, tolerance = 0.0105 }
[units.usd.bid]
ratio = 0.5
rank_1 = { ratio = 1, tolerance = 0.0105 }
"#;

/// What a pool under test is started with.
#[derive(Clone)]
pub struct Settings {
    /// Lines at the top of `pool.toml`, beside the name, the address and the folder of compiled adapters.
    pub top: String,
    /// The sections at the end of `pool.toml`: the prices.
    pub sections: String,
    /// The exchange files: id and text.
    pub exchanges: Vec<(String, String)>,
    /// What an exchange's file grants, where it is not what its adapter asks for: by exchange, at the file's end.
    pub grants: BTreeMap<String, String>,
    /// Other files beside `pool.toml`: name and text.
    pub files: Vec<(String, String)>,
    /// The adapters that lie in the folder of adapters at the start.
    pub plugins: Vec<&'static str>,
    /// Whether rounds and prices run by themselves.
    pub loops: bool,
    /// The exchange whose protocol the simulated one speaks.
    pub simulated: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            top: "test_pool = true\n".to_owned(),
            sections: "[prices.btc]\nfixed = 0.004\n[prices.usd]\nfixed = 1\n".to_owned(),
            exchanges: vec![("test_exchange".to_owned(), TEST_EXCHANGE.to_owned())],
            grants: BTreeMap::new(),
            files: Vec::new(),
            plugins: vec!["test_exchange"],
            loops: false,
            simulated: "test_exchange",
        }
    }
}

impl Settings {
    /// The usual pool with something changed in the file of its exchange.
    ///
    /// # Panics
    /// If what is to be changed is not there.
    pub fn changed(from: &str, to: &str) -> Self {
        let mut settings = Self::default();
        let text = &mut settings.exchanges[0].1;
        assert!(text.contains(from), "{from}");
        *text = text.replace(from, to);
        settings
    }

    /// Adds lines at the top of `pool.toml`.
    #[must_use]
    pub fn top(mut self, lines: &str) -> Self {
        self.top.push_str(lines);
        self.top.push('\n');
        self
    }

    /// Adds lines at the top of the file of the exchange.
    #[must_use]
    pub fn exchange_top(mut self, lines: &str) -> Self {
        let text = &mut self.exchanges[0].1;
        *text = format!("{lines}\n{text}");
        self
    }

    /// The usual pool with the limits that an operator has who writes none.
    #[must_use]
    pub fn limited() -> Self {
        let lines = TEST_EXCHANGE.lines().filter(|line| line.ends_with(" = 10_000_000"));
        lines.fold(Self::default(), |mut settings, line| {
            let text = &mut settings.exchanges[0].1;
            *text = text.replace(&format!("{line}\n"), "");
            settings
        })
    }

    /// Adds an exchange with its adapter.
    #[must_use]
    pub fn exchange(mut self, id: &'static str, text: &str) -> Self {
        self.exchanges.push((id.to_owned(), text.to_owned()));
        self.plugins.push(id);
        self
    }

    /// Adds sections at the end of `pool.toml`.
    #[must_use]
    pub fn sections(mut self, lines: &str) -> Self {
        self.sections.push_str(lines);
        self
    }

    /// Puts a file beside `pool.toml`.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    /// Puts this at the end of the file of an exchange, in place of a grant of what its adapter asks for.
    #[must_use]
    pub fn grant(mut self, id: &str, lines: &str) -> Self {
        self.grants.insert(id.to_owned(), lines.to_owned());
        self
    }

    /// Writes the files of a pool into a folder, whose exchange is at this address.
    pub async fn write(&self, folder: &Path, endpoint: &str) {
        let Self { top, sections, exchanges, grants, files, plugins, loops: _, simulated: _ } = self;
        let cache = cache().display().to_string();
        let pool =
            format!("name = \"test pool\"\nlisten = \"127.0.0.1:0\"\ncache = {cache:?}\n{top}\n{sections}");
        fs::write(folder.join("pool.toml"), pool).unwrap();
        fs::create_dir(folder.join("exchanges")).unwrap();
        fs::create_dir(folder.join("plugins")).unwrap();
        for (id, text) in exchanges {
            let file = folder.join("exchanges").join(format!("{id}.toml"));
            let grant = match grants.get(id) {
                Some(grant) => grant.clone(),
                None => usual_grant(id).await,
            };
            // An operator who grants a request that lives for ever has to consent to it.
            let for_ever = grant.contains("lifetime_ms = \"unlimited\"") && !text.contains(CONSENT);
            let consent = if for_ever { format!("{CONSENT} = true\n") } else { String::new() };
            fs::write(file, format!("{consent}{}{grant}", text.replace(ENDPOINT, endpoint))).unwrap();
        }
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
        }
        for plugin in plugins {
            let bytes = fs::read(component(plugin)).unwrap();
            put_in_place(&folder.join("plugins"), &format!("{plugin}.wasm"), &bytes);
        }
    }
}

/// Puts a key into the folder that signs the pool's record: the same one every time.
pub fn write_signing_key(folder: &Path) {
    let file = folder.join("alp.key");
    fs::write(&file, "2a".repeat(32)).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}
