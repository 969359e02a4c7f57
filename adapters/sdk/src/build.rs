//! Short ways to write down calls, requests and answers.

use crate::fields;
use crate::form::Form;
use crate::{
    Binding, Body, BodyKind, Call, Description, Fault, Field, Freshness, Lifetime, Market, Member, Method,
    NonceKind, Order, OrderIdScope, OrderList, Parameter, ParameterNeed, Pending, Place, Request, Scalar,
    SignQuery, Signed, Started, Step, Submission,
};

/// What a throttling exchange says it in.
const RETRY_AFTER: &str = "retry-after";

impl Description {
    /// What every adapter says. The rest is as careful as can be until the adapter says more: signed requests
    /// live for ever, the signature fixes nothing, ids are unique within an account only, nothing is needed.
    ///
    /// ```
    /// # use alp_adapter::*;
    /// let calls = vec![Call::get("open-orders", "/orders").with(&["pair"]).headers(&["Key", "Sign"])];
    /// let description = Description {
    ///     binds: Binding::PATH | Binding::PARAMETERS | Binding::MARKET,
    ///     ..Description::new("example", "1.0.0", "https://api.example.com", &["A note."], calls)
    /// };
    /// ```
    pub fn new(exchange: &str, version: &str, origin: &str, notes: &[&str], calls: Vec<Call>) -> Self {
        Description {
            exchange: exchange.to_owned(),
            version: version.to_owned(),
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            origin: origin.to_owned(),
            calls,
            lifetime: Lifetime::Unlimited,
            nonce: NonceKind::None,
            single_use: false,
            binds: Binding::empty(),
            order_ids: OrderIdScope::Account,
            market_parameters: Vec::new(),
            credential_parameters: Vec::new(),
            extras: Vec::new(),
        }
    }
}

impl Freshness {
    /// Of a request that carries a nonce which is a whole number. `name` is the member's.
    ///
    /// # Errors
    /// The bot's fault, if it exceeds 64 bits.
    pub fn of_nonce(name: &str, nonce: &str) -> Result<Self, Fault> {
        let rising = Some(fields::whole(name, nonce)?);
        Ok(Freshness { nonce: Some(nonce.to_owned()), rising, expires_ms: None })
    }

    /// The same, and the exchange stops accepting it `lifetime_ms` after `signed_ms`, in Unix milliseconds.
    #[must_use]
    pub fn expiring(self, signed_ms: u64, lifetime_ms: u64) -> Self {
        Freshness { expires_ms: signed_ms.checked_add(lifetime_ms), ..self }
    }
}

impl Call {
    /// A signed GET.
    pub fn get(name: &str, path: &str) -> Self {
        Call {
            name: name.to_owned(),
            origin: None,
            method: Method::Get,
            path: path.to_owned(),
            parameters: Vec::new(),
            headers: Vec::new(),
            body: BodyKind::None,
            signed: true,
            reply_headers: vec![RETRY_AFTER.to_owned()],
        }
    }

    /// A signed POST of a form.
    pub fn post_form(name: &str, path: &str) -> Self {
        Call { method: Method::Post, body: BodyKind::Form, ..Call::get(name, path) }
    }

    /// A signed POST of a text.
    pub fn post_text(name: &str, path: &str) -> Self {
        Call { method: Method::Post, body: BodyKind::Text, ..Call::get(name, path) }
    }

    /// Declares parameters whose values differ from request to request.
    #[must_use]
    pub fn with(mut self, names: &[&str]) -> Self {
        let place = self.place();
        self.parameters.extend(names.iter().map(|name| Parameter {
            name: (*name).to_owned(),
            place,
            fixed: None,
        }));
        self
    }

    /// Declares a parameter that only ever has this value.
    #[must_use]
    pub fn with_fixed(mut self, name: &str, value: &str) -> Self {
        let place = self.place();
        self.parameters.push(Parameter { name: name.to_owned(), place, fixed: Some(value.to_owned()) });
        self
    }

    /// Declares the headers it sets.
    #[must_use]
    pub fn headers(mut self, names: &[&str]) -> Self {
        self.headers.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Makes it a public look-up, which carries no signature.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.signed = false;
        self
    }

    /// Parameters of a form call stand in the form, all others in the query.
    fn place(&self) -> Place {
        match self.body {
            BodyKind::Form => Place::Form,
            BodyKind::None | BodyKind::Text => Place::Query,
        }
    }
}

impl Request {
    /// A GET of the call of this name.
    pub fn get(call: &str, path: &str, query: Form) -> Self {
        Request {
            call: call.to_owned(),
            method: Method::Get,
            path: path.to_owned(),
            query: query.into_fields(),
            headers: Vec::new(),
            body: Body::None,
        }
    }

    /// A POST of a form.
    pub fn post_form(call: &str, path: &str, form: Form) -> Self {
        let get = Request::get(call, path, Form::new());
        Request { method: Method::Post, body: Body::Form(form.into_fields()), ..get }
    }

