//! Replays fixtures through a component: the kit's driver, over the adapters that the tests build.

use std::sync::{Arc, OnceLock};

use alp_kit::ComponentDriver;
use alp_server::cli::ServerWire;
use tokio::runtime::Runtime;

/// Drives the component of an exchange's adapter. Each request is held against what it declares, by the pool's own
/// check.
pub fn component_driver(exchange: &str) -> ComponentDriver {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let start =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let runtime = RUNTIME.get_or_init(start);
    let adapter = runtime.block_on(crate::adapter(exchange));
    ComponentDriver::new(adapter, Arc::new(ServerWire), runtime.handle().clone())
}
