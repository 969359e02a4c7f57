//! Every exchange that alp has an adapter for, from the LP's signature to the credit: the built component signs,
//! the pool forwards, and an exchange that knows the signing rule for itself checks and lists.

mod trial;

use alp_tests::adapter_names;

use trial::Trial;

/// What is particular about an exchange.
struct Row {
    base: &'static str,
    quote: &'static str,
    prices: [&'static str; 3],
    /// The secret, another that is not the account's, and what the exchange itself has of the right one.
    secrets: [&'static str; 3],
    key: &'static str,
    passphrase: Option<&'static str>,
    account_id: Option<&'static str>,
    /// The market's parameter in the configuration: its name, its value here and its value for the foreign market.
    parameter: Option<[&'static str; 3]>,
    /// Where the submission names the market: the member, its value here and its value for the foreign market.
    market_named: Option<[&'static str; 3]>,
    /// The exchange's words on a wrong signature. In its words, `{sign}` and `{nonce}` are those of the message.
    wrong_secret: &'static str,
    /// The exchange's words on a message that it has seen before, where it minds.
    replay: Option<&'static str>,
    /// The exchange's words when it is out of service.
    outage: &'static str,
}

/// The reference price, one that is near enough for `rank_1`, and a far one.
const SMALL: [&str; 3] = ["0.004", "0.00398", "0.0038"];
/// Both ways round exact: this exchange lists NBT/BTC as BTC/NBT.
const INVERTED: [&str; 3] = ["0.004", "0.004", "0.0032"];
const LARGE: [&str; 3] = ["40000", "39800", "38000"];

const TEXT: [&str; 3] = ["the-secret", "another-secret", "the-secret"];
const BASE64: [&str; 3] = ["dGhlLXNlY3JldA==", "YW5vdGhlci1zZWNyZXQ=", "dGhlLXNlY3JldA=="];
/// Two private keys that are used nowhere, and the public key of the first.
const PEM: [&str; 3] = [
    "-----BEGIN EC PRIVATE KEY-----\n\
     MHcCAQEEIDoa2N3d91zgZxG3IH079ILij+eHXA3/eO7vHbWTiySDoAoGCCqGSM49\n\
     AwEHoUQDQgAEPdFiMNl3Cvl9rSLmlZsWkkTr3pJCzxlJfVwDpArnHTKT6GJlHUI6\n\
     XGFBJezEmQ5gtjbS7S6GXiCYinXclXkJ/w==\n-----END EC PRIVATE KEY-----\n",
    "-----BEGIN EC PRIVATE KEY-----\n\
     MHcCAQEEIKLscK5k3VahJBiyeva/DOef8RjkatNI//I4p/KTi3JLoAoGCCqGSM49\n\
     AwEHoUQDQgAEnb274ET7PolDukkJoLLhQfIeiTnDfllL3LrxEFrDdkQ/tw2B1Kbt\n\
     uGMX9BVySrNkjmtYgxSC1PfLj+DHmfJDXA==\n-----END EC PRIVATE KEY-----\n",
    "-----BEGIN PUBLIC KEY-----\n\
     MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPdFiMNl3Cvl9rSLmlZsWkkTr3pJC\n\
     zxlJfVwDpArnHTKT6GJlHUI6XGFBJezEmQ5gtjbS7S6GXiCYinXclXkJ/w==\n-----END PUBLIC KEY-----\n",
];

/// What most of the exchanges that are gone had in common.
const OLD: Row = Row {
    base: "NBT",
    quote: "BTC",
    prices: SMALL,
    secrets: TEXT,
    key: "the-key",
    passphrase: None,
    account_id: None,
    parameter: None,
    market_named: None,
    wrong_secret: "",
    replay: None,
    outage: "",
};

/// What most of today's have in common.
const NEW: Row = Row { base: "BTC", quote: "USDT", prices: LARGE, ..OLD };

/// One test for each row, named after the exchange.
macro_rules! exchanges {
    ($($id:ident => $row:expr,)*) => {
        const IDS: &[&str] = &[$(stringify!($id)),*];

        mod from_the_signature_to_the_credit {
            use super::*;

            $(#[tokio::test]
            async fn $id() {
                serves(stringify!($id), &$row).await;
            })*
        }
    };
}

exchanges! {
    binance => Row {
        market_named: Some(["symbol", "BTCUSDT", "LTCUSDT"]),
        wrong_secret: "-1022: Signature for this request is not valid.",
        outage: "-1001: Internal error; unable to process your request. Please try again.",
        ..NEW
    },
    bitcoincoid => Row {
        market_named: Some(["pair", "nbt_btc", "ltc_btc"]),
        wrong_secret: "Invalid credentials. Bad sign.",
        replay: Some("Invalid nonce. Nonce must be greater than {nonce}. Please try again."),
        outage: "Service temporarily unavailable.",
        ..OLD
    },
    bitfinex => Row {
        market_named: Some(["symbol", "tBTCUST", "tLTCUST"]),
        wrong_secret: "code 10112: signature: invalid",
        replay: Some("code 10114: nonce: small"),
        outage: "code 20060: maintenance",
        ..NEW
    },
    bitget => Row {
        passphrase: Some("the-passphrase"),
        market_named: Some(["symbol", "BTCUSDT", "LTCUSDT"]),
        wrong_secret: "code 40009: sign signature error",
        outage: "code 40725: service return an error",
        ..NEW
    },
    bitstamp => Row {
        quote: "USD",
        market_named: Some(["path", "/api/v2/open_orders/btcusd/", "/api/v2/open_orders/ltcusd/"]),
        wrong_secret: "API0005: Invalid signature",
        replay: Some("API0004: Invalid nonce"),
        outage: "Service unavailable",
        ..NEW
    },
    bittrex => Row {
        market_named: Some(["market", "BTC-NBT", "BTC-LTC"]),
        wrong_secret: "INVALID_SIGNATURE",
        outage: "SERVICE_UNAVAILABLE",
        ..OLD
    },
    bter => Row {
        wrong_secret: "Error: invalid key or sign, please re-generate it from your account.",
        outage: "Error: service unavailable",
        ..OLD
    },
    bybit => Row {
        market_named: Some(["symbol", "BTCUSDT", "LTCUSDT"]),
        wrong_secret: "retCode 10004: Error sign, please check your signature generation algorithm.",
        outage: "retCode 10016: Server error.",
        ..NEW
    },
    ccedk => Row {
        wrong_secret: "Sign: incorrect",
        replay: Some("Nonce: has already been used"),
        outage: "Service: unavailable",
        ..OLD
    },
    coinbase_advanced => Row {
        quote: "USD",
        key: "organizations/1/apiKeys/2",
        secrets: PEM,
        market_named: Some(["product_ids", "BTC-USD", "LTC-USD"]),
        wrong_secret: "HTTP 401: Unauthorized",
        outage: "UNAVAILABLE: Service unavailable",
        ..NEW
    },
    coinbase_exchange => Row {
        quote: "USD",
        secrets: BASE64,
        passphrase: Some("the-passphrase"),
        market_named: Some(["product_id", "BTC-USD", "LTC-USD"]),
        wrong_secret: "invalid signature",
        outage: "Service unavailable",
        ..NEW
    },
    cryptsy => Row {
        parameter: Some(["marketid", "442", "444"]),
        market_named: Some(["marketid", "442", "444"]),
        wrong_secret: "Unable to Authorize Request - Check Your Post Data",
        replay: Some("Unable to Authorize Request - Invalid Nonce"),
        outage: "Service Unavailable",
        ..OLD
    },
    gate => Row {
        market_named: Some(["currency_pair", "BTC_USDT", "LTC_USDT"]),
        wrong_secret: "INVALID_SIGNATURE: Signature mismatch",
        outage: "SERVER_ERROR: Service unavailable",
        ..NEW
    },
    hitbtc => Row {
        market_named: Some(["symbol", "BTCUSDT", "LTCUSDT"]),
        wrong_secret: "code 1002: Authorization is required or has been failed. invalid signature",
        outage: "code 503: Service temporarily unavailable. The service is under maintenance",
        ..NEW
    },
    htx => Row {
        account_id: Some("13496526"),
        market_named: Some(["symbol", "btcusdt", "ltcusdt"]),
        wrong_secret: "api-signature-not-valid: Signature not valid: Verification failure [校验失败]",
        outage: "system-maintenance: System is in maintenance",
        ..NEW
    },
    indodax => Row {
        quote: "IDR",
        market_named: Some(["pair", "btc_idr", "ltc_idr"]),
        wrong_secret: "invalid_credentials: Invalid credentials. Bad sign.",
        outage: "maintenance: Under maintenance",
        ..NEW
    },
    kraken => Row {
        quote: "USD",
        secrets: BASE64,
        wrong_secret: "EAPI:Invalid signature",
        replay: Some("EAPI:Invalid nonce"),
        outage: "EService:Unavailable",
        ..NEW
    },
    kucoin => Row {
        passphrase: Some("the-passphrase"),
        market_named: Some(["symbol", "BTC-USDT", "LTC-USDT"]),
        wrong_secret: "code 400004: KC-API-PASSPHRASE error",
        outage: "code 503000: Service unavailable",
        ..NEW
    },
    mexc => Row {
        market_named: Some(["symbol", "BTCUSDT", "LTCUSDT"]),
        wrong_secret: "code 700002: Signature for this request is not valid.",
        outage: "code 503: Service not available, please try again",
        ..NEW
    },
    okx => Row {
        passphrase: Some("the-passphrase"),
        market_named: Some(["instId", "BTC-USDT", "LTC-USDT"]),
        wrong_secret: "code 50113: Invalid Sign",
        outage: "code 50001: Service temporarily unavailable. Try again later",
        ..NEW
    },
    peatio => Row {
        market_named: Some(["market", "nbtbtc", "ltcbtc"]),
        wrong_secret: "2005: Signature {sign} is incorrect.",
        replay: Some("2006: The tonce {nonce} has already been used by access key the-key."),
        outage: "1000: Service unavailable",
        ..OLD
    },
    poloniex => Row {
        market_named: Some(["symbol", "BTC_USDT", "LTC_USDT"]),
        wrong_secret: "code 401: Signature is invalid",
        outage: "code 503: Service unavailable",
        ..NEW
    },
    poloniex_legacy => Row {
        market_named: Some(["currencyPair", "BTC_NBT", "BTC_LTC"]),
        wrong_secret: "Invalid API key/secret pair.",
        replay: Some("Nonce must be greater than {nonce}. You provided {nonce}."),
        outage: "Connection timed out. Please try again.",
        ..OLD
    },
    southxchange => Row {
        prices: INVERTED,
        wrong_secret: "Invalid hash",
        replay: Some("Invalid nonce"),
        outage: "An error has occurred.",
        ..OLD
    },
}

#[test]
fn every_adapter_has_its_row() {
    let names = adapter_names().into_iter().filter(|name| name != "test_exchange");
    assert_eq!(names.collect::<Vec<_>>(), IDS);
}

/// One LP at this exchange for one round: what is right is credited, what is wrong is told and changes nothing.
async fn serves(id: &'static str, row: &'static Row) {
    let mut trial = Trial::start(id, row).await;
    trial.orders_are_ranked().await;
    trial.a_replay_is_refused_or_changes_nothing().await;
    trial.a_wrong_secret_is_refused().await;
    trial.a_request_for_a_foreign_market_earns_nothing().await;
    trial.an_outage_is_told().await;
    trial.orders_are_credited().await;
}
