//! What a submission can and cannot make the pool do.

use alp_adapter::testing::Submissions;
use alp_adapter::*;
use kraken::Kraken;

const KRAKEN: Submissions<Kraken> = Submissions::of_crate(env!("CARGO_MANIFEST_DIR"));

const DOGE: &str = r#"{"error":["WGeneral:Danger"],"result":{"open":{"O1":{"status":"open","opentm":1760000000.5,
    "descr":{"pair":"XDGUSD","type":"buy","ordertype":"limit","price":"0.25","leverage":"none"},
    "vol":"10","vol_exec":"1","oflags":"fciq"},"O2":{"status":"open","opentm":1760000000.5,
    "descr":{"pair":"XDGUSD","type":"buy","ordertype":"limit","price":"0.25","leverage":"none"},
    "vol":"10","vol_exec":"1","oflags":"fciq,viqc"},"O3":{"status":"open","opentm":1760000000.5,
    "descr":{"type":"buy","ordertype":"limit","price":"0.25","leverage":"none"},"vol":"10","vol_exec":"1"}}}}"#;

#[test]
fn markets_go_by_the_exchanges_own_names_and_a_warning_is_no_error() {
    let mut doge = KRAKEN.good();
    doge.market.base = "DOGE".to_owned();
    let orders = KRAKEN.read(doge, DOGE).unwrap().orders;
    assert_eq!(
        orders.iter().map(|order| (order.id.as_str(), order.amount.as_str())).collect::<Vec<_>>(),
        [("O1", "9")]
    );
}

#[test]
fn error_texts_become_the_fault_of_whoever_must_act() {
    let fault = |text: &str| KRAKEN.fault(&format!(r#"{{"error":["{text}"]}}"#));
    assert!(matches!(fault("EAPI:Rate limit exceeded"), Fault::Throttled(_)));
    assert!(matches!(fault("EService:Unavailable"), Fault::Unavailable(_)));
    assert_eq!(fault("EAPI:Invalid key"), Fault::Refused("EAPI:Invalid key".to_owned()));
    assert!(matches!(KRAKEN.fault(r#"{"error":[]}"#), Fault::Unreadable(_)));
}

#[test]
fn a_nonce_beyond_64_bits_and_an_otp_are_refused() {
    KRAKEN.refuses_number("nonce", "18446744073709551616");
    assert!(KRAKEN.refuses_text("otp", "123456").contains("`otp`"));
}

#[test]
fn a_signature_that_is_not_64_bytes_in_base64_is_refused() {
    KRAKEN.refuses(Submission { sign: "AAAA".to_owned(), ..KRAKEN.good() });
}
