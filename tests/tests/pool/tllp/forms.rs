//! Messages of the protocol that are not right: which code, in which order, and never a fault of the server.

use alp_tests::{Lp, Settings, TestPool};
use serde_json::json;

use super::client::{Client, code, form, get, post};
use super::{AUCTION, served, served_with};

/// Both paths that take messages.
const PATHS: [&str; 2] = ["/register", "/liquidity"];

#[tokio::test]
async fn each_code_means_what_it_meant() {
    let pool = TestPool::start_with(served()).await;
    let lp = Lp::new("alice");
    let other = Lp::new("bob").address;
    let register = async |key: &str, address: &str, name: &str| {
        let answer =
            post(&pool, "/register", &form(&[("key", key), ("address", address), ("name", name)])).await;
        (code(&answer), answer.message())
    };
    let at = "test_exchange";
    assert_eq!(register(&lp.key, &lp.address, at).await, (0, "success".to_owned()));
    let cases = [
        (register("", &lp.address, at).await, 6, "invalid registration data received: no key"),
        (register("k", "S", at).await, 7, "invalid payout address: S is not a valid NBT address"),
        (register("k", &lp.address, "mtgox").await, 8, "unknown exchange requested: mtgox"),
        (register(&lp.key, &other, at).await, 9, "user already exists with different address: key-of-alice"),
    ];
    for ((code, message), expected, words) in cases {
        assert_eq!(code, expected, "{message}");
        assert!(message.starts_with(words), "{message}");
    }
    let submit = async |changed: (&str, &str)| {
        let usual = [
            ("user", lp.key.as_str()),
            ("sign", "00"),
            ("unit", "btc"),
            ("ask", "0.1"),
            ("bid", "0.1"),
            ("nonce", "1"),
        ];
        let fields = usual.map(|(name, value)| if name == changed.0 { changed } else { (name, value) });
        let answer = post(&pool, "/liquidity", &form(&fields)).await;
        (code(&answer), answer.message())
    };
    let cases = [
        (submit(("unit", "")).await, 6, "invalid request received: no unit"),
        (submit(("bid", "much")).await, 10, "invalid cost information received: bid has 'm' at position 1"),
        (submit(("ask", "nan")).await, 10, "invalid cost information received: ask "),
        (submit(("ask", "-0.1")).await, 10, "invalid cost information received: ask is negative"),
        (submit(("ask", "1e9")).await, 10, "invalid cost information received: ask is larger than 1000"),
        (submit(("user", "nobody")).await, 11, "user not found: nobody"),
        (submit(("unit", "doge")).await, 12, "unit for user key-of-alice not found: doge"),
        (
            submit(("nonce", "x")).await,
            13,
            "unable to validate request: `req.nonce` should be a whole number",
        ),
    ];
    for ((code, message), expected, words) in cases {
        assert_eq!(code, expected, "{message}");
        assert!(message.starts_with(words), "{message}");
    }
    assert_eq!(pool.exchange_calls(), 0);
}

#[tokio::test]
async fn tllp_a_body_of_another_content_type_is_answered() {
    let pool = TestPool::start_with(served()).await;
    for path in PATHS {
        for (media, said) in [("text/plain", 6), ("", 6), ("application/json", 6)] {
            let path = format!("/tllp{path}");
            let answer = pool.post_raw(&path, &[("Content-Type", media)], b"key=1").await;
            assert_eq!(code(&answer), said, "{media}");
            assert!(answer.message().starts_with("Content-Type header must be set to"), "{answer:?}");
        }
        // Where both protocols are, whatever is no form is told what it always was.
        let answer = pool.post_raw(path, &[("Content-Type", "text/plain")], b"key=1").await;
        assert_eq!(answer.refusal(), "Content-Type header must be set to 'application/json'");
        for media in
            ["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-UrlEncoded;x"]
        {
            assert_eq!(code(&pool.post_raw(path, &[("Content-Type", media)], b"key=").await), 6, "{media}");
        }
    }
}

#[tokio::test]
async fn without_its_section_the_protocol_is_not_there() {
    let pool = TestPool::start().await;
    for path in PATHS {
        let answer = post(&pool, path, "key=1").await;
        assert_eq!(answer.refusal(), "Content-Type header must be set to 'application/json'");
    }
    assert_eq!(get(&pool, "/exchanges").await.status, 404);
    assert_eq!(pool.running().tllp_address(), None);
}

