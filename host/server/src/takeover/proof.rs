//! Whether the old server is stopped, as far as that can be seen from here.

use std::net::SocketAddr;
use std::time::Duration;

use alp_store::OldState;

/// How long ago its last round must be, in seconds: three of its rounds, which came every sixty.
const QUIET_FOR_S: i64 = 180;

/// How long a connection to it may take to be made. It is on this machine or near.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Whether somebody takes connections there.
pub(super) async fn listens(at: SocketAddr) -> bool {
    let connected = tokio::time::timeout(CONNECT_WITHIN, tokio::net::TcpStream::connect(at)).await;
    matches!(connected, Ok(Ok(_)))
}

/// What speaks against its being stopped, in sentences.
///
/// It has a connection for each request and each round, and holds one through the whole of a payout; it notes a round
/// each minute even if there are no orders, unless it fails at that (PB-12), which is why somebody's word is wanted too.
pub(super) fn signs_of_life(state: &OldState, listens: Option<SocketAddr>, confirmed: bool) -> Vec<String> {
    let mut signs = Vec::new();
    for session in &state.sessions {
        let from = if session.address.is_empty() { "this machine" } else { &session.address };
        let program = if session.application.is_empty() { "a program" } else { &session.application };
        signs.push(format!("{program} is connected to its database as {} from {from}", session.user));
    }
    if let Some(last_s) = state.last_credit_time_s {
        let ago_s = state.now_s.saturating_sub(last_s);
        if ago_s < QUIET_FOR_S {
            signs.push(format!("its last round was {ago_s} seconds ago: wait until it is {QUIET_FOR_S}"));
        }
    }
    if let Some(at) = listens {
        signs.push(format!("somebody still takes connections at {at}, where it listened"));
    }
    if !confirmed {
        signs.push(
            "you have not said that it is stopped and will not be started again: --old-server-stopped"
                .to_owned(),
        );
    }
    signs
}

#[cfg(test)]
mod tests {
    use alp_store::OldSession;

    use super::*;

    #[test]
    fn each_sign_of_life_is_told_and_a_quiet_server_has_none() {
        let quiet = OldState { now_s: 10_000, last_credit_time_s: Some(9_000), ..OldState::default() };
        assert!(signs_of_life(&quiet, None, true).is_empty());
        assert_eq!(signs_of_life(&quiet, None, false).len(), 1);
        assert_eq!(signs_of_life(&quiet, Some("127.0.0.1:3333".parse().unwrap()), true).len(), 1);
        let recent = OldState { last_credit_time_s: Some(9_900), ..quiet.clone() };
        assert!(signs_of_life(&recent, None, true)[0].contains("100 seconds ago"));
        let session =
            OldSession { user: "alp".into(), application: String::new(), address: "10.0.0.7".into() };
        let connected = OldState { sessions: vec![session], ..quiet };
        assert!(signs_of_life(&connected, None, true)[0].contains("10.0.0.7"));
    }
}
