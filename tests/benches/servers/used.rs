//! The CPU time that processes have used, as the system counts it.

use std::ops::Sub;
use std::path::PathBuf;
use std::time::Duration;

use alp_tests::Server;

/// What was used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    /// By the servers.
    pub(crate) servers: Duration,
    /// By the database's processes, also by those that are gone.
    pub(crate) database: Duration,
    /// By this process: the generator and the exchange.
    pub(crate) own: Duration,
}

impl Used {
    pub(crate) async fn by(servers: &[Server]) -> Self {
        let postmaster = postmaster().await;
        Self {
            servers: servers.iter().map(|server| cpu(server.process_id(), false)).sum(),
            database: children(postmaster).into_iter().map(|child| cpu(child, false)).sum::<Duration>()
                + cpu(postmaster, true),
            own: cpu(std::process::id(), false),
        }
    }
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            servers: self.servers.saturating_sub(before.servers),
            database: self.database.saturating_sub(before.database),
            own: self.own.saturating_sub(before.own),
        }
    }
}

/// The first process of the cluster, from which all others come.
async fn postmaster() -> u32 {
    let url = alp_store::testing::cluster().await.unwrap().url("postgres");
    let folder = PathBuf::from(url.split_once("?host=").unwrap().1);
    let text = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().parse().unwrap()
}

fn children(parent: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter(|number| fields(*number).is_some_and(|fields| fields[1] == parent.to_string())).collect()
}

/// The CPU time of a process, with that of children that are gone where it is asked for.
fn cpu(process: u32, with_gone: bool) -> Duration {
    let Some(fields) = fields(process) else { return Duration::ZERO };
    let wanted = if with_gone { 11..15 } else { 11..13 };
    let ticks: u64 = fields[wanted].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second())
}

/// What stands in `/proc/<pid>/stat` after the name: the state first, the parent second.
fn fields(process: u32) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    Some(rest.split(' ').map(|field| field.trim().to_owned()).collect())
}
