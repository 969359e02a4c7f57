//! The process in which both sides run, apart from the generator and the exchange: this program, started again.
//!
//! It is told what to do in lines on its standard input, and answers each with a line.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::ops::Sub;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::exchange::Exchange;
use crate::{bare, under_test};

/// The argument by which this program is started as that process; the exchange's origin and the LPs follow.
const AS_SERVERS: &str = "--as-servers";

/// Asks for what was used so far.
const USED: &str = "used";

/// What the process has used since it started.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    /// CPU time.
    pub(crate) cpu: Duration,
    /// Durable transactions.
    pub(crate) commits: u64,
}

impl Sub for Used {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self { cpu: self.cpu - before.cpu, commits: self.commits - before.commits }
    }
}

/// The running process, as the benchmark holds it.
pub(crate) struct Servers {
    /// Where the bare handler listens, and where the pool does.
    pub(crate) addresses: [SocketAddr; 2],
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Servers {
    /// Starts it and waits until both sides listen.
    pub(crate) fn start(exchange: &Exchange) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([AS_SERVERS, &exchange.origin(), &exchange.lps().len().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let [bare, pool] = line(&mut output);
        Self { addresses: [bare.parse().unwrap(), pool.parse().unwrap()], child, input, output }
    }

    /// What it has used so far.
    pub(crate) fn used(&mut self) -> Used {
        writeln!(self.input, "{USED}").unwrap();
        let [cpu, commits] = line(&mut self.output);
        Used { cpu: Duration::from_nanos(cpu.parse().unwrap()), commits: commits.parse().unwrap() }
    }

    /// Has it check its records and end.
    ///
    /// # Panics
    /// If something is missing in them.
    pub(crate) fn stop(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success(), "the servers did not end well");
    }
}

/// Two words from the other process.
fn line(output: &mut impl BufRead) -> [String; 2] {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let (first, second) = line.trim().split_once(' ').expect("the servers did not start");
    [first.to_owned(), second.to_owned()]
}

/// What this process was started with, if it is the servers': the exchange's origin and the number of LPs.
pub(crate) fn orders() -> Option<(String, usize)> {
    let mut arguments = std::env::args().skip_while(|argument| argument != AS_SERVERS).skip(1);
    Some((arguments.next()?, arguments.next()?.parse().ok()?))
}

/// Runs both sides until the standard input ends.
pub(crate) fn serve((origin, lps): &(String, usize)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let pool = runtime.block_on(under_test::Pool::start(origin, *lps));
    let bare = runtime.block_on(bare::start(origin.clone()));
    println!("{bare} {}", pool.address());
    for line in std::io::stdin().lines() {
        assert_eq!(line.unwrap(), USED);
        println!("{} {}", process_cpu().as_nanos(), pool.commits());
    }
    runtime.block_on(pool.check_records());
    runtime.block_on(pool.stop());
}

fn process_cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("time that was used is not negative")
}
