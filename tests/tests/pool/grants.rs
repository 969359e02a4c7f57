//! What the operator grants an adapter, and what becomes of one that asks for more.

use alp_sandbox::EntryState;
use alp_sandbox::types::{
    Binding, Body, Description, Field, Lifetime, NonceKind, OrderIdScope, Parameter, Place, Request,
};
use alp_server::config::Config;
use alp_server::exchange::{covers, prepare_granted};
use alp_tests::{
    DEADLINE, Settings, TestPool, adapter, adapter_names, another_build, component, grant_for_any_build,
    grant_of, workspace,
};

/// Waits until the adapter of the test exchange is as wanted, and returns why it waits.
async fn waits_because(pool: &TestPool, exchange: &str) -> String {
    let waits = |entry: &alp_sandbox::Entry| entry.candidate.is_some();
    let wanted = |snapshot: &alp_sandbox::Snapshot| snapshot.entry(exchange).is_some_and(waits);
    let snapshot = pool.app().adapters.wait_for(DEADLINE, wanted).await.unwrap();
    snapshot.entry(exchange).unwrap().waits_because.clone().unwrap()
}

/// A pool whose exchange grants this to its adapter.
async fn pool_with_grant(lines: &str) -> TestPool {
    TestPool::start_with(Settings::default().grant("test_exchange", lines)).await
}

#[tokio::test]
async fn what_inspect_prints_makes_every_adapter_serve() {
    let names = adapter_names();
    assert!(names.len() >= 24, "{names:?}");
    let mut settings = Settings { exchanges: Vec::new(), plugins: Vec::new(), ..Settings::default() };
    for name in names.clone() {
        let text = alp_tests::TEST_EXCHANGE;
        settings = settings.grant(&name, &grant_of(&*adapter(&name).await)).exchange(name.leak(), text);
    }
    let pool = TestPool::start_with(settings).await;
    let serves = |snapshot: &alp_sandbox::Snapshot| names.iter().all(|name| snapshot.get(name).is_some());
    let snapshot = pool.app().adapters.wait_for(DEADLINE, serves).await;
    let states = pool.app().adapters.snapshot();
    let waiting: Vec<_> = states.entries().iter().filter_map(|entry| entry.waits_because.clone()).collect();
    assert!(snapshot.is_ok(), "{waiting:?}");
}

#[tokio::test]
async fn an_adapter_without_a_grant_waits_and_is_never_asked() {
    let pool = pool_with_grant("").await;
    let reason = waits_because(&pool, "test_exchange").await;
    let expected = "it has no grant: look at it with `alp adapter inspect`, and paste the lines that it prints into \
                    exchanges/test_exchange.toml";
    assert_eq!(reason, expected);
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    let told = pool.submit(&lp, "btc").await.refusal();
    assert_eq!(told, "the adapter of test_exchange waits until the pool's operator grants what it asks for");
    assert_eq!(pool.exchange_calls(), 0);
    let entry = pool.get("/adapters").await.json()["message"][0].clone();
    assert_eq!(entry["state"], "waiting");
    assert_eq!(entry["waits_because"], expected);

    let told = pool.reload().await.unwrap();
    assert!(told.ends_with(&format!("\nthe adapter of test_exchange waits: {expected}")), "{told}");
    let file = pool.exchange_file("test_exchange");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}{}", grant_of(&*adapter("test_exchange").await))).unwrap();
    assert_eq!(pool.reload().await.unwrap(), "the configuration is in force, with 2 markets");
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn a_new_build_waits_while_the_pinned_one_serves() {
    let pool = pool_with_grant(&grant_of(&*adapter("test_exchange").await)).await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    let serving = pool.app().adapters.snapshot().get("test_exchange").unwrap().sha256().to_owned();
    pool.plug_in("test_exchange", &another_build("test_exchange", 7));
    let reason = waits_because(&pool, "test_exchange").await;
    let snapshot = pool.app().adapters.snapshot();
    let entry = snapshot.entry("test_exchange").unwrap();
    let newer = entry.candidate.as_ref().unwrap().sha256().to_owned();
    assert_eq!(entry.state, EntryState::Serving);
    assert_eq!(snapshot.get("test_exchange").unwrap().sha256(), serving);
    assert!(reason.contains(&format!("its build {newer} is not pinned in grant.sha256")), "{reason}");
    assert!(reason.contains("`alp adapter inspect`"), "{reason}");
    pool.submit_btc(&lp).await;

    let (one, both) = (format!("sha256 = {serving:?}"), format!("sha256 = [{serving:?}, {newer:?}]"));
    pool.edit(&pool.exchange_file("test_exchange"), &one, &both);
    pool.reload().await.unwrap();
    assert_eq!(pool.app().adapters.snapshot().get("test_exchange").unwrap().sha256(), newer);
    pool.submit_btc(&lp).await;
}

