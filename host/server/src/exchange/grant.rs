//! Holding a request that an adapter made against the calls that it declared and the operator granted.
//!
//! An adapter never says where a request goes: the origin is the operator's, the path must match the declared
//! template, and every parameter and header must be declared. So neither a hostile bot nor a hostile adapter can
//! have the pool send a signed request anywhere else.

use alp_sandbox::types::{Body, BodyKind, Call, Description, Field, Method, Place, Request};
use reqwest::Url;

use super::breach::GrantBreach;

/// Most parameters of one request.
pub(super) const MAX_PARAMETERS: usize = 64;

/// Longest URL. Exchanges cut at 4 to 8 KiB.
const MAX_URL: usize = 4096;

/// Longest value of a header: a JWT of an exchange takes about 800 characters.
const MAX_HEADER_VALUE: usize = 4096;

/// Longest body.
const MAX_BODY: usize = 16 * 1024;

/// A request that is within what was granted, ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The method.
    pub method: Method,
    /// The whole address. It carries signatures at some exchanges: never to be logged.
    pub url: Url,
    /// The headers in the adapter's order.
    pub headers: Vec<Field>,
    /// The body's bytes; none for a request without one.
    pub body: Option<String>,
    /// Which headers of the reply the adapter gets to see, in lower case.
    pub reply_headers: Vec<String>,
}

/// Checks `request` against the adapter's declared calls and puts it together. `endpoint` is the origin that the
/// operator configured in place of the adapter's own.
///
/// # Errors
/// [`GrantBreach`] says in which respect the request is not one of the granted calls.
pub fn prepare(
    description: &Description,
    endpoint: Option<&str>,
    request: &Request,
) -> Result<Prepared, GrantBreach> {
    prepare_within(&Allowed { origin: &description.origin, calls: &description.calls }, endpoint, request)
}

/// What a request is held against.
pub(super) struct Allowed<'a> {
    /// The origin of calls that name none of their own.
    pub(super) origin: &'a str,
    /// The calls.
    pub(super) calls: &'a [Call],
}

pub(super) fn prepare_within(
    allowed: &Allowed<'_>,
    endpoint: Option<&str>,
    request: &Request,
) -> Result<Prepared, GrantBreach> {
    let Parts { call, origin, query, body } = check_parts(allowed, endpoint, request)?;
    let separator = if query.is_empty() { "" } else { "?" };
    let text = format!("{origin}{}{separator}{query}", request.path);
    if text.len() > MAX_URL {
        return Err(GrantBreach::TooLong("URL"));
    }
    let url = Url::parse(&text).map_err(|_| GrantBreach::Address)?;
    // What is sent must be what was checked: an address that parsing would change is refused, not mended.
    let moved = url.path() != request.path || url.fragment().is_some();
    if url.as_str() != text || moved || !url.username().is_empty() || url.password().is_some() {
        return Err(GrantBreach::Address);
    }
    Ok(Prepared {
        method: request.method,
        url,
        headers: request.headers.clone(),
        body,
        reply_headers: call.reply_headers.iter().map(|name| name.to_ascii_lowercase()).collect(),
    })
}

/// The parts of a request that is allowed.
pub(super) struct Parts<'a> {
    call: &'a Call,
    origin: &'a str,
    query: String,
    body: Option<String>,
}

/// Holds each part of a request against what is allowed, without putting it together.
pub(super) fn check_parts<'a>(
    allowed: &Allowed<'a>,
    endpoint: Option<&'a str>,
    request: &Request,
) -> Result<Parts<'a>, GrantBreach> {
    let call = allowed.calls.iter().find(|call| call.name == request.call).ok_or(GrantBreach::UnknownCall)?;
    if call.method != request.method {
        return Err(GrantBreach::Method);
    }
    if !path_matches(&call.path, &request.path) {
        return Err(GrantBreach::Path);
    }
    let query = join(call, Place::Query, &request.query)?;
    let body = check_body(call, &request.body)?;
    check_headers(call, &request.headers)?;
    let origin = origin_of(allowed.origin, endpoint, call)?;
    Ok(Parts { call, origin, query, body })
}

/// Where the call goes. Only the operator may name an origin without TLS, such as a simulated exchange on this machine.
fn origin_of<'o>(
    exchange: &'o str,
    endpoint: Option<&'o str>,
    call: &'o Call,
) -> Result<&'o str, GrantBreach> {
    let own = call.origin.as_deref();
    match (own, endpoint) {
        (None, Some(endpoint)) => Ok(endpoint),
        (None, None) if exchange.is_empty() => Err(GrantBreach::NoOrigin),
        (Some(_), _) | (None, None) => {
            let origin = own.unwrap_or(exchange);
            if origin.starts_with("https://") { Ok(origin) } else { Err(GrantBreach::NotTls) }
        }
    }
}

