//! The protocols of other exchanges, as a client sees them: for each, one signed call, sent over HTTP as it is
//! and with one thing wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the whole crate is tests: a helper may fail loudly as a test may"
)]

mod binance;
mod bitcoincoid;
mod bitfinex;
mod bitget;
mod bitstamp;
mod bittrex;
mod bter;
mod bybit;
mod ccedk;
mod clock;
mod coinbase_advanced;
mod coinbase_exchange;
mod cryptsy;
mod gate;
mod hitbtc;
mod htx;
mod indodax;
mod kraken;
mod kucoin;
mod mexc;
mod moods;
mod okx;
mod peatio;
mod poloniex;
mod poloniex_legacy;
mod signed_call;
mod southxchange;
