//! The calls by which a custodian's wallet daemon (`nud`) tells and shows liquidity. Knows no round.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Line, NetworkAmount, Shown};
use crate::payouts::{Rpc, WalletError, parameter};

/// The wallet of a custodian.
#[derive(Debug, Clone)]
pub struct Custodian {
    rpc: Rpc,
    currency: char,
    address: String,
}

/// Two amounts, as the daemon writes them.
#[derive(Deserialize)]
struct Written {
    buy: Box<RawValue>,
    sell: Box<RawValue>,
}

impl Written {
    fn read(&self) -> Result<(NetworkAmount, NetworkAmount), WalletError> {
        let amounts = NetworkAmount::read(&self.buy).zip(NetworkAmount::read(&self.sell));
        amounts.ok_or(WalletError::Malformed("an amount that is no whole number of 0.0001"))
    }
}

impl Custodian {
    /// The custodian with this address, of a currency by its letter.
    #[must_use]
    pub fn new(rpc: Rpc, currency: char, address: String) -> Self {
        Self { rpc, currency, address }
    }

    /// Tells the network one line.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn tell(&self, line: &Line) -> Result<(), WalletError> {
        let params = [
            parameter(&self.currency),
            line.buy.written(),
            line.sell.written(),
            parameter(&self.address),
            parameter(&line.identifier),
        ];
        self.rpc.call::<String>("liquidityinfo", &params).await.map(|_| ())
    }

    /// What the network shows of this custodian.
    ///
    /// # Errors
    /// [`WalletError`].
    pub async fn shown(&self) -> Result<Shown, WalletError> {
        let params = [parameter(&self.currency)];
        let mut details: BTreeMap<String, BTreeMap<String, Written>> =
            self.rpc.call("getliquiditydetails", &params).await?;
        let mut lines = BTreeMap::new();
        for (identifier, written) in details.remove(&self.address).unwrap_or_default() {
            lines.insert(identifier, written.read()?);
        }
        let sums: BTreeMap<String, Box<RawValue>> = self.rpc.call("getliquidityinfo", &params).await?;
        let sum = self.sum(&sums)?.map(|written| written.read()).transpose()?;
        Ok(Shown { lines, sum })
    }

    /// The custodian's own sum stands under `custodian`, or beside `total` in daemons that do not have that.
    fn sum(&self, sums: &BTreeMap<String, Box<RawValue>>) -> Result<Option<Written>, WalletError> {
        let malformed = || WalletError::Malformed("a sum of liquidity of another form");
        let own = match (sums.get("custodian"), sums.get(&self.address)) {
            (Some(custodians), _) => {
                let custodians: BTreeMap<&str, &RawValue> =
                    serde_json::from_str(custodians.get()).map_err(|_| malformed())?;
                custodians.get(self.address.as_str()).copied()
            }
            (None, own) => own.map(AsRef::as_ref),
        };
        own.map(|own| serde_json::from_str(own.get()).map_err(|_| malformed())).transpose()
    }
}

/// What the operator is told of an error: the daemon's codes mean something else here than they do for payouts.
pub(super) fn sentence(error: &WalletError) -> String {
    let WalletError::Refused { code, message } = error else { return error.to_string() };
    let what = match code {
        -3 => {
            "the wallet takes grant_address for no key of its currency: it must be a custodian's own address, neither a \
             script's nor one of several signatures, and currency its letter"
        }
        -4 => {
            "the wallet does not hold the private key of grant_address, or is locked: import the key with importprivkey, \
             or unlock the wallet"
        }
        -13 => "the wallet is locked: unlock it with walletpassphrase",
        -28 => "the wallet is still starting; it is asked again",
        -32_601 => {
            "the daemon knows no liquidityinfo: wallet_url must lead to a daemon of the currency's network"
        }
        -1 => "the wallet cannot use what it was told, or could not sign it",
        _ => "the wallet refuses liquidityinfo",
    };
    format!("{what} (error {code}: {message})")
}