/// `{}` in the template stands for one or more letters, digits and `-_.:~` within a segment; `.` and `..` as whole
/// segments would change the path and match nothing.
fn path_matches(template: &str, path: &str) -> bool {
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return false;
    }
    let mut parts = template.split("{}");
    let Some(mut rest) = parts.next().and_then(|start| path.strip_prefix(start)) else { return false };
    for part in parts {
        let length = rest.bytes().take_while(|byte| is_path_byte(*byte)).count();
        // The longest stretch that lets the rest of the template follow.
        let found =
            (1..=length).rev().find_map(|at| rest.get(at..).and_then(|after| after.strip_prefix(part)));
        match found {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

fn is_path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:~".contains(&byte)
}

/// Bytes that may stand in a name or value of a query or form without ending it.
fn is_parameter_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~%:,/@!$'()*;+[]".contains(&byte)
}

fn join(call: &Call, place: Place, fields: &[Field]) -> Result<String, GrantBreach> {
    if fields.len() > MAX_PARAMETERS {
        return Err(GrantBreach::TooMany);
    }
    let mut text = String::new();
    let mut seen: Vec<&str> = Vec::with_capacity(fields.len());
    for field in fields {
        let declared =
            call.parameters.iter().find(|parameter| parameter.name == field.name && parameter.place == place);
        let Some(declared) = declared else {
            return Err(GrantBreach::Undeclared { name: field.name.clone() });
        };
        if seen.contains(&field.name.as_str()) {
            return Err(GrantBreach::Twice { name: field.name.clone() });
        }
        seen.push(&field.name);
        if declared.fixed.as_ref().is_some_and(|fixed| *fixed != field.value) {
            return Err(GrantBreach::NotFixed { name: field.name.clone() });
        }
        // A value of a query may hold `=`, as base64 does; it ends nothing there.
        let right = field.name.bytes().all(is_parameter_byte)
            && field.value.bytes().all(|byte| is_parameter_byte(byte) || byte == b'=');
        if !right {
            return Err(GrantBreach::Character { name: field.name.clone() });
        }
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&field.name);
        text.push('=');
        text.push_str(&field.value);
    }
    // A parameter with a fixed value is what pins the call; a request may not leave it out.
    let missing = call.parameters.iter().find(|parameter| {
        parameter.place == place && parameter.fixed.is_some() && !seen.contains(&parameter.name.as_str())
    });
    match missing {
        Some(missing) => Err(GrantBreach::NotFixed { name: missing.name.clone() }),
        None => Ok(text),
    }
}

fn check_body(call: &Call, body: &Body) -> Result<Option<String>, GrantBreach> {
    let text = match (call.body, body) {
        (BodyKind::None, Body::None) => return Ok(None),
        (BodyKind::Form, Body::Form(fields)) => join(call, Place::Form, fields)?,
        (BodyKind::Text, Body::Text(text)) => text.clone(),
        (BodyKind::None | BodyKind::Form | BodyKind::Text, Body::None | Body::Form(_) | Body::Text(_)) => {
            return Err(GrantBreach::Body);
        }
    };
    if call.method == Method::Get {
        return Err(GrantBreach::Body);
    }
    if text.len() > MAX_BODY {
        return Err(GrantBreach::TooLong("body"));
    }
    Ok(Some(text))
}

