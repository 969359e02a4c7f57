//! Whether what an adapter says about itself makes sense. The rest of the program relies on it: a call's
//! path, headers and parameters are what an operator grants.

use std::collections::BTreeSet;

use crate::scrub::clean_text;
use crate::types::{BodyKind, Call, Description, Field, Method, Parameter, ParameterNeed, Place};

/// Calls of one adapter. 16: the most that is known is 3.
const CALLS: usize = 16;

/// Parameters or headers of one call. 64: the longest known request has 12.
const PER_CALL: usize = 64;

/// Notes, parameters for markets, parameters for credentials, extras. 32 of each: more, nobody reads.
const LIST: usize = 32;

/// A name in characters. 64: longer than any exchange's name or header.
const NAME: usize = 64;

/// A path or a fixed value in characters. 512: an address line that a person can still check.
const PATH: usize = 512;

/// A sentence in characters.
const SENTENCE: usize = 500;

/// Headers that belong to the connection, or that would let a request carry a second one.
const FORBIDDEN_HEADERS: [&str; 10] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "cookie",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
];

/// Domains of names that mean something on one machine or in one network only.
const LOCAL_DOMAINS: [&str; 7] = ["localhost", "local", "internal", "intranet", "lan", "home", "localdomain"];

/// Checks a description and makes its sentences fit for printing.
///
/// # Errors
/// One sentence about the first thing that is wrong, for the adapter's author.
pub fn check_description(mut description: Description) -> Result<Description, String> {
    check_exchange(&description.exchange)?;
    if !is_name(&description.version, "+.-") {
        return Err("its version must be 1 to 64 letters, digits, and `+.-`".to_owned());
    }
    if !description.origin.is_empty() {
        check_own_origin(&description.origin)?;
    }
    at_most("notes", description.notes.len(), LIST)?;
    check_calls(&description.calls)?;
    check_needs("market parameters", &mut description.market_parameters)?;
    check_needs("credential parameters", &mut description.credential_parameters)?;
    check_extras(&mut description.extras)?;
    for note in &mut description.notes {
        *note = clean_text(note, SENTENCE);
    }
    Ok(description)
}

/// Checks an origin: `https://host` or `https://host:port` in lower case, without a slash at the end.
/// Plain `http` is for this machine only.
///
/// # Errors
/// One sentence about what is wrong, with the origin in it, cleaned.
pub fn check_origin(origin: &str) -> Result<(), String> {
    let wrong = || {
        let shown = clean_text(origin, PATH);
        format!("the origin `{shown}` is not of the form https://host or https://host:port")
    };
    let (secure, rest) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(wrong()),
    };
    let (host, port) = match rest.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.len() < 64 && label.chars().all(plain)
    };
    let port_is_right = port.is_none_or(|port| {
        port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if host.len() > 253 || !host.split('.').all(label) || !port_is_right {
        return Err(wrong());
    }
    if !secure && host != "127.0.0.1" && host != "localhost" {
        return Err(format!("the origin http://{host} is not encrypted: only https may leave this machine"));
    }
    Ok(())
}

/// Whether a header is never an adapter's to set. The name is compared without regard to case.
#[must_use]
pub fn is_forbidden_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("proxy-") || FORBIDDEN_HEADERS.contains(&name.as_str())
}

/// An origin that an adapter names by itself is that of a public host: an adapter must not make the server talk to
/// the machine it runs on, to its neighbours, or to the service that hands out the machine's credentials. What stands
/// without TLS for this machine is never sent to either; only an operator can configure such an origin.
fn check_own_origin(origin: &str) -> Result<(), String> {
    check_origin(origin)?;
    let Some(authority) = origin.strip_prefix("https://") else { return Ok(()) };
    let host = authority.split(':').next().unwrap_or(authority);
    let last = host.rsplit_once('.').map(|(_, last)| last);
    // An address in any notation ends in a digit or in a hexadecimal number, and both begin with a digit.
    let is_public = last.is_some_and(|last| {
        last.starts_with(|c: char| c.is_ascii_lowercase()) && !LOCAL_DOMAINS.contains(&last)
    });
    if is_public { Ok(()) } else { Err(format!("the origin {origin} is not the public name of a host")) }
}

fn check_exchange(exchange: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if exchange.is_empty() || exchange.len() > NAME || !exchange.chars().all(allowed) {
        let shown = clean_text(exchange, NAME);
        return Err(format!("its exchange `{shown}` must be 1 to 64 of a-z, 0-9 and `_`"));
    }
    Ok(())
}

