//! What the store promises, told once for every database: a test gets its store from `support::TestStore`
//! and sees nothing of what is behind it. `sqlite` holds what only a file can promise.

#[cfg(test)]
mod durability;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod reads;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod support;
