//! What the author of an exchange adapter imports: the contract's types, one trait, one macro, and what nearly
//! every exchange needs: signatures, forms, exact decimals, times, checked members, decoded replies.
//! It knows no exchange, and it refuses to know the host: no network, clock, randomness or files.
//!
//! An adapter is a translator from a submission to a request and from a reply to orders. This is a whole one:
//!
//! ```
//! use alp_adapter::*;
//!
//! const ORIGIN: &str = "https://api.example.com";
//! const PATH: &str = "/orders";
//! const NOTES: [&str; 1] = ["The key needs the permission to read orders and must have no other."];
//! const REQ: [Declared; 2] = [fields::text("pair", Chars::Symbol), fields::digits("nonce")];
//!
//! pub struct Example;
//! alp_adapter::export!(Example);
//!
//! impl Adapter for Example {
//!     fn describe() -> Description {
//!         let calls = vec![Call::get("open-orders", PATH).with(&["pair", "nonce"]).headers(&["Key", "Sign"])];
//!         Description {
//!             lifetime: Lifetime::UntilNextNonce,
//!             nonce: NonceKind::Milliseconds,
//!             single_use: true,
//!             binds: Binding::PARAMETERS | Binding::MARKET,
//!             order_ids: OrderIdScope::Exchange,
//!             ..Description::new("example", "1.0.0", ORIGIN, &NOTES, calls)
//!         }
//!     }
//!
//!     fn sign(query: SignQuery) -> Result<Signed, Fault> {
//!         let (pair, nonce) = (pair(&query.market), fields::whole_nonce(&query)?);
//!         let text = form(&pair, &nonce.to_string()).text();
//!         let sign = sign::hex(&sign::hmac_sha256(query.secret.as_bytes(), text.as_bytes()));
//!         Ok(Signed::new([Member::text("pair", pair), Member::number("nonce", nonce)], sign))
//!     }
//!
//!     fn start(submission: Submission) -> Result<Started, Fault> {
//!         let [signed_pair, nonce] = fields::take(&submission, REQ)?;
//!         fields::expect_market("pair", signed_pair, &pair(&submission.market))?;
//!         let form = form(signed_pair, nonce);
//!         let request = Request::get("open-orders", PATH, form.clone())
//!             .header("Key", fields::user(&submission, Chars::Visible)?)
//!             .header("Sign", sign::expect_hex(&submission.sign, 32)?);
//!         Ok(Started::send(&submission, request, Freshness::of_nonce("nonce", nonce)?, || form.text()))
//!     }
//!
//!     fn resume(submission: Submission, _state: Vec<u8>, reply: Reply) -> Result<Step, Fault> {
//!         let asked = pair(&submission.market);
//!         let open: Vec<OpenOrder> = reply::decode::<_, ErrorReply>(&reply, &Wording::default())?;
//!         Step::collect(open.iter().filter(|order| order.pair == asked.as_str()).map(OpenOrder::read))
//!     }
//! }
//!
//! #[derive(Deserialize)]
//! struct OpenOrder<'a> {
//!     #[serde(borrow)]
//!     id: Text<'a>,
//!     pair: Text<'a>,
//!     side: Text<'a>,
//!     price: Text<'a>,
//!     left: Text<'a>,
//! }
//!
//! impl OpenOrder<'_> {
//!     fn read(&self) -> Result<Option<Order>, Fault> {
//!         let side = order::side(self.side.as_str(), "buy", "sell")?;
//!         let (price, left) = (self.price.decimal("price")?, self.left.decimal("left")?);
//!         order::open(self.id.as_str(), side, &price, &left, None)
//!     }
//! }
//!
//! #[derive(Deserialize)]
//! struct ErrorReply {
//!     error: String,
//! }
//!
//! impl ErrorBody<'_> for ErrorReply {
//!     fn words(&self) -> Option<String> {
//!         Some(self.error.clone())
//!     }
//! }
//!
//! fn pair(market: &Market) -> String {
//!     format!("{}_{}", market.base, market.quote)
//! }
//!
//! fn form(pair: &str, nonce: &str) -> Form {
//!     Form::new().with("pair", pair).with("nonce", nonce)
//! }
//! ```
//!
//! Built for `wasm32-unknown-unknown` as a `cdylib`, that is a component which imports no function. Built for
//! any other target, nothing is exported, so that tests can link any number of adapters into one program.
//!
//! The types derive `Debug` by way of their generator, and [`SignQuery`] and [`Submission`] carry secrets and
//! signatures: do not write them anywhere.

#[doc(hidden)]
pub mod bindings;
mod build;
pub mod decimal;
pub mod fields;
pub mod form;
#[cfg(target_arch = "wasm32")]
mod heap;
#[cfg(feature = "jwt")]
pub mod jwt;
pub mod order;
pub mod reply;
pub mod sign;
#[cfg(feature = "testing")]
pub mod testing;
pub mod text;
pub mod time;

pub use bindings::alp::exchange::types::{
    Binding, Body, BodyKind, Call, Description, Fault, Field, Freshness, Lifetime, LookUp, Market, Member,
    Method, NonceKind, Order, OrderIdScope, OrderList, OtherFault, Parameter, ParameterNeed, Pending, Place,
    Reply, Request, Scalar, Side, SignQuery, Signed, Started, Step, Submission, Throttle,
};
/// The four functions that an adapter exports. All are pure: the same arguments, the same answer.
///
/// * `describe`: who this is, which calls it makes, what a signature fixes and how long it lives. Constant.
/// * `sign`: credentials, market, time and nonce in; the client's `req` and `sign` out. Runs on the LP's machine.
/// * `start`: checks a submission and says what to send. It takes from `req` only what it declares
///   ([`fields::take`]), checks that the signed market is the one asked for, and writes method, path and
///   parameters itself.
/// * `resume`: takes the reply and answers with the open limit orders of the market, or with a further step.
pub use bindings::exports::alp::exchange::adapter::Guest as Adapter;
pub use decimal::Decimal;
pub use fields::{Chars, Declared};
pub use form::Form;
pub use reply::{ErrorBody, Wording};
pub use serde::Deserialize;
pub use text::Text;
pub use {base64, hmac, serde, serde_json, sha2};

/// Makes a type that implements [`Adapter`] the adapter of this crate: `alp_adapter::export!(Binance);`.
///
/// It exports only when building for WebAssembly; elsewhere two adapters in one program would collide.
#[macro_export]
macro_rules! export {
    ($adapter:ident) => {
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::export_component!($adapter with_types_in $crate::bindings);
    };
}
