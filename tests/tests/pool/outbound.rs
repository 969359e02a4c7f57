//! The client that talks outward, against servers that send what they please.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use alp_sandbox::types::{Field, Method, Reply};
use alp_server::exchange::{ClientError, ExchangeClient, Prepared, Timeouts};
use alp_server::network::{BasicAuth, NameLookUp, OutboundGrant};
use alp_tests::{DEADLINE, FakeServer, Raw, RawServer};
use flate2::Compression;
use flate2::write::GzEncoder;

const TIMEOUTS: Timeouts = Timeouts { connect: DEADLINE, call: DEADLINE };

/// The limit on a reply in these tests, in bytes.
const REPLY_BYTES: usize = 100_000;

fn client() -> ExchangeClient {
    ExchangeClient::new(TIMEOUTS, REPLY_BYTES).unwrap()
}

/// A client whose exchange is this server by the operator's word.
fn client_for(server: &RawServer) -> ExchangeClient {
    client().with_own_endpoint(Some(&format!("http://{}", server.address()))).unwrap()
}

/// A client for which every name leads to these addresses, and how often it looked one up.
fn client_resolving(answers: &[&str]) -> (ExchangeClient, Arc<AtomicUsize>) {
    let answers: Vec<IpAddr> = answers.iter().map(|text| text.parse().unwrap()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let look_up: NameLookUp = Arc::new(move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(answers.clone())))
    });
    (ExchangeClient::resolving(TIMEOUTS, REPLY_BYTES, look_up).unwrap(), asked)
}

fn request(url: &str) -> Prepared {
    Prepared {
        method: Method::Get,
        url: url.parse().unwrap(),
        headers: vec![Field { name: "X-Key".to_owned(), value: "k".to_owned() }],
        body: None,
        reply_headers: vec!["x-seen".to_owned()],
    }
}

async fn send(client: &ExchangeClient, server: &RawServer) -> Result<Reply, ClientError> {
    client.send(&request(&format!("http://{}/orders?signature=s", server.address()))).await
}

