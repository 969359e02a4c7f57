//! The calls of a wallet of the Bitcoin family that payouts need, typed: amounts are exact decimals, never floats.
//! Knows nothing of LPs or of what is owed.

use std::collections::BTreeMap;
use std::time::Duration;

use alp_pool::money::Coins;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::PayoutsConfig;
use super::rpc::{Rpc, WalletError, parameter};
use crate::exchange::{ClientError, Timeouts};

/// How long a connection to the wallet may take to be made: it is on this machine or the next one.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How deep the block is that the next look at the history begins with: deeper than chains are usually reorganised.
const SETTLED_DEPTH: u32 = 10;

/// The wallet's error for a transaction that is in a block already.
const ALREADY_IN_CHAIN: i64 = -27;

/// The wallet's error for a method that it does not have.
const NO_METHOD: i64 = -32_601;

/// A transaction by which coins left the wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spend {
    /// Its id.
    pub txid: String,
    /// How many blocks confirm it; below zero if another one spent its coins.
    pub confirmations: i64,
    /// Its comment; empty if there is none.
    pub comment: String,
    /// When, in Unix seconds, by the wallet's clock.
    pub time_s: i64,
    /// What it pays to whom.
    pub outputs: BTreeMap<String, Coins>,
    /// The ids of transactions that spend the same coins.
    pub conflicts: Vec<String>,
}

/// The wallet's history from a block on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The transactions by which coins left it.
    pub spends: Vec<Spend>,
    /// A block that is settled, for the next look.
    pub settled_block: String,
}

/// One coin that a transaction spends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
pub struct Input {
    /// The transaction that made it.
    pub txid: String,
    /// Which of its outputs it is.
    pub vout: u32,
}

/// A transaction, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// Its id.
    pub txid: String,
    /// What it spends.
    pub inputs: Vec<Input>,
    /// What it pays to addresses, its own change among them.
    pub outputs: BTreeMap<String, Coins>,
}

/// One transaction as the wallet has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Held {
    /// How many blocks confirm it.
    pub confirmations: i64,
    /// The transaction; empty where the daemon does not tell.
    #[serde(default)]
    pub hex: String,
    /// The ids of transactions that spend the same coins.
    #[serde(default)]
    pub walletconflicts: Vec<String>,
}

/// The wallet.
#[derive(Debug, Clone)]
pub struct Wallet {
    rpc: Rpc,
}

