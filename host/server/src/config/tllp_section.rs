//! `[tllp]`: whether and where the second protocol is served.

use std::net::SocketAddr;

use super::section::Section;

/// The usual prefix of its GETs.
const PREFIX: &str = "/tllp";

/// Longest prefix, in bytes.
const MAX_PREFIX: usize = 32;

/// Paths that the pool has already.
const TAKEN: [&str; 10] = [
    "/adapters",
    "/exchanges",
    "/favicon.ico",
    "/head",
    "/liquidity",
    "/records",
    "/register",
    "/rounds",
    "/status",
    "/v1",
];

/// Where the second protocol is served. Its POSTs are also taken where ALP's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TllpConfig {
    /// The path before each of its paths.
    pub prefix: Option<String>,
    /// A listener of its own.
    pub listen: Option<SocketAddr>,
}

/// None within if the section is not there: then the protocol is not served.
pub(super) fn read(top: &Section<'_, '_>) -> Option<Option<TllpConfig>> {
    let Some(section) = top.section("tllp") else { return Some(None) };
    let prefix = section.text("prefix", Some(PREFIX));
    let listen = section.optional_text("listen").map(|text| text.parse::<SocketAddr>());
    section.finish();
    if let Some(Err(_)) = listen {
        section.fault("listen", "must be an address and a port, such as 127.0.0.1:3335");
        return None;
    }
    let listen = listen.and_then(Result::ok);
    let prefix = prefix?;
    if prefix.is_empty() {
        if listen.is_none() {
            section.fault("prefix", "must not be empty where there is no listen: nobody could ask anything");
            return None;
        }
        return Some(Some(TllpConfig { prefix: None, listen }));
    }
    if !is_prefix(&prefix) {
        let message = format!(
            "must be / and a word of lower-case letters, digits, _ and -, at most {MAX_PREFIX} characters, that is no \
             path of the pool itself, such as /tllp"
        );
        section.fault("prefix", message);
        return None;
    }
    Some(Some(TllpConfig { prefix: Some(prefix), listen }))
}

fn is_prefix(text: &str) -> bool {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c);
    let word = text.strip_prefix('/').filter(|word| !word.is_empty() && word.chars().all(right));
    word.is_some() && text.len() <= MAX_PREFIX && !TAKEN.contains(&text)
}
