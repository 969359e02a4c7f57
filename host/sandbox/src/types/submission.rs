//! What a liquidity provider submits, and what `sign` makes.

use wasmtime::component::{ComponentType, Lift, Lower};

/// A name and its value, both text. Used for operator parameters, HTTP parameters, headers and extras.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Field {
    /// Compared exactly, except for header names, which are compared without regard to case.
    pub name: String,
    /// The value as text.
    pub value: String,
}

/// The market that is asked for, as the pool's operator configured it.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Market {
    /// The currency that is provided, in capitals: `NBT` of NBT/BTC. Amounts are in it.
    pub base: String,
    /// The currency it is priced in, in capitals: `BTC` of NBT/BTC. Prices are quote per one base.
    pub quote: String,
    /// What the operator configured for this market beyond its name, by the names that
    /// `description.market_parameters` declares (such as a numeric market id).
    pub parameters: Vec<Field>,
}

/// One value of a member of `req`. Null, booleans, lists and objects never reach an adapter: the host
/// refuses them, since no exchange signs them.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Scalar {
    /// A JSON string, its escapes resolved.
    #[component(name = "text")]
    Text(String),
    /// A JSON number exactly as the client wrote it, never via a binary float: `1760000000123`, `1e3`.
    #[component(name = "number")]
    Number(String),
}

/// One member of the client's `req`.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Member {
    /// The member's name.
    pub name: String,
    /// The member's value.
    pub value: Scalar,
}

/// What a liquidity provider (LP) submitted: everything that was signed and that the pool cannot know.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Submission {
    /// The API key. Public as keys go; never the secret.
    pub user: String,
    /// The members of `req`, each name once, in the order in which the client wrote them.
    pub members: Vec<Member>,
    /// The signature as the client sent it; never empty.
    pub sign: String,
    /// The market the LP is to be credited for. The adapter checks that this is the market signed.
    pub market: Market,
    /// The origin (`https://host` or with `:port`, without a slash at the end) in place of
    /// `description.origin`, if the operator configured another: regional hosts, test networks,
    /// a simulated exchange. Some exchanges sign the host.
    pub endpoint: Option<String>,
    /// The host's time in Unix milliseconds.
    #[component(name = "now-ms")]
    pub now_ms: u64,
    /// Whether the answer to `start` should carry `started.signed`. Off on the ordinary path.
    pub explain: bool,
    /// Room for what version 1 does not name. An adapter ignores names it does not know.
    pub extras: Vec<Field>,
}

/// What `sign` works from. It runs on the LP's own machine and in tests, never in the pool.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct SignQuery {
    /// The API key.
    pub user: String,
    /// The API secret, in the form in which the exchange hands it out.
    pub secret: String,
    /// Whatever else the LP has from the exchange, by the names that
    /// `description.credential_parameters` declares: a passphrase, an account id, order ids.
    pub parameters: Vec<Field>,
    /// The market to ask about.
    pub market: Market,
    /// As `submission.endpoint`.
    pub endpoint: Option<String>,
    /// The LP's time in Unix milliseconds.
    #[component(name = "now-ms")]
    pub now_ms: u64,
    /// A value of the kind that `description.nonce` names, as text. Where it is a number, the caller
    /// supplies it strictly rising per key. Empty for the kind `none`.
    pub nonce: String,
    /// Room for what version 1 does not name.
    pub extras: Vec<Field>,
}

/// What a client posts to the pool, made by `sign`.
#[derive(Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Signed {
    /// The members of `req`, in the order to be written.
    pub members: Vec<Member>,
    /// The member `sign` of the message; never empty.
    pub sign: String,
}
