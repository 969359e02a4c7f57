//! `[proof]` of `pool.toml`. Without the section an LP may prove its address, and nobody has to.

use alp_pool::proof::ProofTerms;

use super::section::Section;

/// An hour in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// How addresses are proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofConfig {
    /// For how long a challenge is open, in milliseconds.
    pub challenge_ms: u64,
    /// How many challenges an hour one place gets for a key.
    pub tries: u32,
    /// How long changes take.
    pub terms: ProofTerms,
    /// Whether only proven addresses are paid.
    pub require_proof: bool,
}

impl Default for ProofConfig {
    /// Ten minutes are enough to place an order by hand. Three days are longer than an LP looks away whose rewards stop
    /// coming, and a week is longer than a stolen key stays unnoticed.
    fn default() -> Self {
        Self {
            challenge_ms: 10 * 60_000,
            tries: 3,
            terms: ProofTerms { notice_ms: 72 * HOUR_MS, delay_ms: 168 * HOUR_MS },
            require_proof: false,
        }
    }
}

pub(super) fn read(top: &Section<'_, '_>) -> Option<ProofConfig> {
    let usual = ProofConfig::default();
    let Some(section) = top.section("proof") else { return Some(usual) };
    let minutes = section.whole("challenge_minutes", usual.challenge_ms / 60_000, 1..=60);
    let tries = section.whole("tries_per_hour", u64::from(usual.tries), 1..=20);
    let notice = section.whole("notice_hours", usual.terms.notice_ms / HOUR_MS, 1..=24 * 90);
    let delay = section.whole("delay_hours", usual.terms.delay_ms / HOUR_MS, 1..=24 * 90);
    let require_proof = section.flag("require_proof", usual.require_proof);
    if let (Some(notice), Some(delay)) = (notice, delay)
        && delay < notice
    {
        section.fault("delay_hours", "must be at least notice_hours: what is proven changes no faster");
    }
    section.finish();
    Some(ProofConfig {
        challenge_ms: minutes?.saturating_mul(60_000),
        tries: u32::try_from(tries?).ok()?,
        terms: ProofTerms {
            notice_ms: notice?.saturating_mul(HOUR_MS),
            delay_ms: delay?.saturating_mul(HOUR_MS),
        },
        require_proof: require_proof?,
    })
}
