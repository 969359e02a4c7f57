//! `alp replay`: kept replies, read again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alp_sandbox::types::{Order, Side};
use alp_sandbox::{Compiler, Limits, Sandbox, clean_text};

use super::{COMPILE, failed, show};
use crate::config::Config;
use crate::kept::{Replayed, kept_of, read_again};

/// Longest text of an order that is shown, in characters.
const SHOWN: usize = 128;

/// What `replay` is told.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArguments {
    /// The hash of the replies, as it stands with what was judged.
    #[arg(value_name = "HASH")]
    reply_sha256: String,
    /// The pool's configuration file. Paths in it are relative to its folder.
    #[arg(long, value_name = "FILE", default_value = "pool.toml")]
    config: PathBuf,
    /// The component, if it is no longer in the plugins folder.
    #[arg(long, value_name = "FILE.wasm")]
    adapter: Option<PathBuf>,
}

pub(super) async fn run(arguments: &ReplayArguments, mut leading: Vec<OsString>) -> ExitCode {
    leading.push(COMPILE.into());
    match replay(arguments, leading).await {
        Ok(text) => {
            show(&text);
            ExitCode::SUCCESS
        }
        Err(error) => failed(error.as_ref()),
    }
}

async fn replay(
    arguments: &ReplayArguments,
    leading_args: Vec<OsString>,
) -> Result<String, Box<dyn std::error::Error>> {
    let config = Config::read(&arguments.config)?;
    let keep = config.pool.keep_replies.as_ref();
    let keep = keep.ok_or("nothing is kept: the configuration has no section [keep_replies]")?;
    let program = std::env::current_exe()?;
    let compiler = Compiler { program, leading_args, cache_dir: config.pool.cache.clone() };
    let sandbox = Sandbox::new(Limits::default(), compiler)?;
    let mut text = String::new();
    for kept in kept_of(keep, &arguments.reply_sha256)? {
        let component: Option<&Path> = arguments.adapter.as_deref();
        let replayed = read_again(kept, &sandbox, component, &config.pool.plugins).await?;
        text.push_str(&shown(&replayed));
    }
    Ok(text)
}

fn shown(replayed: &Replayed) -> String {
    let Replayed { kept, orders } = replayed;
    let mut text = format!(
        "{} {} at {} ms, read by the adapter {}: {} orders\n",
        kept.exchange,
        kept.market(),
        kept.now_ms,
        kept.adapter_sha256,
        orders.len()
    );
    for Order { id, side, price, amount, .. } in orders {
        let side = match side {
            Side::Ask => "ask",
            Side::Bid => "bid",
        };
        let [id, price, amount] = [id, price, amount].map(|text| clean_text(text, SHOWN));
        text.push_str(&format!("  {side} {amount} at {price}  {id}\n"));
    }
    text
}