#[tokio::test]
async fn an_adapter_that_lost_its_grant_stops_serving_at_once() {
    let pool = TestPool::start().await;
    let lp = pool.lp_with("alice", &["ask 1500 0.004"]).await;
    pool.submit_btc(&lp).await;
    let calls = pool.exchange_calls();
    let file = pool.exchange_file("test_exchange");
    pool.edit(&file, "\"market\", \"nonce\"", "\"nonce\"");
    let told = pool.reload().await.unwrap();
    assert!(
        told.contains("the call open-orders would have the parameter market, which is not granted"),
        "{told}"
    );
    assert!(pool.submit(&lp, "btc").await.refusal().contains("waits until the pool's operator grants"));
    assert_eq!(pool.exchange_calls(), calls);
}

#[tokio::test]
async fn whatever_an_adapter_says_otherwise_than_granted_makes_it_wait() {
    let (grant, description) = granted("binance").await;
    assert_eq!(covers(&grant, &description, "00"), Ok(()));
    type Change = fn(&mut Description);
    let changes: [(Change, &str); 14] = [
        (
            |d| d.origin = "https://evil.example".to_owned(),
            "the origin was granted as `https://api.binance.com` and is now `https://evil.example`",
        ),
        (
            |d| d.lifetime = Lifetime::Unlimited,
            "the lifetime of a request was granted as `60000 ms` and is now `unlimited`",
        ),
        (|d| d.nonce = NonceKind::Uuid, "the nonce was granted as"),
        (
            |d| d.single_use = !d.single_use,
            "single use of a request was granted as `false` and is now `true`",
        ),
        (
            |d| d.order_ids = OrderIdScope::Account,
            "the scope of order ids was granted as `exchange` and is now `account`",
        ),
        (|d| d.binds = Binding::HOST, "what the signature binds was granted as"),
        (|d| d.calls[0].path.push('s'), "the path of the call open-orders was granted as"),
        (
            |d| d.calls[0].method = alp_sandbox::types::Method::Post,
            "the method of the call open-orders was granted as `GET` and is now `POST`",
        ),
        (
            |d| d.calls[0].origin = Some("https://evil.example".to_owned()),
            "the origin of the call open-orders was granted as `none of its own`",
        ),
        (
            |d| d.calls[0].signed = false,
            "the signature of the call open-orders was granted as `true` and is now `false`",
        ),
        (
            |d| {
                d.calls[0].parameters.push(Parameter {
                    name: "side".to_owned(),
                    place: Place::Query,
                    fixed: None,
                })
            },
            "the call open-orders would have the parameter side, which is not granted",
        ),
        (
            |d| d.calls[0].headers.push("X-More".to_owned()),
            "the call open-orders would have the header X-More",
        ),
        (
            |d| d.calls[0].reply_headers.push("Set-Cookie".to_owned()),
            "sight of the reply's header Set-Cookie",
        ),
        (
            |d| {
                let mut call = d.calls[0].clone();
                call.name = "cancel".to_owned();
                d.calls.push(call);
            },
            "the call cancel would have GET /api/v3/openOrders",
        ),
    ];
    for (change, told) in changes {
        let mut changed = description.clone();
        change(&mut changed);
        let waits = covers(&grant, &changed, "00").unwrap_err().to_string();
        assert!(waits.contains(told), "{told} is not in: {waits}");
    }
    let mut less = description.clone();
    less.calls[0].headers.clear();
    less.calls[0].parameters.remove(0);
    assert_eq!(covers(&grant, &less, "00"), Ok(()));
}

#[tokio::test]
async fn what_pins_a_call_can_be_tightened_and_never_loosened() {
    let (mut grant, mut description) = granted("binance").await;
    let pinned = Parameter { name: "status".to_owned(), place: Place::Query, fixed: Some("open".to_owned()) };
    let free = Parameter { fixed: None, ..pinned.clone() };
    grant.calls[0].parameters.push(free.clone());
    description.calls[0].parameters.push(pinned.clone());
    assert_eq!(covers(&grant, &description, "00"), Ok(()));
    *grant.calls[0].parameters.last_mut().unwrap() = pinned;
    *description.calls[0].parameters.last_mut().unwrap() = free;
    let waits = covers(&grant, &description, "00").unwrap_err().to_string();
    assert!(
        waits.contains("the parameter status of the call open-orders was granted as `status=open`"),
        "{waits}"
    );
}

