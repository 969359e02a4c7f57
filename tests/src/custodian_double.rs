//! The liquidity calls of a custodian's wallet daemon over HTTP: takes lines, keeps them by identifier, shows them, and
//! refuses, hangs or lies as a test says. It knows no pool.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The address whose key it holds.
pub const GRANT_ADDRESS: &str = "BMJ2PJ1TNMwnTYUopQVxBrAPmmJjJjhd96";

/// What goes wrong with every call that tells something, until it is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustodianFault {
    /// An error with this code.
    Code(i64),
    /// No answer, ever.
    Hangs,
    /// It is taken, and another amount to sell is shown than was told.
    ShowsAnother,
    /// It is taken and shown nowhere, as of one whose election is too long ago.
    ShowsNothing,
}

/// Amounts to buy and to sell, as they were written.
type Amounts = (String, String);

#[derive(Default)]
struct Network {
    lines: BTreeMap<String, Amounts>,
    told: Vec<(String, Amounts)>,
    calls: Vec<String>,
    fault: Option<CustodianFault>,
}

/// The daemon. Dropped, it is gone.
pub struct CustodianDouble {
    origin: String,
    network: Arc<Mutex<Network>>,
    task: JoinHandle<()>,
}

impl CustodianDouble {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let network = Arc::new(Mutex::new(Network::default()));
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&network));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { origin, network, task }
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// From now on this goes wrong; nothing does with `None`.
    pub fn fail(&self, fault: Option<CustodianFault>) {
        self.network.lock().unwrap().fault = fault;
    }

    /// Lets the network show a line that somebody told earlier.
    pub fn show(&self, identifier: &str, buy: &str, sell: &str) {
        let amounts = (buy.to_owned(), sell.to_owned());
        self.network.lock().unwrap().lines.insert(identifier.to_owned(), amounts);
    }

    /// What the network shows, by identifier: amounts to buy and to sell as they were written.
    pub fn shown(&self) -> BTreeMap<String, Amounts> {
        self.network.lock().unwrap().lines.clone()
    }

    /// Every line that was told, in order.
    pub fn told(&self) -> Vec<(String, Amounts)> {
        self.network.lock().unwrap().told.clone()
    }

    /// The methods that were called so far.
    pub fn calls(&self) -> Vec<String> {
        self.network.lock().unwrap().calls.clone()
    }
}

impl Drop for CustodianDouble {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Deserialize)]
struct Call {
    method: String,
    params: Vec<Box<RawValue>>,
}

async fn answer(
    State(network): State<Arc<Mutex<Network>>>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let authorized =
        headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
    if !authorized {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let call: Call = serde_json::from_slice(&body).unwrap();
    let fault = {
        let mut network = network.lock().unwrap();
        network.calls.push(call.method.clone());
        network.fault
    };
    if call.method == "liquidityinfo" && fault == Some(CustodianFault::Hangs) {
        return std::future::pending().await;
    }
    let answer = network.lock().unwrap().answer(&call);
    let (status, text) = match answer {
        Ok(result) => (StatusCode::OK, format!(r#"{{"result":{result},"error":null,"id":"alp"}}"#)),
        Err((code, message)) => (
            StatusCode::INTERNAL_SERVER_ERROR,
            format!(r#"{{"result":null,"error":{{"code":{code},"message":"{message}"}},"id":"alp"}}"#),
        ),
    };
    (status, text).into_response()
}

impl Network {
    fn answer(&mut self, call: &Call) -> Result<String, (i64, &'static str)> {
        let text = |index: usize| serde_json::from_str::<String>(call.params[index].get()).unwrap();
        if text(0) != "B" {
            return Err((-3, "Invalid currency"));
        }
        match call.method.as_str() {
            "liquidityinfo" => {
                // Reals have a point; a whole number or a text is an error of its type.
                let real = |index: usize| {
                    let written = call.params[index].get();
                    assert!(written.contains('.') && !written.contains('"'), "{written} is no real");
                    written.to_owned()
                };
                let (buy, sell) = (real(1), real(2));
                if let Some(CustodianFault::Code(code)) = self.fault {
                    return Err((code, "as the test says"));
                }
                if text(3) != GRANT_ADDRESS {
                    return Err((-4, "Private key not available"));
                }
                self.take(text(4), buy, sell);
                Ok("\"\"".to_owned())
            }
            "getliquiditydetails" => {
                let lines: Vec<String> = self.lines.iter().map(line).collect();
                let own = format!(r#""{GRANT_ADDRESS}":{{{}}}"#, lines.join(","));
                Ok(if lines.is_empty() { "{}".to_owned() } else { format!("{{{own}}}") })
            }
            "getliquidityinfo" => Ok(self.sums()),
            _ => Err((-32_601, "Method not found")),
        }
    }

    fn take(&mut self, identifier: String, buy: String, sell: String) {
        assert!(identifier.len() <= 255 && identifier.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        self.told.push((identifier.clone(), (buy.clone(), sell.clone())));
        let sell = match self.fault {
            Some(CustodianFault::ShowsNothing) => return,
            Some(CustodianFault::ShowsAnother) => "7777.0".to_owned(),
            _ => sell,
        };
        self.lines.insert(identifier, (buy, sell));
    }

    /// The sums of everything, of each tier, and of the one custodian there is.
    fn sums(&self) -> String {
        let sum = |amounts: &mut dyn Iterator<Item = &String>| {
            let steps: u128 = amounts.map(|written| steps(written)).sum();
            format!("{}.{:04}0000", steps / 10_000, steps % 10_000)
        };
        let buy = sum(&mut self.lines.values().map(|(buy, _)| buy));
        let sell = sum(&mut self.lines.values().map(|(_, sell)| sell));
        let all = format!(r#"{{"buy":{buy},"sell":{sell}}}"#);
        format!(r#"{{"total":{all},"tier":{{"1":{all}}},"custodian":{{"{GRANT_ADDRESS}":{all}}}}}"#)
    }
}

fn line((identifier, (buy, sell)): (&String, &Amounts)) -> String {
    format!(r#""{identifier}":{{"buy":{buy},"sell":{sell}}}"#)
}

/// A real with up to four decimals as whole steps of 0.0001.
fn steps(written: &str) -> u128 {
    let (whole, fraction) = written.split_once('.').unwrap();
    format!("{whole}{fraction:0<4}").parse().unwrap()
}