    /// A POST of a text.
    pub fn post_text(call: &str, path: &str, text: &str) -> Self {
        let get = Request::get(call, path, Form::new());
        Request { method: Method::Post, body: Body::Text(text.to_owned()), ..get }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Field { name: name.to_owned(), value: value.to_owned() });
        self
    }
}

impl Step {
    /// Send this and come back with the reply, without notes.
    pub fn request(request: Request) -> Self {
        Step::Send(Pending { request, state: Vec::new() })
    }

    /// Done: these are all open orders, where each was read, and `None` is one that does not count after all.
    ///
    /// # Errors
    /// The first fault among them.
    pub fn collect(read: impl Iterator<Item = Result<Option<Order>, Fault>>) -> Result<Self, Fault> {
        read.filter_map(Result::transpose).collect::<Result<_, _>>().map(Step::done)
    }

    /// Done: these are all open orders.
    pub fn done(orders: Vec<Order>) -> Self {
        Step::Orders(OrderList { orders, account: None, maybe_truncated: false })
    }

    /// Says that these orders came out of a page of `count` orders of every kind, where the exchange sends no
    /// more than `limit` at once: a full page may not be all. A step that is not the last stays as it is.
    ///
    /// ```
    /// # use alp_adapter::*;
    /// let is_cut = |step| matches!(step, Step::Orders(OrderList { maybe_truncated: true, .. }));
    /// assert!(is_cut(Step::done(Vec::new()).of_page(100, 100)));
    /// assert!(!is_cut(Step::done(Vec::new()).of_page(99, 100)));
    /// ```
    #[must_use]
    pub fn of_page(self, count: usize, limit: usize) -> Self {
        match self {
            Step::Orders(list) => Step::Orders(OrderList { maybe_truncated: count >= limit, ..list }),
            Step::Send(_) | Step::LookUp(_) => self,
        }
    }
}

impl Started {
    /// One signed request and nothing else. `signed` writes down what was signed; it runs only if the
    /// submission asks for it.
    pub fn send(
        submission: &Submission,
        request: Request,
        freshness: Freshness,
        signed: impl Fn() -> String,
    ) -> Self {
        let signed = if submission.explain { vec![signed()] } else { Vec::new() };
        Started { step: Step::request(request), freshness: vec![freshness], signed }
    }
}

impl Member {
    /// A member that is a JSON string.
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        Member { name: name.to_owned(), value: Scalar::Text(value.into()) }
    }

    /// A member that is a JSON number.
    pub fn number(name: &str, value: u64) -> Self {
        Member { name: name.to_owned(), value: Scalar::Number(value.to_string()) }
    }
}

impl ParameterNeed {
    /// Something without which nothing works.
    pub fn required(name: &str, purpose: &str) -> Self {
        ParameterNeed { name: name.to_owned(), purpose: purpose.to_owned(), optional: false }
    }

    /// Something that can be left out.
    pub fn optional(name: &str, purpose: &str) -> Self {
        ParameterNeed { name: name.to_owned(), purpose: purpose.to_owned(), optional: true }
    }
}

impl Market {
    /// What the operator configured under this name.
    ///
    /// # Errors
    /// The operator's fault, if there is no such parameter.
    pub fn parameter(&self, name: &str) -> Result<&str, Fault> {
        find(&self.parameters, name)
            .ok_or_else(|| Fault::Misconfigured(format!("the market's parameter `{name}` is not configured")))
    }
}

impl Submission {
    /// The origin the request goes to: the operator's endpoint or else the adapter's `own`.
    pub fn origin<'a>(&'a self, own: &'a str) -> &'a str {
        self.endpoint.as_deref().unwrap_or(own)
    }

    /// The host in it, for exchanges that sign that; with a port, if one is written there.
    pub fn host<'a>(&'a self, own: &'a str) -> &'a str {
        host(self.origin(own))
    }
}

impl SignQuery {
    /// The origin the request is meant for: the given endpoint or else the adapter's `own`.
    pub fn origin<'a>(&'a self, own: &'a str) -> &'a str {
        self.endpoint.as_deref().unwrap_or(own)
    }

    /// As [`Submission::host`].
    pub fn host<'a>(&'a self, own: &'a str) -> &'a str {
        host(self.origin(own))
    }

    /// What else the LP has, if there is something under this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        find(&self.parameters, name)
    }

    /// What else the LP must have.
    ///
    /// # Errors
    /// The caller's fault, if there is nothing under this name.
    pub fn required(&self, name: &str) -> Result<&str, Fault> {
        self.parameter(name)
            .ok_or_else(|| Fault::Unusable(format!("signing needs the credential `{name}`; it is not given")))
    }
}

impl Signed {
    /// The members of `req` in the order to be written, and the signature.
    pub fn new(members: impl Into<Vec<Member>>, sign: String) -> Self {
        Signed { members: members.into(), sign }
    }
}

fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

fn find<'a>(fields: &'a [Field], name: &str) -> Option<&'a str> {
    fields.iter().find(|field| field.name == name).map(|field| field.value.as_str())
}
