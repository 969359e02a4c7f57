//! Messages that are not right: which sentence, in which order of checks, and never a fault of the server.

use alp_tests::{Lp, Settings, TestPool, message_body};

const HEADER: &str = "Content-Type header must be set to 'application/json'";
const NOT_JSON: &str = "request body must be valid json";

/// Both endpoints that take messages.
const ENDPOINTS: [&str; 2] = ["/register", "/liquidity"];

#[tokio::test]
async fn register_checks_its_fields_in_the_order_of_the_original() {
    let pool = TestPool::start().await;
    let address = format!("\"{}\"", Lp::new("alice").address);
    let steps: [(&str, &str, &str); 7] = [
        ("user", "\"k\"", "no user provided"),
        ("address", "\"S\"", "no address provided"),
        ("exchange", "\"other\"", "no exchange provided"),
        ("unit", "\"doge\"", "no unit provided"),
        ("address", "\"BAAA\"", "S is not a valid NBT address. It should start with a 'B'"),
        ("address", &address, "BAAA is not a valid NBT address. The checksum doesn't match"),
        ("exchange", "\"test_exchange\"", "other is not supported"),
    ];
    let mut members: Vec<(&str, &str)> = Vec::new();
    for (name, value, refusal) in steps {
        assert_eq!(pool.post("/register", &message_body(&members)).await.refusal(), refusal);
        members.retain(|(known, _)| *known != name);
        members.push((name, value));
    }
    let refusal = pool.post("/register", &message_body(&members)).await.refusal();
    assert_eq!(refusal, "doge is not supported on test_exchange");
    members.retain(|(known, _)| *known != "unit");
    members.push(("unit", "\"btc\""));
    let answer = pool.post("/register", &message_body(&members)).await;
    assert_eq!(answer.text, r#"{"message":"user successfully registered","success":true}"#);
    let again = pool.post("/register", &message_body(&members)).await;
    assert_eq!(again.text, r#"{"message":"user is already registered","success":false}"#);
}

#[tokio::test]
async fn liquidity_checks_its_fields_in_the_order_of_the_original() {
    let pool = TestPool::start().await;
    let lp = pool.lp("alice");
    let key = format!("\"{}\"", lp.key);
    let steps: [(&str, &str, &str); 7] = [
        ("user", &key, "no user provided"),
        ("sign", "\"00\"", "no sign provided"),
        ("exchange", "\"other\"", "no exchange provided"),
        ("unit", "\"doge\"", "no unit provided"),
        ("req", "{\"nonce\":1}", "no req provided"),
        ("exchange", "\"test_exchange\"", "other is not supported"),
        ("unit", "\"btc\"", "doge is not supported on test_exchange"),
    ];
    let mut members: Vec<(&str, &str)> = Vec::new();
    for (name, value, refusal) in steps {
        assert_eq!(pool.post("/liquidity", &message_body(&members)).await.refusal(), refusal);
        members.retain(|(known, _)| *known != name);
        members.push((name, value));
    }
    let refusal = pool.post("/liquidity", &message_body(&members)).await.refusal();
    assert_eq!(refusal, "user key-of-alice is not registered");
    assert_eq!(pool.exchange_calls(), 0);
    pool.register(&lp, "btc").await.accepted();
    let empty = pool.submit(&lp, "btc").await;
    assert_eq!(empty.text, r#"{"message":"no orders found","success":true}"#);
    pool.place(&lp, "NBT_BTC", "ask 1 0.004");
    let full = pool.submit(&lp, "btc").await;
    assert_eq!(full.text, r#"{"message":"orders saved for validation","success":true}"#);
}

#[tokio::test]
async fn what_python_holds_false_counts_as_missing() {
    let pool = TestPool::start().await;
    for value in ["null", "false", "0", "0.0", "\"\"", "[]", "{}"] {
        for path in ENDPOINTS {
            let body = message_body(&[("user", value)]);
            assert_eq!(pool.post(path, &body).await.refusal(), "no user provided", "{value}");
        }
        let req = pool.body("k", value, "\"00\"", "test_exchange", "btc");
        assert_eq!(pool.post("/liquidity", &req).await.refusal(), "no req provided", "{value}");
    }
}

#[tokio::test]
async fn a_message_without_the_header_is_refused_before_anything_else() {
    let pool = TestPool::start().await;
    for path in ENDPOINTS {
        let refusal = pool.post_raw(path, &[], b"{}").await.refusal();
        assert_eq!(refusal, HEADER);
        for wrong in ["text/plain", "application/jsonp", "application/x-www-form-urlencoded", "json", ""] {
            let answer = pool.post_raw(path, &[("Content-Type", wrong)], b"nonsense").await;
            assert_eq!(answer.refusal(), HEADER, "{wrong}");
        }
    }
}

#[tokio::test]
async fn pb_41_a_charset_and_capitals_in_the_header_are_accepted() {
    let pool = TestPool::start().await;
    let right = [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json;charset=UTF-8",
        "application/json ;x",
    ];
    for media in right {
        for path in ENDPOINTS {
            let answer = pool.post_raw(path, &[("Content-Type", media)], b"{}").await;
            assert_eq!(answer.refusal(), "no user provided", "{media}");
        }
    }
}

#[tokio::test]
async fn what_is_not_a_json_object_is_refused() {
    let pool = TestPool::start().await;
    let bodies: [&[u8]; 12] = [
        b"",
        b" ",
        b"[]",
        b"\"text\"",
        b"5",
        b"null",
        b"true",
        b"{",
        b"{'a':1}",
        b"{}{}",
        b"\xff\xfe",
        b"{\"user\":\"\xff\"}",
    ];
    for body in bodies {
        for path in ENDPOINTS {
            let answer = pool.post_raw(path, &[("Content-Type", "application/json")], body).await;
            assert_eq!(answer.refusal(), NOT_JSON, "{body:?}");
        }
    }
}

#[tokio::test]
async fn pb_42_a_message_that_is_nested_too_deeply_is_refused_in_json() {
    let pool = TestPool::start_with(Settings::default().top("[limits]\nbody_bytes = 200_000")).await;
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [200, 45_000] {
        for body in [nested(depth), message_body(&[("user", &nested(depth))])] {
            for path in ENDPOINTS {
                let refusal = pool.post(path, &body).await.refusal();
                assert!(refusal == NOT_JSON || refusal == "user must be a text in quotes", "{refusal}");
            }
        }
        let req = format!("{{\"nonce\":{}}}", nested(depth));
        let body = pool.body("k", &req, "\"00\"", "test_exchange", "btc");
        assert!(pool.post("/liquidity", &body).await.refusal().contains("req"), "{depth}");
    }
}

#[tokio::test]
async fn pb_42_a_message_that_is_too_large_is_refused_in_json() {
    let pool = TestPool::start().await;
    let large = message_body(&[("user", &format!("\"{}\"", "k".repeat(20_000)))]);
    for path in ENDPOINTS {
        let refusal = pool.post(path, &large).await.refusal();
        assert_eq!(refusal, "request body must not be larger than 16384 bytes");
    }
}

#[tokio::test]
async fn pb_30_a_user_of_fifty_thousand_characters_is_refused() {
    let pool = TestPool::start_with(Settings::default().top("[limits]\nbody_bytes = 200_000")).await;
    let lp = Lp { key: "k".repeat(50_000), ..Lp::new("alice") };
    let expected = "user has 50000 characters: at most 256 are accepted";
    assert_eq!(pool.register(&lp, "btc").await.refusal(), expected);
    let body = pool.body(&lp.key, "{\"nonce\":1}", "\"00\"", "test_exchange", "btc");
    assert_eq!(pool.post("/liquidity", &body).await.refusal(), expected);
}

#[tokio::test]
async fn pb_43_a_chunked_body_is_accepted() {
    let pool = TestPool::start().await;
    let head = "POST /register HTTP/1.1\r\nHost: pool\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let answer =
        pool.converse(format!("{head}8\r\n{{\"user\":\r\n4\r\n\"k\"}}\r\n0\r\n\r\n").as_bytes()).await;
    assert_eq!(answer.refusal(), "no address provided");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_message() {
    let pool = TestPool::start().await;
    let head = "POST /register HTTP/1.1\r\nHost: pool\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let answer = pool.converse(format!("{head}8\r\n{{\"user\":\r\nno length\r\n").as_bytes()).await;
    assert_eq!(answer.refusal(), "request body ended early");
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let pool = TestPool::start_with(Settings::default().top("[limits]\nreceive_seconds = 1")).await;
    let head = "POST /register HTTP/1.1\r\nHost: pool\r\nContent-Type: application/json\r\n\
                Content-Length: 100\r\nConnection: close\r\n\r\n{";
    let answer = pool.converse(head.as_bytes()).await;
    assert_eq!(answer.refusal(), "request body did not arrive within 1 s");
}

#[tokio::test]
async fn pb_31_values_of_a_wrong_type_get_a_sentence() {
    let pool = TestPool::start().await;
    for value in ["5", "true", "[1]", "{\"a\":1}", "1e400", "-1"] {
        for (path, name) in [("/register", "user"), ("/liquidity", "user")] {
            let refusal = pool.post(path, &message_body(&[(name, value)])).await.refusal();
            assert_eq!(refusal, "user must be a text in quotes", "{value}");
        }
        let body = message_body(&[("user", "\"k\""), ("address", value)]);
        assert_eq!(pool.post("/register", &body).await.refusal(), "address must be a text in quotes");
        let body = message_body(&[("user", "\"k\""), ("sign", value)]);
        assert_eq!(pool.post("/liquidity", &body).await.refusal(), "sign must be a text in quotes");
    }
}

#[tokio::test]
async fn pb_31_a_user_that_is_no_api_key_is_refused_in_words() {
    let pool = TestPool::start().await;
    let register = async |user: &str| {
        let address = format!("\"{}\"", Lp::new("alice").address);
        let members =
            [("user", user), ("address", &address), ("exchange", "\"test_exchange\""), ("unit", "\"btc\"")];
        pool.post("/register", &message_body(&members)).await.refusal()
    };
    assert_eq!(register(r#""a\u0000b""#).await, "user must not have control characters");
    assert_eq!(register(r#""a\nb""#).await, "user must not have control characters");
    assert_eq!(register(r#""\ud800""#).await, "user must be a text");
    let ascii = "user must be an API key: printable ASCII characters without blanks";
    for user in ["\"kéy\"", "\"a b\"", r#""\u00e9""#] {
        assert_eq!(register(user).await, ascii);
    }
    assert_eq!(pool.get("/k%C3%A9y/stats").await.refusal(), "user kéy is not registered");
}

#[tokio::test]
async fn pb_31_an_exchange_or_unit_that_is_not_ascii_is_not_supported() {
    let pool = TestPool::start().await;
    let lp = pool.lp("alice");
    let exchange = pool.register_with(&lp.key, &lp.address, "börse", "btc").await;
    assert_eq!(exchange.refusal(), "börse is not supported");
    let unit = pool.register_with(&lp.key, &lp.address, "test_exchange", "₿").await;
    assert_eq!(unit.refusal(), "₿ is not supported on test_exchange");
    let body = pool.body("jürgen", "{\"nonce\":1}", "\"00\"", "test_exchange", "btc");
    assert_eq!(pool.post("/liquidity", &body).await.refusal(), "user jürgen is not registered");
}

#[tokio::test]
async fn a_member_that_is_given_twice_is_refused() {
    let pool = TestPool::start().await;
    for path in ENDPOINTS {
        let refusal = pool.post(path, r#"{"user":"a","user":"b"}"#).await.refusal();
        assert_eq!(refusal, "the member user is given twice");
    }
    let body = pool.body("k", r#"{"nonce":1,"nonce":2}"#, "\"00\"", "test_exchange", "btc");
    let refusal = pool.post("/liquidity", &body).await.refusal();
    assert_eq!(refusal, "the member nonce of req is given twice");
}

#[tokio::test]
async fn req_takes_texts_and_numbers_only() {
    let pool = TestPool::start().await;
    for value in ["null", "true", "[1]", "{\"a\":1}"] {
        let req = format!("{{\"nonce\":{value}}}");
        let body = pool.body("k", &req, "\"00\"", "test_exchange", "btc");
        let refusal = pool.post("/liquidity", &body).await.refusal();
        assert_eq!(refusal, "the member nonce of req must be a text or a number", "{value}");
    }
    let body = pool.body("k", "\"nonce=1\"", "\"00\"", "test_exchange", "btc");
    let refusal = pool.post("/liquidity", &body).await.refusal();
    assert_eq!(refusal, "req must be an object with the members that were signed");
}
