//! What `fields` lets through.

#![allow(clippy::panic, reason = "a test stops at the first thing that is not as expected")]

use alp_adapter::fields::{self, Chars, Declared};
use alp_adapter::*;

const REQ: [Declared; 3] = [
    fields::text("symbol", Chars::Capitals).at_most(8),
    fields::digits("window").optional(),
    fields::exactly("command", "list"),
];

fn submission(members: &[(&str, Scalar)]) -> Submission {
    let member = |(name, value): &(&str, Scalar)| Member { name: (*name).to_owned(), value: value.clone() };
    Submission {
        user: "key".to_owned(),
        members: members.iter().map(member).collect(),
        sign: "00".to_owned(),
        market: Market { base: "NBT".to_owned(), quote: "BTC".to_owned(), parameters: Vec::new() },
        endpoint: None,
        now_ms: 0,
        explain: false,
        extras: Vec::new(),
    }
}

fn text(value: &str) -> Scalar {
    Scalar::Text(value.to_owned())
}

fn number(value: &str) -> Scalar {
    Scalar::Number(value.to_owned())
}

fn refusal(members: &[(&str, Scalar)]) -> String {
    match fields::take(&submission(members), REQ) {
        Err(Fault::Unusable(text)) => text,
        other => panic!("it should be unusable, is {other:?}"),
    }
}

#[test]
fn declared_members_come_in_the_order_of_the_declaration() {
    let members = submission(&[("command", text("list")), ("window", number("5")), ("symbol", text("AB1"))]);
    assert_eq!(fields::take(&members, REQ).unwrap(), ["AB1", "5", "list"]);
    let members = submission(&[("symbol", text("AB1")), ("command", text("list"))]);
    assert_eq!(fields::take(&members, REQ).unwrap(), ["AB1", "", "list"]);
}

#[test]
fn digits_are_taken_from_a_text_too_and_a_text_never_from_a_number() {
    let members = submission(&[("symbol", text("A")), ("window", text("05")), ("command", text("list"))]);
    assert_eq!(fields::take(&members, REQ).unwrap()[1], "05");
    let sentence = refusal(&[("symbol", number("1")), ("command", text("list"))]);
    assert!(sentence.contains("`req.symbol`") && sentence.contains("not a number"), "{sentence}");
}

#[test]
fn unknown_double_and_missing_members_are_named() {
    let good = [("symbol", text("A")), ("command", text("list"))];
    let plus = |name, value| [good.as_slice(), &[(name, value)]].concat();
    let sentence = refusal(&plus("orderId", text("1")));
    assert!(sentence.contains("`orderId`") && sentence.contains("`symbol`, `window` (or not), `command`"));
    assert!(refusal(&plus("symbol", text("A"))).contains("`symbol` twice"));
    assert!(refusal(&[("command", text("list"))]).contains("lacks the member `symbol`"));
}

#[test]
fn a_value_that_is_not_as_declared_is_refused_and_not_repeated() {
    for wrong in ["", "small", "A B", "A&B", "A\n", "ÄÖ", "ABCDEFGHI"] {
        let sentence = refusal(&[("symbol", text(wrong)), ("command", text("list"))]);
        assert!(wrong.is_empty() || !sentence.contains(wrong), "{sentence}");
    }
    for wrong in ["-1", "1e3", "1.0", "+1", "123456789012345678901"] {
        refusal(&[("symbol", text("A")), ("window", number(wrong)), ("command", text("list"))]);
    }
    assert!(refusal(&[("symbol", text("A")), ("command", text("withdraw"))]).contains("`list`"));
}

#[test]
fn a_key_that_would_break_a_header_is_refused() {
    let user = |user: &str| Submission { user: user.to_owned(), ..submission(&[]) };
    assert_eq!(fields::user(&user("k-1"), Chars::Visible).unwrap(), "k-1");
    for wrong in ["", "k\r\nX-Admin: 1", "k k", &"k".repeat(257)] {
        assert!(matches!(fields::user(&user(wrong), Chars::Visible), Err(Fault::Unusable(_))));
    }
}

#[test]
fn the_signed_market_has_to_be_the_one_asked_for() {
    assert!(fields::expect_market("pair", "NBT_BTC", "NBT_BTC").is_ok());
    let Err(Fault::Unusable(sentence)) = fields::expect_market("pair", "NBT_USD", "NBT_BTC") else {
        panic!("it was accepted")
    };
    assert_eq!(
        sentence,
        "`req.pair` should be `NBT_BTC` for this market; the request was signed for `NBT_USD`"
    );
}