#[tokio::test]
async fn a_request_is_held_against_the_grant_whatever_the_adapter_declares() {
    let (mut grant, description) = granted("test_exchange").await;
    let send = |grant: &_, path: &str| {
        let field = |name: &str| Field { name: name.to_owned(), value: "1".to_owned() };
        let request = Request {
            call: "open-orders".to_owned(),
            method: alp_sandbox::types::Method::Get,
            path: path.to_owned(),
            query: ["market", "nonce", "timestamp"].map(field).to_vec(),
            headers: Vec::new(),
            body: Body::None,
        };
        prepare_granted(grant, &description, Some("https://example.com"), &request)
            .map(|sent| sent.url.to_string())
    };
    let sent = send(&grant, "/api/v1/open-orders").ok().unwrap();
    assert_eq!(sent, "https://example.com/api/v1/open-orders?market=1&nonce=1&timestamp=1");
    grant.calls[0].parameters.retain(|parameter| parameter.name != "nonce");
    let breach = send(&grant, "/api/v1/open-orders").err().unwrap().to_string();
    assert!(breach.contains("\"nonce\""), "{breach}");
    grant.calls.clear();
    assert!(send(&grant, "/api/v1/open-orders").is_err());
}

#[tokio::test]
async fn an_address_that_means_another_than_it_says_is_not_sent() {
    let (mut grant, mut description) = granted("test_exchange").await;
    let mut send = |endpoint: &str, template: &str, path: &str| {
        for calls in [&mut grant.calls, &mut description.calls] {
            calls[0].path = template.to_owned();
            calls[0].parameters.clear();
        }
        let request = Request {
            call: "open-orders".to_owned(),
            method: alp_sandbox::types::Method::Get,
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
        };
        prepare_granted(&grant, &description, Some(endpoint), &request).map(|sent| sent.url.to_string())
    };
    let host = "https://example.com";
    assert_eq!(send(host, "/orders/{}", "/orders/a-b").ok().unwrap(), "https://example.com/orders/a-b");
    // Within the path: case, percent-encoding, dot segments, empty segments, backslashes, blanks that URLs lose.
    for path in [
        "/Orders/a",
        "/ORDERS/a",
        "/%6frders/a",
        "/orders/%61",
        "/orders/.",
        "/orders/..",
        "/orders/%2e%2e",
        "/orders/../orders/a",
        "/./orders/a",
        "//orders/a",
        "/orders//a",
        "/orders/a/",
        "\\orders\\a",
        "/orders\\a",
        "/orders/a\t",
        "/ord\ners/a",
        "/orders/a\r",
        "/orders/a?b",
        "/orders/a#b",
        "/orders/a;b",
        "/orders/é",
        "orders/a",
        "@evil.example/orders/a",
        "",
    ] {
        assert!(send(host, "/orders/{}", path).is_err(), "{path:?}");
    }
    // The same where an operator's own template has them: what parsing would change is refused all the same.
    for template in ["/orders/../a", "/orders/./a", "/a\\b", "/a\tb", "/a b", "/é", "/a#b", "/a?b"] {
        assert!(send(host, template, template).is_err(), "{template:?}");
    }
    // In the origin: case, the port that goes without saying, userinfo, an IDN host, and bytes that URLs lose.
    for origin in [
        "https://Example.com",
        "HTTPS://example.com",
        "https://example.com:443",
        "https://user@example.com",
        "https://user:word@example.com",
        "https://b\u{fc}cher.example",
        "https://example.com/",
        "https://exa\tmple.com",
        "https://example.com\n",
        "https:\\\\example.com",
        "https://example.com\\",
        "https://%65xample.com",
        "https://0x7f.1",
        "https://",
        "https:/example.com",
        "",
        "example.com",
    ] {
        assert!(send(origin, "/orders/{}", "/orders/a").is_err(), "{origin:?}");
    }
    // A host with a dot at its end is another name to TLS and to exchanges that sign the host: sent as it is written.
    let dotted = send("https://example.com.", "/orders/{}", "/orders/a").ok().unwrap();
    assert_eq!(dotted, "https://example.com./orders/a");
    let port = send("https://example.com:8443", "/orders/{}", "/orders/a").ok().unwrap();
    assert_eq!(port, "https://example.com:8443/orders/a");
}

