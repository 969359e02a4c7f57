//! What must never be printed is not.

use alp_sandbox::types::{Body, Field, Member, Method, Pending, Request, Scalar, SignQuery, Signed, Step};

use crate::{market, submission};

const SECRET: &str = "hunter2";

fn field(name: &str) -> Field {
    Field { name: name.into(), value: SECRET.into() }
}

#[test]
fn the_debug_text_of_a_query_has_no_secret() {
    let query = SignQuery {
        user: "the key".into(),
        secret: SECRET.into(),
        parameters: vec![field("passphrase")],
        market: market(),
        endpoint: None,
        now_ms: 1,
        nonce: SECRET.into(),
        extras: vec![field("more")],
    };
    let text = format!("{query:?} {query:#?}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("the key") && text.contains("passphrase"), "{text}");
}

#[test]
fn the_debug_text_of_what_was_signed_has_no_signature() {
    let members = vec![Member { name: "nonce".into(), value: Scalar::Text(SECRET.into()) }];
    let signed = Signed { members: members.clone(), sign: SECRET.into() };
    let mut submission = submission();
    submission.members = members;
    submission.sign = SECRET.into();
    let request = Request {
        call: "open-orders".into(),
        method: Method::Post,
        path: "/orders".into(),
        query: vec![field("signature")],
        headers: vec![field("sign")],
        body: Body::Form(vec![field("sign")]),
    };
    let in_text = Request { body: Body::Text(SECRET.into()), ..request.clone() };
    let step = Step::Send(Pending { request, state: SECRET.into() });
    let text = format!("{signed:?} {submission:?} {step:?} {in_text:?}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("open-orders") && text.contains("nonce"), "{text}");
}
