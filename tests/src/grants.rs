//! Grants, as an operator pastes them.

use alp_kit::grant_lines;
use alp_sandbox::Adapter;

use crate::components::adapter_names;
use crate::signing::adapter;

/// What `alp adapter inspect --grant` prints of an adapter: its own build is pinned.
pub fn grant_of(adapter: &Adapter) -> String {
    format!("\n{}", grant_lines(adapter.description(), adapter.sha256()))
}

/// The same for any build of an exchange's adapter.
pub async fn grant_for_any_build(exchange: &str) -> String {
    let adapter = adapter(exchange).await;
    let pin = format!("sha256 = {:?}", adapter.sha256());
    grant_of(&adapter).replace(&pin, "any_build = true")
}

/// What an exchange's file is given that does not say what it grants: nothing where there is no adapter.
pub(crate) async fn usual_grant(exchange: &str) -> String {
    let is_known = adapter_names().iter().any(|name| name == exchange);
    if is_known { grant_for_any_build(exchange).await } else { String::new() }
}