fn check_calls(calls: &[Call]) -> Result<(), String> {
    if calls.is_empty() {
        return Err("it makes no calls".to_owned());
    }
    at_most("calls", calls.len(), CALLS)?;
    let mut names = BTreeSet::new();
    for call in calls {
        if !is_name(&call.name, "-_") {
            let shown = clean_text(&call.name, NAME);
            return Err(format!("the name `{shown}` of a call must be 1 to 64 letters, digits, `-`, `_`"));
        }
        if !names.insert(call.name.as_str()) {
            return Err(format!("two calls are named `{}`", call.name));
        }
        check_call(call).map_err(|wrong| format!("call `{}`: {wrong}", call.name))?;
    }
    Ok(())
}

fn check_call(call: &Call) -> Result<(), String> {
    if let Some(origin) = &call.origin {
        check_own_origin(origin)?;
    }
    check_path(&call.path)?;
    if call.method == Method::Get && call.body != BodyKind::None {
        return Err("a GET has no body".to_owned());
    }
    at_most("parameters", call.parameters.len(), PER_CALL)?;
    let mut seen = BTreeSet::new();
    for parameter in &call.parameters {
        check_parameter(parameter, call.body)?;
        if !seen.insert((parameter.place == Place::Form, parameter.name.as_str())) {
            return Err(format!("the parameter `{}` is declared twice", parameter.name));
        }
    }
    at_most("headers", call.headers.len(), PER_CALL)?;
    at_most("reply headers", call.reply_headers.len(), PER_CALL)?;
    for header in &call.headers {
        check_header(header)?;
        if is_forbidden_header(header) {
            return Err(format!("the header `{header}` is the host's to set"));
        }
    }
    call.reply_headers.iter().try_for_each(|header| check_header(header))
}

/// A path is shown to the operator and matched against requests, so there is only one way to write it.
fn check_path(path: &str) -> Result<(), String> {
    let shown = || clean_text(path, PATH);
    let Some(segments) = path.strip_prefix('/') else {
        return Err(format!("the path `{}` does not start with a slash", shown()));
    };
    if path.len() > PATH {
        return Err(format!("the path is longer than {PATH} characters"));
    }
    let literal = path.replace("{}", "");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-_.:~@!$'()*+,;=".contains(c);
    if !literal.chars().all(allowed) {
        return Err(format!("the path `{}` holds what belongs into no path", shown()));
    }
    let is_relative = |segment: &str| segment == "." || segment == "..";
    if segments.split('/').any(is_relative) || segments.starts_with('/') || segments.contains("//") {
        return Err(format!("the path `{}` has empty or relative segments", shown()));
    }
    Ok(())
}

fn check_parameter(parameter: &Parameter, body: BodyKind) -> Result<(), String> {
    let shown = clean_text(&parameter.name, NAME);
    let plain = |c: char| c.is_ascii_graphic() && !"&=#".contains(c);
    let name = &parameter.name;
    if name.is_empty() || name.len() > NAME || !name.chars().all(plain) {
        return Err(format!("the parameter name `{shown}` cannot stand in a query"));
    }
    if let Some(fixed) = &parameter.fixed {
        let plain = |c: char| c.is_ascii_graphic() && !"&#".contains(c);
        if fixed.len() > PATH || !fixed.chars().all(plain) {
            return Err(format!("the fixed value of `{shown}` cannot stand in a query"));
        }
    }
    if parameter.place == Place::Form && body != BodyKind::Form {
        return Err(format!("the parameter `{shown}` stands in a form, but the body is none"));
    }
    Ok(())
}

fn check_header(name: &str) -> Result<(), String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > NAME || !name.chars().all(token) {
        return Err(format!("`{}` is no header name", clean_text(name, NAME)));
    }
    Ok(())
}

fn check_needs(what: &'static str, needs: &mut [ParameterNeed]) -> Result<(), String> {
    at_most(what, needs.len(), LIST)?;
    let mut seen = BTreeSet::new();
    for need in needs {
        if !is_name(&need.name, "-_.") {
            let shown = clean_text(&need.name, NAME);
            return Err(format!("the name `{shown}` among its {what} must be letters, digits, `-_.`"));
        }
        if !seen.insert(need.name.clone()) {
            return Err(format!("`{}` stands twice among its {what}", need.name));
        }
        need.purpose = clean_text(&need.purpose, SENTENCE);
    }
    Ok(())
}

fn check_extras(extras: &mut [Field]) -> Result<(), String> {
    at_most("extras", extras.len(), LIST)?;
    for extra in extras {
        extra.name = clean_text(&extra.name, NAME);
        extra.value = clean_text(&extra.value, SENTENCE);
    }
    Ok(())
}

fn is_name(name: &str, also: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || also.contains(c);
    !name.is_empty() && name.len() <= NAME && name.chars().all(allowed)
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if count > limit { Err(format!("it declares {count} {what}; {limit} are enough")) } else { Ok(()) }
}