/// The names of the headers of a request, and what stands before them.
fn header_names(head: &str) -> (String, BTreeSet<String>) {
    let mut lines = head.trim_end().lines();
    let first = lines.next().unwrap().to_owned();
    (first, lines.map(|line| line.split(':').next().unwrap().to_ascii_lowercase()).collect())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_request_carries_what_was_granted_and_nothing_of_the_reply_before() {
    let set = ["Set-Cookie: session=1; Path=/", "X-Seen: yes", "X-Unseen: no"];
    let server = RawServer::start(Raw::reply(&set, b"[]")).await;
    let client = client_for(&server);
    for _ in 0..2 {
        let reply = send(&client, &server).await.unwrap();
        let seen: Vec<_> = reply.headers.iter().map(|header| (&*header.name, &*header.value)).collect();
        assert_eq!((reply.status, seen), (200, vec![("x-seen", "yes")]));
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 2);
    for head in heads {
        let (first, names) = header_names(&head);
        assert_eq!(first, "GET /orders?signature=s HTTP/1.1");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent", "x-key"], "{head}");
    }
}

#[tokio::test]
async fn a_redirect_is_handed_on_and_not_followed() {
    let elsewhere = RawServer::start(Raw::reply(&[], b"[]")).await;
    for status in [301, 302, 303, 307, 308] {
        let head = format!(
            "HTTP/1.1 {status} Moved\r\nLocation: http://{}/\r\nRefresh: 0\r\nContent-Length: 0\r\n\r\n",
            elsewhere.address()
        );
        let server = RawServer::start(Raw::Bytes(head.into_bytes())).await;
        assert_eq!(send(&client_for(&server), &server).await.unwrap().status, status);
        assert_eq!(server.connections(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_not_tried_again() {
    let broken =
        [&b""[..], b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]", b"SSH-2.0-x\r\n"];
    for bytes in broken {
        let server = RawServer::start(Raw::Bytes(bytes.to_vec())).await;
        let error = send(&client_for(&server), &server).await.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{bytes:?}: {error:?}");
        assert_eq!((server.connections(), server.heads().len()), (1, 1), "{bytes:?}");
    }
}

#[tokio::test]
async fn a_compressed_reply_is_read_and_the_limit_counts_what_comes_out_of_it() {
    let gzipped = |bytes: &[u8]| Raw::reply(&["Content-Encoding: gzip"], &gzip(bytes));
    let largest = vec![b' '; REPLY_BYTES];
    let server = RawServer::start(gzipped(&largest)).await;
    assert_eq!(send(&client_for(&server), &server).await.unwrap().body, largest);
    let too_large = ClientError::TooLarge { limit: REPLY_BYTES };
    let server = RawServer::start(gzipped(&vec![b' '; REPLY_BYTES + 1])).await;
    assert_eq!(send(&client_for(&server), &server).await, Err(too_large.clone()));
    // A hundred kilobytes that are a hundred megabytes.
    let bomb = gzipped(&vec![0; 100 << 20]);
    let server = RawServer::start(bomb).await;
    assert_eq!(send(&client_for(&server), &server).await, Err(too_large));
    let server = RawServer::start(Raw::reply(&["Content-Encoding: gzip"], b"not gzip")).await;
    assert!(matches!(send(&client_for(&server), &server).await, Err(ClientError::Broken { .. })));
}

#[tokio::test]
async fn a_reply_without_end_is_cut_off_while_it_streams_compressed_or_not() {
    // Each chunk is one gzip stream's middle: stored blocks of zeros, so the stream never ends.
    let mut block = vec![0_u8, 0x00, 0x10, 0xff, 0xef];
    block.extend([0; 0x1000]);
    let chunk = |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let head = |encoding: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{encoding}\r\n");
    let start = [head("Content-Encoding: gzip\r\n").into_bytes(), chunk(&[31, 139, 8, 0, 0, 0, 0, 0, 0, 3])];
    let compressed = Raw::Endless(start.concat(), chunk(&block));
    let plain = Raw::Endless(head("").into_bytes(), chunk(&block));
    for endless in [compressed, plain] {
        let server = RawServer::start(endless).await;
        let answer = send(&client_for(&server), &server).await;
        assert_eq!(answer, Err(ClientError::TooLarge { limit: REPLY_BYTES }));
    }
}

#[tokio::test]
async fn headers_are_bounded_in_number_and_size() {
    let line = |number: usize| format!("X-{number}: {}", "x".repeat(1000));
    let lines: Vec<String> = (0..90).map(line).collect();
    let reply =
        |count: usize| Raw::reply(&lines.iter().take(count).map(String::as_str).collect::<Vec<_>>(), b"");
    let server = RawServer::start(reply(60)).await;
    assert_eq!(send(&client_for(&server), &server).await.unwrap().status, 200);
    let server = RawServer::start(reply(90)).await;
    assert_eq!(send(&client_for(&server), &server).await, Err(ClientError::HeadTooLarge));
    let many: Vec<String> = (0..200).map(|number| format!("X-{number}: x")).collect();
    let many = Raw::reply(&many.iter().map(String::as_str).collect::<Vec<_>>(), b"");
    let endless = Raw::Endless(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 4096]);
    for raw in [many, endless] {
        let server = RawServer::start(raw).await;
        let error = send(&client_for(&server), &server).await.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent() {
    let server = RawServer::start_self_signed(Raw::reply(&[], b"[]")).await;
    for host in ["127.0.0.1", "localhost"] {
        let origin = format!("https://{host}:{}", server.address().port());
        let client = client().with_own_endpoint(Some(&origin)).unwrap();
        let error = client.send(&request(&format!("{origin}/orders"))).await.unwrap_err();
        assert!(matches!(error, ClientError::Tls { .. }), "{error:?}");
        assert!(error.to_string().contains("certificate"), "{error}");
    }
    assert_eq!((server.connections(), server.heads()), (2, Vec::new()));
}

#[tokio::test]
async fn an_address_in_place_of_a_name_is_refused_in_every_form_unless_it_is_the_operators_endpoint() {
    let server = RawServer::start(Raw::reply(&[], b"[]")).await;
    let port = server.address().port();
    let client = client();
    let forms = [
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.1.",
        "１２７.0.0.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "[2002:7f00:1::]",
    ];
    for form in forms {
        let error = client.send(&request(&format!("http://{form}:{port}/"))).await.unwrap_err();
        assert!(matches!(error, ClientError::Forbidden { .. }) && error.is_operators(), "{form}: {error:?}");
    }
    let error = client.send(&request("https://127.1:444/orders?signature=secret")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "127.0.0.1 is not connected to: 127.0.0.1 is a loopback address; if that is meant, the operator writes the \
         address itself: endpoint = \"https://127.0.0.1:444\" in the exchange's file, or an IP address in the feed's url"
    );
    // The endpoint is an origin: another port or scheme of the same host is not the operator's word.
    let beside = format!("http://127.0.0.1:{}", port ^ 1);
    for endpoint in [beside, format!("https://127.0.0.1:{port}"), format!("http://localhost:{port}")] {
        let client = client.clone().with_own_endpoint(Some(&endpoint)).unwrap();
        let refused = send(&client, &server).await;
        assert!(matches!(refused, Err(ClientError::Forbidden { .. })), "{endpoint}: {refused:?}");
    }
    assert_eq!(server.connections(), 0);
    send(&client_for(&server), &server).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_and_nothing_connects() {
    let server = RawServer::start(Raw::reply(&[], b"[]")).await;
    let url = format!("http://api.exchange.example:{}/orders", server.address().port());
    for answers in [&["127.0.0.1"][..], &["::ffff:127.0.0.1"], &["93.184.216.34", "127.0.0.1"], &["0.0.0.0"]]
    {
        let (client, asked) = client_resolving(answers);
        let error = client.send(&request(&url)).await.unwrap_err();
        assert!(matches!(error, ClientError::Forbidden { .. }), "{answers:?}: {error:?}");
        let origin = format!("endpoint = \"http://api.exchange.example:{}\"", server.address().port());
        assert!(error.to_string().contains(&origin), "{error}");
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn the_operators_endpoint_may_be_private_and_is_resolved_once_for_a_kept_connection() {
    let server = FakeServer::start().await;
    server.set("/orders", 200, "[]");
    let port = server.origin().rsplit(':').next().unwrap().to_owned();
    let (client, asked) = client_resolving(&["127.0.0.1"]);
    let client = client.with_own_endpoint(Some(&format!("http://exchange.internal:{port}"))).unwrap();
    for _ in 0..3 {
        let url = format!("http://exchange.internal:{port}/orders");
        assert_eq!(client.send(&request(&url)).await.unwrap().status, 200);
    }
    assert_eq!((server.asked().len(), asked.load(Ordering::SeqCst)), (3, 1));
    let another = client.send(&request(&format!("http://other.internal:{port}/orders"))).await;
    assert!(matches!(another, Err(ClientError::Forbidden { .. })), "{another:?}");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_feed_by_a_public_name_may_not_lead_into_a_private_network() {
    let server = RawServer::start(Raw::reply(&["Set-Cookie: a=b"], b"1")).await;
    let port = server.address().port();
    let (client, _) = client_resolving(&["127.0.0.1"]);
    let named = OutboundGrant::get(&format!("http://feed.example:{port}/price")).unwrap();
    let refused = client.get(&named).await;
    assert!(matches!(refused, Err(ClientError::Forbidden { .. })), "{refused:?}");
    assert_eq!(server.connections(), 0);
    for host in ["127.0.0.1", "localhost"] {
        let own = OutboundGrant::get(&format!("http://{host}:{port}/price?of=nbt")).unwrap();
        assert_eq!(client.get(&own).await.unwrap(), b"1");
    }
    for head in server.heads() {
        let (first, names) = header_names(&head);
        assert_eq!(first, "GET /price?of=nbt HTTP/1.1");
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, ["accept", "accept-encoding", "host", "user-agent"], "{head}");
    }
}

#[tokio::test]
async fn a_grant_to_post_carries_its_own_password_and_a_body() {
    let server = RawServer::start(Raw::reply(&[], b"{}")).await;
    let auth = BasicAuth { user: "rpc".to_owned(), password: "secret".to_owned() };
    let grant = OutboundGrant::post(&format!("http://{}/", server.address())).unwrap().with_basic_auth(auth);
    let reply = client().ask(&grant, Some(b"{\"method\":\"getinfo\"}".to_vec())).await.unwrap();
    assert_eq!((reply.status, reply.body), (200, b"{}".to_vec()));
    let heads = server.heads();
    assert!(heads[0].starts_with("POST / HTTP/1.1\r\n"), "{}", heads[0]);
    // Base64 of rpc:secret.
    assert!(heads[0].to_ascii_lowercase().contains("authorization: basic cnbjonnly3jlda=="), "{}", heads[0]);
}

#[tokio::test]
async fn a_server_that_sends_nothing_is_given_up_after_the_time_of_a_call() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let call = Duration::from_millis(50);
    let timeouts = Timeouts { connect: DEADLINE, call };
    let client =
        ExchangeClient::new(timeouts, REPLY_BYTES).unwrap().with_own_endpoint(Some(&origin)).unwrap();
    let answer = client.send(&request(&format!("{origin}/"))).await;
    assert_eq!(answer, Err(ClientError::TimedOut { after: call }));
}

#[tokio::test]
async fn a_name_that_nobody_answers_for_is_given_up_after_the_time_of_a_connection() {
    let look_up: NameLookUp = Arc::new(|_| Box::pin(std::future::pending()));
    let timeouts = Timeouts { connect: Duration::from_millis(50), call: DEADLINE };
    let client = ExchangeClient::resolving(timeouts, REPLY_BYTES, look_up).unwrap();
    let answer = client.send(&request("https://api.exchange.example/")).await;
    let reason = "no connection within 50ms".to_owned();
    assert_eq!(answer, Err(ClientError::Unreachable { reason }));
}

#[tokio::test]
async fn what_a_broken_connection_says_is_one_short_line() {
    let mut forged = b"HTTP/1.1 200 OK\r\nX-\x1b[31m\n2026-01-01 ERROR paid: ".to_vec();
    forged.extend("\u{202e}x".repeat(5_000).into_bytes());
    forged.extend(b"\r\n\r\n");
    let server = RawServer::start(Raw::Bytes(forged)).await;
    let told = send(&client_for(&server), &server).await.unwrap_err().to_string();
    assert!(told.len() < 300 && !told.contains(|c: char| c.is_control() || c == '\u{202e}'), "{told:?}");
}
