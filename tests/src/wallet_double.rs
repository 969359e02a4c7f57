//! A wallet's JSON-RPC at the HTTP level, which breaks off, refuses and lies as a test says. It keeps transactions and
//! knows nothing of payouts.

mod state;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use alp_pool::money::Coins;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use state::{Blow, Call, State};

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletFault {
    /// The connection is dropped and nothing was done.
    DropBefore,
    /// It was done, and the connection is dropped within the answer.
    DropInside,
    /// It was done, and the connection is dropped without an answer.
    DropAfter,
    /// An error with this code, and nothing was done.
    Code(i64),
    /// It was done, and is answered with an error of this code.
    DoneThenCode(i64),
    /// It was done, and is answered with this status and no JSON.
    DoneThenStatus(u16),
    /// It was done, and is answered with JSON of another form.
    DoneThenNonsense,
}

/// At what moment of a call something happens to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// The call has arrived, and nothing was done.
    BeforeItIsDone,
    /// It was done, and half of the answer is on its way.
    TheAnswer,
    /// It was done, and nothing was answered.
    AfterItIsDone,
}

/// The wallet. Dropped, it is gone.
pub struct WalletDouble {
    origin: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl WalletDouble {
    /// Starts it, with a million coins.
    pub async fn start() -> Self {
        Self::start_on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Starts it where this listens.
    pub fn start_on(listener: TcpListener) -> Self {
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let state = State { balance: "1000000.00000000".to_owned(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { origin, state, task }
    }

    /// Its origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The next call of this method goes wrong so. Faults of one method come in their order.
    pub fn fail(&self, method: &str, fault: WalletFault) {
        self.state.lock().unwrap().faults.push((method.to_owned(), fault));
    }

    /// Within the call of this method that comes after so many others of it, something happens to the caller, and the
    /// connection ends.
    pub fn strike(
        &self,
        method: &str,
        earlier: usize,
        within: Within,
        strike: impl FnOnce() + Send + 'static,
    ) {
        let (method, strike) = (method.to_owned(), Box::new(strike));
        self.state.lock().unwrap().blow = Some(Blow { method, earlier, within, strike });
    }

    /// From now on a block is found whenever the history is looked at.
    pub fn mine_at_looks(&self) {
        self.state.lock().unwrap().blocks_at_looks = true;
    }

    /// From now on no payment to this address is taken.
    pub fn refuse(&self, address: &str) {
        self.state.lock().unwrap().refused.insert(address.to_owned());
    }

    /// Sets the time, in Unix seconds, and what can be spent.
    pub fn set(&self, time_s: u64, balance: &str) {
        let mut state = self.state.lock().unwrap();
        (state.time_s, state.balance) = (time_s, balance.to_owned());
    }

    /// Finds blocks on top of every transaction that stands.
    pub fn mine(&self, blocks: i64) {
        self.state.lock().unwrap().mine(blocks);
    }

    /// Forgets every transaction, as a wallet restored from before them.
    pub fn forget_all(&self) {
        self.state.lock().unwrap().transactions.clear();
    }

    /// Forgets the locks, as a daemon that was restarted.
    pub fn restart(&self) {
        self.state.lock().unwrap().locked.clear();
    }

    /// How many coins are locked.
    pub fn locked(&self) -> usize {
        self.state.lock().unwrap().locked.len()
    }

    /// The methods that were called so far.
    pub fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Sends by itself, as an operator would by hand. The transaction's id.
    pub fn send(&self, address: &str, amount: &str, comment: &str) -> String {
        self.send_all(&[(address, amount)], comment)
    }

    /// As [`WalletDouble::send`], to several addresses.
    pub fn send_all(&self, outputs: &[(&str, &str)], comment: &str) -> String {
        let owned = |(address, amount): &(&str, &str)| ((*address).to_owned(), (*amount).to_owned());
        self.state.lock().unwrap().send_new(outputs.iter().map(owned).collect(), comment)
    }

    /// What each address was paid by transactions that stand, in 1e-8.
    pub fn paid(&self) -> BTreeMap<String, u64> {
        let state = self.state.lock().unwrap();
        let mut paid = BTreeMap::new();
        for transaction in state.transactions.iter().filter(|one| one.confirmations >= 0) {
            for (address, amount) in &transaction.outputs {
                *paid.entry(address.clone()).or_insert(0) += Coins::parse(amount).unwrap().e8();
            }
        }
        paid
    }
}

impl Drop for WalletDouble {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    loop {
        let Some(body) = next_body(&mut stream, &mut bytes).await else { return };
        let call: Call = serde_json::from_slice(&body).unwrap();
        let (fault, blow, answer) = {
            let mut state = state.lock().unwrap();
            let blow = state.blow_within(&call);
            state.calls.push(call.method.clone());
            let at = state.faults.iter().position(|(method, _)| *method == call.method);
            let fault = at.map(|at| state.faults.remove(at).1);
            let answer = match fault {
                _ if blow.as_ref().is_some_and(|blow| blow.within == Within::BeforeItIsDone) => {
                    return blow.into_iter().for_each(|blow| (blow.strike)());
                }
                Some(WalletFault::DropBefore) => return,
                Some(WalletFault::Code(code)) => Err(code),
                _ => state.answer(&call),
            };
            (fault, blow, answer)
        };
        let text = match &answer {
            Ok(result) => format!(r#"{{"result":{result},"error":null,"id":"alp"}}"#),
            Err(code) => error(*code),
        };
        let (status, text) = match fault {
            Some(WalletFault::DropAfter) => return,
            Some(WalletFault::DoneThenCode(code)) => (500, error(code)),
            Some(WalletFault::DoneThenStatus(status)) => (status, "<html>".to_owned()),
            Some(WalletFault::DoneThenNonsense) => {
                (200, r#"{"result":7,"error":null,"id":"alp"}"#.to_owned())
            }
            _ => (if answer.is_ok() { 200 } else { 500 }, text),
        };
        if let Some(Blow { within: Within::AfterItIsDone, strike, .. }) = blow {
            return strike();
        }
        let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        if fault == Some(WalletFault::DropInside) || blow.is_some() {
            let _ = stream.write_all(&reply.as_bytes()[..reply.len() - 9]).await;
            return blow.into_iter().for_each(|blow| (blow.strike)());
        }
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn error(code: i64) -> String {
    format!(r#"{{"result":null,"error":{{"code":{code},"message":"as the test says"}},"id":"alp"}}"#)
}

async fn next_body(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            assert!(head.contains("authorization: basic "), "{head}");
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let whole = end + 4 + length.trim().parse::<usize>().unwrap();
            if bytes.len() >= whole {
                let rest = bytes.split_off(whole);
                let body = bytes.split_off(end + 4);
                *bytes = rest;
                return Some(body);
            }
        }
        if stream.read_buf(bytes).await.ok()? == 0 {
            return None;
        }
    }
}
