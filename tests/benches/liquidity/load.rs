//! The load: each LP posts over a connection of its own and waits for the answer before it posts again.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::meter::thread_cpu;

/// What both sides answer to a message that was taken.
pub(crate) const TAKEN: &str = r#"{"message":"orders saved for validation","success":true}"#;

/// How long the answer to one message may take: far longer than it does.
const DEADLINE: Duration = Duration::from_secs(30);

/// What posts, on a thread of its own.
pub(crate) struct Generator(Runtime);

/// An LP's open connection and the requests that it is going to send over it, as bytes.
pub(crate) struct Connection {
    stream: TcpStream,
    requests: Vec<Vec<u8>>,
}

impl Generator {
    /// Starts its thread.
    pub(crate) fn start() -> Self {
        Self(tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("generator").enable_all().build().unwrap())
    }

    /// Connects each LP and writes out its requests.
    pub(crate) fn connect(&self, address: SocketAddr, bodies: Vec<Vec<String>>) -> Vec<Connection> {
        let connect = async {
            let mut connections = Vec::with_capacity(bodies.len());
            for bodies in bodies {
                let stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let requests = bodies.iter().map(|body| request(address, body)).collect();
                connections.push(Connection { stream, requests });
            }
            connections
        };
        self.0.block_on(connect)
    }

    /// Has all LPs post everything, and returns when the last answer is in.
    pub(crate) fn run(&self, connections: Vec<Connection>) {
        self.0.block_on(async {
            let lps: Vec<_> = connections.into_iter().map(|lp| tokio::spawn(lp.post_all())).collect();
            for lp in lps {
                lp.await.unwrap();
            }
        });
    }

    /// CPU time that its thread has used.
    pub(crate) fn cpu(&self) -> Duration {
        self.0.block_on(self.0.spawn(async { thread_cpu() })).unwrap()
    }
}

impl Connection {
    async fn post_all(mut self) {
        let mut answer = Vec::with_capacity(1024);
        for request in &self.requests {
            self.stream.write_all(request).await.unwrap();
            answer.clear();
            tokio::time::timeout(DEADLINE, read_answer(&mut self.stream, &mut answer)).await.expect("an answer");
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
