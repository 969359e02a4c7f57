//! What is kept of a submission, so that it can be read again: the replies, and what the adapter needs to read them.
//!
//! Never kept: `req`, signatures, passphrases, the API key. What the adapter noted for itself is, unless the signature
//! or a long value of `req` stands in it.

use alp_sandbox::types::{Field, Market, Reply, Submission};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::exchange::{SignedReply, Verified};

/// A value of `req` of this length or longer in the adapter's notes keeps the submission from being kept: markets and
/// times are shorter, passphrases and signatures are not.
const SECRET_LENGTH: usize = 16;

/// What is kept of one submission.
#[derive(Serialize, Deserialize)]
pub struct KeptSubmission {
    /// The exchange's id.
    pub exchange: String,
    /// The SHA-256 of the adapter that read the replies.
    pub adapter_sha256: String,
    /// The SHA-256 over the replies' bodies, as it stands with what was judged.
    pub reply_sha256: String,
    base: String,
    quote: String,
    parameters: Vec<(String, String)>,
    endpoint: Option<String>,
    /// When it was submitted, in Unix milliseconds by the host's clock.
    pub now_ms: u64,
    replies: Vec<KeptReply>,
}

#[derive(Serialize, Deserialize)]
struct KeptReply {
    state: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl KeptSubmission {
    /// What is kept of a submission; none if the adapter's notes hold something that is never kept.
    #[must_use]
    pub fn new(
        exchange: &str,
        adapter_sha256: &str,
        submission: &Submission,
        verified: &Verified,
    ) -> Option<Self> {
        if verified.replies.iter().any(|reply| holds_secrets(&reply.state, submission)) {
            return None;
        }
        let pairs = |fields: &[Field]| -> Vec<(String, String)> {
            fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect()
        };
        let market = &submission.market;
        let replies = verified.replies.iter().map(|SignedReply { state, reply }| KeptReply {
            state: STANDARD.encode(state),
            status: reply.status,
            headers: pairs(&reply.headers),
            body: STANDARD.encode(&reply.body),
        });
        Some(Self {
            exchange: exchange.to_owned(),
            adapter_sha256: adapter_sha256.to_owned(),
            reply_sha256: verified.reply_sha256.clone(),
            base: market.base.clone(),
            quote: market.quote.clone(),
            parameters: pairs(&market.parameters),
            endpoint: submission.endpoint.clone(),
            now_ms: submission.now_ms,
            replies: replies.collect(),
        })
    }

    /// The name of its file: the replies' hash, and some digits that tell apart what the same bytes were read for.
    #[must_use]
    pub fn file_name(&self) -> String {
        let read_for = format!("{} {} {} {}", self.exchange, self.base, self.quote, self.adapter_sha256);
        let digest = Sha256::digest(read_for.as_bytes());
        let digits: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("{}.{digits}", self.reply_sha256)
    }

    /// What the adapter is given to read the last reply again, whose notes carry what came of those before: the
    /// submission without anything of the LP, the notes, the reply. None if it was not kept whole.
    #[must_use]
    pub fn to_read_again(&self) -> Option<(Submission, Vec<u8>, Reply)> {
        let fields = |pairs: &[(String, String)]| -> Vec<Field> {
            pairs.iter().map(|(name, value)| Field { name: name.clone(), value: value.clone() }).collect()
        };
        let last = self.replies.last()?;
        let submission = Submission {
            user: "not-kept".to_owned(),
            members: Vec::new(),
            sign: "not-kept".to_owned(),
            market: Market {
                base: self.base.clone(),
                quote: self.quote.clone(),
                parameters: fields(&self.parameters),
            },
            endpoint: self.endpoint.clone(),
            now_ms: self.now_ms,
            explain: false,
            extras: Vec::new(),
        };
        let body = STANDARD.decode(&last.body).ok()?;
        let reply = Reply { status: last.status, headers: fields(&last.headers), body };
        Some((submission, STANDARD.decode(&last.state).ok()?, reply))
    }

    /// The market, for showing.
    #[must_use]
    pub fn market(&self) -> String {
        format!("{}/{}", self.base, self.quote)
    }
}

fn holds_secrets(state: &[u8], submission: &Submission) -> bool {
    let values = submission.members.iter().map(|member| match &member.value {
        alp_sandbox::types::Scalar::Text(text) | alp_sandbox::types::Scalar::Number(text) => text,
    });
    let long = values.filter(|value| value.len() >= SECRET_LENGTH);
    long.chain([&submission.sign]).any(|value| memmem::find(state, value.as_bytes()).is_some())
}
