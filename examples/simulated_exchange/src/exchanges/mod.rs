//! The protocols of exchanges that exist or existed, each written from what is known of it: where its call for
//! open orders is, what is signed, what is refused and in which words, how orders are written.

mod binance;
mod bitcoincoid;
mod bitfinex;
mod bitget;
mod bitstamp;
mod bittrex;
mod bter;
mod bybit;
mod ccedk;
mod coinbase_advanced;
mod coinbase_exchange;
mod cryptsy;
mod encoding;
mod gate;
mod hitbtc;
mod htx;
mod indodax;
mod kraken;
mod kucoin;
mod mexc;
mod okx;
mod peatio;
mod poloniex;
mod poloniex_legacy;
mod southxchange;

use std::sync::Arc;

use crate::protocol::Protocol;

/// The protocol of the exchange with this id, if it is known here.
pub fn protocol_of(id: &str) -> Option<Arc<dyn Protocol>> {
    Some(match id {
        "binance" => Arc::new(binance::Binance),
        "bitcoincoid" => Arc::new(bitcoincoid::BitcoinCoId),
        "bitfinex" => Arc::new(bitfinex::Bitfinex),
        "bitget" => Arc::new(bitget::Bitget),
        "bitstamp" => Arc::new(bitstamp::Bitstamp),
        "bittrex" => Arc::new(bittrex::Bittrex),
        "bter" => Arc::new(bter::Bter),
        "bybit" => Arc::new(bybit::Bybit),
        "ccedk" => Arc::new(ccedk::Ccedk),
        "coinbase_advanced" => Arc::new(coinbase_advanced::CoinbaseAdvanced),
        "coinbase_exchange" => Arc::new(coinbase_exchange::CoinbaseExchange),
        "cryptsy" => Arc::new(cryptsy::Cryptsy),
        "gate" => Arc::new(gate::Gate),
        "hitbtc" => Arc::new(hitbtc::Hitbtc),
        "htx" => Arc::new(htx::Htx),
        "indodax" => Arc::new(indodax::Indodax),
        "kraken" => Arc::new(kraken::Kraken),
        "kucoin" => Arc::new(kucoin::Kucoin),
        "mexc" => Arc::new(mexc::Mexc),
        "okx" => Arc::new(okx::Okx),
        "peatio" => Arc::new(peatio::Peatio),
        "poloniex" => Arc::new(poloniex::Poloniex),
        "poloniex_legacy" => Arc::new(poloniex_legacy::PoloniexLegacy),
        "southxchange" => Arc::new(southxchange::SouthXchange),
        "test_exchange" => Arc::new(crate::test_exchange::TestExchange),
        _ => return None,
    })
}
