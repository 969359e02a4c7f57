//! Which fault an answer becomes.

use alp_adapter::reply::{self, ErrorBody, Wording};
use alp_adapter::*;

const WORDING: Wording =
    Wording { throttled: &["too many"], unavailable: &["maintenance"], misconfigured: &["no such market"] };

#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl ErrorBody<'_> for Refusal {
    fn words(&self) -> Option<String> {
        Some(self.error.clone())
    }
}

fn decode_bytes(status: u16, body: &[u8]) -> Result<Vec<u64>, Fault> {
    let headers = vec![Field { name: "retry-after".to_owned(), value: "30".to_owned() }];
    reply::decode::<_, Refusal>(&Reply { status, headers, body: body.to_vec() }, &WORDING)
}

fn decode(status: u16, body: &str) -> Result<Vec<u64>, Fault> {
    decode_bytes(status, body.as_bytes())
}

fn saying(words: &str) -> String {
    format!(r#"{{"error":"{words}"}}"#)
}

#[test]
fn a_success_is_decoded() {
    assert_eq!(decode(200, "[1,2]").unwrap(), [1, 2]);
}

#[test]
fn an_error_text_is_judged_by_its_wording_whatever_the_status() {
    for status in [200, 400, 401, 403] {
        assert_eq!(decode(status, &saying("bad sign")), Err(Fault::Refused("bad sign".to_owned())));
        assert!(matches!(decode(status, &saying("TOO MANY calls")), Err(Fault::Throttled(_))));
        assert!(matches!(decode(status, &saying("Under maintenance")), Err(Fault::Unavailable(_))));
        assert!(matches!(decode(status, &saying("No such market")), Err(Fault::Misconfigured(_))));
        assert_eq!(
            decode(status, &saying(" ")),
            Err(Fault::Refused("the exchange gave no reason".to_owned()))
        );
    }
}

#[test]
fn a_throttling_status_carries_the_time_to_stay_away() {
    for status in [418, 429] {
        let Err(Fault::Throttled(throttle)) = decode(status, "<html>slow down</html>") else {
            panic!("not throttled")
        };
        assert_eq!(throttle.retry_after_ms, Some(30_000));
    }
}

#[test]
fn a_server_error_and_a_web_page_are_unavailability() {
    assert_eq!(decode(503, &saying("bad sign")), Err(Fault::Unavailable("bad sign".to_owned())));
    assert!(matches!(decode(502, ""), Err(Fault::Unavailable(_))));
    assert!(matches!(decode_bytes(500, b"\xff\xfe"), Err(Fault::Unavailable(_))));
    for status in [200, 403] {
        assert!(matches!(decode(status, " <!DOCTYPE html><title>x</title>"), Err(Fault::Unavailable(_))));
    }
}

#[derive(Deserialize)]
struct Late(String, u64, String);

impl ErrorBody<'_> for Late {
    const REFUSES_WITH_500: bool = true;

    fn words(&self) -> Option<String> {
        (self.0 == "error").then(|| format!("{}: {}", self.1, self.2))
    }
}

#[test]
fn an_exchange_that_refuses_with_500_is_judged_by_its_words_there_and_only_there() {
    let decode = |status, body: &str| {
        let reply = Reply { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
        reply::decode::<Vec<u64>, Late>(&reply, &WORDING).unwrap_err()
    };
    let refusal = r#"["error",10100,"apikey: invalid"]"#;
    assert_eq!(decode(500, refusal), Fault::Refused("10100: apikey: invalid".to_owned()));
    assert_eq!(decode(200, refusal), Fault::Refused("10100: apikey: invalid".to_owned()));
    assert!(matches!(decode(500, r#"["error",1,"too many calls"]"#), Fault::Throttled(_)));
    assert!(matches!(decode(500, "oops"), Fault::Unavailable(_)));
    assert!(matches!(decode(502, refusal), Fault::Unavailable(_)));
}

#[test]
fn a_refusal_without_json_is_still_a_refusal() {
    assert_eq!(decode(401, "Unauthorized"), Err(Fault::Refused("HTTP 401: Unauthorized".to_owned())));
    assert_eq!(decode(404, ""), Err(Fault::Refused("HTTP 404: nothing".to_owned())));
}

#[test]
fn anything_else_is_unreadable_with_a_short_clean_beginning() {
    let long = format!("[1,\u{1b}\"{}", "x".repeat(10_000));
    for (status, body) in [(200, "{}"), (200, ""), (200, "[1,"), (200, "[1.5]"), (302, "moved"), (200, &long)]
    {
        let Err(Fault::Unreadable(text)) = decode(status, body) else { panic!("{status} {body:.20}") };
        assert!(text.chars().count() <= 200 && !text.chars().any(char::is_control), "{text}");
    }
    assert!(matches!(decode_bytes(200, b"[1]\xff"), Err(Fault::Unreadable(_))));
}

#[test]
fn an_exact_two_hundred_characters_are_kept_and_more_are_cut() {
    assert_eq!(reply::clean(&"ü".repeat(200)).chars().count(), 200);
    let cut = reply::clean(&"ü".repeat(201));
    assert!(cut.chars().count() == 200 && cut.ends_with("ü..."));
    assert_eq!(reply::clean(" a\r\nb\u{7}c "), "a  b c");
}
