use std::time::{Duration, Instant};

use alp_simulated_exchange::Behaviour;

use crate::client::{DEADLINE, Fixture, answer, exchange};

/// Status, content type and body of an answer that need not be JSON.
async fn raw(fixture: &Fixture) -> (u16, String, Vec<u8>) {
    let url = fixture.url("/api/v1/open-orders?market=NBT_BTC");
    let response = fixture.http.get(url).send().await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type");
    let kind = kind.map(|kind| kind.to_str().unwrap().to_owned()).unwrap_or_default();
    (status, kind, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn an_outage_and_its_end() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::Outage);
    assert_eq!(fixture.open_orders(1).await.error(), (503, "down"));
    fixture.exchange.set_behaviour(Behaviour::Normal);
    // The nonce of the refused request was not used up.
    assert_eq!(fixture.open_orders(1).await.status, 200);
}

#[tokio::test]
async fn throttling_says_for_how_long() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::Throttle { retry_after_s: 17 });
    assert_eq!(fixture.open_orders(1).await.error(), (429, "throttled"));
    let response = fixture.http.get(fixture.url("/")).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "17");
}

#[tokio::test]
async fn bodies_that_are_no_answer() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::Html);
    let (status, kind, body) = raw(&fixture).await;
    assert_eq!((status, kind.as_str()), (200, "text/html"));
    assert!(body.starts_with(b"<!DOCTYPE html>"));

    fixture.exchange.set_behaviour(Behaviour::Garbage);
    let (status, _, body) = raw(&fixture).await;
    assert_eq!(status, 200);
    assert!(!body.is_empty() && std::str::from_utf8(&body).is_err());

    for (behaviour, text) in [
        (Behaviour::NullBody, "null"),
        (Behaviour::EmptyObject, "{}"),
        (Behaviour::RawBody(418, "[1".to_owned()), "[1"),
    ] {
        fixture.exchange.set_behaviour(behaviour.clone());
        let (status, kind, body) = raw(&fixture).await;
        let expected = if behaviour == Behaviour::RawBody(418, "[1".to_owned()) { 418 } else { 200 };
        assert_eq!((status, kind.as_str()), (expected, "application/json"));
        assert_eq!(String::from_utf8(body).unwrap(), text);
    }
}

#[tokio::test]
async fn wrong_types_are_json_of_the_market_that_was_asked_for() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::WrongTypes);
    let orders = fixture.open_orders(1).await.json["orders"].clone();
    assert_eq!((&orders[0]["price"], &orders[1]["amount"]), (&"NaN".into(), &"-100".into()));
    assert_eq!(orders[0]["market"], "NBT_BTC");
}

#[tokio::test]
async fn a_redirect_names_the_address() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::Redirect("http://127.0.0.1:1/".to_owned()));
    let response = fixture.http.get(fixture.url("/")).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 302);
    assert_eq!(response.headers()["location"], "http://127.0.0.1:1/");
}

#[tokio::test]
async fn a_huge_body_is_json_of_the_length_asked_for() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::HugeBody(1_000_001));
    let (status, _, body) = raw(&fixture).await;
    assert_eq!(status, 200);
    assert_eq!(body.len(), 1_000_001 + br#"{"success":true,"orders":[]}"#.len());
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(json["orders"], serde_json::json!([]));
}

#[tokio::test]
async fn a_hanging_request_is_answered_once_the_exchange_is_itself_again() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::Hang);
    let hanging = fixture.open_orders(1);
    let release = async {
        fixture.exchange.wait_for_requests(1).await;
        fixture.exchange.set_behaviour(Behaviour::Normal);
    };
    let (answer, ()) =
        tokio::time::timeout(DEADLINE, async { tokio::join!(hanging, release) }).await.expect("the answer");
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_slow_exchange_answers_rightly_but_late() {
    let fixture = exchange().await;
    let pause = Duration::from_millis(60);
    fixture.exchange.set_behaviour(Behaviour::Slow(pause));
    let start = Instant::now();
    assert_eq!(fixture.open_orders(1).await.status, 200);
    assert!(start.elapsed() >= pause);
}

#[tokio::test]
async fn a_shutdown_releases_hanging_requests_and_frees_the_socket() {
    let fixture = exchange().await;
    fixture.exchange.set_behaviour(Behaviour::Hang);
    let url = fixture.url("/api/v1/open-orders");
    let http = fixture.http.clone();
    let hanging = tokio::spawn(async move { answer(http.get(url)).await });
    fixture.exchange.wait_for_requests(1).await;
    let address = fixture.running.address();
    tokio::time::timeout(DEADLINE, fixture.running.shutdown()).await.expect("an end");
    assert_eq!(hanging.await.unwrap().error(), (503, "down"));
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_dropped_exchange_stops_listening() {
    let fixture = exchange().await;
    let address = fixture.running.address();
    drop(fixture.running);
    let refused = async {
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, refused).await.expect("nobody listens");
}
