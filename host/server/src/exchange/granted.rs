//! Holding an adapter against what the operator granted: as a whole before it serves, and request by request.
//! It knows nothing of files: a grant comes as a value.

use std::fmt;

use alp_kit::{BODY_KINDS, METHODS, NONCE_KINDS, ORDER_ID_SCOPES, bound_words, word_of};
use alp_sandbox::types::{Call, Description, Lifetime, Parameter, Request};
use thiserror::Error;

use super::breach::GrantBreach;
use super::grant::{Allowed, Prepared, check_parts, prepare_within};
use crate::config::{Builds, GrantConfig};

/// Why an adapter waits: everything in which it is not what was granted. Displays as a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Waits {
    /// In which respects.
    pub differences: Vec<Difference>,
}

/// One respect in which an adapter is not what was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another build than those that are pinned.
    Build {
        /// Its SHA-256.
        sha256: String,
    },
    /// Something that the adapter says of itself.
    Says {
        /// What it speaks of.
        what: String,
        /// What was granted.
        granted: String,
        /// What it declares.
        declares: String,
    },
    /// Something that it may send and that is not granted.
    Sends {
        /// The call.
        call: String,
        /// What of it.
        what: String,
    },
}

/// Whether an adapter may serve: every call that it declares is granted, it says of its requests what was granted,
/// and it is one of the builds that the operator names. It may declare less than is granted.
///
/// # Errors
/// [`Waits`] names all differences, old and new.
pub fn covers(grant: &GrantConfig, description: &Description, sha256: &str) -> Result<(), Waits> {
    let mut differences = Vec::new();
    if matches!(&grant.builds, Builds::Pinned(pins) if !pins.contains(sha256)) {
        differences.push(Difference::Build { sha256: sha256.to_owned() });
    }
    let mut says = |what: &str, granted: String, declares: String| {
        if granted != declares {
            differences.push(Difference::Says { what: what.to_owned(), granted, declares });
        }
    };
    says("the origin", origin_words(&grant.origin), origin_words(&description.origin));
    says("the lifetime of a request", lifetime_words(&grant.lifetime), lifetime_words(&description.lifetime));
    let nonce = |kind| word_of(&NONCE_KINDS, kind).to_owned();
    says("the nonce", nonce(&grant.nonce), nonce(&description.nonce));
    says("single use of a request", grant.single_use.to_string(), description.single_use.to_string());
    let scope = |scope| word_of(&ORDER_ID_SCOPES, scope).to_owned();
    says("the scope of order ids", scope(&grant.order_ids), scope(&description.order_ids));
    let binds = |binds| bound_words(binds).join("+");
    says("what the signature binds", binds(grant.binds), binds(description.binds));
    for declared in &description.calls {
        match grant.calls.iter().find(|granted| granted.name == declared.name) {
            Some(granted) => compare_call(granted, declared, &mut differences),
            None => differences.push(Difference::Sends {
                call: declared.name.clone(),
                what: format!("{} {}", word_of(&METHODS, &declared.method), declared.path),
            }),
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(Waits { differences }) }
}

/// Puts a request together if the adapter declared it and the operator granted it. `endpoint` is the origin that the
/// operator configured in place of the granted one.
///
/// # Errors
/// [`GrantBreach`] says in which respect it is neither or only one of the two.
pub fn prepare_granted(
    grant: &GrantConfig,
    description: &Description,
    endpoint: Option<&str>,
    request: &Request,
) -> Result<Prepared, GrantBreach> {
    let declared = Allowed { origin: &description.origin, calls: &description.calls };
    check_parts(&declared, endpoint, request)?;
    prepare_within(&Allowed { origin: &grant.origin, calls: &grant.calls }, endpoint, request)
}

fn compare_call(granted: &Call, declared: &Call, differences: &mut Vec<Difference>) {
    let name = &declared.name;
    let mut says = |what: &str, granted: String, declares: String| {
        if granted != declares {
            let what = format!("the {what} of the call {name}");
            differences.push(Difference::Says { what, granted, declares });
        }
    };
    let method = |call: &Call| word_of(&METHODS, &call.method).to_owned();
    says("method", method(granted), method(declared));
    let origin = |call: &Call| origin_words(call.origin.as_deref().unwrap_or_default());
    says("origin", origin(granted), origin(declared));
    says("path", granted.path.clone(), declared.path.clone());
    let body = |call: &Call| word_of(&BODY_KINDS, &call.body).to_owned();
    says("body", body(granted), body(declared));
    says("signature", granted.signed.to_string(), declared.signed.to_string());
    let sends = |what: String| Difference::Sends { call: name.clone(), what };
    let more = declared.parameters.iter().filter(|parameter| !is_granted(parameter, granted));
    differences.extend(more.map(|parameter| sends(format!("the parameter {}", parameter_words(parameter)))));
    // What pins a call must stay: without it the request would be refused each time.
    let pinned = granted.parameters.iter().filter(|parameter| parameter.fixed.is_some());
    let lost = pinned.filter(|parameter| !declared.parameters.contains(parameter));
    differences.extend(lost.map(|parameter| Difference::Says {
        what: format!("the parameter {} of the call {name}", parameter.name),
        granted: parameter_words(parameter),
        declares: "without that value".to_owned(),
    }));
    let headers = [("header", &declared.headers, &granted.headers)];
    let seen = [("sight of the reply's header", &declared.reply_headers, &granted.reply_headers)];
    for (kind, declared, granted) in headers.into_iter().chain(seen) {
        let known = |header: &String| granted.iter().any(|known| known.eq_ignore_ascii_case(header));
        let more = declared.iter().filter(|header| !known(header));
        differences.extend(more.map(|header| sends(format!("the {kind} {header}"))));
    }
}

/// A parameter is granted with any value, or with the one value that it is declared with.
fn is_granted(declared: &Parameter, call: &Call) -> bool {
    call.parameters.iter().any(|granted| {
        granted.name == declared.name
            && granted.place == declared.place
            && (granted.fixed.is_none() || granted.fixed == declared.fixed)
    })
}

fn parameter_words(parameter: &Parameter) -> String {
    match &parameter.fixed {
        Some(fixed) => format!("{}={fixed}", parameter.name),
        None => parameter.name.clone(),
    }
}

fn origin_words(origin: &str) -> String {
    if origin.is_empty() { "none of its own".to_owned() } else { origin.to_owned() }
}

fn lifetime_words(lifetime: &Lifetime) -> String {
    match lifetime {
        Lifetime::Milliseconds(ms) => format!("{ms} ms"),
        Lifetime::UntilNextNonce => "until the next nonce".to_owned(),
        Lifetime::Unlimited => "unlimited".to_owned(),
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not what the exchange's file grants: ")?;
        for (index, difference) in self.differences.iter().enumerate() {
            let between = if index == 0 { "" } else { "; " };
            write!(f, "{between}{difference}")?;
        }
        f.write_str(". Look at it with `alp adapter inspect`, and if it may, paste the lines that it prints")
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build { sha256 } => write!(f, "its build {sha256} is not pinned in grant.sha256"),
            Self::Says { what, granted, declares } => {
                write!(f, "{what} was granted as `{granted}` and is now `{declares}`")
            }
            Self::Sends { call, what } => {
                write!(f, "the call {call} would have {what}, which is not granted")
            }
        }
    }
}
