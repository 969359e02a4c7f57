//! What the contract, `wit/v1`, looks like in Rust. Generated; no other module writes to it.

#![allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    clippy::unimplemented
)]

wit_bindgen::generate!({
    path: "../../wit/v1",
    world: "exchange-adapter",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "alp_adapter::bindings",
    generate_unused_types: true,
    additional_derives: [PartialEq],
});