impl Wallet {
    /// The wallet of these settings; none where payouts are made by hand.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn of(config: &PayoutsConfig) -> Result<Option<Self>, ClientError> {
        let timeouts = Timeouts { connect: CONNECT_WITHIN.min(config.timeout), call: config.timeout };
        let wallet = config.wallet.as_ref().map(|grant| Ok(Self::new(Rpc::new(grant.clone(), timeouts)?)));
        wallet.transpose()
    }

    /// A wallet behind this address.
    #[must_use]
    pub fn new(rpc: Rpc) -> Self {
        Self { rpc }
    }

    /// What can be spent.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn balance(&self) -> Result<Coins, WalletError> {
        let written: Box<RawValue> = self.rpc.call("getbalance", &[]).await?;
        // A wallet may be overdrawn across its accounts; then there is nothing to spend.
        if written.get().starts_with('-') {
            return Ok(Coins::ZERO);
        }
        coins(&written)
    }

    /// Whether it is encrypted and locked.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn is_locked(&self) -> Result<bool, WalletError> {
        #[derive(Deserialize)]
        struct State {
            unlocked_until: Option<u64>,
        }
        let state: State = match self.rpc.call("getwalletinfo", &[]).await {
            Err(error) if error.is_code(NO_METHOD) => self.rpc.call("getinfo", &[]).await?,
            other => other?,
        };
        Ok(state.unlocked_until == Some(0))
    }

    /// Whether the wallet takes this for an address.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn knows_address(&self, address: &str) -> Result<bool, WalletError> {
        #[derive(Deserialize)]
        struct Validity {
            isvalid: bool,
        }
        let validity: Validity = self.rpc.call("validateaddress", &[parameter(address)]).await?;
        Ok(validity.isvalid)
    }

    /// Builds, signs and sends in one call. The transaction's id.
    ///
    /// # Errors
    /// [`WalletError`]: after most of them nobody knows whether it was sent.
    pub async fn send_many(
        &self,
        outputs: &BTreeMap<String, Coins>,
        comment: &str,
    ) -> Result<String, WalletError> {
        let params = [parameter(""), parameter(&amounts(outputs)), parameter(&1_u32), parameter(comment)];
        txid(self.rpc.call("sendmany", &params).await?)
    }

    /// Chooses coins for these outputs, locks them and signs. Nothing is sent. The signed transaction, in hex.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn prepare(&self, outputs: &BTreeMap<String, Coins>) -> Result<String, WalletError> {
        #[derive(Deserialize)]
        struct Funded {
            hex: String,
        }
        #[derive(Deserialize)]
        struct Signed {
            hex: String,
            complete: bool,
        }
        let none: [Input; 0] = [];
        let raw: String =
            self.rpc.call("createrawtransaction", &[parameter(&none), parameter(&amounts(outputs))]).await?;
        let options = BTreeMap::from([("lockUnspents", true)]);
        let funded: Funded =
            self.rpc.call("fundrawtransaction", &[parameter(&raw), parameter(&options)]).await?;
        let signed: Signed = self.rpc.call("signrawtransactionwithwallet", &[parameter(&funded.hex)]).await?;
        if !signed.complete {
            return Err(WalletError::Malformed("a transaction that it could not sign whole"));
        }
        Ok(signed.hex)
    }

    /// Reads a transaction.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn decode(&self, hex: &str) -> Result<Decoded, WalletError> {
        #[derive(Deserialize)]
        struct Raw {
            txid: String,
            vin: Vec<Input>,
            vout: Vec<Output>,
        }
        #[derive(Deserialize)]
        struct Output {
            value: Box<RawValue>,
            #[serde(rename = "scriptPubKey")]
            script: Script,
        }
        #[derive(Deserialize)]
        struct Script {
            #[serde(default)]
            addresses: Vec<String>,
            address: Option<String>,
        }
        let raw: Raw = self.rpc.call("decoderawtransaction", &[parameter(hex)]).await?;
        let mut outputs: BTreeMap<String, Coins> = BTreeMap::new();
        for output in raw.vout {
            let address = output.script.address.or_else(|| output.script.addresses.first().cloned());
            let Some(address) = address else { continue };
            add(&mut outputs, address, coins(&output.value)?)?;
        }
        Ok(Decoded { txid: txid(raw.txid)?, inputs: raw.vin, outputs })
    }

    /// The coins that are locked.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn locked(&self) -> Result<Vec<Input>, WalletError> {
        self.rpc.call("listlockunspent", &[]).await
    }

    /// Locks coins (`unlock` false) or lets them be spent. One that is so already, or is spent, is left as it is.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn set_locks(&self, unlock: bool, inputs: &[Input]) -> Result<(), WalletError> {
        for input in inputs {
            match self.rpc.call::<bool>("lockunspent", &[parameter(&unlock), parameter(&[input])]).await {
                Ok(_) => {}
                Err(error) if error.is_code(-8) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends a signed transaction. One that the network has already counts as sent.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn broadcast(&self, hex: &str) -> Result<(), WalletError> {
        match self.rpc.call::<String>("sendrawtransaction", &[parameter(hex)]).await {
            Err(error) if error.is_code(ALREADY_IN_CHAIN) => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// A transaction, if it is the wallet's.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn transaction(&self, txid: &str) -> Result<Option<Held>, WalletError> {
        match self.rpc.call("gettransaction", &[parameter(txid)]).await {
            Ok(held) => Ok(Some(held)),
            Err(error) if error.is_code(-5) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything that left the wallet since a block, over all accounts; all there is if the block is empty or not
    /// known any more.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn history(&self, since_block: &str) -> Result<History, WalletError> {
        #[derive(Deserialize)]
        struct Listed {
            transactions: Vec<Entry>,
            lastblock: String,
        }
        let since = |block: &str| [parameter(block), parameter(&SETTLED_DEPTH)];
        let listed: Listed = match self.rpc.call("listsinceblock", &since(since_block)).await {
            Err(error) if matches!(&error, WalletError::Refused { code: -5 | -8, .. }) => {
                self.rpc.call("listsinceblock", &since("")).await?
            }
            other => other?,
        };
        let mut spends: BTreeMap<String, Spend> = BTreeMap::new();
        for entry in listed.transactions {
            if entry.category == "send" {
                entry.add_to(&mut spends)?;
            }
        }
        Ok(History { spends: spends.into_values().collect(), settled_block: listed.lastblock })
    }
}

#[derive(Deserialize)]
struct Entry {
    txid: String,
    category: String,
    amount: Box<RawValue>,
    address: Option<String>,
    confirmations: i64,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    time: i64,
    #[serde(default)]
    walletconflicts: Vec<String>,
}

impl Entry {
    /// A transaction has an entry for each of its outputs.
    fn add_to(self, spends: &mut BTreeMap<String, Spend>) -> Result<(), WalletError> {
        let spend = spends.entry(self.txid.clone()).or_insert_with(|| Spend {
            txid: self.txid,
            confirmations: self.confirmations,
            comment: self.comment,
            time_s: self.time,
            outputs: BTreeMap::new(),
            conflicts: self.walletconflicts,
        });
        let Some(address) = self.address else { return Ok(()) };
        add(&mut spend.outputs, address, coins(&self.amount)?)
    }
}

fn add(outputs: &mut BTreeMap<String, Coins>, address: String, coins: Coins) -> Result<(), WalletError> {
    let sum = outputs.entry(address).or_insert(Coins::ZERO);
    *sum = sum.plus(coins).map_err(|_| WalletError::Malformed("an amount beyond all coins"))?;
    Ok(())
}

/// What is spent is written with a minus sign.
fn coins(written: &RawValue) -> Result<Coins, WalletError> {
    let text = written.get();
    Coins::parse(text.strip_prefix('-').unwrap_or(text))
        .map_err(|_| WalletError::Malformed("an amount that is no decimal with up to eight digits"))
}

fn amounts(outputs: &BTreeMap<String, Coins>) -> BTreeMap<&str, Box<RawValue>> {
    let written = |coins: &Coins| RawValue::from_string(coins.to_string()).unwrap_or_default();
    outputs.iter().map(|(address, coins)| (address.as_str(), written(coins))).collect()
}

/// The id of a transaction is 64 digits in hex; anything else is no answer.
fn txid(text: String) -> Result<String, WalletError> {
    let right = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if right { Ok(text) } else { Err(WalletError::Malformed("an id that is no transaction's")) }
}
