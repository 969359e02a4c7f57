//! Taking over an ALP-Server: a database with its schema and with each of its faults in it, and its wallet.

mod configuration;
mod evening;
mod killed;
mod odd_rows;
mod old_pool;
mod refusals;
mod wallet;
