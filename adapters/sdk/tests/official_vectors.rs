//! Signatures that the exchanges themselves published, made with nothing but this crate.

use alp_adapter::Form;
use alp_adapter::sign::{base64, base64_secret, hex, hmac_sha256, hmac_sha512, sha256, sha512};

#[test]
fn binance_new_order() {
    let text = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000\
        &timestamp=1499827319559";
    assert_eq!(
        hex(&hmac_sha256(
            b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
            text.as_bytes()
        )),
        "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"
    );
}

#[test]
fn kraken_add_order() {
    let secret = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==";
    let body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25";
    let digest = sha256(format!("1616492376594{body}").as_bytes());
    let message = [b"/0/private/AddOrder".as_slice(), &digest].concat();
    assert_eq!(
        base64(&hmac_sha512(&base64_secret(secret).unwrap(), &message)),
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    );
}

#[test]
fn gate_futures_orders() {
    let query = Form::new().with("contract", "BTC_USD").with("status", "finished").with("limit", "50").text();
    let text = format!("GET\n/api/v4/futures/orders\n{query}\n{}\n1541993715", hex(&sha512(b"")));
    assert_eq!(
        hex(&hmac_sha512(b"secret", text.as_bytes())),
        "55f84ea195d6fe57ce62464daaa7c3c02fa9d1dde954e4c898289c9a2407a3d6\
         fb3faf24deff16790d726b66ac9f74526668b13bd01029199cc4fcc522418b8a"
    );
}

#[test]
fn peatio_markets() {
    let query = Form::new().with("tonce", "123456789").with("foo", "bar").with("access_key", "xxx").sorted();
    assert_eq!(
        hex(&hmac_sha256(b"yyy", format!("GET|/api/v2/markets|{}", query.text()).as_bytes())),
        "e324059be4491ed8e528aa7b8735af1e96547fbec96db962d51feb7bf1b64dee"
    );
}

#[test]
fn indodax_get_info() {
    let secret = b"f60617a68fcce028f0a90bc9eb765d17379eb548cc935c01a7ee3186eecf870e9b68f27a31bcfe8d";
    assert_eq!(
        hex(&hmac_sha512(secret, b"method=getInfo&timestamp=1578304294000&recvWindow=1578303937000")),
        "bab004e5a518740d7a33b38b44dbebecd3fb39f40b42391af39fcce06edabff5\
         233b3e8064a07c528d1c751a6923d5116026c7786e01b22e2d35277a098cae99"
    );
}
