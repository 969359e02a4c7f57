//! What the double's wallet has and answers: transactions, locks, coins. Knows nothing of connections.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{WalletFault, Within};

#[derive(Clone)]
pub(super) struct Transaction {
    pub(super) txid: String,
    pub(super) comment: String,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) inputs: Vec<String>,
    pub(super) text: String,
    pub(super) confirmations: i64,
    pub(super) time_s: u64,
}

/// What happens to the caller within one call, by its method and how often that was called before.
pub(super) struct Blow {
    pub(super) method: String,
    pub(super) earlier: usize,
    pub(super) within: Within,
    pub(super) strike: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) transactions: Vec<Transaction>,
    pub(super) locked: BTreeSet<String>,
    pub(super) refused: BTreeSet<String>,
    pub(super) balance: String,
    pub(super) made: u64,
    pub(super) time_s: u64,
    pub(super) faults: Vec<(String, WalletFault)>,
    pub(super) blow: Option<Blow>,
    pub(super) blocks_at_looks: bool,
    pub(super) calls: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) params: Vec<Box<RawValue>>,
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
    pub(super) fn mine(&mut self, blocks: i64) {
        for transaction in self.transactions.iter_mut().filter(|one| one.confirmations >= 0) {
            transaction.confirmations += blocks;
        }
    }

    /// What happens within this call, if it is the one.
    pub(super) fn blow_within(&mut self, call: &Call) -> Option<Blow> {
        let earlier = self.calls.iter().filter(|method| **method == call.method).count();
        self.blow.take_if(|blow| blow.method == call.method && blow.earlier == earlier)
    }

    pub(super) fn answer(&mut self, call: &Call) -> Result<Value, i64> {
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
            "listsinceblock" => {
                if self.blocks_at_looks {
                    self.mine(1);
                }
                Ok(self.listed())
            }
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

    pub(super) fn send_new(&mut self, outputs: BTreeMap<String, String>, comment: &str) -> String {
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
            time_s: self.time_s,
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
                time_s: self.time_s,
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
                    "confirmations": one.confirmations, "comment": one.comment, "time": one.time_s,
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
