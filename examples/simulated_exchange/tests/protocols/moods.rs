use alp_simulated_exchange::{Behaviour, Decimal};
use serde_json::Value;

use crate::signed_call::SignedCall;
use crate::{
    binance, bitcoincoid, bitfinex, bitget, bitstamp, bittrex, bter, bybit, ccedk, coinbase_advanced,
    coinbase_exchange, cryptsy, gate, hitbtc, htx, indodax, kraken, kucoin, mexc, okx, peatio, poloniex,
    poloniex_legacy, southxchange,
};

const CALLS: &[SignedCall] = &[
    binance::CALL,
    bitcoincoid::CALL,
    bitfinex::CALL,
    bitget::CALL,
    bitstamp::CALL,
    bittrex::CALL,
    bter::CALL,
    bybit::CALL,
    ccedk::CALL,
    coinbase_advanced::CALL,
    coinbase_exchange::CALL,
    cryptsy::CALL,
    gate::CALL,
    hitbtc::CALL,
    htx::CALL,
    indodax::CALL,
    kraken::CALL,
    kucoin::CALL,
    mexc::CALL,
    okx::CALL,
    peatio::CALL,
    poloniex::CALL,
    poloniex_legacy::CALL,
    southxchange::CALL,
];

/// The depth at which the members of an order begin in every protocol.
const ORDER_DEPTH: usize = 2;

/// Numbers, and texts that are numbers, among the members of orders; not those that stand alone in a list.
fn numbers(value: &Value, depth: usize) -> usize {
    match value {
        Value::Array(list) if list.len() == 1 && list[0].is_number() => 0,
        Value::Array(list) => list.iter().map(|item| numbers(item, depth + 1)).sum(),
        Value::Object(map) => map.values().map(|item| numbers(item, depth + 1)).sum(),
        Value::Number(_) => usize::from(depth >= ORDER_DEPTH),
        Value::String(text) => usize::from(depth >= ORDER_DEPTH && text.parse::<Decimal>().is_ok()),
        Value::Null | Value::Bool(_) => 0,
    }
}

#[tokio::test]
async fn wrong_types_are_in_every_number_of_an_order_and_nowhere_else() {
    for call in CALLS {
        let fixture = call.exchange().await;
        fixture.handle.set_behaviour(Behaviour::WrongTypes);
        let (status, wrong) = fixture.send("", "").await;
        assert_eq!((status, numbers(&wrong, 0)), (200, 0), "{}: {wrong}", call.exchange);
        fixture.handle.set_behaviour(Behaviour::Normal);
        let (_, right) = fixture.send("", "").await;
        assert!(numbers(&right, 0) > 0, "{}: {right}", call.exchange);
        // What is around the orders stays as it is.
        if let (Some(wrong), Some(right)) = (wrong.as_object(), right.as_object()) {
            assert!(wrong.keys().eq(right.keys()), "{}", call.exchange);
            assert!(
                wrong
                    .iter()
                    .all(|(name, value)| value.is_object() || value.is_array() || *value == right[name])
            );
        }
    }
}

#[tokio::test]
async fn an_outage_and_too_many_requests_are_told_in_json_and_use_nothing_up() {
    for call in CALLS {
        let fixture = call.exchange().await;
        fixture.handle.set_behaviour(Behaviour::Outage);
        let (status, down) = fixture.send("", "").await;
        assert!(status == 503 && (down.is_object() || down.is_array()), "{}: {down}", call.exchange);
        fixture.handle.set_behaviour(Behaviour::Throttle { retry_after_s: 7 });
        let (status, busy) = fixture.send("", "").await;
        assert!([200, 429].contains(&status) && busy != down, "{}: {busy}", call.exchange);
        fixture.handle.set_behaviour(Behaviour::Normal);
        assert_eq!(fixture.send("", "").await.0, 200, "{}", call.exchange);
    }
}

#[tokio::test]
async fn the_log_of_requests_has_neither_key_nor_signature() {
    for call in CALLS {
        let fixture = call.exchange().await;
        assert_eq!(fixture.send("", "").await.0, 200, "{}", call.exchange);
        let log = fixture.handle.requests();
        assert_eq!(log.count, 1);
        let line = &log.last[0];
        assert!(!line.query.contains(call.sign) && !line.query.contains(call.key), "{}", line.query);
    }
}
