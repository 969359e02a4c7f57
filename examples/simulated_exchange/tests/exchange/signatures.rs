use std::sync::atomic::Ordering;

use alp_simulated_exchange::{NewOrder, Side, WINDOW_MS};

use crate::client::{KEY, NOW_MS, SECRET, exchange};

/// The example of the protocol's description.
const DESCRIBED: &str = "9c3e4718579a9eabe8258b6f1ef8d73752413aa05fcb01ea90c09bbe20751d96";

#[tokio::test]
async fn the_signature_of_the_description_lists_the_orders() {
    let fixture = exchange().await;
    let order = NewOrder {
        market: "NBT_BTC".to_owned(),
        side: Side::Sell,
        price: "0.00250".parse().unwrap(),
        amount: "100".parse().unwrap(),
    };
    let placed = fixture.exchange.place(KEY, order).unwrap();
    fixture.exchange.fill(KEY, placed.id, "0.5".parse().unwrap()).unwrap();
    let query = format!("market=NBT_BTC&nonce={NOW_MS}&timestamp={NOW_MS}");
    let answer = fixture.get_with_sign(KEY, DESCRIBED, &query).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let expected = serde_json::json!({"success": true, "orders": [{
        "id": "1001", "market": "NBT_BTC", "side": "sell", "type": "limit", "price": "0.0025",
        "amount": "100", "filled": "0.5", "opened_ms": NOW_MS,
    }]});
    assert_eq!(answer.json, expected);
}

#[tokio::test]
async fn a_wrong_secret_key_market_or_path_is_refused_with_its_own_code() {
    let fixture = exchange().await;
    let query = format!("market=NBT_BTC&nonce=1&timestamp={NOW_MS}");
    let wrong_secret = fixture.get(KEY, "another-secret", &query).await;
    assert_eq!(wrong_secret.error(), (401, "bad-signature"));
    let wrong_key = fixture.get("another-key", SECRET, &query).await;
    assert_eq!(wrong_key.error(), (401, "unknown-key"));
    let capitals = fixture.get_with_sign(KEY, &DESCRIBED.to_uppercase(), &query).await;
    assert_eq!(capitals.error(), (401, "bad-signature"));
    let elsewhere = query.replace("BTC", "USD");
    let wrong_market = fixture.get(KEY, SECRET, &elsewhere).await;
    assert_eq!(wrong_market.error(), (400, "unknown-market"));
    let twice = fixture.get(KEY, SECRET, &format!("{query}&market=NBT_USD")).await;
    assert_eq!(twice.error(), (400, "malformed"));
    assert_eq!(fixture.post("/api/v1/withdraw", 5, "amount=1").await.error(), (404, "unknown-call"));
}

#[tokio::test]
async fn a_signature_covers_every_parameter() {
    let fixture = exchange().await;
    fixture.exchange.add_market("NBT", "USD", "1".parse().unwrap()).unwrap();
    let query = format!("market=NBT_USD&nonce={NOW_MS}&timestamp={NOW_MS}");
    let answer = fixture.get_with_sign(KEY, DESCRIBED, &query).await;
    assert_eq!(answer.error(), (401, "bad-signature"));
}

#[tokio::test]
async fn a_request_works_once_and_refused_ones_use_no_nonce_up() {
    let fixture = exchange().await;
    let query = format!("market=NBT_BTC&nonce=7&timestamp={NOW_MS}");
    let forged = fixture.get(KEY, "another-secret", &query).await;
    assert_eq!(forged.error(), (401, "bad-signature"));
    assert_eq!(fixture.get(KEY, SECRET, &query).await.status, 200);
    assert_eq!(fixture.get(KEY, SECRET, &query).await.error(), (400, "nonce-too-small"));
    assert_eq!(fixture.open_orders(6).await.error(), (400, "nonce-too-small"));
    assert_eq!(fixture.open_orders(8).await.status, 200);
}

#[tokio::test]
async fn each_key_has_its_own_nonces() {
    let fixture = exchange().await;
    fixture.exchange.add_account("second", "its-secret").unwrap();
    assert_eq!(fixture.open_orders(9).await.status, 200);
    let query = format!("market=NBT_BTC&nonce=3&timestamp={NOW_MS}");
    assert_eq!(fixture.get("second", "its-secret", &query).await.status, 200);
}

#[tokio::test]
async fn a_timestamp_is_good_to_the_edge_of_the_window_and_no_further() {
    let fixture = exchange().await;
    for (nonce, timestamp, good) in [
        (1, NOW_MS - WINDOW_MS, true),
        (2, NOW_MS + WINDOW_MS, true),
        (3, NOW_MS - WINDOW_MS - 1, false),
        (4, NOW_MS + WINDOW_MS + 1, false),
    ] {
        let query = format!("market=NBT_BTC&nonce={nonce}&timestamp={timestamp}");
        let answer = fixture.get(KEY, SECRET, &query).await;
        if good {
            assert_eq!(answer.status, 200, "{}", answer.json);
        } else {
            assert_eq!(answer.error(), (400, "timestamp-outside-window"));
        }
    }
    fixture.now_ms.store(NOW_MS + 2 * WINDOW_MS, Ordering::SeqCst);
    assert_eq!(fixture.open_orders(5).await.status, 200);
}

#[tokio::test]
async fn the_log_of_requests_has_paths_and_queries_and_no_signature() {
    let fixture = exchange().await;
    assert_eq!(fixture.open_orders(1).await.status, 200);
    let log = fixture.exchange.requests();
    assert_eq!((log.count, log.last.len()), (1, 1));
    let line = &log.last[0];
    assert_eq!((line.method.as_str(), line.path.as_str()), ("GET", "/api/v1/open-orders"));
    assert_eq!(line.query, format!("market=NBT_BTC&nonce=1&timestamp={NOW_MS}"));
}
