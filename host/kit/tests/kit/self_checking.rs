//! The quick check that a server makes.

use std::fs;

use alp_kit::self_check;

use crate::program::{adapter, sandbox, test_exchange, text_of, wire};
use crate::scaffolding::scaffold;

#[test]
fn a_right_adapter_passes_without_fixtures() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let checked = runtime.block_on(async {
        let adapter = sandbox().load_file(test_exchange()).await.unwrap();
        self_check(&adapter, wire()).await.unwrap()
    });
    assert!(checked.started && checked.hostile_replies > 20, "{checked:?}");
}

#[test]
fn an_adapter_that_panics_on_an_outage_does_not() {
    let within = tempfile::tempdir().unwrap();
    let folder = scaffold(within.path(), "panics");
    let library = folder.join("src/lib.rs");
    let code = fs::read_to_string(&library).unwrap();
    let changed = code.replace("(&reply, &WORDING)?;", "(&reply, &WORDING).unwrap();");
    assert_ne!(code, changed);
    fs::write(&library, changed).unwrap();
    text_of(adapter(&folder, &["build", "--out", "panics.wasm"]));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(async {
        let adapter = sandbox().load_file(&folder.join("panics.wasm")).await.unwrap();
        self_check(&adapter, wire()).await.unwrap_err()
    });
    assert!(refused.contains("trap"), "{refused}");
}
