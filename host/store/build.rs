//! Rebuilds the crate when a migration is added: the migrations are compiled in.

#![allow(clippy::print_stdout, reason = "printing is how a build script talks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
