//! The types of `wit/v1/exchange.wit` as the rest of the program sees them.
//!
//! They are written out rather than generated for one reason: a generated type prints all of itself in
//! `Debug`, and these carry secrets and signatures. The engine compares them with the component's own
//! types at every load, so a difference from the contract cannot go unnoticed.

mod binding;
mod debug;
mod description;
mod step;
mod submission;

pub use binding::Binding;
pub use description::{
    BodyKind, Call, Description, Lifetime, NonceKind, OrderIdScope, Parameter, ParameterNeed, Place,
};
pub use step::{
    Body, Fault, Freshness, LookUp, Method, Order, OrderList, OtherFault, Pending, Reply, Request, Side,
    Started, Step, Throttle,
};
pub use submission::{Field, Market, Member, Scalar, SignQuery, Signed, Submission};
