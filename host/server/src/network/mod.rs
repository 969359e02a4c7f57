//! What may be talked to outside: which addresses are public, how names are resolved, who was granted what.
//! It knows no exchange, no adapter and no message.

mod address_rules;
mod outbound_grant;
mod resolver;
mod trust;

pub use address_rules::{NotPublic, check_public};
pub(crate) use outbound_grant::literal_address;
pub use outbound_grant::{BasicAuth, OutboundGrant, UrlFault};
pub use resolver::{
    CheckedResolver, ForbiddenAddress, LookingUp, NameLookUp, Reach, ResolveError, system_look_up,
};
pub(crate) use trust::tls_config;
