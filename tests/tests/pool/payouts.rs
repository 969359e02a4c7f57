//! Payouts over a wallet's JSON-RPC: each LP is paid exactly once, whatever breaks and whenever.

mod addresses;
mod bench;
mod double;
mod faults;
mod killed;
mod litecoin;
mod published;
