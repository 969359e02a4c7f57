//! The one set of flags in the contract.
//!
//! The engine's macro takes no comments on the names inside, hence the list here: `METHOD` the HTTP
//! method, `HOST` the host, `PATH` the path, `PARAMETERS` the parameters, be they in the query or the
//! body, `MARKET` the market.
#![allow(missing_docs)]

wasmtime::component::flags! {
    Binding {
        #[component(name = "method")]
        const METHOD;
        #[component(name = "host")]
        const HOST;
        #[component(name = "path")]
        const PATH;
        #[component(name = "parameters")]
        const PARAMETERS;
        #[component(name = "market")]
        const MARKET;
    }
}
