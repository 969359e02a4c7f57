//! The load: each LP posts over a connection of its own and waits for the answer before it posts again.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What both sides answer to a message that was taken.
pub(crate) const TAKEN: &str = r#"{"message":"orders saved for validation","success":true}"#;

/// How long the answer to one message may take: far longer than it does.
const DEADLINE: Duration = Duration::from_secs(30);

/// An LP's open connection and the requests that it is going to send over it, as bytes.
pub(crate) struct Connection {
    stream: TcpStream,
    requests: Vec<Vec<u8>>,
}

/// Connects each LP and writes out its requests.
pub(crate) async fn connect(address: SocketAddr, bodies: Vec<Vec<String>>) -> Vec<Connection> {
    let mut connections = Vec::with_capacity(bodies.len());
    for bodies in bodies {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let requests = bodies.iter().map(|body| request(address, body)).collect();
        connections.push(Connection { stream, requests });
    }
    connections
}

/// Has all LPs post everything, and returns when the last answer is in.
pub(crate) async fn run(connections: Vec<Connection>) {
    let lps: Vec<_> = connections.into_iter().map(|lp| tokio::spawn(lp.post_all())).collect();
    for lp in lps {
        lp.await.unwrap();
    }
}

impl Connection {
    async fn post_all(mut self) {
        let mut answer = Vec::with_capacity(1024);
        for request in &self.requests {
            self.stream.write_all(request).await.unwrap();
            answer.clear();
            tokio::time::timeout(DEADLINE, read_answer(&mut self.stream, &mut answer))
                .await
                .expect("an answer");
        }
    }
}

/// Reads one answer, which is of a known length: it must be the success, and nothing may follow it.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    loop {
        let read = stream.read_buf(answer).await.unwrap();
        let text = std::str::from_utf8(answer).unwrap();
        assert!(read > 0, "the connection ended: {text}");
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if body.len() < TAKEN.len() && head.starts_with("HTTP/1.1 200 ") {
            continue;
        }
        assert!(head.starts_with("HTTP/1.1 200 ") && body == TAKEN, "not the answer expected: {text}");
        return;
    }
}

fn request(address: SocketAddr, body: &str) -> Vec<u8> {
    format!(
        "POST /liquidity HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
