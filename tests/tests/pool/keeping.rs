//! Keeping it: backups, restores, audits, faults of the storage, and what is never stored.

mod audits;
mod backups;
mod faults;
mod never_stored;
mod paying_pool;
mod restores;
