//! A server that answers what a test says: feeds of prices, an exchange that is not simulated, a trap.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

#[derive(Default)]
struct Shared {
    answers: Mutex<BTreeMap<String, (u16, String)>>,
    asked: Mutex<Vec<String>>,
}

/// The server. Dropped, it is gone.
pub struct FakeServer {
    origin: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl FakeServer {
    /// Starts it. It answers 404 until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, shared, task }
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// From now on this path answers so.
    pub fn set(&self, path: &str, status: u16, body: &str) {
        self.shared.answers.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    /// What it was asked so far, path and query.
    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    shared.asked.lock().unwrap().push(uri.to_string());
    let answer = shared.answers.lock().unwrap().get(uri.path()).cloned();
    let (status, body) = answer.unwrap_or((404, "{}".to_owned()));
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
