//! The kit as its users meet it: the program, real crates, real components, a real exchange over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first thing that is not as expected"
)]

mod cargo_component;
mod checking;
mod inspecting;
mod other_languages;
mod program;
mod recording;
mod scaffolding;
mod self_checking;
mod tutorial;
