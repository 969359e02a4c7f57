//! What `alp adapter` has from this server: its rules for requests, and its client.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use alp_kit::{Http, Sending, Tools, Wire};
use alp_sandbox::types::{Description, Method, Request};

use super::{COMPILE, failed};
use crate::exchange::{ExchangeClient, Timeouts, prepare};

/// As an exchange's file has it by default.
const TIMEOUTS: Timeouts =
    Timeouts { connect: Duration::from_millis(3_000), call: Duration::from_millis(10_000) };

/// As an exchange's file has it by default.
const REPLY_BYTES: usize = 2 * 1024 * 1024;

/// Runs a command of the kit. `leading` is what this program has to be given before a command.
pub(super) async fn run(command: alp_kit::Command, mut leading: Vec<OsString>) -> ExitCode {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return failed(&error),
    };
    leading.push(COMPILE.into());
    alp_kit::run(command, Tools { compiler: (program, leading), wire: Arc::new(ServerWire) }).await
}

/// The way a pool's requests go: the grant that holds them, the client that sends them.
#[derive(Clone, Copy, Debug)]
pub struct ServerWire;

impl Wire for ServerWire {
    fn prepare(
        &self,
        description: &Description,
        endpoint: Option<&str>,
        request: &Request,
    ) -> Result<Http, String> {
        let prepared = prepare(description, endpoint, request).map_err(|breach| breach.to_string())?;
        Ok(Http {
            method: match prepared.method {
                Method::Get => "GET".to_owned(),
                Method::Post => "POST".to_owned(),
            },
            url: prepared.url.as_str().to_owned(),
            headers: prepared.headers.into_iter().map(|header| (header.name, header.value)).collect(),
            body: prepared.body,
        })
    }

    fn send<'a>(
        &'a self,
        description: &'a Description,
        endpoint: Option<&'a str>,
        request: &'a Request,
    ) -> Sending<'a> {
        Box::pin(async move {
            let prepared = prepare(description, endpoint, request).map_err(|breach| breach.to_string())?;
            let client = ExchangeClient::new(TIMEOUTS, REPLY_BYTES)
                .and_then(|client| client.with_own_endpoint(endpoint))
                .map_err(|error| error.to_string())?;
            client.send(&prepared).await.map_err(|error| error.to_string())
        })
    }
}
