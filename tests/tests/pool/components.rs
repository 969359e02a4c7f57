//! Every adapter as it ships: its fixtures through the built component, and what the component imports.

use std::path::PathBuf;

use alp_adapter::testing::{Replayed, replay, replay_recorded};
use alp_tests::{adapter_names, component, component_driver, workspace};
use wit_component::DecodedWasm;
use wit_parser::WorldItem;

fn fixtures(exchange: &str) -> PathBuf {
    workspace().join("adapters").join(exchange).join("fixtures")
}

#[test]
fn every_adapter_gives_the_requests_and_orders_of_its_fixtures() {
    let names = adapter_names();
    assert!(names.len() >= 5, "{names:?}");
    for exchange in names {
        let driver = component_driver(&exchange);
        let replayed =
            replay(&driver, &fixtures(&exchange)).unwrap_or_else(|why| panic!("{exchange}: {why}"));
        let Replayed { calls, cases, orders } = replayed;
        assert!(calls > 0 && cases > 0 && orders > 0, "{exchange}: {replayed:?}");
    }
}

#[test]
fn every_adapter_gives_the_orders_of_the_recorded_replies() {
    for exchange in adapter_names().into_iter().filter(|exchange| exchange != "test_exchange") {
        let driver = component_driver(&exchange);
        let replayed = replay_recorded(&driver, &exchange, &fixtures(&exchange));
        let replayed = replayed.unwrap_or_else(|why| panic!("{exchange}: {why}"));
        assert!(replayed.is_none_or(|replayed| replayed.orders > 0), "{exchange}: {replayed:?}");
    }
}

#[test]
fn no_component_imports_a_function() {
    for exchange in adapter_names() {
        let bytes = std::fs::read(component(&exchange)).unwrap();
        let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).unwrap() else {
            panic!("{exchange} is no component");
        };
        let world = &resolve.worlds[world];
        for (key, import) in &world.imports {
            let name = resolve.name_world_key(key);
            match import {
                WorldItem::Interface { id, .. } => {
                    let functions: Vec<_> = resolve.interfaces[*id].functions.keys().collect();
                    assert!(functions.is_empty(), "{exchange} imports {functions:?} of {name}");
                }
                WorldItem::Function(_) => panic!("{exchange} imports {name}"),
                WorldItem::Type { .. } => {}
            }
        }
        let exports: Vec<String> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
        assert_eq!(exports, ["alp:exchange/adapter@1.0.0"], "{exchange}");
    }
}