#[tokio::test]
async fn a_broken_form_is_refused_with_what_is_wrong_and_changes_nothing() {
    let pool = TestPool::start_with(served()).await;
    let lp = pool.lp("alice");
    let client = Client::new(&pool, lp.clone());
    client.register().await;
    let right = client.request().await;
    let long = format!("{right}&x={}", "v".repeat(4097));
    let many: String = (0..40).map(|number| format!("&f{number}=1")).collect();
    let cases = [
        (format!("{right}&unit=btc"), "the field unit is given twice"),
        (format!("{right}&x=%zz"), "the form has a broken escape"),
        (format!("{right}&x=%ff"), "the form must be UTF-8"),
        (format!("{right}&x=%00"), "the field x must not have control characters"),
        (format!("{right}&=1"), "a field of the form has a name that is not 1 to 64 bytes long"),
        (long, "the field x is longer than 4096 bytes"),
        (format!("{right}{many}"), "the form has more than 38 fields"),
        (String::new(), "the form has no fields"),
        ("x".repeat(20_000), "request body must not be larger than 16384 bytes"),
        (
            right.replace("unit=btc", &format!("unit={}", "b".repeat(129))),
            "invalid request received: unit has 129",
        ),
    ];
    for (body, words) in cases {
        let answer = post(&pool, "/liquidity", &body).await;
        assert_eq!(code(&answer), 6, "{answer:?}");
        assert!(answer.message().starts_with(words), "{answer:?}");
    }
    assert_eq!(pool.exchange_calls(), 0);
    let extra = form(&[("key", "k"), ("address", &lp.address), ("name", "test_exchange"), ("unit", "btc")]);
    let answer = post(&pool, "/register", &extra).await;
    assert_eq!(code(&answer), 6);
    assert!(answer.message().contains("the field unit is not one of key, address and name"), "{answer:?}");
    assert_eq!(pool.get("/k/stats").await.refusal(), "user k is not registered");
}

#[tokio::test]
async fn no_body_makes_the_server_fail() {
    let pool = TestPool::start_with(served_with(AUCTION)).await;
    let client = Client::new(&pool, pool.lp("alice"));
    client.register().await;
    let right = client.request().await.into_bytes();
    // The numbers of a fixed sequence, so that a failure can be run again.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    for turn in 0..300 {
        let mut body = right.clone();
        for _ in 0..=random(4) {
            let at = random(body.len());
            match random(3) {
                0 => body[at] = u8::try_from(random(256)).unwrap(),
                1 => drop(body.drain(at..)),
                _ => body.insert(at, [b'%', b'&', b'=', b'+', 0, 0xff][random(6)]),
            }
            body.push(b'&');
        }
        let media = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = pool.post_raw(PATHS[turn % 2], &media, &body).await;
        let known = [0, 6, 7, 8, 9, 10, 11, 12, 13];
        assert!(known.contains(&code(&answer)), "{answer:?} to {:?}", String::from_utf8_lossy(&body));
    }
}

#[tokio::test]
async fn a_message_is_held_to_the_limits_that_all_messages_have() {
    let mut settings = served();
    settings.top.push_str("[limits]\nposts_per_minute = 2\ntrusted_proxy = \"127.0.0.1\"\n");
    let pool = TestPool::start_with(settings).await;
    let media = [("Content-Type", "application/x-www-form-urlencoded"), ("X-Forwarded-For", "192.0.2.7")];
    for _ in 0..2 {
        assert_eq!(code(&pool.post_raw("/liquidity", &media, b"a=1").await), 6);
    }
    assert_eq!(code(&pool.post_raw("/liquidity", &media, b"a=1").await), 13);
    assert_eq!(code(&pool.post_raw("/tllp/liquidity", &media, b"a=1").await), 13);
}

#[test]
fn where_the_protocol_is_served_is_checked() {
    let faults = |section: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("exchanges")).unwrap();
        std::fs::write(folder.path().join("pool.toml"), format!("name = \"p\"\n{section}")).unwrap();
        match alp_server::config::Config::read(&folder.path().join("pool.toml")) {
            Ok(config) => {
                let tllp = config.pool.tllp.unwrap();
                format!("{:?} {:?}", tllp.prefix, tllp.listen)
            }
            Err(faults) => {
                faults.list().iter().map(|fault| format!("{} {}", fault.key, fault.message)).collect()
            }
        }
    };
    assert_eq!(faults("[tllp]\n"), "Some(\"/tllp\") None");
    assert_eq!(faults("[tllp]\nprefix = \"\"\nlisten = \"[::1]:3335\"\n"), "None Some([::1]:3335)");
    for prefix in ["tllp", "/", "/Tllp", "/a/b", "/v1", "/status", "/{x}", "/%74"] {
        let told = faults(&format!("[tllp]\nprefix = \"{prefix}\"\n"));
        assert!(
            told.starts_with("tllp.prefix must be / and a word of lower-case letters"),
            "{prefix}: {told}"
        );
    }
    assert!(faults("[tllp]\nprefix = \"\"\n").starts_with("tllp.prefix must not be empty"));
    assert!(faults("[tllp]\nlisten = \"here\"\n").starts_with("tllp.listen must be an address and a port"));
    assert!(faults("[tllp]\nport = 1\n").starts_with("tllp.port is not a key that is known here"));
}

#[tokio::test]
async fn what_stands_in_a_configuration_can_be_switched_while_the_pool_runs() {
    let pool = TestPool::start_with(Settings::default()).await;
    let file = pool.pool_file();
    pool.edit(&file, "[prices.btc]", "[tllp]\n[prices.btc]");
    pool.reload().await.unwrap();
    assert_eq!(code(&post(&pool, "/register", "key=1").await), 6);
    pool.edit(&file, "[tllp]\n", "");
    pool.reload().await.unwrap();
    assert!(!post(&pool, "/register", "key=1").await.success());
    assert_eq!(json!(pool.exchange_calls()), json!(0));
}
