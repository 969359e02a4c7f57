//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use cryptsy::Cryptsy;

const CRYPTSY: Submissions<Cryptsy> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

fn configured(market_id: Option<&str>) -> Submission {
    let mut submission = CRYPTSY.good();
    let field = |id: &str| Field { name: "marketid".to_owned(), value: id.to_owned() };
    submission.market.parameters = market_id.map(field).into_iter().collect();
    submission
}

#[test]
fn another_command_or_market_is_refused() {
    CRYPTSY.refuses_text("method", "allmyorders");
    let text = CRYPTSY.refuses_number("marketid", "14");
    assert!(text.contains("`442`") && text.contains("`14`"), "{text}");
    CRYPTSY.refuses_number("marketid", "0442");
}

#[test]
fn a_market_without_its_number_is_for_the_operator_to_mend() {
    assert!(Cryptsy::start(configured(Some("442"))).is_ok());
    for wrong in [None, Some(""), Some("NBT/BTC")] {
        let started = Cryptsy::start(configured(wrong));
        assert!(matches!(started, Err(Fault::Misconfigured(text)) if text.contains("`marketid`")));
    }
}

#[test]
fn a_nonce_that_would_add_a_parameter_is_refused() {
    CRYPTSY.refuses_text("nonce", "1&method=createorder");
}
