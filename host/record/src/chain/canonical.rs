//! Whether a body is written in the one way there is, and the root of the tree over it, in one go: each LP's part is
//! written once, held against the text, and hashed where it stands.

use std::io::Write;

use super::body::{Body, RoundBody};
use super::digest::Digest;
use super::merkle;

/// The root over the LPs of `body`, if `line` is how it is written.
pub(super) fn root_if_canonical(body: &mut Body, line: &str) -> Option<Digest> {
    match body {
        Body::Round(round) => root_of_round(round, line),
        Body::Epoch(_) | Body::Correction(_) | Body::Payout(_) | Body::CarryForward(_) => {
            (body.line() == line).then(|| merkle::root(&body.leaves()))
        }
    }
}

/// A round is large: its LPs, which are written last, are not all written at once.
fn root_of_round(round: &mut RoundBody, line: &str) -> Option<Digest> {
    /// What the line of a round ends with if it has no LPs.
    const END: &str = "]}}";
    let lps = std::mem::take(&mut round.lps);
    let mut written = Vec::with_capacity(4_096);
    let _ = write!(written, "{{\"round\":");
    let without_lps = serde_json::to_writer(&mut written, &*round);
    round.lps = lps;
    without_lps.ok()?;
    let _ = write!(written, "}}");
    let mut rest = line.as_bytes().strip_prefix(written.strip_suffix(END.as_bytes())?)?;
    let mut leaves = Vec::with_capacity(round.lps.len());
    for (place, lp) in round.lps.iter().enumerate() {
        if place > 0 {
            rest = rest.strip_prefix(b",")?;
        }
        written.clear();
        serde_json::to_writer(&mut written, lp).ok()?;
        rest = rest.strip_prefix(written.as_slice())?;
        leaves.push(merkle::leaf_digest(&written));
    }
    (rest == END.as_bytes()).then(|| merkle::root_of(&leaves))
}
