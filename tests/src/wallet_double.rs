//! A wallet's JSON-RPC at the HTTP level, which breaks off, refuses and lies as a test says. It keeps transactions and
//! knows nothing of payouts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use alp_pool::money::Coins;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

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

#[derive(Clone)]
struct Transaction {
    txid: String,
    comment: String,
    outputs: BTreeMap<String, String>,
    inputs: Vec<String>,
    text: String,
    confirmations: i64,
}

#[derive(Default)]
struct State {
    transactions: Vec<Transaction>,
    locked: BTreeSet<String>,
    refused: BTreeSet<String>,
    balance: String,
    made: u64,
    time_s: u64,
    faults: Vec<(String, WalletFault)>,
    calls: Vec<String>,
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
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
        let mut state = self.state.lock().unwrap();
        for transaction in state.transactions.iter_mut().filter(|one| one.confirmations >= 0) {
            transaction.confirmations += blocks;
        }
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
        let outputs = BTreeMap::from([(address.to_owned(), amount.to_owned())]);
        self.state.lock().unwrap().send_new(outputs, comment)
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

#[derive(Deserialize)]
struct Call {
    method: String,
    params: Vec<Box<RawValue>>,
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    loop {
        let Some(body) = next_body(&mut stream, &mut bytes).await else { return };
        let call: Call = serde_json::from_slice(&body).unwrap();
        let (fault, answer) = {
            let mut state = state.lock().unwrap();
            state.calls.push(call.method.clone());
            let at = state.faults.iter().position(|(method, _)| *method == call.method);
            let fault = at.map(|at| state.faults.remove(at).1);
            let answer = match fault {
                Some(WalletFault::DropBefore) => return,
                Some(WalletFault::Code(code)) => Err(code),
                _ => state.answer(&call),
            };
            (fault, answer)
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
        let reply = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        if fault == Some(WalletFault::DropInside) {
            let _ = stream.write_all(&reply.as_bytes()[..reply.len() - 9]).await;
            return;
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

fn read<T: serde::de::DeserializeOwned>(call: &Call, index: usize) -> T {
    serde_json::from_str(call.params[index].get()).unwrap()
}

/// Amounts as they are written.
fn amounts(text: &str) -> BTreeMap<String, String> {
    let written: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).unwrap();
    written.into_iter().map(|(address, amount)| (address, amount.get().to_owned())).collect()
}

/// A transaction of the double is its outputs and its one input, as text.
#[derive(serde::Serialize, Deserialize)]
struct Raw {
    outputs: BTreeMap<String, String>,
    inputs: Vec<String>,
}

impl State {
    fn answer(&mut self, call: &Call) -> Result<Value, i64> {
        match call.method.as_str() {
            "getbalance" => Ok(serde_json::from_str(&self.balance).unwrap()),
            "getwalletinfo" => Ok(json!({})),
            "validateaddress" => Ok(json!({ "isvalid": true })),
            "sendmany" => {
                let outputs = self.taken(call.params[1].get())?;
                Ok(json!(self.send_new(outputs, &read::<String>(call, 3))))
            }
            "createrawtransaction" => {
                let outputs = self.taken(call.params[1].get())?;
                Ok(json!(serde_json::to_string(&Raw { outputs, inputs: Vec::new() }).unwrap()))
            }
            "fundrawtransaction" => {
                let mut raw: Raw = serde_json::from_str(&read::<String>(call, 0)).unwrap();
                raw.inputs.push(self.next_id());
                self.locked.extend(raw.inputs.iter().cloned());
                Ok(json!({ "hex": serde_json::to_string(&raw).unwrap() }))
            }
            "signrawtransactionwithwallet" => Ok(json!({ "hex": read::<String>(call, 0), "complete": true })),
            "decoderawtransaction" => Ok(decoded(&read::<String>(call, 0))),
            "listlockunspent" => {
                Ok(self.locked.iter().map(|txid| json!({ "txid": txid, "vout": 0 })).collect())
            }
            "lockunspent" => {
                let (unlock, inputs): (bool, Vec<Value>) = (read(call, 0), read(call, 1));
                for input in inputs {
                    let txid = input["txid"].as_str().unwrap().to_owned();
                    let _ = if unlock { self.locked.remove(&txid) } else { self.locked.insert(txid) };
                }
                Ok(json!(true))
            }
            "sendrawtransaction" => Ok(json!(self.send_raw(&read::<String>(call, 0)))),
            "gettransaction" => {
                let txid: String = read(call, 0);
                let found = self.transactions.iter().find(|one| one.txid == txid).ok_or(-5)?;
                Ok(json!({ "confirmations": found.confirmations, "hex": found.text }))
            }
            "listsinceblock" => Ok(self.listed()),
            _ => Err(-32_601),
        }
    }

    fn taken(&self, written: &str) -> Result<BTreeMap<String, String>, i64> {
        let outputs = amounts(written);
        if outputs.keys().any(|address| self.refused.contains(address)) { Err(-5) } else { Ok(outputs) }
    }

    fn next_id(&mut self) -> String {
        self.made += 1;
        format!("{:064x}", self.made)
    }

    fn send_new(&mut self, outputs: BTreeMap<String, String>, comment: &str) -> String {
        let (txid, input) = (self.next_id(), self.next_id());
        let text =
            serde_json::to_string(&Raw { outputs: outputs.clone(), inputs: vec![input.clone()] }).unwrap();
        let (comment, inputs) = (comment.to_owned(), vec![input]);
        self.transactions.push(Transaction {
            txid: txid.clone(),
            comment,
            outputs,
            inputs,
            text,
            confirmations: 0,
        });
        txid
    }

    /// The same transaction again changes nothing.
    fn send_raw(&mut self, text: &str) -> String {
        let raw: Raw = serde_json::from_str(text).unwrap();
        let txid = id_of(&raw);
        if self.transactions.iter().all(|one| one.txid != txid) {
            assert!(
                raw.inputs
                    .iter()
                    .all(|input| self.transactions.iter().all(|one| !one.inputs.contains(input)))
            );
            let Raw { outputs, inputs } = raw;
            let (comment, text) = (String::new(), text.to_owned());
            self.transactions.push(Transaction {
                txid: txid.clone(),
                comment,
                outputs,
                inputs,
                text,
                confirmations: 0,
            });
        }
        txid
    }

    fn listed(&self) -> Value {
        let mut entries = Vec::new();
        for one in &self.transactions {
            for (address, amount) in &one.outputs {
                let amount: Value = serde_json::from_str(&format!("-{amount}")).unwrap();
                entries.push(json!({
                    "txid": one.txid, "category": "send", "address": address, "amount": amount,
                    "confirmations": one.confirmations, "comment": one.comment, "time": self.time_s,
                }));
            }
        }
        json!({ "transactions": entries, "lastblock": "b" })
    }
}

/// The input's id with its first digit changed: the double's inputs are unique, so its transactions' ids are.
fn id_of(raw: &Raw) -> String {
    format!("f{}", &raw.inputs[0][1..])
}

fn decoded(text: &str) -> Value {
    let raw: Raw = serde_json::from_str(text).unwrap();
    let inputs: Vec<Value> = raw.inputs.iter().map(|txid| json!({ "txid": txid, "vout": 0 })).collect();
    let outputs: Vec<Value> = raw
        .outputs
        .iter()
        .map(|(address, amount)| {
            let value: Value = serde_json::from_str(amount).unwrap();
            json!({ "value": value, "scriptPubKey": { "addresses": [address] } })
        })
        .collect();
    json!({ "txid": id_of(&raw), "vin": inputs, "vout": outputs })
}
