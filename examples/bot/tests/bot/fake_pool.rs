//! A pool that says what it is told to, and remembers what it heard.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the pool does with a message.
#[derive(Clone)]
pub(crate) enum Mood {
    /// Status 200 and `{"success": .., "message": ..}`.
    Say(bool, &'static str),
    /// A page for people.
    Page,
    /// A redirect to this address.
    Redirect(String),
    /// No answer.
    Hang,
}

#[derive(Clone)]
pub(crate) struct Heard {
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Heard {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct FakePool {
    pub(crate) url: String,
    heard: watch::Sender<Vec<Heard>>,
    on_register: Arc<Mutex<Mood>>,
    on_liquidity: Arc<Mutex<Mood>>,
}

impl FakePool {
    pub(crate) async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn start_on(listener: TcpListener) -> Self {
        let pool = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            heard: watch::Sender::new(Vec::new()),
            on_register: Arc::new(Mutex::new(Mood::Say(true, "user successfully registered"))),
            on_liquidity: Arc::new(Mutex::new(Mood::Say(true, "orders saved for validation"))),
        };
        let router = Router::new().fallback(answer).with_state(pool.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        pool
    }

    pub(crate) fn on_register(&self, mood: Mood) {
        *self.on_register.lock().unwrap() = mood;
    }

    pub(crate) fn on_liquidity(&self, mood: Mood) {
        *self.on_liquidity.lock().unwrap() = mood;
    }

    /// What was heard on this path, once it is at least so much.
    pub(crate) async fn heard(&self, path: &str, count: usize) -> Vec<Heard> {
        let mut heard = self.heard.subscribe();
        let on_path = |heard: &[Heard]| -> Vec<Heard> {
            heard.iter().filter(|heard| heard.path == path).cloned().collect()
        };
        let enough = heard.wait_for(|heard| on_path(heard).len() >= count);
        let enough = tokio::time::timeout(crate::scene::DEADLINE, enough).await;
        on_path(&enough.expect("enough messages").unwrap())
    }
}

async fn answer(State(pool): State<FakePool>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let heard = Heard {
        path: uri.path().to_owned(),
        content_type: headers["content-type"].to_str().unwrap().to_owned(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let mood = match heard.path.as_str() {
        "/register" => pool.on_register.lock().unwrap().clone(),
        _ => pool.on_liquidity.lock().unwrap().clone(),
    };
    pool.heard.send_modify(|all| all.push(heard));
    match mood {
        Mood::Say(success, message) => {
            serde_json::json!({ "success": success, "message": message }).to_string().into_response()
        }
        Mood::Page => "<html>502</html>".into_response(),
        Mood::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Mood::Hang => std::future::pending().await,
    }
}
