//! Calls, and what becomes of those that go too far.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alp_sandbox::types::{Body, SignQuery, Step};
use alp_sandbox::{Adapter, CallError, CallFailure};

use crate::guests::{FOR_EVER, Guest, answer_orders, answer_state};
use crate::{load, market, reply, sandbox, submission};

fn query() -> SignQuery {
    SignQuery {
        user: "key".into(),
        secret: "secret".into(),
        parameters: vec![],
        market: market(),
        endpoint: None,
        now_ms: 1,
        nonce: String::new(),
        extras: vec![],
    }
}

/// Loads a guest whose `start` does this, calls it, and returns how that failed.
async fn failure(start: &str) -> CallError {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::starting(start).component()).await;
    let error = adapter.start(&submission()).await.unwrap_err();
    // The next call is not the worse for it.
    assert_eq!(adapter.resume(&submission(), b"", &reply("")).await.unwrap().unwrap(), no_orders());
    error
}

fn no_orders() -> Step {
    Step::Orders(alp_sandbox::types::OrderList { orders: vec![], account: None, maybe_truncated: false })
}

#[tokio::test]
async fn a_good_adapter_signs_starts_and_resumes() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::named("good").component()).await;
    let signed = adapter.sign(&query()).await.unwrap().unwrap();
    assert_eq!(signed.sign, "signature");
    let started = adapter.start(&submission()).await.unwrap().unwrap();
    assert_eq!(started.step, no_orders());
    let step = adapter.resume(&submission(), b"state", &reply("[]")).await.unwrap().unwrap();
    assert_eq!(step, no_orders());
}

#[tokio::test]
async fn an_endless_loop_is_stopped_while_another_adapter_answers() {
    let (_folder, sandbox) = sandbox();
    let endless = load(&sandbox, Guest::starting(FOR_EVER).component()).await;
    let good = load(&sandbox, Guest::named("good").component()).await;
    let looping = tokio::spawn(async move { endless.start(&submission()).await });
    let over = looping.abort_handle();
    let answering = tokio::spawn(async move {
        let mut answered = 0;
        while !over.is_finished() {
            good.start(&submission()).await.unwrap().unwrap();
            answered += 1;
            tokio::task::yield_now().await;
        }
        answered
    });
    let answered = answering.await.unwrap();
    assert!(answered >= 5, "only {answered} answers while another adapter was looping");
    let error = looping.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "hostile 0.1.0: start: took longer than 200 ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adapter_that_loops_leaves_slots_for_the_others() {
    let (_folder, sandbox) = sandbox();
    let endless = load(&sandbox, Guest::starting(FOR_EVER).component()).await;
    let good = load(&sandbox, Guest::named("good").component()).await;
    let looping: Vec<_> = (0..20)
        .map(|_| {
            let endless = Arc::clone(&endless);
            tokio::spawn(async move { endless.start(&submission()).await })
        })
        .collect();
    good.start(&submission()).await.unwrap().unwrap();
    assert!(looping.iter().any(|call| !call.is_finished()), "the loops were over before");
    looping.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_wait_their_turn_and_are_all_answered() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::named("good").component()).await;
    let calls: Vec<_> = (0..1_000)
        .map(|_| {
            let adapter: Arc<Adapter> = Arc::clone(&adapter);
            tokio::spawn(async move { adapter.start(&submission()).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().unwrap().step, no_orders());
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_its_slot() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::starting(FOR_EVER).component()).await;
    for _ in 0..8 {
        let submission = submission();
        let call = adapter.start(&submission);
        tokio::time::timeout(Duration::from_millis(15), call).await.unwrap_err();
    }
    adapter.resume(&submission(), b"", &reply("")).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_memory_bomb_gets_no_memory() {
    let grow = "(loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let error = failure(grow).await;
    assert_eq!(error.failure, CallFailure::Memory { limit_bytes: 64 << 20 });
}

#[tokio::test]
async fn a_stack_bomb_is_stopped() {
    let (_folder, sandbox) = sandbox();
    let also = "(func $deep (param i64) (result i64) \
                (i64.add (local.get 0) (call $deep (i64.add (local.get 0) (i64.const 1)))))";
    let start = "(drop (call $deep (i64.const 0))) unreachable";
    let guest = Guest { also: also.into(), ..Guest::starting(start) };
    let adapter = load(&sandbox, guest.component()).await;
    let error = adapter.start(&submission()).await.unwrap_err();
    assert_eq!(error.failure, CallFailure::Stack { limit_bytes: 512 << 10 });
}

#[tokio::test]
async fn an_answer_of_too_many_bytes_is_not_taken() {
    let error = failure(&answer_state(5 << 20)).await;
    assert_eq!(error.failure, CallFailure::AnswerSize { limit_bytes: 4 << 20 });
}

#[tokio::test]
async fn too_long_a_state_is_not_kept() {
    let error = failure(&answer_state((64 << 10) + 1)).await;
    assert_eq!(error.to_string(), "hostile 0.1.0: start: answered 65537 bytes of state, more than 65536");
}

#[tokio::test]
async fn a_state_at_the_limit_is_kept() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::starting(&answer_state(64 << 10)).component()).await;
    let Step::Send(pending) = adapter.start(&submission()).await.unwrap().unwrap().step else {
        panic!("another step")
    };
    assert_eq!(pending.state.len(), 64 << 10);
    assert_eq!(pending.request.body, Body::None);
}

#[tokio::test]
async fn too_many_orders_are_not_taken() {
    let error = failure(&answer_orders(5_001)).await;
    assert_eq!(error.to_string(), "hostile 0.1.0: start: answered 5001 orders, more than 5000");
}

#[tokio::test]
async fn as_many_orders_as_allowed_are_taken() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::starting(&answer_orders(5_000)).component()).await;
    let Step::Orders(list) = adapter.start(&submission()).await.unwrap().unwrap().step else {
        panic!("another step")
    };
    assert_eq!(list.orders.len(), 5_000);
}

#[tokio::test]
async fn a_panic_and_a_wild_access_name_adapter_version_and_function() {
    for start in ["unreachable", "(i32.load (i32.const -8))", "(i32.div_u (i32.const 1) (i32.const 0))"] {
        let error = failure(start).await;
        assert!(matches!(error.failure, CallFailure::Trap(_)), "{error:?}");
        assert!(error.to_string().starts_with("hostile 0.1.0: start: stopped: "), "{error}");
    }
}

#[tokio::test]
async fn an_answer_outside_the_memory_is_an_error() {
    let error = failure("(i32.const 0x7fffff00)").await;
    assert!(matches!(error.failure, CallFailure::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn every_call_has_an_instance_of_its_own() {
    let (_folder, sandbox) = sandbox();
    // The second call of one instance would trap.
    let guest = Guest {
        also: "(global $used (mut i32) (i32.const 0))".into(),
        start: "(if (global.get $used) (then unreachable)) (global.set $used (i32.const 1)) i32.const 2048"
            .into(),
        ..Guest::named("good")
    };
    let adapter = load(&sandbox, guest.component()).await;
    for _ in 0..3 {
        adapter.start(&submission()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_loop_is_stopped_soon_after_its_limit() {
    let (_folder, sandbox) = sandbox();
    let adapter = load(&sandbox, Guest::starting(FOR_EVER).component()).await;
    let begun = Instant::now();
    adapter.start(&submission()).await.unwrap_err();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(150), "stopped after only {took:?}");
    assert!(took < Duration::from_secs(5), "stopped after {took:?}");
}
