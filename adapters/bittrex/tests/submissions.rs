//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use bittrex::Bittrex;

const BITTREX: Submissions<Bittrex> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

/// A submission of the older form, with these URLs and a signature of the right form for each.
fn single(urls: &[&str]) -> Submission {
    let signs = serde_json::Value::from(vec!["0".repeat(128); urls.len()]);
    let urls = serde_json::Value::from(urls);
    let members = vec![Member::text("requests", urls.to_string()), Member::text("signs", signs.to_string())];
    Submission { members, sign: "anything".to_owned(), ..BITTREX.good() }
}

const GOOD: &str = "https://bittrex.com/api/v1.1/account/getorder?apikey=bittrex-test-key-fixture&nonce=1\
    &uuid=5b1cbd4f-9f0e-4d0b-8f3a-0f6d7f4a1c11";

#[test]
fn a_request_signed_for_another_market_is_refused() {
    BITTREX.refuses_text("market", "BTC-LTC");
}

#[test]
fn the_operators_endpoint_is_part_of_what_is_signed() {
    let endpoint = Some("https://api.bittrex.com".to_owned());
    let signed = Bittrex::start(Submission { endpoint, ..BITTREX.good() }).unwrap().signed;
    assert!(signed[0].starts_with("https://api.bittrex.com/api/v1.1/market/getopenorders?apikey="));
}

#[test]
fn with_signed_urls_the_member_sign_can_be_anything() {
    let started = Bittrex::start(single(&[GOOD, GOOD])).unwrap();
    assert_eq!((started.freshness.len(), started.signed.len()), (2, 2));
    assert_eq!(started.signed[0], GOOD);
}

#[test]
fn any_other_url_is_refused() {
    let others = [
        GOOD.replace("https:", "http:"),
        GOOD.replace("bittrex.com", "bittrex.com.example.org"),
        GOOD.replace("bittrex.com", "bittrex.com@example.org"),
        GOOD.replace("account/getorder", "account/withdraw"),
        GOOD.replace("account/getorder", "account/../market/cancel"),
        GOOD.replace("apikey=bittrex-test-key-fixture", "apikey=somebody-elses"),
        GOOD.replace("nonce=1", "nonce="),
        GOOD.replace("nonce=1", "nonce=1&apikey=2"),
        GOOD.replace("&uuid=5b1", "&uuid=5b1&"),
        format!("{GOOD}&currency=BTC"),
        format!("{GOOD}#"),
    ];
    for other in others {
        assert_ne!(other, GOOD);
        BITTREX.refuses(single(&[&other]));
    }
}

#[test]
fn only_one_or_two_urls_with_as_many_signatures_are_taken() {
    BITTREX.refuses(single(&[]));
    BITTREX.refuses(single(&[GOOD, GOOD, GOOD]));
    let mut unsigned = single(&[GOOD, GOOD]);
    unsigned.members[1] = Member::text("signs", "[]");
    BITTREX.refuses(unsigned);
    let mut both = single(&[GOOD]);
    both.members.push(Member::text("market", "BTC-NBT"));
    BITTREX.refuses(both);
}