fn check_headers(call: &Call, headers: &[Field]) -> Result<(), GrantBreach> {
    let mut seen: Vec<&str> = Vec::with_capacity(headers.len());
    for header in headers {
        let declared = call.headers.iter().any(|name| name.eq_ignore_ascii_case(&header.name));
        if !declared || alp_sandbox::is_forbidden_header(&header.name) {
            return Err(GrantBreach::Undeclared { name: header.name.clone() });
        }
        if seen.iter().any(|name| name.eq_ignore_ascii_case(&header.name)) {
            return Err(GrantBreach::Twice { name: header.name.clone() });
        }
        seen.push(&header.name);
        if header.value.len() > MAX_HEADER_VALUE {
            return Err(GrantBreach::TooLong("header"));
        }
        if !header.value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(GrantBreach::Character { name: header.name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(origin: &str) -> Description {
        let parameter = |name: &str, place, fixed: Option<&str>| alp_sandbox::types::Parameter {
            name: name.to_owned(),
            place,
            fixed: fixed.map(ToOwned::to_owned),
        };
        let call = Call {
            name: "open-orders".to_owned(),
            origin: None,
            method: Method::Get,
            path: "/orders/{}".to_owned(),
            parameters: vec![
                parameter("status", Place::Query, Some("open")),
                parameter("id", Place::Query, None),
            ],
            headers: vec!["X-Key".to_owned()],
            body: BodyKind::None,
            signed: true,
            reply_headers: Vec::new(),
        };
        Description {
            exchange: "example".to_owned(),
            version: "1".to_owned(),
            notes: Vec::new(),
            origin: origin.to_owned(),
            calls: vec![call],
            lifetime: alp_sandbox::types::Lifetime::Unlimited,
            nonce: alp_sandbox::types::NonceKind::None,
            single_use: false,
            binds: alp_sandbox::types::Binding::default(),
            order_ids: alp_sandbox::types::OrderIdScope::Exchange,
            market_parameters: Vec::new(),
            credential_parameters: Vec::new(),
            extras: Vec::new(),
        }
    }

    fn request() -> Request {
        let field = |name: &str, value: &str| Field { name: name.to_owned(), value: value.to_owned() };
        Request {
            call: "open-orders".to_owned(),
            method: Method::Get,
            path: "/orders/btc".to_owned(),
            query: vec![field("status", "open"), field("id", "a=%3D")],
            headers: vec![field("X-Key", "k")],
            body: Body::None,
        }
    }

    fn breach(change: impl FnOnce(&mut Request)) -> GrantBreach {
        let mut request = request();
        change(&mut request);
        prepare(&description("https://api.example.com"), None, &request).err().unwrap()
    }

    #[test]
    fn a_granted_request_is_put_together_byte_for_byte() {
        let prepared = prepare(&description("https://api.example.com"), None, &request()).ok().unwrap();
        assert_eq!(prepared.url.as_str(), "https://api.example.com/orders/btc?status=open&id=a=%3D");
        let local = prepare(&description("https://x"), Some("http://127.0.0.1:1"), &request()).ok().unwrap();
        assert_eq!(local.url.as_str(), "http://127.0.0.1:1/orders/btc?status=open&id=a=%3D");
    }

    #[test]
    fn only_the_operator_names_an_origin_without_tls() {
        let refused = |origin: &str| prepare(&description(origin), None, &request()).err().unwrap();
        assert_eq!(refused("http://127.0.0.1:3334"), GrantBreach::NotTls);
        assert_eq!(refused(""), GrantBreach::NoOrigin);
        assert_eq!(refused("https://api.exchange.com@evil.example"), GrantBreach::Address);
    }

    #[test]
    fn whatever_was_not_declared_is_not_sent() {
        let undeclared = |name: &str| GrantBreach::Undeclared { name: name.to_owned() };
        let character = |name: &str| GrantBreach::Character { name: name.to_owned() };
        assert_eq!(breach(|r| r.call = "cancel".to_owned()), GrantBreach::UnknownCall);
        assert_eq!(breach(|r| r.method = Method::Post), GrantBreach::Method);
        assert_eq!(breach(|r| r.path = "/orders/../x".to_owned()), GrantBreach::Path);
        assert_eq!(breach(|r| r.query[1].name = "side".to_owned()), undeclared("side"));
        assert_eq!(breach(|r| r.query[1].value = "1&status=closed".to_owned()), character("id"));
        assert_eq!(breach(|r| r.query[1].value = "1#".to_owned()), character("id"));
        assert_eq!(
            breach(|r| r.query[0].value = "closed".to_owned()),
            GrantBreach::NotFixed { name: "status".into() }
        );
        assert_eq!(breach(|r| drop(r.query.remove(0))), GrantBreach::NotFixed { name: "status".into() });
        assert_eq!(breach(|r| r.query.push(r.query[1].clone())), GrantBreach::Twice { name: "id".into() });
        assert_eq!(breach(|r| r.headers[0].value = "k\r\nX: 1".to_owned()), character("X-Key"));
        assert_eq!(breach(|r| r.headers[0].name = "Host".to_owned()), undeclared("Host"));
        assert_eq!(breach(|r| r.body = Body::Text("x".to_owned())), GrantBreach::Body);
    }

    #[test]
    fn a_template_matches_one_stretch_of_one_segment() {
        assert!(path_matches("/api/v3/openOrders", "/api/v3/openOrders"));
        assert!(path_matches("/api/v2/open_orders/{}/", "/api/v2/open_orders/btcusd/"));
        assert!(path_matches("/v2/auth/r/orders/t{}", "/v2/auth/r/orders/tDOGE:UST"));
        assert!(path_matches("/a/{}-{}", "/a/x-y-z"));
        for path in ["/api/v3/openOrders/", "/api/v3/openorders", "/api/v3/openOrders?x=1", ""] {
            assert!(!path_matches("/api/v3/openOrders", path), "{path}");
        }
        for path in ["/o//", "/o/a/b/", "/o/../", "/o/%2e/", "/o/a b/", "/o/a?b/", "/o/a#/"] {
            assert!(!path_matches("/o/{}/", path), "{path}");
        }
    }
}
