//! What is asked of a pool, each with its time.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::pool::OldPool;

/// How long something took.
pub(crate) struct Taken {
    /// By the clock on the wall.
    pub(crate) wall: Duration,
    /// Of all processors, by this process.
    pub(crate) cpu: Duration,
}

type Made<'p> = Pin<Box<dyn Future<Output = Taken> + 'p>>;

/// Something that is asked.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    made: for<'p> fn(&'p mut OldPool) -> Made<'p>,
}

impl Call {
    /// Makes the call, which has to succeed.
    pub(crate) async fn make(&self, pool: &mut OldPool) -> Taken {
        (self.made)(pool).await
    }
}

pub(crate) const CALLS: [Call; 8] = [
    Call { name: "GET /status", made: |pool| Box::pin(get(pool, "/status", "last-credit-time")) },
    Call { name: "GET /<user>/orders", made: |pool| Box::pin(get(pool, "/{user}/orders", "credit_info")) },
    Call { name: "GET /<user>/stats", made: |pool| Box::pin(get(pool, "/{user}/stats", "round_time")) },
    Call { name: "GET /v1/lps/<user>", made: |pool| Box::pin(get(pool, "/v1/lps/{user}", "efficiency")) },
    Call { name: "GET /v1/payouts/<user>", made: |pool| Box::pin(get(pool, "/v1/payouts/{user}", "owed")) },
    Call { name: "POST /register", made: |pool| Box::pin(register(pool)) },
    Call { name: "POST /liquidity", made: |pool| Box::pin(liquidity(pool)) },
    Call { name: "a round of one LP", made: |pool| Box::pin(round(pool)) },
];

async fn get(pool: &mut OldPool, path: &str, wanted: &str) -> Taken {
    let path = path.replace("{user}", &pool.lp.key);
    let since = Since::now();
    let answer = pool.pool.get(&path).await;
    let taken = since.taken();
    assert!(answer.status == 200 && answer.text.contains(wanted), "{path}: {answer:?}");
    taken
}

async fn register(pool: &mut OldPool) -> Taken {
    let lp = pool.another_lp();
    let since = Since::now();
    let answer = pool.pool.register(&lp, "btc").await;
    let taken = since.taken();
    assert!(answer.success(), "{answer:?}");
    taken
}

async fn liquidity(pool: &mut OldPool) -> Taken {
    let body = pool.pool.signed_body(&pool.lp, "test_exchange", "btc").await;
    let since = Since::now();
    let answer = pool.pool.post("/liquidity", &body).await;
    let taken = since.taken();
    assert!(answer.success(), "{answer:?}");
    taken
}

async fn round(pool: &mut OldPool) -> Taken {
    pool.pool.submit_btc(&pool.lp).await;
    pool.pool.pass(60_000);
    let since = Since::now();
    pool.pool.run_rounds().await;
    since.taken()
}

/// Two clocks at one moment.
struct Since {
    wall: Instant,
    cpu: Duration,
}

impl Since {
    fn now() -> Self {
        Self { cpu: cpu(), wall: Instant::now() }
    }

    fn taken(&self) -> Taken {
        Taken { wall: self.wall.elapsed(), cpu: cpu() - self.cpu }
    }
}

fn cpu() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("time that was used is not negative")
}
