//! The HTTP side: listens, remembers what came, answers in the mood of the moment.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::behaviour::{Course, response};
use crate::handle::{Handle, Shared};
use crate::protocol::{Protocol, RawRequest};
use crate::refusal::Refusal;
use crate::test_exchange::TestExchange;

/// The exchange's time, in Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Bytes of a request's body that are read: no call's form comes near.
pub const MAX_BODY_BYTES: usize = 16 * 1_024;
/// How long a shutdown waits for answers under way: they are all released at once, so this only cuts off
/// clients that do not read, in milliseconds.
pub const SHUTDOWN_GRACE_MS: u64 = 2_000;

/// The way to start one.
pub struct SimulatedExchange;

impl SimulatedExchange {
    /// Starts an exchange that speaks `test_exchange` on this listener. Needs a tokio runtime.
    ///
    /// # Errors
    /// If the listener does not know its own address.
    pub fn start(listener: TcpListener, clock: Clock) -> io::Result<Running> {
        Self::start_with(listener, clock, Arc::new(TestExchange))
    }

    /// Starts an exchange that speaks another protocol.
    ///
    /// # Errors
    /// If the listener does not know its own address.
    pub fn start_with(
        listener: TcpListener,
        clock: Clock,
        protocol: Arc<dyn Protocol>,
    ) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(clock, protocol));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let stopping = shared.stopping.subscribe();
        let server = axum::serve(listener, router).with_graceful_shutdown(stopped(stopping));
        let task = tokio::spawn(async move { server.await });
        Ok(Running { address, shared, task: Some(task) })
    }
}

/// An exchange that listens. Dropped, it stops listening and ends what is under way.
pub struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as the origin of its addresses: `http://127.0.0.1:1234`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its controls.
    pub fn handle(&self) -> Handle {
        Handle { shared: Arc::clone(&self.shared) }
    }

    /// Stops listening, lets answers under way end, and returns when the socket is free. Requests that hang
    /// are answered as in an outage.
    pub async fn shutdown(mut self) {
        self.shared.stopping.send_replace(true);
        if let Some(mut task) = self.task.take() {
            let grace = Duration::from_millis(SHUTDOWN_GRACE_MS);
            if tokio::time::timeout(grace, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_BYTES).await;
    let request = RawRequest {
        received_ms: shared.now_ms(),
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: body.as_ref().cloned().unwrap_or_default(),
    };
    shared.log(&request);
    if body.is_err() {
        return response(shared.protocol.write(&request, Err(&Refusal::Malformed("body"))));
    }
    answer_in_mood(&shared, &request).await
}

async fn answer_in_mood(shared: &Shared, request: &RawRequest) -> Response {
    let mut behaviour = shared.behaviour.subscribe();
    loop {
        let course = behaviour.borrow_and_update().course(shared, request);
        let stop = stopped(shared.stopping.subscribe());
        match course {
            Course::Send(response) => return response,
            Course::Attend(pause) => {
                if !pause.is_zero() {
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop => return down(shared, request),
                    }
                }
                let outcome = shared.attend(request);
                return response(shared.protocol.write(request, outcome.as_ref()));
            }
            Course::Hang => tokio::select! {
                _ = behaviour.changed() => {}
                () = stop => return down(shared, request),
            },
        }
    }
}

fn down(shared: &Shared, request: &RawRequest) -> Response {
    response(shared.protocol.write(request, Err(&Refusal::Down)))
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the exchange is gone altogether, which is a stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}
