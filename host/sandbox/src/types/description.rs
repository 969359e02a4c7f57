//! What an adapter says about itself.

use wasmtime::component::{ComponentType, Lift, Lower};

use super::{Binding, Field, Method};

/// Where a call carries a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum Place {
    /// In the query.
    #[component(name = "query")]
    Query,
    /// In a form body.
    #[component(name = "form")]
    Form,
}

/// One parameter that a call may carry.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Its only value, where it has only one: what pins a signed request to "list open orders".
    pub fixed: Option<String>,
}

/// Which body a call has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum BodyKind {
    /// None.
    #[component(name = "none")]
    None,
    /// A form of declared parameters.
    #[component(name = "form")]
    Form,
    /// A text, for exchanges that sign a JSON body.
    #[component(name = "text")]
    Text,
}

/// One HTTP call that the adapter makes. The operator grants calls; nothing else is ever sent.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Call {
    /// A short name, unique within the adapter: `open-orders`.
    pub name: String,
    /// The origin, where it is another than `description.origin`. An operator who configures an endpoint
    /// replaces `description.origin`, not this.
    pub origin: Option<String>,
    /// The method.
    pub method: Method,
    /// The path. `{}` stands for one segment, or a part of one, of letters, digits and `-_.:~`:
    /// `/api/v2/open_orders/{}/`. Everything else stands for itself.
    pub path: String,
    /// Every parameter it may carry.
    pub parameters: Vec<Parameter>,
    /// The names of the headers it sets.
    pub headers: Vec<String>,
    /// Its body.
    pub body: BodyKind,
    /// Whether the LP's signature goes with it. A call without is a public look-up.
    pub signed: bool,
    /// The reply's headers that the adapter wants to see.
    #[component(name = "reply-headers")]
    pub reply_headers: Vec<String>,
}

/// How long a signed request can be used.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(variant)]
pub enum Lifetime {
    /// For this many milliseconds after it was signed.
    #[component(name = "milliseconds")]
    Milliseconds(u64),
    /// Until the key is used with a larger nonce. Such a key must be used for nothing else.
    #[component(name = "until-next-nonce")]
    UntilNextNonce,
    /// For ever.
    #[component(name = "unlimited")]
    Unlimited,
}

/// What the caller of `sign` supplies as `sign_query.nonce`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum NonceKind {
    /// Nothing.
    #[component(name = "none")]
    None,
    /// Unix time in seconds.
    #[component(name = "seconds")]
    Seconds,
    /// Unix time in milliseconds.
    #[component(name = "milliseconds")]
    Milliseconds,
    /// Unix time in microseconds.
    #[component(name = "microseconds")]
    Microseconds,
    /// A random UUID in lower case, with hyphens.
    #[component(name = "uuid")]
    Uuid,
    /// Thirty-two random hexadecimal digits in lower case.
    #[component(name = "hex")]
    Hex,
}

/// Among which orders an id is unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
pub enum OrderIdScope {
    /// Among all orders of the exchange.
    #[component(name = "exchange")]
    Exchange,
    /// Among the orders of one account.
    #[component(name = "account")]
    Account,
}

/// Something that the operator or the LP has to supply.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct ParameterNeed {
    /// Its name.
    pub name: String,
    /// A sentence: what it is and where to find it.
    pub purpose: String,
    /// Whether it can be left out.
    pub optional: bool,
}

/// Who the adapter is and what it does.
#[derive(Clone, PartialEq, Eq, Debug, ComponentType, Lift, Lower)]
#[component(record)]
pub struct Description {
    /// The exchange's id, in lower case with underscores; also the stem of the component's file name.
    pub exchange: String,
    /// The adapter's own version.
    pub version: String,
    /// What an LP must know, one sentence each: which permissions the key needs and which it must not
    /// have, whether it must be used for nothing else, how many orders are seen.
    pub notes: Vec<String>,
    /// The exchange's own origin: `https://api.example.com`. Empty for exchange software that many run:
    /// then the operator has to configure one.
    pub origin: String,
    /// Every call it makes.
    pub calls: Vec<Call>,
    /// How long a signed request can be used.
    pub lifetime: Lifetime,
    /// What kind of nonce `sign` needs.
    pub nonce: NonceKind,
    /// Whether the exchange accepts a signed request once only.
    #[component(name = "single-use")]
    pub single_use: bool,
    /// What the signature fixes.
    pub binds: Binding,
    /// Among which orders an order's id is unique.
    #[component(name = "order-ids")]
    pub order_ids: OrderIdScope,
    /// What the operator must configure for a market.
    #[component(name = "market-parameters")]
    pub market_parameters: Vec<ParameterNeed>,
    /// What an LP must have beyond key and secret.
    #[component(name = "credential-parameters")]
    pub credential_parameters: Vec<ParameterNeed>,
    /// Room for what version 1 does not name.
    pub extras: Vec<Field>,
}