#[tokio::test]
async fn the_faults_of_a_grant_are_found_all_at_once() {
    let lines = "\n[grant]\nsha256 = \"12\"\norigin = \"http://example.com\"\nlifetime_ms = \"soon\"\nnonce = \"big\"\n\
                 order_ids = 1\nbinds = [\"heart\"]\ncolour = 1\n[[grant.calls]]\nname = \"open-orders\"\nsigned = true\n\
                 method = \"DELETE\"\npath = \"/a\"\n[[grant.calls]]\nname = \"b\"\nsigned = true\nmethod = \"GET\"\n\
                 path = \"/a/../b\"\n";
    let pool = TestPool::start().await;
    let file = pool.exchange_file("test_exchange");
    let text = std::fs::read_to_string(&file).unwrap();
    let (head, _) = text.split_once("\n[grant]").unwrap();
    std::fs::write(&file, format!("{head}{lines}")).unwrap();
    let faults = Config::read(&pool.pool_file()).unwrap_err().to_string();
    for told in [
        "10 faults",
        "grant.sha256 must be 64 hexadecimal digits",
        "grant.origin is not right: the origin http://example.com is not encrypted",
        "grant.lifetime_ms must be a number of milliseconds, \"until-next-nonce\" or \"unlimited\"",
        "grant.nonce must be one of \"none\", \"seconds\"",
        "grant.single_use is missing",
        "grant.order_ids is an integer",
        "grant.binds must be a list of \"method\", \"host\"",
        "grant.colour is not a key that is known here",
        "grant.calls[2] is no call that can be granted: call `b`: the path `/a/../b` has empty or relative segments",
        "grant.calls[1].method must be one of \"GET\", \"POST\"",
    ] {
        assert!(faults.contains(told), "{told} is not in\n{faults}");
    }
}

#[tokio::test]
async fn outside_test_pools_the_builds_are_pinned_or_the_operator_consents_to_any() {
    let folder = tempfile::tempdir().unwrap();
    let grant = grant_for_any_build("kraken").await;
    let pool = "name = \"p\"\n[prices.btc]\nfixed = 1\n[prices.usd]\nfixed = 1\n";
    std::fs::create_dir(folder.path().join("exchanges")).unwrap();
    let read = |pool: &str, grant: &str| {
        std::fs::write(folder.path().join("pool.toml"), pool).unwrap();
        let file = alp_tests::TEST_EXCHANGE.replace("{endpoint}", "https://example.com");
        std::fs::write(folder.path().join("exchanges/kraken.toml"), format!("{file}{grant}")).unwrap();
        Config::read(&folder.path().join("pool.toml")).map_err(|faults| faults.to_string())
    };
    assert!(read(pool, &grant).is_ok());
    assert!(read(pool, &grant_of(&*adapter("kraken").await)).is_ok());
    let unsaid = grant.replace("any_build = true\n", "");
    let refused = read(pool, &unsaid).unwrap_err();
    assert!(refused.contains("grant does not say which builds of the adapter may serve"), "{refused}");
    assert!(read(&format!("test_pool = true\n{pool}"), &unsaid).is_ok());
    let both =
        grant.replace("any_build = true\n", &format!("any_build = true\nsha256 = {:?}\n", "0".repeat(64)));
    assert!(read(pool, &both).unwrap_err().contains("any_build contradicts sha256"));
}

#[tokio::test]
async fn the_examples_grant_what_their_adapters_ask_for() {
    for (file, exchange) in
        [("examples/operator/pool.toml", "binance"), ("examples/demo/pool.toml", "test_exchange")]
    {
        let config = Config::read(&workspace().join(file)).unwrap_or_else(|faults| panic!("{faults}"));
        let mut grant = config.exchanges[exchange].grant.clone().unwrap();
        grant.builds = alp_server::config::Builds::Any;
        let adapter = adapter(exchange).await;
        assert_eq!(covers(&grant, adapter.description(), adapter.sha256()), Ok(()), "{file}");
    }
}

/// What is granted to any build of an exchange's adapter, and what it says of itself.
async fn granted(exchange: &str) -> (alp_server::config::GrantConfig, Description) {
    assert!(component(exchange).exists());
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("exchanges")).unwrap();
    let pool = "name = \"p\"\ntest_pool = true\n[prices.btc]\nfixed = 1\n[prices.usd]\nfixed = 1\n";
    std::fs::write(folder.path().join("pool.toml"), pool).unwrap();
    let file = alp_tests::TEST_EXCHANGE.replace("{endpoint}", "https://example.com");
    let grant = grant_for_any_build(exchange).await;
    let path = folder.path().join("exchanges").join(format!("{exchange}.toml"));
    std::fs::write(path, format!("{file}{grant}")).unwrap();
    let config = Config::read(&folder.path().join("pool.toml")).unwrap_or_else(|faults| panic!("{faults}"));
    let grant = config.exchanges[exchange].grant.clone().unwrap();
    (grant, adapter(exchange).await.description().clone())
}
