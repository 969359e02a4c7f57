//! The engine with single limits off, which the sandbox never has: what each of them costs.

use alp_sandbox::Limits;
use alp_sandbox::types::{Fault, Reply, Step, Submission};
use wasmtime::component::{Component, InstancePre, Linker, TypedFunc};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder, UpdateDeadline,
};

use crate::families::{Family, ORDERS};

/// What is on. The sandbox has everything on.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    /// Instances come from a pool.
    pub(crate) pool: bool,
    /// The pool keeps memory between calls.
    pub(crate) kept: bool,
    /// The time of a call is bounded.
    pub(crate) time: bool,
    /// Memory, tables, instances and the answer are bounded.
    pub(crate) sizes: bool,
    /// A number that is none is always the same one.
    pub(crate) nan: bool,
}

/// Everything on.
pub(crate) const ALL: Setting = Setting { pool: true, kept: true, time: true, sizes: true, nan: true };

/// How many ticks a call has here; nobody advances the clock.
const TICKS: u64 = 20;

type Resume<'a> = (&'a Submission, &'a [u8], &'a Reply);
type Answer = (Result<Step, Fault>,);

/// An adapter in an engine of these settings.
pub(crate) struct Bare {
    engine: Engine,
    instance: InstancePre<StoreLimits>,
    setting: Setting,
}

/// A store with one instance in it.
pub(crate) struct Live {
    store: Store<StoreLimits>,
    resume: TypedFunc<Resume<'static>, Answer>,
}

impl Bare {
    /// Compiles a component.
    pub(crate) fn new(wasm: &[u8], setting: Setting) -> Self {
        let limits = Limits::default();
        let engine = Engine::new(&config(&limits, setting)).unwrap();
        let component = Component::new(&engine, wasm).unwrap();
        let instance = Linker::new(&engine).instantiate_pre(&component).unwrap();
        Self { engine, instance, setting }
    }

    /// A fresh store and instance.
    pub(crate) async fn live(&self) -> Live {
        let limits = Limits::default();
        let most = StoreLimitsBuilder::new()
            .memory_size(limits.memory_bytes)
            .table_elements(limits.table_elements)
            .instances(limits.core_instances as usize)
            .build();
        let mut store = Store::new(&self.engine, most);
        if self.setting.sizes {
            store.limiter(|most| most);
            store.set_hostcall_fuel(limits.answer_bytes);
        }
        if self.setting.time {
            store.set_epoch_deadline(TICKS);
            store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Continue(TICKS)));
        }
        let instance = self.instance.instantiate_async(&mut store).await.unwrap();
        let adapter = instance.get_export_index(&mut store, None, "alp:exchange/adapter@1.0.0").unwrap();
        let resume = instance.get_export_index(&mut store, Some(&adapter), "resume").unwrap();
        let resume = instance.get_typed_func(&mut store, resume).unwrap();
        Live { store, resume }
    }
}

impl Live {
    /// Reads the family's reply.
    pub(crate) async fn read(&mut self, family: &'static Family) {
        let arguments = (&family.submission, family.state.as_slice(), &family.reply);
        let (step,) = self.resume.call_async(&mut self.store, arguments).await.unwrap();
        check(step);
    }
}

/// It saw the orders.
pub(crate) fn check(step: Result<Step, Fault>) {
    match step {
        Ok(Step::Orders(list)) => assert_eq!(list.orders.len(), ORDERS),
        Ok(Step::Send(_) | Step::LookUp(_)) | Err(_) => panic!("it does not see the orders"),
    }
}

/// As the sandbox configures its engine, but for what is off.
fn config(limits: &Limits, setting: Setting) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(setting.time)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.call_stack_bytes)
        .wasm_backtrace_max_frames(None)
        .cranelift_nan_canonicalization(setting.nan)
        .relaxed_simd_deterministic(true);
    if setting.pool {
        let calls = limits.concurrent_calls;
        let mut pool = PoolingAllocationConfig::default();
        pool.total_component_instances(calls)
            .total_stacks(calls)
            .total_core_instances(calls * limits.core_instances)
            .total_memories(calls * limits.memories)
            .total_tables(calls * limits.tables)
            .table_elements(limits.table_elements)
            .max_memory_size(limits.memory_bytes);
        if setting.kept {
            pool.linear_memory_keep_resident(1 << 20)
                .table_keep_resident(limits.table_elements * 8)
                .pagemap_scan(Enabled::Auto);
        }
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}
