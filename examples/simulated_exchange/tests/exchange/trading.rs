use alp_simulated_exchange::{Behaviour, MAX_ORDERS_PER_ACCOUNT, NewOrder, Refusal, Side};

use crate::client::{KEY, answer, exchange};

const PLACE: &str = "/api/v1/orders";
const CANCEL: &str = "/api/v1/orders/cancel";

fn order() -> NewOrder {
    NewOrder {
        market: "NBT_BTC".to_owned(),
        side: Side::Buy,
        price: "0.0024".parse().unwrap(),
        amount: "10".parse().unwrap(),
    }
}

#[tokio::test]
async fn orders_are_placed_listed_and_cancelled_by_id() {
    let fixture = exchange().await;
    let sell = "market=NBT_BTC&side=sell&price=0.0026&amount=12.5";
    let buy = "market=NBT_BTC&side=buy&price=0.0024&amount=7";
    let first = fixture.post(PLACE, 1, sell).await.json;
    let second = fixture.post(PLACE, 2, buy).await.json;
    assert_eq!((&first["order"]["id"], &second["order"]["id"]), (&"1001".into(), &"1002".into()));
    assert_eq!(fixture.open_orders(3).await.json["orders"].as_array().unwrap().len(), 2);
    let cancelled = fixture.post(CANCEL, 4, "id=1001").await.json;
    assert_eq!(cancelled, serde_json::json!({"success": true, "cancelled": 1}));
    let left = fixture.open_orders(5).await.json;
    assert_eq!(left["orders"].as_array().unwrap().len(), 1);
    assert_eq!((&left["orders"][0]["id"], &left["orders"][0]["amount"]), (&"1002".into(), &"7".into()));
    assert_eq!(fixture.post(CANCEL, 6, "id=1001").await.error(), (400, "unknown-order"));
}

#[tokio::test]
async fn all_orders_of_one_market_are_cancelled_and_those_of_another_stay() {
    let fixture = exchange().await;
    fixture.exchange.add_market("NBT", "USD", "1".parse().unwrap()).unwrap();
    fixture.exchange.place(KEY, order()).unwrap();
    fixture.exchange.place(KEY, order()).unwrap();
    let other = NewOrder { market: "NBT_USD".to_owned(), ..order() };
    fixture.exchange.place(KEY, other).unwrap();
    assert_eq!(fixture.post(CANCEL, 1, "market=NBT_BTC").await.json["cancelled"], 2);
    let left = fixture.exchange.orders(KEY).unwrap();
    assert_eq!(left.iter().map(|order| order.market.as_str()).collect::<Vec<_>>(), ["NBT_USD"]);
}

#[tokio::test]
async fn impossible_orders_are_refused() {
    let fixture = exchange().await;
    for (nonce, form, code) in [
        (1, "market=NBT_BTC&side=buy&price=0&amount=1", "bad-order"),
        (2, "market=NBT_BTC&side=buy&price=1&amount=-1", "bad-order"),
        (3, "market=NBT_BTC&side=buy&price=NaN&amount=1", "bad-order"),
        (4, "market=NBT_BTC&side=both&price=1&amount=1", "malformed"),
        (5, "market=NBT_USD&side=buy&price=1&amount=1", "unknown-market"),
        (6, "side=buy&price=1&amount=1", "malformed"),
    ] {
        assert_eq!(fixture.post(PLACE, nonce, form).await.error(), (400, code), "{form}");
    }
    assert_eq!(fixture.exchange.orders(KEY).unwrap(), []);
}

#[tokio::test]
async fn a_request_that_is_too_long_is_refused() {
    let fixture = exchange().await;
    let form = format!("market={}", "A".repeat(20_000));
    assert_eq!(fixture.post(PLACE, 1, &form).await.error(), (400, "malformed"));
}

#[tokio::test]
async fn a_filled_order_is_gone() {
    let fixture = exchange().await;
    let placed = fixture.exchange.place(KEY, order()).unwrap();
    fixture.exchange.fill(KEY, placed.id, "4".parse().unwrap()).unwrap();
    assert_eq!(fixture.open_orders(1).await.json["orders"][0]["filled"], "4");
    fixture.exchange.fill(KEY, placed.id, "6".parse().unwrap()).unwrap();
    assert_eq!(fixture.open_orders(2).await.json["orders"], serde_json::json!([]));
}

#[tokio::test]
async fn a_book_is_bounded() {
    let fixture = exchange().await;
    for _ in 0..MAX_ORDERS_PER_ACCOUNT {
        fixture.exchange.place(KEY, order()).unwrap();
    }
    assert_eq!(fixture.exchange.place(KEY, order()), Err(Refusal::TooManyOrders));
    let form = "market=NBT_BTC&side=buy&price=1&amount=1";
    assert_eq!(fixture.post(PLACE, 1, form).await.error(), (400, "too-many-orders"));
}

#[tokio::test]
async fn order_ids_are_unique_across_accounts_and_markets() {
    let fixture = exchange().await;
    fixture.exchange.add_account("second", "its-secret").unwrap();
    fixture.exchange.add_market("NBT", "USD", "1".parse().unwrap()).unwrap();
    let first = fixture.exchange.place(KEY, order()).unwrap();
    fixture.exchange.cancel(KEY, first.id).unwrap();
    let elsewhere = NewOrder { market: "NBT_USD".to_owned(), ..order() };
    let second = fixture.exchange.place("second", elsewhere).unwrap();
    let third = fixture.exchange.place(KEY, order()).unwrap();
    assert_eq!([first.id, second.id, third.id], [1001, 1002, 1003]);
}

#[tokio::test]
async fn the_ticker_is_public_and_follows_the_operator() {
    let fixture = exchange().await;
    let url = fixture.url("/api/v1/ticker?market=NBT_BTC");
    let shown = answer(fixture.http.get(&url)).await.json;
    assert_eq!(shown, serde_json::json!({"market": "NBT_BTC", "price": "0.0025"}));
    fixture.exchange.set_price("NBT_BTC", "0.0026".parse().unwrap()).unwrap();
    assert_eq!(answer(fixture.http.get(&url)).await.json["price"], "0.0026");
    let unknown = fixture.url("/api/v1/ticker?market=NBT_USD");
    assert_eq!(answer(fixture.http.get(unknown)).await.error(), (400, "unknown-market"));
    assert_eq!(fixture.exchange.behaviour(), Behaviour::Normal);
}
