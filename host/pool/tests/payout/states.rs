//! What may follow what.

use alp_pool::money::Coins;
use alp_pool::payout::{
    Broadcast, CallResult, Conflict, Evidence, Method, Next, RefusalCode, Stage, Standing, Why,
    after_broadcast, after_call, refuses_before_commit, review,
};

fn nothing_found() -> Evidence {
    Evidence { found: None, conflict: None, complete: true, finds_the_last_paid: true }
}

fn found(confirmations: i64) -> Evidence {
    Evidence { found: Some(Standing { txid: "t".to_owned(), confirmations }), ..nothing_found() }
}

fn conflict(same_outputs: bool, confirmations: i64) -> Evidence {
    let standing = Standing { txid: "other".to_owned(), confirmations };
    Evidence { conflict: Some(Conflict { standing, same_outputs, pays: Coins::ZERO }), ..found(-1) }
}

const CALLED: [Stage; 2] = [Stage::Calling, Stage::Sent];
const METHODS: [Method; 3] = [Method::Plain, Method::Prepared, Method::Manual];

#[test]
fn only_what_a_wallet_says_before_it_commits_gives_the_coins_back() {
    for code in [-3, -5, -6, -8, -13, -28] {
        assert_eq!(after_call(CallResult::Refused(RefusalCode::Rpc(code))), Next::Void, "{code}");
    }
    for status in [401, 403] {
        assert_eq!(after_call(CallResult::Refused(RefusalCode::Http(status))), Next::Void, "{status}");
    }
    for code in [-4, -1, -2, -7, -32603, 0, 3] {
        assert_eq!(after_call(CallResult::Refused(RefusalCode::Rpc(code))), Next::Wait, "{code}");
        assert!(!refuses_before_commit(RefusalCode::Rpc(code)));
    }
    for status in [500, 502, 503, 404, 200] {
        assert_eq!(after_call(CallResult::Refused(RefusalCode::Http(status))), Next::Wait, "{status}");
    }
    assert_eq!(after_call(CallResult::Silence), Next::Wait);
    assert_eq!(after_call(CallResult::Accepted("t".into())), Next::Sent { txid: "t".into() });
}

#[test]
fn no_review_ever_gives_the_coins_of_a_called_payout_back() {
    let all = [
        nothing_found(),
        found(-1),
        found(0),
        found(9),
        conflict(true, 3),
        conflict(false, 3),
        conflict(true, -2),
    ];
    for stage in Stage::ALL {
        for method in METHODS {
            for evidence in &all {
                for (complete, finds_the_last_paid) in
                    [(true, true), (true, false), (false, true), (false, false)]
                {
                    let evidence = Evidence { complete, finds_the_last_paid, ..evidence.clone() };
                    let next = review(stage, method, &evidence, 6);
                    assert_ne!(next, Next::Void, "{stage:?} {method:?} {evidence:?}");
                }
            }
        }
    }
}

#[test]
fn nothing_leads_out_of_an_end_and_nothing_leads_back() {
    for from in Stage::ALL {
        assert!(!from.may_become(from));
        for to in Stage::ALL {
            assert!(!(from.may_become(to) && to.may_become(from)), "{from:?} and {to:?}");
        }
        assert!(!Stage::Paid.may_become(from) && !Stage::Void.may_become(from));
        assert_eq!(Stage::from_name(from.name()), Some(from));
    }
    assert!(!Stage::Sent.may_become(Stage::Void));
}

#[test]
fn a_reserved_payout_that_the_wallet_has_is_sent_and_one_that_was_undone_is_for_a_person() {
    for method in METHODS {
        assert_eq!(review(Stage::Reserved, method, &nothing_found(), 6), Next::Wait);
        let sent = review(Stage::Reserved, method, &found(0), 6);
        assert!(matches!(sent, Next::Sent { .. }), "{method:?} {sent:?}");
    }
    let undone = review(Stage::Reserved, Method::Plain, &found(-1), 6);
    assert!(matches!(undone, Next::Stop(_)), "{undone:?}");
}

#[test]
fn not_found_is_not_unsent() {
    for method in [Method::Plain, Method::Manual] {
        let next = review(Stage::Calling, method, &nothing_found(), 6);
        assert_eq!(next, Next::Stop(Why::Uncertain), "a person looks");
        let partly = Evidence { complete: false, ..nothing_found() };
        assert_eq!(review(Stage::Calling, method, &partly, 6), Next::Wait);
        let restored = Evidence { finds_the_last_paid: false, ..nothing_found() };
        assert_eq!(review(Stage::Calling, method, &restored, 6), Next::Stop(Why::HistoryLost));
    }
}

#[test]
fn a_prepared_payout_is_sent_again_as_often_as_need_be() {
    for stage in [Stage::Prepared, Stage::Calling, Stage::Sent] {
        assert_eq!(review(stage, Method::Prepared, &nothing_found(), 6), Next::Broadcast);
    }
    assert_eq!(review(Stage::Sent, Method::Prepared, &found(0), 6), Next::Broadcast);
    assert_eq!(after_broadcast(Broadcast::Known, "t"), Next::Sent { txid: "t".into() });
    assert_eq!(after_broadcast(Broadcast::Unclear, "t"), Next::Wait);
}

#[test]
fn a_payout_is_paid_after_its_confirmations_and_not_before() {
    for method in METHODS {
        assert_eq!(review(Stage::Calling, method, &found(0), 6), Next::Sent { txid: "t".into() });
        assert_eq!(review(Stage::Sent, method, &found(5), 6), Next::Wait);
        assert_eq!(review(Stage::Sent, method, &found(6), 6), Next::Paid);
    }
    assert_eq!(review(Stage::Sent, Method::Plain, &found(0), 0), Next::Paid);
}

#[test]
fn a_conflicting_transaction_with_the_same_outputs_is_adopted_and_any_other_stops_payouts() {
    for stage in CALLED {
        for method in METHODS {
            let adopted = review(stage, method, &conflict(true, 1), 6);
            assert_eq!(adopted, Next::Sent { txid: "other".into() });
            let stopped = review(stage, method, &conflict(false, 1), 6);
            assert_eq!(stopped, Next::Stop(Why::Conflict { txid: "other".into() }));
        }
    }
}

#[test]
fn a_block_that_is_undone_sends_the_same_transaction_again_and_makes_no_new_payout() {
    assert_eq!(review(Stage::Sent, Method::Prepared, &found(-1), 6), Next::Broadcast);
    assert_eq!(review(Stage::Sent, Method::Plain, &found(-1), 6), Next::Stop(Why::Uncertain));
}
