//! Two servers of one database and a payout that is due: together, one after the other, and one that wakes up late.

use alp_tests::{NamedPoint, Stop, StoppableServer};

use super::payout::{Run, seed};
use super::place::Database;

/// The length of their rounds, in seconds: a lease runs out within half of it.
const ROUND_S: u64 = 2;

/// How often the wallet was asked to send something.
fn sent(run: &Run) -> usize {
    let sends = ["sendmany", "sendrawtransaction"];
    run.wallet.calls().iter().filter(|call| sends.contains(&call.as_str())).count()
}

fn before(step: &str) -> Option<NamedPoint> {
    Some(NamedPoint { step: step.to_owned(), done: false, earlier: 0 })
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_09_of_two_servers_one_pays_and_it_calls_the_wallet_once() {
    let Some(seed) = seed(Database::Postgres, ROUND_S).await else { return };
    for method in ["plain", "prepared"] {
        let run = Run::new(&seed, method).await;
        let another = run.place.folder_of_another();
        let servers = [run.place.folder(), another.path()]
            .map(|folder| StoppableServer::start(folder, &Stop::default()));
        servers[0].wait_until("everybody is paid", async || run.is_paid().await).await;
        drop(servers);
        assert_eq!(sent(&run), 1, "{method}");
        run.assert_right(method).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pb_09_who_takes_over_from_a_server_killed_after_the_call_pays_nobody_twice() {
    let Some(seed) = seed(Database::Postgres, ROUND_S).await else { return };
    for (method, step) in [("plain", "sendmany"), ("prepared", "sendrawtransaction")] {
        let run = Run::new(&seed, method).await;
        let another = run.place.folder_of_another();
        let at = before(step).map(|point| NamedPoint { done: true, ..point });
        let first = StoppableServer::start(run.place.folder(), &Stop { at, ..Stop::default() });
        first.wait_until_it_ends("after the call").await;
        let second = StoppableServer::start(another.path(), &Stop::default());
        second.wait_until("everybody is paid", async || run.is_paid().await).await;
        drop(second);
        run.assert_right(method).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wakes_up_late_before_its_call_pays_nobody_twice() {
    let Some(seed) = seed(Database::Postgres, ROUND_S).await else { return };
    for (method, step) in [("plain", "sendmany"), ("prepared", "sendrawtransaction")] {
        let run = Run::new(&seed, method).await;
        let another = run.place.folder_of_another();
        let pause = Stop { at: before(step), pauses: true, ..Stop::default() };
        let first = StoppableServer::start(run.place.folder(), &pause);
        first.wait_until("it is paused", async || first.is_paused()).await;
        let mut second = StoppableServer::start(another.path(), &Stop::default());
        // The second leads when the first one's lease is over. What was prepared it sends itself; a sendmany that may be under way
        // it leaves to a person.
        let as_far_as_it_can = async || run.is_paid().await || run.is_uncertain().await;
        second.wait_until("it goes as far as it can", as_far_as_it_can).await;
        assert_eq!(run.is_uncertain().await, method == "plain", "{}", second.log());
        first.wake();
        let calls = if method == "plain" { 1 } else { 2 };
        first.wait_until("it makes its call", async || sent(&run) == calls).await;
        drop(first);
        if method == "plain" {
            // Started again, it does not wait for its next look.
            second.kill().await;
            second = StoppableServer::start(another.path(), &Stop::default());
        }
        second.wait_until("everybody is paid", async || run.is_paid().await).await;
        drop(second);
        run.assert_right(method).await;
    }
}
