//! The same call at other times than its own.

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::signed_call::{SIGNED_MS, SignedCall};

/// What the exchange says when its clock shows so many milliseconds more, or fewer, than when the call was signed.
pub(crate) async fn answer_after(call: SignedCall, ms: i64) -> (u16, Value) {
    let fixture = call.exchange().await;
    fixture.now_ms.store(SIGNED_MS.checked_add_signed(ms).unwrap(), Ordering::SeqCst);
    fixture.send("", "").await
}

/// Whether the call is accepted at both ends of this time and refused a millisecond before and after.
pub(crate) async fn is_good_exactly(
    call: SignedCall,
    from_ms: i64,
    until_ms: i64,
    is_good: fn(&Value) -> bool,
) {
    for (ms, due) in [(from_ms - 1, false), (from_ms, true), (until_ms, true), (until_ms + 1, false)] {
        let (status, body) = answer_after(call, ms).await;
        assert_eq!(status == 200 && is_good(&body), due, "{ms} ms after it was signed: {status} {body}");
    }
}
